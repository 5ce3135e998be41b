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
        inversion: of it.
        cached: whether it was read from the cache.
        seconds: that it took to make or to read.
        key: of its entry in the cache.
    """

    photo: Photo
    inversion: Inversion
    cached: bool = False
    seconds: float = 0.0
    key: str = ""

    @property
    def how(self) -> dict[str, Any]:
        """How it was made: keywords that make another photo's inversion at the same noise levels."""
        made = self.inversion.result
        return {
            "method": made.method,
            "steps": made.schedule.steps,
            "guidance_scale": made.guidance_scale,
            "inversion_scale": self.inversion.inversion_scale,
        }
