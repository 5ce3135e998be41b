"""The loaded model below the edits: it inverts photos and finds objects in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from guidance import Capture
from realedit.find.by_cutout import Cutter
from realedit.find.by_goca import GocaFinder
from realedit.find.by_word import WordFinder
from realedit.find.finder import Finder
from realedit.inverted.cache import Cache
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.inverted.inverter import METHOD, Inverter
from realedit.inverted.levels import Reads
from realedit.location import Location
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef
from realedit.models.profile import Profile
from realedit.models.recogniser import Recogniser
from realedit.photo import Photo
from realedit.photo.inputs import PhotoLike, as_photo
from realedit.pixels.hole_filling import fill_with_steps
from realedit.prompts import split, with_article, with_words
from realedit.system.progress import Progress, silent

if TYPE_CHECKING:
    from realedit.compose.hole import Fill
    from realedit.external import Captioner, Inpainter
    from realedit.find.by_detector import DetectorFinder

_SHORT_LETTERS = 46
"""Letters of a prompt: up to so many a model surely reads it whole, of longer ones its tokenizers are asked.
Set by the embedded model's, which read 46 pieces of one letter or more; SDXL's read 75."""


class Engine:
    """A loaded model, and the models beside it that find words and describe photos.

    Args:
        backbone: the model.
        ref: which model it is.
        cache: where inversions are kept, or None.
        working_side: side in pixels of the square whose area the model works at; None for the model's own.
        cutter: cuts objects out; by default with what is chosen by default.
        inpainter: fills holes in the place of our own filling, or None.
        detector: finds words in photos in the model's place, or None.
        captioner: describes a photo where no prompt does, or None.
        profile: the model's defaults; by default as :meth:`realedit.models.profile.Profile.of` chooses.
    """

    def __init__(
        self,
        backbone: Backbone,
        ref: ModelRef,
        *,
        cache: Cache | None = None,
        working_side: int | None = None,
        cutter: Cutter | None = None,
        inpainter: Inpainter | None = None,
        detector: DetectorFinder | None = None,
        captioner: Captioner | None = None,
        profile: Profile | None = None,
    ) -> None:
        self.backbone = backbone
        self.ref = ref
        self.captioner = captioner
        self.inpainter = inpainter
        self.profile = profile or Profile.of(ref, backbone.configs)
        backbone.least_size = self.profile.least_size_conditioning
        recogniser = None if ref.folder is None else Recogniser.load(ref.folder)
        attention = WordFinder(backbone, ref, recogniser, self.profile)
        cutter = cutter or Cutter()
        everywhere = GocaFinder(backbone, self.profile, cutter) if self.profile.find == "goca" else None
        self.finder = Finder(cutter, attention, detector, everywhere)
        enlarges = attention.wants_enlarged
        self.inverter = Inverter(backbone, ref, cache, working_side, enlarges=enlarges, profile=self.profile)

    @property
    def cutter(self) -> Cutter:
        """What cuts objects out."""
        return self.finder.cutter

    @property
    def capture(self) -> Capture:
        """The windows through which the model is watched."""
        return self.inverter.capture

    @property
    def fill(self) -> Fill:
        """What fills holes."""
        return fill_with_steps if self.inpainter is None else self.inpainter

    def names(self) -> dict[str, str | None]:
        """Returns the names of an edit's models, None for each not used, and the editing one's precision."""
        detector = self.finder.detector
        helpers = {
            "detector": detector and detector.detector,
            "segmenter": detector and detector.segmenter,
            "captioner": self.captioner,
        }
        named = {role: None if helper is None else helper.loaded.label for role, helper in helpers.items()}
        dtype = str(self.backbone.dtype).removeprefix("torch.")
        beside = {
            "cutout": self.cutter.choice.name,
            "inpainter": None if self.inpainter is None else self.inpainter.label,
        }
        return {"model": self.ref.name, "profile": self.profile.name, "dtype": dtype, **named, **beside}

    def meant(self, words: str) -> str:
        """Returns the words that the models know an object by; see :class:`realedit.find.finder.Finder`."""
        return self.finder.meant(words)

    def find(self, photo: Photo, inverted: InvertedPhoto, word: str) -> Location:
        """Finds the object that a word names; see :meth:`realedit.find.finder.Finder.find`."""
        return self.finder.find(photo, inverted, word)

    def invert(
        self,
        photo: PhotoLike,
        prompt: str | None = None,
        *,
        method: str = METHOD,
        steps: int | None = None,
        guidance_scale: float | None = None,
        inversion_scale: float = 1.0,
        progress: Progress = silent,
    ) -> InvertedPhoto:
        """Inverts a photo, or reads its inversion from the cache.

        See :meth:`realedit.RealEditPipeline.invert`.
        """
        loaded = as_photo(photo)
        inverted = self.inverter.to_invert(
            loaded,
            self._described(loaded, prompt),
            method=method,
            steps=steps,
            guidance_scale=guidance_scale,
            inversion_scale=inversion_scale,
            progress=progress,
        )
        inverted.make_now()
        return inverted

    def inverted_for(
        self,
        photo: Photo | InvertedPhoto,
        prompt: str | None,
        words: Sequence[str],
        how: Mapping[str, Any],
        *,
        reads: Reads | None = None,
        progress: Progress = silent,
        during: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> InvertedPhoto:
        """Returns an inversion whose prompt holds some words: the one given, if it does, else a new one.

        A given one is also replaced where another prompt or another way of inverting is asked for. A new one
        is made when something asks for it.

        Args:
            photo: the photo, or an inversion of it.
            prompt: what the photo shows, or None.
            words: words that the prompt has to hold.
            how: keywords of :meth:`invert`, or :attr:`realedit.models.profile.Profile.look`.
            reads: what is read of it; None for all.
            progress: told of each step.
            during: a new one is made within what this returns.
        """
        words = [split(self.meant(word))[1] for word in words]
        if isinstance(photo, InvertedPhoto):
            made = photo.prompt
            held = all(self.reads(made, word) for word in words)
            same = prompt is None or made in (prompt, self._naming(prompt, words))
            served = photo.serves(None if self.profile.levels == "all" else reads, self.profile)
            if held and same and served and {**photo.how, **how} == photo.how:
                return photo
            prompt, photo = prompt or made, photo.photo
        text = self._naming(self._described(photo, prompt), words)
        return self.inverter.to_invert(photo, text, reads=reads, progress=progress, during=during, **how)

    def _described(self, photo: Photo, prompt: str | None) -> str:
        """Returns what a photo shows: as the user says it, as the captioner does, or nothing."""
        text = (prompt or "").strip()
        return text if text or self.captioner is None else self.captioner.caption(photo.rgb)

    def _naming(self, text: str, words: Sequence[str]) -> str:
        """Returns a prompt with some words in it, where the model reads them."""
        for word in words:
            text = with_words(text, word, self.profile.caption)
            if not self.reads(text, word):  # beyond what the model reads of a long prompt
                text = f"{with_article(word)}, {text}"
        return text

    def reads(self, text: str, word: str) -> bool:
        """Whether the model reads a word in a text; its tokenizers are asked only where that is not plain."""
        spoken = word.lower()
        plain = len(text) <= _SHORT_LETTERS and spoken.isascii() and spoken.replace(" ", "").isalpha()
        if plain and f" {spoken} " in f" {text.lower()} ":
            return True
        return bool(self.backbone.tokens(text, word))
