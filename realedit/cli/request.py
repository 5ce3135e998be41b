"""What the command line asks for: planned once, prepared for each photo, then done or only told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from realedit.cli import session
from realedit.cli.boundary import say
from realedit.cli.flag_order import gather
from realedit.cli.options import EditSampling, ModelOptions, ObjectOptions
from realedit.edits.entries import read_entries
from realedit.edits.plan import Plan, plan
from realedit.edits.prepared import Prepared, prepare
from realedit.edits.recipe import Besides, EditsFile, read_file
from realedit.errors import UsageError
from realedit.photo import Photo
from realedit.settings import Settings
from realedit.system.progress import Progress

if TYPE_CHECKING:
    from realedit.change import Change
    from realedit.cli.edit_options import EditOptions
    from realedit.edits.edit import Edit
    from realedit.location import Location
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult

_Options = TypeVar("_Options", EditSampling, ObjectOptions, ModelOptions)


def asked(what: EditOptions, where: ObjectOptions, sampling: EditSampling, *, quiet: bool) -> EditCommand:
    """What the flags ask for; what they leave open is as a recipe says that they name.

    Args:
        what: the flags that edit.
        where: those that show the object.
        sampling: those of the sampling.
        quiet: do not say that a recipe's mask cannot be had.

    Raises:
        UsageError: flags are missing or contradict each other, or the recipe cannot be read.
    """
    file = _file(what)
    besides = Besides() if file is None else file.besides
    if where.given is None:
        if besides.mask_sha256 is not None and not quiet:
            say("realedit: warning: the recipe holds only a digest of its mask: show the object with --mask")
        where = replace(where, box=_tuple(besides.box), point=_tuple(besides.point))
    where = _filled(where, prompt=besides.prompt)
    sampling = _filled(sampling, inversion=besides.inversion, steps=besides.steps, seed=besides.seed)
    planned = plan(_edits(what, where, file), shown=where.given is not None)
    return EditCommand(planned, where, sampling, what.allow_crop or bool(besides.allow_crop), besides)


@dataclass(frozen=True)
class EditCommand:
    """What is asked of a photo, or of many.

    Args:
        plan: the edits, in their order.
        where: how the object is found.
        sampling: how the edited photo is sampled.
        allow_crop: whether the object may leave the photo in part.
        besides: what a recipe says of the model and the settings.
    """

    plan: Plan
    where: ObjectOptions
    sampling: EditSampling
    allow_crop: bool = False
    besides: Besides = field(default_factory=Besides)

    def on(self, model: ModelOptions) -> ModelOptions:
        """The model's options, at the recipe's working size where they name none."""
        return _filled(model, working_size=self.besides.working_size)

    def tell_other_models(self, pipeline: RealEditPipeline) -> None:
        """Say where other models are at work than a recipe's: which are here, their user decides."""
        here = pipeline.engine.names()
        then = {role: getattr(self.besides, role) for role in here if role in self.besides.model_fields_set}
        others = [role for role, name in then.items() if name != here[role]]
        if others:
            names = ", ".join(
                f"{role} {then[role] or 'none'} (here {here[role] or 'none'})" for role in others
            )
            flags = ", ".join(f"--{role}" for role in others)
            say(f"realedit: warning: the recipe's picture was made with {names}; see {flags}")

    def prepare(self, photo: Photo) -> Prepared:
        """The edit of one photo, with all read that it names.

        Raises:
            PhotoError: a file that is named cannot be read.
            UsageError: a mask or an outline does not fit the photo.
        """
        return prepare(photo, self.plan, session.shown(self.where, photo))

    def edit(self, pipeline: RealEditPipeline, prepared: Prepared, progress: Progress) -> EditResult:
        """Do it.

        Args:
            pipeline: the model.
            prepared: of :meth:`prepare`.
            progress: told of each stage.

        Raises:
            RealEditError: see :meth:`realedit.pipeline.RealEditPipeline.edit`.
        """
        return pipeline.edit_prepared(
            prepared,
            prompt=self.where.prompt,
            **self._how,
            **_said(seed=self.sampling.seed),
            settings=self.settings,
            strength=self.sampling.strength,
            allow_crop=self.allow_crop,
            progress=progress,
        )

    def dry_run(
        self, pipeline: RealEditPipeline, prepared: Prepared, progress: Progress
    ) -> tuple[list[Location], list[Change]]:
        """The objects that are found, and what would be done; see :meth:`edit`."""
        from realedit.cli.dry_run import changes_of

        found = session.find(pipeline, prepared, self.where.prompt, self._how, progress)
        return list(found.values()), changes_of(prepared.steps, found, allow_crop=self.allow_crop)

    @property
    def settings(self) -> Settings | None:
        """Every knob, as a recipe and the flags say it; None where neither does."""
        said = self.besides.settings
        return replace(said or Settings(), reflection=True) if self.sampling.reflection else said

    @property
    def _how(self) -> dict[str, Any]:
        method = self.sampling.inversion
        said = _said(method=method, steps=self.sampling.steps)
        # the scales are the method's: another's would be refused, or do other things
        if method == self.besides.inversion:
            scales = {name: getattr(self.besides, name) for name in ("guidance_scale", "inversion_scale")}
            said |= _said(**scales)
        return said


def _file(what: EditOptions) -> EditsFile | None:
    """What the file of edits says, or None where there is none; a pipe can be read once."""
    if what.edits_file is None:
        return None
    if what.order:
        raise UsageError("--edits and flags that edit contradict each other", "use one of them")
    return read_file(what.edits_file)


def _edits(what: EditOptions, where: ObjectOptions, file: EditsFile | None) -> list[Edit]:
    """The edits that a file or the flags ask for."""
    if file is not None:
        return file.edits
    edits = read_entries(gather(what.order, what.values, where.given), "the edits asked for")
    if not edits:
        raise UsageError(
            "no edit was asked for", "for example: --move mug --dx 0.2, or --resize mug --scale 1.3"
        )
    return edits


def _filled(options: _Options, **defaults: object) -> _Options:
    """Options with what none of them says."""
    return replace(options, **{name: to for name, to in defaults.items() if getattr(options, name) is None})


def _said(**options: object) -> dict[str, Any]:
    """Options without those that are None, whose defaults are the pipeline's."""
    return {name: value for name, value in options.items() if value is not None}


def _tuple(numbers: list[float] | None) -> Any:  # noqa: ANN401 - of the length that its reader has checked
    return None if numbers is None else tuple(numbers)
