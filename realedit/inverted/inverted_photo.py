"""A photo with its inversion: invert once, edit many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realedit.inverted.inversion import Inversion
from realedit.photo import Photo


@dataclass(frozen=True)
class InvertedPhoto:
    """A photo with its inversion.

    Args:
        photo: the photo.
        inversion: the photo's.
        cached: whether the inversion was read from the cache.
        seconds: the time it took to make or to read.
        key: its key in the cache, or "".
    """

    photo: Photo
    inversion: Inversion
    cached: bool = False
    seconds: float = 0.0
    key: str = ""

    @property
    def how(self) -> dict[str, Any]:
        """Keywords of ``invert`` that invert another photo in the same way, at the same noise levels."""
        made = self.inversion.result
        return {
            "method": made.method,
            "steps": made.schedule.steps,
            "guidance_scale": made.guidance_scale,
            "inversion_scale": self.inversion.inversion_scale,
        }
