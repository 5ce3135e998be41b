"""Which way an object's words are looked for: by names, by the model's attention, or by a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from realedit.errors import ObjectNotFoundError
from realedit.find.by_cutout import Cutter
from realedit.find.by_goca import GocaFinder
from realedit.find.by_word import WordFinder
from realedit.find.names import unknown_word
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.photo import Photo
from realedit.prompts import split

if TYPE_CHECKING:
    from realedit.find.by_detector import DetectorFinder


@dataclass(frozen=True)
class Finder:
    """Finds what words name in photos.

    Args:
        cutter: finds what ImageNet's names know, and cuts it out.
        attention: finds words by the model's attention.
        detector: finds every word in the place of both, or None.
        everywhere: finds words by attention of all layers where the model's profile says so, or None.
    """

    cutter: Cutter
    attention: WordFinder
    detector: DetectorFinder | None = None
    everywhere: GocaFinder | None = None

    def meant(self, words: str) -> str:
        """Returns the words that the models know an object by: "mug" for "Mugs." and "(the mug:1.3)".

        Raises:
            UsageError: the words list several things, or say nothing.
        """
        return self.cutter.words.normalised(words)

    def find(self, photo: Photo, inverted: InvertedPhoto, word: str) -> Location:
        """Finds the object that a word names, in a photo.

        Only the model's attention asks for the inversion.

        Args:
            photo: the photo.
            inverted: its inversion, with the word in its prompt.
            word: the object's words.

        Raises:
            ObjectNotFoundError: nothing in the photo looks like it, or no model knows the word.
        """
        if self.detector is not None:
            return self.detector.find(photo.rgb, self.meant(word))
        several = self.cutter.words.plural(word)
        word = self.meant(word)
        noun = split(word)[1]
        by_attention = partial(self._by_attention, photo, inverted, word)
        if not self.cutter.knows(noun):
            try:
                return by_attention()
            except ObjectNotFoundError as error:
                if not self.attention.foreign(noun):
                    raise
                raise unknown_word(self.cutter.words, noun, error.detail) from None
        if self.attention.trained:
            another_way = by_attention if self.attention.knows(word) else None
            return self.cutter.by_name(photo.rgb, word, another_way, several=several)
        try:
            return self.cutter.by_name(photo.rgb, word, several=several)
        except ObjectNotFoundError:
            return by_attention()

    def _by_attention(self, photo: Photo, inverted: InvertedPhoto, word: str) -> Location:
        if self.everywhere is not None:
            return self.everywhere.find(photo.rgb, inverted, word)
        return self.attention.find(photo.rgb, inverted.inversion, word)

    def others(
        self, rgb: np.ndarray, inverted: InvertedPhoto, own: np.ndarray, words: Sequence[str]
    ) -> np.ndarray | None:
        """Finds the photo's other things; see :meth:`realedit.find.by_word.WordFinder.others`."""
        return (self.everywhere or self.attention).others(rgb, inverted, own, words)
