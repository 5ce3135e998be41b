"""What stands where in a photo, by a small network that has seen photographs: what attention alone mixes up.

A small diffusion model's attention finds things, and takes a bowl for a mug. A model folder may therefore
carry a recogniser: EfficientNet-Lite0 without its last layer (Tan and Le 2019,
https://arxiv.org/abs/1905.11946), trained on photographs, and small heads over them that know the model's
nouns. For every place p of 16 x 16 pixels they give P(noun | p), which weighs the word's attention there, and
stands in where the attention missed the object.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from realedit.models.folder import RECOGNISER
from realedit.pixels.resizing import at_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
from realedit.models.efficientnet_lite import (
    CHANNELS,
    FINE,
    MULTIPLE,
    Features,
)

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
SIDE = 16
"""Pixels of a place."""
_HIDDEN = 384


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a photo shows where, at places of 8 x 8 pixels.

    Args:
        nouns: P(noun | place), float32 ``[h, w, nouns]``.
        thing: P(some thing | place), float32 ``[h, w]``.
    """

    nouns: np.ndarray
    thing: np.ndarray


class Recogniser(nn.Module):
    """Says of each place how likely each noun is there.

    Args:
        nouns: that it knows.
        synonyms: other words for some of them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, nouns: Sequence[str], synonyms: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.nouns = tuple(nouns)
        self.synonyms = {noun: tuple(words) for noun, words in synonyms.items()}
        self.features = Features()
        self.register_buffer("mean", torch.zeros(CHANNELS))
        self.register_buffer("deviation", torch.ones(CHANNELS))
        # one more than the nouns: nothing
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(count, _HIDDEN), nn.GELU(), nn.Dropout(0.2), nn.Linear(_HIDDEN, len(self.nouns) + 1)
            )
            for count in (FINE, CHANNELS)
        )

    def answers(self, features: Tensor) -> list[Tensor]:
        """Each head's logits ``[..., nouns + 1]``, the last one of nothing, of features ``[..., 432]``.

        One head sees the outlines' channels alone, and one all: they err on different things.
        """
        known = (features - self.mean) / self.deviation
        return [self.heads[0](known[..., :FINE]), self.heads[1](known)]

    def forward(self, features: Tensor) -> Tensor:
        """Log P(noun | features), in proportion to the geometric mean of the heads'; shapes as above."""
        both = torch.stack([answer.log_softmax(-1) for answer in self.answers(features)]).mean(0)
        return both.log_softmax(-1)

    def noun(self, words: str) -> int | None:
        """The number of the noun that ``words`` end in, "red coffee cup" in "cup"; None of an unknown one."""
        spoken = words.lower().split()
        known = {noun: k for k, noun in enumerate(self.nouns)}
        for noun, others in self.synonyms.items():
            known.update(dict.fromkeys(others, known[noun]))
        ends = (" ".join(spoken[start:]) for start in range(len(spoken)))
        return next((known[end] for end in ends if end in known), None)

    @torch.inference_mode()
    def probabilities(self, rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """P(noun | place), float32 ``[h / 16, w / 16, nouns + 1]``.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            size: (h, w) in pixels to look at it, brought to multiples of 32.
        """
        height, width = (max(1, round(side / MULTIPLE)) * MULTIPLE for side in size)
        pixels = torch.from_numpy(np.array(at_size(rgb, (height, width)))).permute(2, 0, 1)[None].float()
        features = self.features(pixels)[0].permute(1, 2, 0)
        return self(features).exp().numpy()

    def look(self, rgb: np.ndarray, size: tuple[int, int]) -> Recognised:
        """The photo's nouns seen at ``size``, its things at that and, for their outlines, at twice it."""
        height, width = size
        wide, close = self.probabilities(rgb, size), self.probabilities(rgb, (2 * height, 2 * width))
        places = close.shape[1::-1]
        nouns = cv2.resize(wide, places, interpolation=cv2.INTER_LINEAR)
        return Recognised(nouns[..., :-1], 1 - (nouns[..., -1] + close[..., -1]) / 2)

    def save(self, folder: Path) -> None:
        """Write weights in float16, and the words."""
        folder.mkdir(parents=True, exist_ok=True)
        halves = {name: value.half().contiguous() for name, value in self.state_dict().items()}
        save_file(halves, folder / _WEIGHTS)
        words = {"nouns": self.nouns, "synonyms": self.synonyms}
        (folder / _CONFIG).write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, model: Path) -> Recogniser | None:
        """A model folder's recogniser, float32; None where it has none.

        Raises:
            ModelUnavailableError: it cannot be read.
        """
        folder = model / RECOGNISER
        if not folder.is_dir():
            return None
        from realedit.errors import ModelUnavailableError

        try:
            words: dict[str, Any] = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
            found = cls(words["nouns"], words["synonyms"])
            found.load_state_dict({k: v.float() for k, v in load_file(folder / _WEIGHTS).items()})
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelUnavailableError(
                f"the recogniser in {folder} cannot be read ({type(error).__name__})",
                "install realedit again, or remove that folder",
            ) from error
        return found.eval().requires_grad_(False)
