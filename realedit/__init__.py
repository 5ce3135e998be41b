"""realedit: move, resize and restyle named objects in real photos with a diffusion model's own attention.

Importing it loads neither torch nor a model; the names below are fetched when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from realedit.edits import (
    Background,
    Like,
    LookOf,
    Move,
    Paste,
    Remove,
    Replace,
    Reshape,
    Resize,
    Restyle,
    Retouch,
    Rotate,
    Swap,
    SwapLooks,
)
from realedit.errors import RealEditError

if TYPE_CHECKING:
    from realedit.locate import Location
    from realedit.photo import load_photo
    from realedit.pipeline import InvertedPhoto, RealEditPipeline
    from realedit.result import EditResult
    from realedit.self_guidance_pipeline import GuidanceWarning, SelfGuidanceStableDiffusionXLPipeline
    from realedit.settings import Settings

_LAZY = {
    "EditResult": "realedit.result",
    "GuidanceWarning": "realedit.self_guidance_pipeline",
    "InvertedPhoto": "realedit.pipeline",
    "Location": "realedit.locate",
    "RealEditPipeline": "realedit.pipeline",
    "SelfGuidanceStableDiffusionXLPipeline": "realedit.self_guidance_pipeline",
    "Settings": "realedit.settings",
    "load_photo": "realedit.photo",
}

__all__ = [
    "Background",
    "EditResult",
    "GuidanceWarning",
    "InvertedPhoto",
    "Like",
    "Location",
    "LookOf",
    "Move",
    "Paste",
    "RealEditError",
    "RealEditPipeline",
    "Remove",
    "Replace",
    "Reshape",
    "Resize",
    "Restyle",
    "Retouch",
    "Rotate",
    "SelfGuidanceStableDiffusionXLPipeline",
    "Settings",
    "Swap",
    "SwapLooks",
    "load_photo",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
