"""Locate, invert, edit: the Python API.

Example::

    from realedit import Move, RealEditPipeline

    pipe = RealEditPipeline.from_pretrained()
    inversion = pipe.invert("photo.jpg", "a red mug on a table")
    pipe.edit(inversion, [Move("mug", dx=0.2)]).save("moved.png")
"""

from __future__ import annotations

import json
import operator
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from inversion import METHODS, Guidance, replay
from realedit.backbone import Backbone
from realedit.cache import Cache, cache_key
from realedit.clock import Clock
from realedit.closer_look import closer_look
from realedit.edit_pictures import with_pictures
from realedit.edits import Edit, Step, plan, shown_word
from realedit.errors import UsageError
from realedit.inputs import PhotoLike, as_photo, at_size, given_location
from realedit.inverted import Inversion, Progress, capture_for, invert_photo
from realedit.locate import Location
from realedit.model_errors import translated
from realedit.models import ModelRef, fingerprint, load_pipeline, resolve_model
from realedit.photo import Photo, hidden_by_alpha
from realedit.recipe import recipe
from realedit.recogniser import Recogniser
from realedit.result import EditResult
from realedit.settings import Settings
from realedit.steps import Outcome, Work, run
from realedit.steps.sequence import after, changes, mattes, together
from realedit.which_one import split
from realedit.word_finder import WordFinder
from realedit.words import PLAIN, with_article, with_words

if TYPE_CHECKING:
    from realedit.outside import Captioner, OutsideFinder

STEPS = 20
METHOD = "direct"


@dataclass(frozen=True)
class InvertedPhoto:
    """A photo with its inversion: invert once, edit many times."""

    photo: Photo
    inversion: Inversion
    cached: bool = False
    seconds: float = 0.0
    key: str = ""
    """Of its entry in the cache."""


class RealEditPipeline:
    """A loaded model with the three calls of an edit. Make it with :meth:`from_pretrained`.

    Args:
        backbone: the model.
        ref: which model it is.
        cache: where inversions are kept, or None.
        working_side: side of the square whose area the model works at; its own by default.
        outside: finds words in photos in the model's place.
        captioner: says what a photo shows where no prompt does.
    """

    def __init__(
        self, backbone: Backbone, ref: ModelRef, cache: Cache | None = None, working_side: int | None = None,
        outside: OutsideFinder | None = None, captioner: Captioner | None = None,
    ) -> None:  # fmt: skip
        self.backbone = backbone
        self.ref = ref
        self.cache = cache
        self.working_side = working_side
        self.capture = capture_for(backbone)
        self.finder = WordFinder(
            backbone, ref, None if ref.source == "hub" else Recogniser.load(Path(ref.location))
        )
        self.outside = outside
        self.captioner = captioner

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, *, device: str | None = None,
        dtype: torch.dtype | str | None = None, offline: bool | None = None,
        cache: Cache | str | Path | bool | None = None, working_size: int | None = None,
        detector: str | Path | None = None, segmenter: str | Path | None = None,
        captioner: str | Path | None = None,
    ) -> RealEditPipeline:  # fmt: skip
        """Load a model.

        Args:
            model: a folder, a hub id or an alias; by default ``REALEDIT_MODEL``, else the embedded one.
            device: "cpu", "cuda"...; by default a GPU if there is one.
            dtype: of the UNet and the text encoders; by default fp16 on a GPU, fp32 else. The VAE stays in
                fp32.
            offline: never go to the network.
            cache: a cache or a folder; by default the user's cache folder; False for none.
            working_size: side in pixels of the square whose area the model works at; by default its own.
            detector: OWL-ViT, OWLv2 or Grounding DINO that finds words in the model's place.
            segmenter: CLIPSeg, which finds words too, or SAM, which cuts out what the detector finds.
            captioner: BLIP or Florence-2 that says what a photo shows where no prompt does.

        Raises:
            ModelUnavailableError: a model cannot be had.
        """
        ref = resolve_model(model)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if isinstance(dtype, str):
            dtype = getattr(torch, dtype, None)
            if not isinstance(dtype, torch.dtype):
                raise UsageError("dtype must be one of float32, float16, bfloat16")
        with translated():
            pipeline = load_pipeline(ref, device=device, dtype=dtype, offline=offline)
        from realedit.outside import Captioner, OutsideFinder

        outside = says = None
        if detector is not None or segmenter is not None:
            outside = OutsideFinder(detector, segmenter, device, offline)
        if captioner is not None:
            says = Captioner(captioner, device, offline)
        return cls(Backbone(pipeline), ref, _cache(cache), working_size, outside, says)

    def locate(
        self, photo: PhotoLike | InvertedPhoto, word: str | None = None, *, prompt: str | None = None,
        mask: np.ndarray | PhotoLike | None = None, box: tuple[float, float, float, float] | None = None,
        point: tuple[float, float] | None = None, progress: Progress | None = None,
        **inversion: Any,  # noqa: ANN401
    ) -> Location:  # fmt: skip
        """Find an object by its words, or take the user's mask, box or point.

        Args:
            photo: the photo, or an inversion of it.
            word: the object's words.
            prompt: what the photo shows; helps to tell the object from others.
            mask: ``[H, W]`` at the photo's size, white where the object is.
            box: (x0, y0, x1, y1) in [0, 1].
            point: (x, y) in [0, 1], on the object.
            progress: told of each stage.
            **inversion: of :meth:`invert`.

        Raises:
            ObjectNotFoundError: the model does not see it.
            UsageError: the arguments contradict each other.
        """
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else as_photo(photo)
        given = given_location(loaded, word, mask, box, point)
        if given is not None:
            return given
        if not word:
            raise UsageError("what is to be found?", "give a word, a mask, a box or a point")
        inverted = photo if isinstance(photo, InvertedPhoto) else loaded
        inverted = self.inverted_for(inverted, prompt, [word], progress, inversion)
        return self.find(loaded, inverted.inversion, word)

    def find(self, photo: Photo, inversion: Inversion, word: str) -> Location:
        """The object that a word names, by the model's attention or by the detector in its place.

        Raises:
            ObjectNotFoundError: the model does not see it.
        """
        if self.outside is not None:
            return self.outside.find(photo.rgb, word)
        return self.finder.find(photo.rgb, inversion, word)

    def _described(self, photo: Photo, prompt: str | None) -> str:
        """What a photo shows: as the user says it, as the captioner does, or nothing."""
        text = (prompt or "").strip()
        return text if text or self.captioner is None else self.captioner.caption(photo.rgb)

    def invert(
        self, photo: PhotoLike, prompt: str | None = None, *, method: str = METHOD, steps: int | None = None,
        guidance_scale: float | None = None, inversion_scale: float = 1.0, progress: Progress | None = None,
    ) -> InvertedPhoto:  # fmt: skip
        """Invert a photo into a trajectory with cached attention, activations, keys and values.

        Args:
            photo: a path, Pillow image, uint8 array ``[H, W, 3]`` or loaded photo.
            prompt: what the photo shows.
            method: one of ``inversion.METHODS``.
            steps: noise levels; 20 by default.
            guidance_scale: that the replay is made for; 1 by default, 2 for null-text inversion, which needs
                another.
            inversion_scale: guidance scale on the way up.
            progress: told of each stage.
        """
        if method not in METHODS:
            raise UsageError(f"no inversion method {method!r}", f"use one of {', '.join(METHODS)}")
        scale = guidance_scale if guidance_scale is not None else (2.0 if method == "null_text" else 1.0)
        if method == "null_text" and scale == 1:
            raise UsageError("null-text inversion needs a guidance scale other than 1")
        loaded, steps = as_photo(photo), steps or STEPS
        text = self._described(loaded, prompt) or PLAIN
        began = time.perf_counter()
        size = self.backbone.working_size(loaded.height, loaded.width, self.working_side)
        schedule = self.backbone.schedule(steps)
        key = cache_key(
            photo=loaded.digest(), prompt=text, model=fingerprint(self.ref), method=method, size=str(size),
            dtype=str(self.backbone.unet.dtype), schedule=json.dumps(asdict(schedule)),
            scale=f"{scale} {inversion_scale}", layout="3",
        )  # fmt: skip
        kept = self.cache.get(key) if self.cache is not None else None
        if kept is not None:
            found = Inversion.from_tensors(
                kept[0], prompt=text, size=size, method=method, scale=scale,
                inversion_scale=inversion_scale, schedule=schedule, device=self.backbone.device,
            )  # fmt: skip
            return InvertedPhoto(loaded, found, True, time.perf_counter() - began, key)
        with translated(), self.capture:
            x_0 = self.backbone.encode(at_size(loaded.rgb, size))
            found = invert_photo(
                self.backbone, self.capture, x_0, self.backbone.prompt(text, size), size, method=method,
                steps=steps, scale=scale, inversion_scale=inversion_scale, progress=progress,
            )  # fmt: skip
            if self.finder.looks_closer:
                before = self.backbone.evaluations
                closer = closer_look(self.backbone, self.capture, loaded.rgb, text, size)
                looks = self.backbone.evaluations - before
                found = replace(found, closer=closer, evaluations=found.evaluations + looks)
        if self.cache is not None:
            tensors = {name: value.cpu() for name, value in found.tensors().items()}
            made = {"prompt": text, "method": method, "model": self.ref.name, "steps": str(steps)}
            self.cache.put(key, tensors, made)
        return InvertedPhoto(loaded, found, False, time.perf_counter() - began, key)

    def reconstruct(self, inverted: InvertedPhoto) -> np.ndarray:
        """Replay an inversion; float32 ``[h, w, 3]`` in 0..255 at the working size."""
        return self.backbone.decode(self._replayed(inverted.inversion))

    def _replayed(self, inversion: Inversion) -> torch.Tensor:
        prompt = self.backbone.prompt(inversion.prompt, inversion.size)
        with translated():
            guidance = Guidance(prompt.conditioning, prompt.null, inversion.result.guidance_scale)
            return replay(self.backbone, inversion.result, guidance)

    def inverted_for(
        self,
        photo: Photo | InvertedPhoto,
        prompt: str | None,
        words: Sequence[str],
        progress: Progress | None,
        how: dict[str, Any],
    ) -> InvertedPhoto:
        """An inversion whose prompt holds some words: the one given, if it does, else a new one.

        One that is given is made anew, too, where another prompt, or another way to make it, is asked for.
        """
        words = [split(word)[1] for word in words]
        if isinstance(photo, InvertedPhoto):
            made = photo.inversion.prompt
            held = all(self.backbone.tokens(made, word) for word in words)
            same = prompt is None or made in (prompt, self._naming(prompt, words))
            if held and same and _as_made(photo) | how == _as_made(photo):
                return photo
            prompt, photo = prompt or made, photo.photo
        text = self._naming(self._described(photo, prompt), words)
        return self.invert(photo, text, progress=progress, **how)

    def _naming(self, text: str, words: Sequence[str]) -> str:
        """A prompt with some words in it, where the model reads them."""
        for word in words:
            text = with_words(text, word)
            if not self.backbone.tokens(text, word):  # beyond what the model reads of a long prompt
                text = f"{with_article(word)}, {text}"
        return text

    def edit(
        self, photo: PhotoLike | InvertedPhoto, edits: Edit | Sequence[Edit], *, prompt: str | None = None,
        mask: np.ndarray | PhotoLike | None = None, box: tuple[float, float, float, float] | None = None,
        point: tuple[float, float] | None = None, seed: int = 0, strength: float | None = None,
        settings: Settings | None = None, allow_crop: bool = False, progress: Progress | None = None,
        **inversion: Any,  # noqa: ANN401
    ) -> EditResult:  # fmt: skip
        """Edit a photo.

        Args:
            photo: the photo, or an inversion of it from :meth:`invert`.
            edits: one of :mod:`realedit.edits`, or several, done in their order; neighbours that move one
                object are done at once.
            prompt: what the photo shows.
            mask: see :meth:`locate`.
            box: see :meth:`locate`.
            point: see :meth:`locate`.
            seed: of the noise in the hole.
            strength: share of the noise levels that is sampled anew, in [0, 0.7].
            settings: every knob; ``strength`` overrides theirs.
            allow_crop: let the object leave the frame.
            progress: told of each stage.
            **inversion: of :meth:`invert`.

        Raises:
            PhotoError: the photo, or a picture that an edit names, cannot be read.
            ObjectNotFoundError: the model does not see the object.
            OutOfFrameError: the object would leave the frame.
            UsageError: the arguments contradict each other.
            NumericalError: the model returned NaN or infinity.
        """
        listed = list(edits) if isinstance(edits, Sequence) else [edits]
        inverted = photo if isinstance(photo, InvertedPhoto) else None
        source = photo.photo if isinstance(photo, InvertedPhoto) else as_photo(photo)
        steps = plan(with_pictures(listed, source))
        settings = _settings(settings, strength)
        word = shown_word(listed, shown=any(what is not None for what in (mask, box, point)))
        before, clock = self.backbone.evaluations, Clock()
        work = Work(
            self, source, inverted, prompt, given_location(source, word, mask, box, point), {}, settings,
            operator.index(seed), allow_crop, progress, clock, _made_as(inverted, inversion),
        )  # fmt: skip
        outcomes: list[Outcome] = []
        for step in steps:
            outcome = run(work, step)
            work = after(work, outcome, step)
            # on a GPU, what the model has seen of each step's photo would add up
            outcomes.append(replace(outcome, inverted=outcomes[0].inverted) if outcomes else outcome)
        told = recipe(listed, work, outcomes[0].inverted.inversion, mask=mask, box=box, point=point)
        return self._result(source, steps, outcomes, work, told, self.backbone.evaluations - before)

    def _result(
        self, source: Photo, steps: Sequence[Step], outcomes: Sequence[Outcome], work: Work,
        told: dict[str, Any], evaluations: int,
    ) -> EditResult:  # fmt: skip
        """What several steps come to, and ``work`` as they have left it."""
        first, last = outcomes[0], outcomes[-1]
        figures = dict(last.metrics) if len(outcomes) == 1 else together(outcomes)
        figures["model_evaluations"] = float(evaluations)
        mask_before, mask_after = mattes(outcomes, work.known)
        done = zip(steps, outcomes, strict=True)
        return EditResult(
            photo=last.photo,
            source=source,
            location=first.location,
            mask_before=mask_before,
            mask_after=mask_after,
            region=np.any([outcome.region for outcome in outcomes], axis=0),
            # without what the model saw, which is large
            replay=partial(self._reconstruction, replace(first.inverted.inversion, observations={})),
            metrics=figures,
            seed=work.seed,
            timings=work.clock.laps,
            recipe=told,
            warnings=(
                *(warning for outcome in outcomes for warning in outcome.warnings),
                *hidden_by_alpha(source, last.photo),
            ),
            before_composite=last.picture,
            changes=tuple(change for step, outcome in done for change in changes(step, outcome)),
        )

    def _reconstruction(self, inversion: Inversion) -> Image.Image:
        # what stores every step's offset replays to the photo's own latent
        exact = inversion.result.offsets is not None
        latent = inversion.result.x_0 if exact else self._replayed(inversion)
        return Image.fromarray(self.backbone.decode(latent).round().astype(np.uint8))


def _cache(cache: Cache | str | Path | bool | None) -> Cache | None:
    if isinstance(cache, Cache):
        return cache
    if cache is False:
        return None
    return Cache(Path(cache) if isinstance(cache, str | Path) else None)


def _as_made(inverted: InvertedPhoto | None) -> dict[str, Any]:
    """How an inversion was made: other photos, and later steps, want the same noise levels."""
    if inverted is None:
        return {}
    made = inverted.inversion.result
    return {
        "method": made.method, "steps": made.schedule.steps, "guidance_scale": made.guidance_scale,
        "inversion_scale": inverted.inversion.inversion_scale,
    }  # fmt: skip


def _made_as(inverted: InvertedPhoto | None, asked: dict[str, Any]) -> dict[str, Any]:
    """How further inversions are made: as asked, else as a given one was; scales are a method's own."""
    made = _as_made(inverted)
    if asked.get("method", made.get("method")) != made.get("method"):
        made = {"steps": made["steps"]} if made else {}
    return made | asked


def _settings(settings: Settings | None, strength: float | None) -> Settings:
    settings = settings or Settings()
    return settings if strength is None else replace(settings, strength=strength)
