"""Captioners: they describe a photo, and the description is the prompt that it is inverted with.

BLIP: Li et al. 2022, *BLIP: Bootstrapping Language-Image Pre-training*, arXiv 2201.12086.
Florence-2: Xiao et al. 2023, *Florence-2: Advancing a Unified Representation for a Variety of Vision Tasks*,
arXiv 2311.06242.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from realedit.errors import UsageError
from realedit.external.load import load
from realedit.system.memory import translated

if TYPE_CHECKING:
    import torch

_TASK = "<CAPTION>"
"""Florence-2's name for a caption of one sentence; its longer captions do not fit CLIP's 77 tokens."""
_SEARCH: dict[str, Any] = {"max_new_tokens": 40, "num_beams": 3, "do_sample": False}
"""Beam search without sampling, so that a photo always gets the same words: 40 tokens at most, which fit
CLIP's 77; more beams find likelier words and take proportionally longer. Not measured."""


class Captioner:
    """BLIP or Florence-2.

    Args:
        name: folder, or hub id "owner/name".
        device: a torch device.
        offline: never use the network; None follows HF_HUB_OFFLINE.

    Raises:
        ModelUnavailableError: absent and out of reach, damaged, pickled, or in need of code of its own.
        UsageError: not a captioner, or no such device.
    """

    def __init__(
        self, name: str | Path, device: str | torch.device = "cpu", offline: bool | None = None
    ) -> None:
        self.loaded = load(name, "captioner", device, offline)

    def caption(self, rgb: np.ndarray) -> str:
        """Describes a photo in one sentence, on one line and without a full stop; never "".

        The same photo always gets the same words: beam search, no sampling.

        Args:
            rgb: uint8 ``[H, W, 3]``.

        Raises:
            UsageError: the model has nothing to say about the photo.
        """
        import torch

        florence = self.loaded.kind.model_type == "florence2"
        with translated(), torch.inference_mode():
            inputs = self.loaded.inputs(rgb, text=_TASK) if florence else self.loaded.inputs(rgb)
            tokens = self.loaded.model.generate(**inputs, **_SEARCH)
        # For a caption, Florence-2's own post-processing strips special tokens too, and nothing else.
        words = prompt(self.loaded.processor.batch_decode(tokens, skip_special_tokens=True)[0])
        if not words:
            raise UsageError(
                f"{self.loaded.label} has nothing to say about the photo", "describe the photo with --prompt"
            )
        return words


def prompt(text: str) -> str:
    """Turns a caption into a prompt: one line, single spaces, no full stop at its end."""
    return " ".join(text.split()).rstrip(" .")
