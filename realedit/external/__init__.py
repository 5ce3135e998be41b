"""Detectors, segmenters and captioners of `transformers`, and LaMa, where what ships does not suffice.

They are optional. Weights come from a folder or the Hugging Face hub, as safetensors only; no code that came
with a model is ever run. Importing this package loads neither torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realedit.external.captioner import Captioner
    from realedit.external.detector import Detection, Detector
    from realedit.external.inpainter import Inpainter

_LAZY = {
    "Captioner": "realedit.external.captioner",
    "Detection": "realedit.external.detector",
    "Detector": "realedit.external.detector",
    "Inpainter": "realedit.external.inpainter",
}

__all__ = ["Captioner", "Detection", "Detector", "Inpainter"]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
