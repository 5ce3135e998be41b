"""An edit as the command line asks for it, done or only planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from realedit import cli_session as session
from realedit.cli_options import EditSampling, ObjectOptions
from realedit.photo import Photo
from realedit.progress import Progress

if TYPE_CHECKING:
    from realedit.change import Change
    from realedit.edits import Edit
    from realedit.locate import Location
    from realedit.pipeline import RealEditPipeline
    from realedit.result import EditResult


@dataclass(frozen=True)
class Request:
    """What is asked of a photo, or of many.

    Args:
        edits: in their order.
        where: how the object is found.
        sampling: how the edited photo is sampled.
        allow_crop: whether the object may leave the photo in part.
    """

    edits: tuple[Edit, ...]
    where: ObjectOptions
    sampling: EditSampling
    allow_crop: bool = False

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
            seed=self.sampling.seed,
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
    def _inversion(self) -> dict[str, Any]:
        return {"method": self.sampling.inversion, "steps": self.sampling.steps}
