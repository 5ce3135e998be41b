"""What the command line asks for: planned once, prepared for each photo, then done or only reported."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from realedit.cli import session
from realedit.cli.boundary import say
from realedit.cli.flag_order import FLAGS, gather
from realedit.cli.lengths import NOT_KNOWN, Pixels, in_fractions
from realedit.cli.options import Box, EditSampling, ModelOptions, ObjectOptions, Point
from realedit.edits.entries import read_entries
from realedit.edits.plan import Plan, plan
from realedit.edits.prepared import Points, Prepared, Shown, points_of, prepare
from realedit.edits.recipe import EditsFile, RecipeOptions, read_file
from realedit.errors import UsageError
from realedit.photo import Photo
from realedit.settings import Settings
from realedit.system.progress import Progress

if TYPE_CHECKING:
    from realedit.cli.dry_run import DryRun
    from realedit.cli.edit_options import EditOptions
    from realedit.edits.edit import Edit
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult

_Options = TypeVar("_Options", EditSampling, ObjectOptions, ModelOptions)


def asked(what: EditOptions, where: ObjectOptions, sampling: EditSampling, *, quiet: bool) -> EditCommand:
    """Returns what the flags ask for; what they leave open is taken from the recipe, if they name one.

    Args:
        what: the flags that edit.
        where: the flags that show the object.
        sampling: the flags of the sampling.
        quiet: do not warn that the recipe's mask is not in it.

    Raises:
        UsageError: flags are missing or contradict each other, or the recipe cannot be read.
    """
    return commanded(_file(what), what, where, sampling, quiet=quiet)


def commanded(
    file: EditsFile | None, what: EditOptions, where: ObjectOptions, sampling: EditSampling, *, quiet: bool
) -> EditCommand:
    """Returns what a file of edits and flags ask for together; the rest is as of :func:`asked`.

    Args:
        file: what a file says, or None.
        what: see :func:`asked`.
        where: see :func:`asked`.
        sampling: see :func:`asked`.
        quiet: see :func:`asked`.
    """
    recipe = RecipeOptions() if file is None else file.options
    others = (replace(what, edits_file=None), ObjectOptions(min_confidence=where.min_confidence), sampling)
    later = tuple(commanded(one, *others, quiet=quiet) for one in (file.then if file else ()))
    if where.given is None:
        if recipe.mask_sha256 is not None and not quiet:
            say("realedit: warning: the recipe was made with a mask, which it does not hold: add --mask FILE")
        where = replace(
            where, box=_box(recipe.box), point=_points(recipe.point), not_point=_points(recipe.not_point)
        )
    elif where.mask is not None:
        where = _filled(where, refine=recipe.refine)
    where = _filled(where, prompt=recipe.prompt)
    sampling = _filled(sampling, inversion=recipe.inversion, steps=recipe.steps, seed=recipe.seed)
    planned = plan(_edits(what, where, file, NOT_KNOWN), shown=where.given is not None)
    in_pixels = what if any(isinstance(one, Pixels) for name in FLAGS for one in what.values(name)) else None
    allow_crop = what.allow_crop or bool(recipe.allow_crop)
    return EditCommand(planned, where, sampling, allow_crop, recipe, later, in_pixels)


@dataclass(frozen=True)
class EditCommand:
    """What is asked of a photo, or of many.

    Args:
        plan: the edits, in their order.
        where: how the object is found.
        sampling: how the edited photo is sampled.
        allow_crop: whether part of the object may leave the photo.
        recipe: what a recipe says of the model and the settings.
        then: what is asked of the edited photo after that.
        in_pixels: the flags that edit, where some give lengths in pixels: the plan is then made anew for each
            photo, and ``plan`` has fractions of a photo without end.
    """

    plan: Plan
    where: ObjectOptions
    sampling: EditSampling
    allow_crop: bool = False
    recipe: RecipeOptions = field(default_factory=RecipeOptions)
    then: tuple[EditCommand, ...] = ()
    in_pixels: EditOptions | None = None

    def on(self, model: ModelOptions) -> ModelOptions:
        """Returns the model's options, with the recipe's working size if they name none."""
        return _filled(model, working_size=self.recipe.working_size)

    def with_mask(self, mask: Path) -> EditCommand:
        """Returns the same for a photo with a mask of its own."""
        return replace(self, where=replace(self.where, mask=mask))

    def tell_other_models(self, pipeline: RealEditPipeline) -> None:
        """Warns if other models are at work than those that made the recipe's picture."""
        here = pipeline.engine.names()
        then = {role: getattr(self.recipe, role) for role in here if role in self.recipe.model_fields_set}
        others = [role for role, name in then.items() if name != here[role]]
        if others:
            names = ", ".join(
                f"{role} {then[role] or 'none'} (here {here[role] or 'none'})" for role in others
            )
            flags = ", ".join(f"--{role}" for role in others)
            say(
                f"realedit: warning: the recipe's picture was made with {names}; "
                f"choose with {flags} for the same picture"
            )

    def prepare(self, photo: Photo) -> Prepared:
        """Returns the edit of one photo, with every file read that it names.

        Raises:
            PhotoError: a file cannot be read.
            UsageError: a mask or an outline does not fit the photo.
        """
        shown = session.shown(self.where, photo)
        planned = self.plan
        if self.in_pixels is not None:
            planned = plan(_edits(self.in_pixels, self.where, None, photo.size), shown=bool(shown))
        return prepare(photo, planned, shown)

    def edit(self, pipeline: RealEditPipeline, prepared: Prepared, progress: Progress) -> EditResult:
        """Does the edit, and what is asked after it.

        Args:
            pipeline: the loaded model.
            prepared: the edit of one photo, from :meth:`prepare`.
            progress: told of each stage.

        Raises:
            RealEditError: see :meth:`realedit.pipeline.RealEditPipeline.edit`.
        """
        result = pipeline.edit_prepared(
            prepared,
            prompt=self.where.prompt,
            **self.how,
            **_said(seed=self.sampling.seed),
            settings=self.settings,
            strength=self.sampling.strength,
            allow_crop=self.allow_crop,
            min_confidence=self.where.min_confidence,
            progress=progress,
        )
        for later in self.then:
            result = result.followed_by(later.edit(pipeline, later.prepare(result.photo), progress))
        return result

    def dry_run(self, pipeline: RealEditPipeline, prepared: Prepared, progress: Progress) -> DryRun:
        """Finds the objects, and works out what would be done to them.

        Args:
            pipeline: the model.
            prepared: the edit of one photo, from :meth:`prepare`.
            progress: told of each stage.

        Raises:
            RealEditError: an object is not found, or would leave the frame.
        """
        from realedit.cli.dry_run import DryRun, planned
        from realedit.pixels.horizon import find_horizon

        found = {
            word: pipeline.locate_shown(
                prepared.photo,
                prepared.shown if word == prepared.plan.shown_word else Shown(),
                word,
                prompt=self.where.prompt,
                min_confidence=self.where.min_confidence,
                progress=progress,
                **self.how,
            )
            for word in prepared.plan.objects
        }
        horizon = partial(find_horizon, prepared.photo.rgb)
        return DryRun(found, planned(prepared.steps, found, horizon, allow_crop=self.allow_crop))

    @property
    def settings(self) -> Settings | None:
        """The knobs, as the recipe and the flags say; None if neither says any."""
        said = self.recipe.settings
        sampling = self.sampling
        knobs = _said(
            shadow=sampling.shadow,
            reflection=sampling.reflection or None,
            self_guidance=sampling.self_guidance,
            guidance_scale=sampling.guidance_scale,
            repaint_scale=sampling.guidance_scale,
            negative_prompt=sampling.negative_prompt,
        )
        return replace(said or Settings(), **knobs) if knobs else said

    @property
    def how(self) -> dict[str, Any]:
        """How the photo is inverted, as the flags and the recipe say."""
        method = self.sampling.inversion
        said = _said(method=method, steps=self.sampling.steps)
        # scales belong to a method: with another one they would be refused, or do something else
        if method == self.recipe.inversion:
            scales = {name: getattr(self.recipe, name) for name in ("guidance_scale", "inversion_scale")}
            said |= _said(**scales)
        return said


def _file(what: EditOptions) -> EditsFile | None:
    """Returns what the file of edits says, or None if there is none. A pipe can be read only once."""
    if what.edits_file is None:
        return None
    if what.order:
        raise UsageError("--edits and flags that edit contradict each other", "use one of them")
    return read_file(what.edits_file)


def _edits(
    what: EditOptions, where: ObjectOptions, file: EditsFile | None, size: tuple[int, int]
) -> list[Edit]:
    """Returns the edits that a file or the flags ask for, of a photo of this width and height."""
    if file is not None:
        return file.edits
    entries = in_fractions(gather(what.order, what.values, where.given), size)
    edits = read_entries(entries, "the edits asked for")
    if not edits:
        raise UsageError(
            "no edit was asked for", "for example: --move mug --dx 0.2, or --resize mug --scale 1.3"
        )
    return edits


def _filled(options: _Options, **defaults: object) -> _Options:
    """Returns options in which those that are None have defaults."""
    return replace(options, **{name: to for name, to in defaults.items() if getattr(options, name) is None})


def _said(**options: object) -> dict[str, Any]:
    """Returns options without those that are None: these are left to the pipeline's defaults."""
    return {name: value for name, value in options.items() if value is not None}


def _box(numbers: list[float] | None) -> Box | None:
    return None if numbers is None else (numbers[0], numbers[1], numbers[2], numbers[3])


def _points(listed: list[float] | list[list[float]] | None) -> tuple[Point, ...]:
    return points_of(cast("Points | None", listed))
