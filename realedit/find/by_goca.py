"""Finds a word's object by attention of all layers, in the photo with a little noise (GoCA).

For models whose attention nobody trained to point at things; see :mod:`guidance.goca`. The photo is not
inverted: one evaluation of the UNet shows every word of the prompt. A word is found where it stands out there
from the prompt's other things and from the rest of the photo; the cut-out network makes a mask of its heat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from guidance.goca import WordMaps
from guidance.layers import LayerSelection
from guidance.word_watch import WordWatch
from realedit.errors import ObjectNotFoundError
from realedit.find.by_cutout import Cutter
from realedit.find.which_one import chosen
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.models.backbone import Backbone
from realedit.models.profile import Profile
from realedit.pixels.masks import grow
from realedit.pixels.resizing import at_size
from realedit.prompts import content_words, split
from realedit.system.memory import translated

_OTHER_HEAT = 0.5
"""Heat in [0, 1] of the prompt's other things: nothing is copied from where it is above, below it may be. Not
measured."""
_OTHER_MARGIN_SIDES = 1 / 64
"""Distance to another thing, in longer sides: nothing is copied from nearer, and what is nearer to the object
itself is not closed. Not measured."""


@dataclass(frozen=True)
class _Look:
    """What a photo shows under a prompt."""

    rgb: np.ndarray
    prompt: str
    size: tuple[int, int]
    maps: WordMaps


@dataclass(frozen=True)
class GocaFinder:
    """Finds words by attention of all layers.

    Args:
        backbone: the model.
        profile: the model's.
        cutter: cuts out what a heat shows, and knows which words name things.
    """

    backbone: Backbone
    profile: Profile
    cutter: Cutter
    _last: list[_Look] = field(default_factory=list[_Look], init=False, repr=False)

    def find(self, rgb: np.ndarray, inverted: InvertedPhoto, word: str) -> Location:
        """Finds the object that ``word`` names in the photo ``rgb``, uint8 ``[H, W, 3]``.

        Of the inversion only the prompt and the size are asked for.

        Raises:
            ObjectNotFoundError: it stands out nowhere.
        """
        which, noun = split(word)
        contrast = -math.inf
        if self.backbone.tokens(inverted.prompt, noun):
            heat, contrast = self.heat(rgb, inverted, noun)
            if contrast >= self.profile.found:
                if which is not None:
                    heat, _ = chosen(heat, which)
                found = self.cutter.by_heat(rgb, heat, word, score=1 - math.exp(-contrast))
                if found is not None:
                    return found
        raise ObjectNotFoundError(
            f"no {noun!r} found in the photo: it stands out nowhere from what else is there",
            "describe the photo with --prompt, use another word, or show the object with --point, --box or "
            "--mask",
            detail=f"contrast {contrast:.2f}, needs {self.profile.found:g}",
        )

    def heat(self, rgb: np.ndarray, inverted: InvertedPhoto, noun: str) -> tuple[np.ndarray, float]:
        """Returns where a noun of the prompt is, float32 ``[h, w]`` in [0, 1], and its contrast.

        Args:
            rgb: the photo, uint8 ``[H, W, 3]``.
            inverted: see :meth:`find`.
            noun: words that the model reads in the prompt.
        """
        tokens = self.backbone.tokens(inverted.prompt, noun)
        maps = self.look(rgb, inverted.prompt, inverted.size)
        contrast = maps.contrast(tokens, self._others(inverted.prompt, [noun]))
        return maps.heat(tokens, self.profile.find_affinity).cpu().numpy(), contrast

    def others(
        self, rgb: np.ndarray, inverted: InvertedPhoto, own: np.ndarray, words: Sequence[str]
    ) -> np.ndarray | None:
        """Finds the prompt's other things; see :meth:`realedit.find.by_word.WordFinder.others`."""
        if not words:
            return None
        nouns = [split(word)[1] for word in words]
        h, w = own.shape
        margin = max(h, w) * _OTHER_MARGIN_SIDES
        forbidden = np.zeros((h, w), bool)
        elsewhere = self._others(inverted.prompt, nouns)
        if not elsewhere:
            return forbidden
        maps = self.look(rgb, inverted.prompt, inverted.size)
        for tokens in elsewhere:
            if maps.contrast(tokens, []) >= self.profile.found:
                heat = maps.heat(tokens, self.profile.find_affinity).cpu().numpy()
                wide = cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC)
                forbidden |= grow(wide > _OTHER_HEAT, margin)
        return forbidden & ~grow(own, margin)

    def look(self, rgb: np.ndarray, prompt: str, size: tuple[int, int]) -> WordMaps:
        """Looks for all words of a prompt in a photo; kept until another photo or prompt is looked at.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            prompt: what it shows.
            size: (height, width) in pixels that the model works at.
        """
        kept = self._last[0] if self._last else None
        asked = (prompt, size)
        # a photo that is read again is the same
        if kept is None or (kept.prompt, kept.size) != asked or not np.array_equal(kept.rgb, rgb):
            with translated():
                maps = word_maps(self.backbone, self.profile, rgb, prompt, size)
            self._last[:] = [_Look(rgb, prompt, size, maps)]
        return self._last[0].maps

    def _others(self, prompt: str, nouns: Sequence[str]) -> list[list[int]]:
        """Returns the positions of the prompt's other words that name things, each once."""
        taken = {position for noun in nouns for position in self.backbone.tokens(prompt, noun)}
        found = [self.backbone.tokens(prompt, word) for word in content_words(prompt) if self._names(word)]
        return [tokens for tokens in found if tokens and not taken & set(tokens)]

    @property
    def _names(self) -> Callable[[str], bool]:
        return self.cutter.knows


@torch.no_grad()
def word_maps(
    backbone: Backbone, profile: Profile, rgb: np.ndarray, prompt: str, size: tuple[int, int]
) -> WordMaps:
    """Evaluates the UNet once on a photo with noise, and returns where the prompt's words are.

    Args:
        backbone: the model.
        profile: says the layers and the noise.
        rgb: uint8 ``[H, W, 3]``.
        prompt: what it shows.
        size: (height, width) in pixels that the model works at.
    """
    words = backbone.prompt(prompt, size)
    x_0 = backbone.encode(at_size(rgb, size))
    # always the same noise, and a CPU's, so that a photo's words are found in the same places again
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0)).to(x_0)
    x_t, t = backbone.noised(x_0, eps, profile.find_noise)
    layers = LayerSelection(profile.find_layers.parts, profile.find_layers.ranks)
    watch = WordWatch(backbone.unet, layers)
    with watch.record((x_t.shape[-2], x_t.shape[-1]), tokens=words.tokens) as seen:
        backbone(x_t, t, words.conditioning)
    return seen.maps()
