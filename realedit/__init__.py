"""realedit: moves, resizes and restyles named objects in real photos with a diffusion model's own attention.

Importing it loads neither torch nor a model: the names in ``_LAZY`` are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from realedit.edits import kinds
from realedit.edits.kinds import *  # noqa: F403 - every kind of edit is public, a new one too
from realedit.errors import RealEditError

if TYPE_CHECKING:
    from realedit.generate.self_guidance_pipeline import (
        GuidanceWarning,
        SelfGuidanceStableDiffusionXLPipeline,
    )
    from realedit.location import Location
    from realedit.photo import load_photo
    from realedit.pipeline import InvertedPhoto, RealEditPipeline
    from realedit.result import EditResult
    from realedit.settings import Settings

    __version__: str

_LAZY = {
    "EditResult": "realedit.result",
    "GuidanceWarning": "realedit.generate.self_guidance_pipeline",
    "InvertedPhoto": "realedit.pipeline",
    "Location": "realedit.location",
    "RealEditPipeline": "realedit.pipeline",
    "SelfGuidanceStableDiffusionXLPipeline": "realedit.generate.self_guidance_pipeline",
    "Settings": "realedit.settings",
    "load_photo": "realedit.photo",
}
"""Names that are imported when they are first used, and the modules that hold them."""

__all__ = [
    "EditResult",
    "GuidanceWarning",
    "InvertedPhoto",
    "Location",
    "RealEditError",
    "RealEditPipeline",
    "SelfGuidanceStableDiffusionXLPipeline",
    "Settings",
    "load_photo",
]
__all__ += kinds.__all__


def __getattr__(name: str) -> object:
    if name == "__version__":
        from realedit.system.installation import own_version

        return own_version()
    if name in _LAZY:
        try:
            return getattr(import_module(_LAZY[name]), name)
        except ImportError:
            from realedit.system.installation import check_packages

            check_packages()  # tells of a file of the user's that is named like one of our packages
            raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
