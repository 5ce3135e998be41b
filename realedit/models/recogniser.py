"""Recognises what stands where in a photo, by a small network trained on photographs.

A small diffusion model's attention finds things, but takes a bowl for a mug. A model folder may therefore
carry a recogniser: EfficientNet-Lite0 without its last layer (Tan and Le 2019,
https://arxiv.org/abs/1905.11946), trained on photographs, and small heads over its features that know the
model's nouns. For every place p of 16 x 16 pixels they give P(noun | p), which weighs the word's attention
there, and stands in where the attention missed the object.
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

from realedit.errors import ModelUnavailableError
from realedit.models.efficientnet_lite import CHANNELS, FINE, MULTIPLE, Features
from realedit.models.folder import RECOGNISER
from realedit.pixels.resizing import at_size
from realedit.system.outside_json import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_HIDDEN = 384
"""Channels of a head's hidden layer. Set by the trained weights."""
_DROPOUT = 0.2
"""Share of a head's hidden channels that training drops: more fits the scenes less closely. Not measured."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a photo shows where, at places of 8 x 8 pixels of the size at which it was looked at.

    Args:
        nouns: P(noun | place), float32 ``[h, w, nouns]``.
        thing: P(some thing | place), float32 ``[h, w]``.
    """

    nouns: np.ndarray
    thing: np.ndarray


class Recogniser(nn.Module):
    """Says how likely each noun is at each place of a photo.

    Args:
        nouns: those it knows.
        synonyms: other words for some of the nouns.
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
                nn.Linear(count, _HIDDEN),
                nn.GELU(),
                nn.Dropout(_DROPOUT),
                nn.Linear(_HIDDEN, len(self.nouns) + 1),
            )
            for count in (FINE, CHANNELS)
        )

    def answers(self, features: Tensor) -> list[Tensor]:
        """Returns each head's logits ``[..., nouns + 1]``, the last of nothing, of features ``[..., 432]``.

        One head sees only the channels that know outlines, the other all: they err on different things.
        """
        known = (features - self.mean) / self.deviation
        return [self.heads[0](known[..., :FINE]), self.heads[1](known)]

    def forward(self, features: Tensor) -> Tensor:
        """Returns log P(noun | features): the normalised geometric mean of the heads'; shapes as above."""
        both = torch.stack([answer.log_softmax(-1) for answer in self.answers(features)]).mean(0)
        return both.log_softmax(-1)

    def noun(self, words: str) -> int | None:
        """Returns the index of the noun that ``words`` end in, "cup" of "red coffee cup"; None if unknown."""
        spoken = words.lower().split()
        known = {noun: k for k, noun in enumerate(self.nouns)}
        for noun, others in self.synonyms.items():
            known.update(dict.fromkeys(others, known[noun]))
        ends = (" ".join(spoken[start:]) for start in range(len(spoken)))
        return next((known[end] for end in ends if end in known), None)

    @torch.inference_mode()
    def probabilities(self, rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Returns P(noun | place), float32 ``[h / 16, w / 16, nouns + 1]``.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            size: (h, w) in pixels to look at it, rounded to multiples of 32.
        """
        height, width = (max(1, round(side / MULTIPLE)) * MULTIPLE for side in size)
        pixels = torch.from_numpy(np.array(at_size(rgb, (height, width)))).permute(2, 0, 1)[None].float()
        features = self.features(pixels)[0].permute(1, 2, 0)
        return self(features).exp().numpy()

    def recognise(self, rgb: np.ndarray, size: tuple[int, int]) -> Recognised:
        """Sees the photo's nouns at ``size`` (h, w), and its things at twice that too, for their outlines."""
        height, width = size
        wide, close = self.probabilities(rgb, size), self.probabilities(rgb, (2 * height, 2 * width))
        places = close.shape[1::-1]
        nouns = cv2.resize(wide, places, interpolation=cv2.INTER_LINEAR)
        return Recognised(nouns[..., :-1], 1 - (nouns[..., -1] + close[..., -1]) / 2)

    def save(self, folder: Path) -> None:
        """Writes the weights in float16, and the words, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        halves = {name: value.half().contiguous() for name, value in self.state_dict().items()}
        save_file(halves, folder / _WEIGHTS)
        words = {"nouns": self.nouns, "synonyms": self.synonyms}
        (folder / _CONFIG).write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, model: Path) -> Recogniser | None:
        """Loads a model folder's recogniser in float32; None where the folder has none.

        Raises:
            ModelUnavailableError: the recogniser cannot be read.
        """
        folder = model / RECOGNISER
        if not folder.is_dir():
            return None
        try:
            words: Any = read_json(folder / _CONFIG)
            found = cls(words["nouns"], words["synonyms"])
            found.load_state_dict({k: v.float() for k, v in load_file(folder / _WEIGHTS).items()})
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelUnavailableError(
                f"the recogniser in {folder} cannot be read ({type(error).__name__})",
                "install realedit again, or remove that folder",
            ) from error
        return found.eval().requires_grad_(False)
