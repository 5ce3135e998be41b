"""A loss that makes cross-attention tell things apart: at an object's places, its noun among all nouns.

TokenCompose's losses draw a noun to its object, but a noun that is alone in its caption meets no other: such
a model finds things, and takes one for another. Here every place of an object is asked about the whole
vocabulary. Only objects that the caption leaves untold count: told its noun, a model that finds the place has
read the answer, and learns nothing about how the thing looks. With r(p, w) the attention of place p to word w
among all words, heads averaged, and M the object's mask,

    loss = - sum_p M(p) log r(p, noun) / sum_p M(p)

averaged over layers, and over objects by how clearly their picture is seen: in noise there is nothing to
tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPTokenizer

from examples.tabletop.captions import with_article
from examples.tabletop.model import TabletopModel
from examples.tabletop.vocabulary import NOUNS, SYNONYMS

_LEAST_CELLS = 0.5
"""Of a layer's map: what covers less is left out of its mean."""
_SYNONYM = 0.4


@dataclass(frozen=True, slots=True)
class Things:
    """The objects of a batch's pictures.

    Attributes:
        samples: int ``[M]``, the sample that each belongs to.
        nouns: int ``[M]``, its noun's number in the vocabulary.
        masks: float ``[M, 1, H, W]`` in [0, 1].
    """

    samples: Tensor
    nouns: Tensor
    masks: Tensor

    def to(self, device: torch.device) -> "Things":
        """The same on another device."""
        return Things(self.samples.to(device), self.nouns.to(device), self.masks.to(device))


@dataclass(frozen=True, slots=True)
class Words:
    """The nouns as the model reads them in a caption.

    Attributes:
        ids: int ``[words, tokens]``.
        weights: float ``[words, tokens]``, those of the noun's own tokens; rows sum to one.
    """

    ids: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> "Words":
        """The same on another device."""
        return Words(self.ids.to(device), self.weights.to(device))

    def embedded(self, model: TabletopModel) -> Tensor:
        """``[words, D]``: the mean embedding of each noun's tokens in "a photo of a NOUN"."""
        prompt, _ = model.encode(self.ids)
        return torch.einsum("wtd,wt->wd", prompt, self.weights.to(prompt.dtype))


def draw_words(tokenizer: CLIPTokenizer, rng: np.random.Generator) -> Words:
    """Every noun of the vocabulary, or one of its synonyms."""
    ids, weights = [], []
    for noun in NOUNS:
        others = SYNONYMS.get(noun, ())
        word = str(rng.choice(others)) if others and rng.random() < _SYNONYM else noun
        prompt = tokenizer(
            f"a photo of {with_article(word)}", padding="max_length", max_length=tokenizer.model_max_length
        ).input_ids
        wanted = tokenizer(word, add_special_tokens=False).input_ids
        start = next(k for k in range(len(prompt)) if prompt[k : k + len(wanted)] == wanted)
        ids.append(prompt)
        weights.append([float(start <= k < start + len(wanted)) / len(wanted) for k in range(len(prompt))])
    return Words(torch.tensor(ids), torch.tensor(weights))


def recognition_loss(readings: Sequence[Tensor], things: Things, clarity: Tensor) -> Tensor:
    """The loss, for square maps ``[B, places, words]``; 0 where there is nothing to recognise.

    Args:
        readings: each layer's attention to the words alone.
        things: the objects.
        clarity: ``[B]``, what each sample counts for, such as alpha-bar of its time.
    """
    losses: list[Tensor] = []
    for reading in readings:
        mask = F.adaptive_avg_pool2d(things.masks, round(reading.shape[1] ** 0.5)).flatten(1)
        seen = mask.sum(1) >= _LEAST_CELLS
        if not seen.any():
            continue
        samples, nouns, mask = things.samples[seen], things.nouns[seen], mask[seen]
        right = reading[samples].gather(2, nouns[:, None, None].expand(-1, reading.shape[1], 1))[..., 0]
        surprise = -right.clamp_min(1e-6).log()
        counts = clarity[samples]
        losses.append(((surprise * mask).sum(1) / mask.sum(1) * counts).sum() / counts.sum())
    return torch.stack(losses).mean() if losses else things.masks.new_zeros(())
