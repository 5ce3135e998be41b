"""An edit as the command line asks for it, done or only planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from realedit import cli_session as session
from realedit.cli_boundary import say
from realedit.cli_options import EditSampling, ModelOptions, ObjectOptions
from realedit.edit_entries import Besides
from realedit.photo import Photo
from realedit.progress import Progress
from realedit.settings import Settings

if TYPE_CHECKING:
    from realedit.change import Change
    from realedit.cli_edit import EditOptions
    from realedit.edits import Edit
    from realedit.locate import Location
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult

_Options = TypeVar("_Options", EditSampling, ObjectOptions, ModelOptions)


def asked(what: EditOptions, where: ObjectOptions, sampling: EditSampling, *, quiet: bool) -> Request:
    """What the flags ask for; what they leave open is as a recipe says that they name.

    Args:
        what: the flags that edit.
        where: those that show the object.
        sampling: those of the sampling.
        quiet: do not say that a recipe's mask cannot be had.

    Raises:
        UsageError: flags are missing or contradict each other, or the recipe cannot be read.
    """
    file = what.read()
    besides = Besides() if file is None else file.besides
    if where.given is None:
        if besides.mask_sha256 is not None and not quiet:
            say("realedit: warning: the recipe holds only a digest of its mask: show the object with --mask")
        where = replace(where, box=_tuple(besides.box), point=_tuple(besides.point))
    where = _filled(where, prompt=besides.prompt)
    sampling = _filled(sampling, inversion=besides.inversion, steps=besides.steps, seed=besides.seed)
    edits = tuple(what.edits(where.given, file))
    return Request(edits, where, sampling, what.allow_crop or bool(besides.allow_crop), besides)


@dataclass(frozen=True)
class Request:
    """What is asked of a photo, or of many.

    Args:
        edits: in their order.
        where: how the object is found.
        sampling: how the edited photo is sampled.
        allow_crop: whether the object may leave the photo in part.
        besides: what a recipe says of the model and the settings.
    """

    edits: tuple[Edit, ...]
    where: ObjectOptions
    sampling: EditSampling
    allow_crop: bool = False
    besides: Besides = field(default_factory=Besides)

    def on(self, model: ModelOptions) -> ModelOptions:
        """The model's options, at the recipe's working size where they name none."""
        return _filled(model, working_size=self.besides.working_size)

    def tell_other_models(self, pipeline: RealEditPipeline) -> None:
        """Say where other models are at work than a recipe's: which are here, their user decides."""
        from realedit.recipe import models

        here = models(pipeline)
        then = {role: getattr(self.besides, role) for role in here if role in self.besides.model_fields_set}
        others = [role for role, name in then.items() if name != here[role]]
        if others:
            names = ", ".join(
                f"{role} {then[role] or 'none'} (here {here[role] or 'none'})" for role in others
            )
            flags = ", ".join(f"--{role}" for role in others)
            say(f"realedit: warning: the recipe's picture was made with {names}; see {flags}")

    def edit(
        self, pipeline: RealEditPipeline, photo: Photo, shown: Mapping[str, Any], progress: Progress
    ) -> EditResult:
        """Do it.

        Args:
            pipeline: the model.
            photo: what is edited.
            shown: of :func:`realedit.cli_session.region`.
            progress: told of each stage.

        Raises:
            RealEditError: see :meth:`realedit.pipeline.RealEditPipeline.edit`.
        """
        return pipeline.edit(
            photo,
            self.edits,
            **shown,
            **self._inversion,
            **_said(seed=self.sampling.seed),
            settings=self.settings,
            strength=self.sampling.strength,
            allow_crop=self.allow_crop,
            progress=progress,
        )

    def plan(
        self, pipeline: RealEditPipeline, photo: Photo, shown: Mapping[str, Any], progress: Progress
    ) -> tuple[list[Location], list[Change]]:
        """The objects that are found, and what would be done; see :meth:`edit`."""
        from realedit.cli_plan import planned
        from realedit.edit_pictures import with_pictures

        found = session.find(pipeline, photo, self.edits, shown, self._inversion, progress)
        changes = planned(with_pictures(self.edits, photo), found, allow_crop=self.allow_crop)
        return list(found.values()), changes

    @property
    def settings(self) -> Settings | None:
        """Every knob, as a recipe and the flags say it; None where neither does."""
        said = self.besides.settings
        return replace(said or Settings(), reflection=True) if self.sampling.reflection else said

    @property
    def _inversion(self) -> dict[str, Any]:
        method = self.sampling.inversion
        said = _said(method=method, steps=self.sampling.steps)
        # the scales are the method's: another's would be refused, or do other things
        if method == self.besides.inversion:
            scales = {name: getattr(self.besides, name) for name in ("guidance_scale", "inversion_scale")}
            said |= _said(**scales)
        return said


def _filled(options: _Options, **defaults: Any) -> _Options:  # noqa: ANN401
    """Options with what none of them says."""
    return replace(options, **{name: to for name, to in defaults.items() if getattr(options, name) is None})


def _said(**options: Any) -> dict[str, Any]:  # noqa: ANN401
    """Options without those that are None, whose defaults are the pipeline's."""
    return {name: value for name, value in options.items() if value is not None}


def _tuple(numbers: list[float] | None) -> Any:  # noqa: ANN401 - of the length that its reader has checked
    return None if numbers is None else tuple(numbers)
