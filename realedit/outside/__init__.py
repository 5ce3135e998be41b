"""Detectors, segmenters and captioners of `transformers`, where the model's own attention does not suffice.

They are optional. Weights come from a folder or the Hugging Face hub, as safetensors only; no code that came
with a model is ever run. Importing this package loads neither torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realedit.outside.caption import Captioner
    from realedit.outside.detect import Detection, Detector
    from realedit.outside.finder import OutsideFinder

_LAZY = {
    "Captioner": "realedit.outside.caption",
    "Detection": "realedit.outside.detect",
    "Detector": "realedit.outside.detect",
    "OutsideFinder": "realedit.outside.finder",
}

__all__ = ["Captioner", "Detection", "Detector", "OutsideFinder"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
