"""What `locate` and `cutout` ask, and what they find, here or on a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realedit.cli.options import ObjectOptions
    from realedit.edits.prepared import Shown
    from realedit.location import Location
    from realedit.photo import Photo
    from realedit.pipeline import RealEditPipeline
    from realedit.system.progress import Progress


@dataclass(frozen=True)
class Asked:
    """An object that is asked for.

    Args:
        file: the photo's file.
        photo: the photo.
        word: the object's name, if it has one.
        where: how it is found, as the flags say.
        shown: where it is shown, read and checked.
    """

    file: Path
    photo: Photo
    word: str | None
    where: ObjectOptions
    shown: Shown

    def located(self, pipeline: RealEditPipeline, progress: Progress) -> Location:
        """Finds it.

        Raises:
            RealEditError: what :meth:`realedit.pipeline.RealEditPipeline.locate_shown` raises.
        """
        return pipeline.locate_shown(
            self.photo,
            self.shown,
            self.word,
            prompt=self.where.prompt,
            min_confidence=self.where.min_confidence,
            progress=progress,
        )

    def warnings(self, found: Found) -> list[str]:
        """Returns what the user should know of the photo, of what shows the object, and of what was found."""
        doubts = [found.warning] if found.warning else []
        return [*self.photo.metadata.warnings, *self.shown.told, *doubts]


@dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        fields: what is known about the object, as JSON has it.
        warning: what the user should know of how it was found; None if there is nothing.
        files: contents of files, by what they show: "mask", "cutout", "overlay".
    """

    fields: Mapping[str, Any]
    warning: str | None
    files: Mapping[str, bytes]
