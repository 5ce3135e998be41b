"""The loaded model below the edits: it inverts photos, finds objects in them, and replays inversions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from guidance import Capture
from inversion import METHODS, Guidance, Schedule, replay
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.find.by_cutout import Cutter
from realedit.find.by_word import WordFinder
from realedit.find.names import unknown_word
from realedit.inverted.cache import Cache, cache_key
from realedit.inverted.enlarged_attention import enlarged_attention
from realedit.inverted.inversion import Inversion, capture_for, invert_photo
from realedit.inverted.inverted_photo import InvertedPhoto, Made
from realedit.location import Location
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef, fingerprint
from realedit.models.profile import Profile
from realedit.models.recogniser import Recogniser
from realedit.photo import Photo
from realedit.photo.inputs import PhotoLike, as_photo
from realedit.pixels.hole_filling import fill_with_steps
from realedit.pixels.resizing import at_size
from realedit.prompts import PLAIN, split, with_article, with_words
from realedit.system.memory import translated
from realedit.system.progress import Progress, silent

if TYPE_CHECKING:
    from realedit.compose.hole import Fill
    from realedit.external import Captioner, Inpainter
    from realedit.find.by_detector import DetectorFinder

STEPS = 20
"""Noise levels of an inversion: more follow the photo more closely and take proportionally longer, fewer are
faster. Not measured."""
METHOD = "direct"
"""The inversion method where none is asked for: it replays exactly and optimises nothing."""
_NULL_TEXT_SCALE = 2.0
"""Guidance scale of null-text inversion where none is asked for: higher ones leave more to optimise, at 1
there would be nothing. Not measured."""
_CACHE_LAYOUT = "5"
"""Version of what a cache entry holds; after a change, entries of other versions are made anew."""
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
    ) -> None:
        self.backbone = backbone
        self.ref = ref
        self.cache = cache
        self.working_side = working_side
        self.detector = detector
        self.captioner = captioner
        self.profile = Profile.of(ref)
        recogniser = None if ref.source == "hub" else Recogniser.load(Path(ref.location))
        self.cutter = cutter or Cutter()
        self.inpainter = inpainter
        self.finder = WordFinder(backbone, ref, recogniser)

    @cached_property
    def capture(self) -> Capture:
        """The windows through which the model is watched."""
        return capture_for(self.backbone)

    def names(self) -> dict[str, str | None]:
        """Returns the names of an edit's models, None for each not used, and the editing one's precision."""
        helpers = {
            "detector": self.detector and self.detector.detector,
            "segmenter": self.detector and self.detector.segmenter,
            "captioner": self.captioner,
        }
        named = {role: None if helper is None else helper.loaded.label for role, helper in helpers.items()}
        dtype = str(self.backbone.dtype).removeprefix("torch.")
        beside = {
            "cutout": self.cutter.choice.name,
            "inpainter": None if self.inpainter is None else self.inpainter.label,
        }
        return {"model": self.ref.name, "dtype": dtype, **named, **beside}

    @property
    def fill(self) -> Fill:
        """What fills holes."""
        return fill_with_steps if self.inpainter is None else self.inpainter

    def meant(self, words: str) -> str:
        """Returns the words that the models know an object by: "mug" for "Mugs." and "(the mug:1.3)".

        Raises:
            UsageError: the words list several things, or say nothing.
        """
        return self.cutter.words.normalised(words)

    def find(self, photo: Photo, inverted: InvertedPhoto, word: str) -> Location:
        """Finds the object that a word names, by the model's attention or by the detector in its place.

        Only the model's attention asks for the inversion.

        Raises:
            ObjectNotFoundError: the model does not see it.
        """
        if self.detector is not None:
            return self.detector.find(photo.rgb, word)
        word = self.meant(word)
        noun = split(word)[1]
        by_attention = partial(self._by_attention, photo, inverted, word)
        if not self.cutter.knows(noun):
            try:
                return by_attention()
            except ObjectNotFoundError as error:
                if not self.finder.foreign(noun):
                    raise
                raise unknown_word(self.cutter.words, noun, error.detail) from None
        if self.finder.trained:
            return self.cutter.by_name(photo.rgb, word, by_attention if self.finder.knows(word) else None)
        try:
            return self.cutter.by_name(photo.rgb, word)
        except ObjectNotFoundError:
            return by_attention()

    def _by_attention(self, photo: Photo, inverted: InvertedPhoto, word: str) -> Location:
        return self.finder.find(photo.rgb, inverted.inversion, word)

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
        inverted = self._to_invert(
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

    def _to_invert(
        self,
        photo: Photo,
        prompt: str,
        *,
        method: str = METHOD,
        steps: int | None = None,
        guidance_scale: float | None = None,
        inversion_scale: float = 1.0,
        glance: bool = False,
        progress: Progress = silent,
        during: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> InvertedPhoto:
        """Returns a photo whose inversion is made when something asks for it.

        Args:
            photo: the photo.
            prompt: what it shows.
            method: see :meth:`invert`.
            steps: see :meth:`invert`.
            guidance_scale: see :meth:`invert`.
            inversion_scale: see :meth:`invert`.
            glance: whether only words are looked for in it.
            progress: see :meth:`invert`.
            during: the inversion is made within what this returns.
        """
        how: dict[str, Any] = {
            "method": method,
            "steps": steps or STEPS,
            "guidance_scale": _scale_of(method, guidance_scale),
            "inversion_scale": inversion_scale,
            **({"glance": True} if glance else {}),
        }
        text = prompt or PLAIN
        size = self.backbone.working_size(photo.height, photo.width, self.working_side)

        def make() -> Made:
            with during():
                return self._made(photo, text, size, progress=progress, **how)

        return InvertedPhoto(photo, text, size, how, make)

    def _made(
        self,
        photo: Photo,
        text: str,
        size: tuple[int, int],
        *,
        method: str,
        steps: int,
        guidance_scale: float,
        inversion_scale: float,
        glance: bool = False,
        progress: Progress,
    ) -> Made:
        """Makes an inversion, or reads it from the cache; arguments as of :meth:`_to_invert`."""
        began = time.perf_counter()
        key = cache_key(
            photo=photo.digest(),
            prompt=text,
            model=fingerprint(self.ref),
            method=method,
            size=str(size),
            dtype=str(self.backbone.dtype),
            steps=str(steps),
            scale=f"{guidance_scale} {inversion_scale}",
            layout=_CACHE_LAYOUT,
            **({"seen": "words"} if glance else {}),
        )
        kept = self.cache.get(key) if self.cache is not None else None
        if kept is not None:
            found = Inversion.from_tensors(
                kept[0],
                prompt=text,
                size=size,
                method=method,
                scale=guidance_scale,
                inversion_scale=inversion_scale,
                schedule=_schedule_in(kept[1]),
                device=self.backbone.device,
            )
            return Made(found, cached=True, seconds=time.perf_counter() - began, key=key)
        with translated(), self.capture:
            found = invert_photo(
                self.backbone,
                self.capture,
                self.backbone.encode(at_size(photo.rgb, size)),
                self.backbone.prompt(text, size),
                size=size,
                method=method,
                steps=steps,
                scale=guidance_scale,
                inversion_scale=inversion_scale,
                glance=glance,
                progress=progress,
            )
            if self.finder.wants_enlarged:
                found = self._with_enlarged_attention(found, photo.rgb)
        self._keep(key, found)
        return Made(found, cached=False, seconds=time.perf_counter() - began, key=key)

    def inverted_for(
        self,
        photo: Photo | InvertedPhoto,
        prompt: str | None,
        words: Sequence[str],
        how: Mapping[str, Any],
        *,
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
            progress: told of each step.
            during: a new one is made within what this returns.
        """
        words = [split(self.meant(word))[1] for word in words]
        if isinstance(photo, InvertedPhoto):
            made = photo.prompt
            held = all(self.reads(made, word) for word in words)
            same = prompt is None or made in (prompt, self._naming(prompt, words))
            if held and same and {**photo.how, **how} == photo.how:
                return photo
            prompt, photo = prompt or made, photo.photo
        text = self._naming(self._described(photo, prompt), words)
        return self._to_invert(photo, text, progress=progress, during=during, **how)

    def reconstruct(self, inversion: Inversion) -> np.ndarray:
        """Replays an inversion; float32 ``[h, w, 3]`` in 0..255 at the working size."""
        return self.backbone.decode(self._replayed(inversion))

    def reconstruction(self, inversion: Inversion) -> Image.Image:
        """Returns an inversion's replay as a picture, not sampled where it is known to be exact."""
        # what stores every step's offset replays to the photo's own latent
        exact = inversion.result.offsets is not None
        latent = inversion.result.x_0 if exact else self._replayed(inversion)
        return Image.fromarray(self.backbone.decode(latent).round().astype(np.uint8))

    def _replayed(self, inversion: Inversion) -> torch.Tensor:
        prompt = self.backbone.prompt(inversion.prompt, inversion.size)
        with translated():
            guidance = Guidance(prompt.conditioning, prompt.null, inversion.result.guidance_scale)
            return replay(self.backbone, inversion.result, guidance)

    def _keep(self, key: str, inversion: Inversion) -> None:
        """Puts a new inversion into the cache, where there is one."""
        if self.cache is None:
            return
        tensors = {name: value.cpu() for name, value in inversion.tensors().items()}
        result = inversion.result
        made = {
            "prompt": inversion.prompt,
            "method": result.method,
            "model": self.ref.name,
            "steps": str(result.schedule.steps),
            "schedule": json.dumps(asdict(result.schedule)),
        }
        self.cache.put(key, tensors, made)

    def _with_enlarged_attention(self, inversion: Inversion, rgb: np.ndarray) -> Inversion:
        before = self.backbone.evaluations
        enlarged = enlarged_attention(self.backbone, self.capture, rgb, inversion.prompt, size=inversion.size)
        took = self.backbone.evaluations - before
        return replace(inversion, enlarged=enlarged, evaluations=inversion.evaluations + took)

    def _described(self, photo: Photo, prompt: str | None) -> str:
        """Returns what a photo shows: as the user says it, as the captioner does, or nothing."""
        text = (prompt or "").strip()
        return text if text or self.captioner is None else self.captioner.caption(photo.rgb)

    def _naming(self, text: str, words: Sequence[str]) -> str:
        """Returns a prompt with some words in it, where the model reads them."""
        for word in words:
            text = with_words(text, word)
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


def _schedule_in(entry: Mapping[str, str]) -> Schedule:
    """Returns the noise levels that a cache entry was made with, which are known without the model."""
    levels = json.loads(entry["schedule"])
    return Schedule(tuple(levels["timesteps"]), tuple(levels["alphas_cumprod"]))


def _scale_of(method: str, asked: float | None) -> float:
    """Returns the guidance scale that a replay is made for: the one asked for, or the method's own.

    Raises:
        UsageError: there is no such method, or the scale leaves it nothing to do.
    """
    if method not in METHODS:
        raise UsageError(f"no inversion method {method!r}", f"use one of {', '.join(METHODS)}")
    null_text = method == "null_text"
    scale = asked if asked is not None else (_NULL_TEXT_SCALE if null_text else 1.0)
    if null_text and scale == 1:
        raise UsageError("null-text inversion needs a guidance scale other than 1", "give another one")
    return scale
