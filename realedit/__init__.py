"""realedit: move, resize and restyle named objects in real photos with a diffusion model's own attention.

Importing it loads neither torch nor a model; the names below are fetched when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from realedit.edits import Move, Resize
from realedit.errors import RealEditError

if TYPE_CHECKING:
    from realedit.locate import Location
    from realedit.photo import load_photo
    from realedit.pipeline import InvertedPhoto, RealEditPipeline
    from realedit.resample import Settings
    from realedit.result import EditResult
    from realedit.self_guidance_pipeline import GuidanceWarning, SelfGuidanceStableDiffusionXLPipeline

_LAZY = {
    "EditResult": "realedit.result",
    "GuidanceWarning": "realedit.self_guidance_pipeline",
    "InvertedPhoto": "realedit.pipeline",
    "Location": "realedit.locate",
    "RealEditPipeline": "realedit.pipeline",
    "SelfGuidanceStableDiffusionXLPipeline": "realedit.self_guidance_pipeline",
    "Settings": "realedit.resample",
    "load_photo": "realedit.photo",
}

__all__ = [
    "EditResult",
    "GuidanceWarning",
    "InvertedPhoto",
    "Location",
    "Move",
    "RealEditError",
    "RealEditPipeline",
    "Resize",
    "SelfGuidanceStableDiffusionXLPipeline",
    "Settings",
    "load_photo",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
