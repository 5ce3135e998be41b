"""Locate, invert, edit: the Python API.

Example::

    from realedit import Move, RealEditPipeline

    pipe = RealEditPipeline.from_pretrained()
    inversion = pipe.invert("photo.jpg", "a red mug on a table")
    pipe.edit(inversion, [Move("mug", dx=0.2)]).save("moved.png")
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from guidance import Transform
from inversion import METHODS, Guidance, replay
from realedit.anchor import Anchor, build_anchor
from realedit.attention_heat import heat as heat_of
from realedit.attention_heat import mean_attention
from realedit.backbone import Backbone, Prompt, add_words
from realedit.blend import blend, metrics
from realedit.cache import Cache, cache_key
from realedit.clock import Clock
from realedit.edits import Edit, Plan, plan
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.frame import check_frame
from realedit.inputs import PhotoLike, as_photo, at_size, given_location
from realedit.inverted import EDITED, Inversion, Progress, capture_for, invert_photo
from realedit.locate import Location, from_heat
from realedit.model_errors import translated
from realedit.models import ModelRef, fingerprint, load_pipeline, resolve_model
from realedit.photo import Photo, composite
from realedit.recipe import recipe
from realedit.resample import Resampled, Settings, resample
from realedit.result import EditResult
from realedit.shadow import grow

STEPS = 20
METHOD = "direct"
FOUND, FOUND_SPELT, FOUND_ELSEWHERE = 0.2, 0.4, 0.03
"""Least peak of a word's mean attention that counts as having found it: a word that the embedded model's
vocabulary holds, a word that its tokenizer has to spell out, and any word in a model whose attention was not
trained on masks. On the embedded model objects that are there reach 0.23 to 0.99 (nine in ten over 0.86),
words spelt out at most 0.24."""


@dataclass(frozen=True)
class InvertedPhoto:
    """A photo with its inversion: invert once, edit many times."""

    photo: Photo
    inversion: Inversion
    cached: bool = False
    seconds: float = 0.0


class RealEditPipeline:
    """A loaded model with the three calls of an edit. Make it with :meth:`from_pretrained`.

    Args:
        backbone: the model.
        ref: which model it is.
        cache: where inversions are kept, or None.
        working_side: side of the square whose area the model works at; its own by default.
    """

    def __init__(
        self, backbone: Backbone, ref: ModelRef, cache: Cache | None = None, working_side: int | None = None
    ) -> None:
        self.backbone = backbone
        self.ref = ref
        self.cache = cache
        self.working_side = working_side
        self._capture = capture_for(backbone)

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, *, device: str | None = None,
        dtype: torch.dtype | str | None = None, offline: bool | None = None,
        cache: Cache | str | Path | bool | None = None, working_size: int | None = None,
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

        Raises:
            ModelUnavailableError: the model cannot be had.
        """
        ref = resolve_model(model)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if isinstance(dtype, str):
            dtype = getattr(torch, dtype, None)
            if not isinstance(dtype, torch.dtype):
                raise UsageError("dtype must be one of float32, float16, bfloat16")
        with translated():
            pipeline = load_pipeline(ref, device=device, dtype=dtype, offline=offline)
        return cls(Backbone(pipeline), ref, _cache(cache), working_size)

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
        inverted = self._inverted_for(inverted, prompt, word, progress, inversion)
        return self._by_word(inverted, word)

    def _by_word(self, inverted: InvertedPhoto, word: str) -> Location:
        heats = self._heats(inverted.inversion, word)
        heat, score = heats.pop(word)
        if score < self._least_peak(word):
            raise self._not_found(word, score)
        others = [other for other, peak in heats.values() if peak >= FOUND_SPELT]
        return from_heat(inverted.photo.rgb, heat, word, score, others)

    def _least_peak(self, word: str) -> float:
        if self.ref.source != "embedded":
            return FOUND_ELSEWHERE
        spelt_out = len(self.backbone.seen_words(word)) > len(word.split())
        return FOUND_SPELT if spelt_out else FOUND

    def _heats(self, inversion: Inversion, word: str) -> dict[str, tuple[np.ndarray, float]]:
        """Heat and peak of the object's words, and of the prompt's other words that name compact things."""
        prompt = inversion.prompt
        tokens = self.backbone.tokens(prompt, word)
        if not tokens:
            raise self._not_found(word, 0.0)
        maps = mean_attention(inversion)
        heats = {word: heat_of(maps, tokens)}
        taken = set(tokens)
        for other in dict.fromkeys(prompt.lower().split()):
            positions = self.backbone.tokens(prompt, other.strip(".,;:!?"))
            if positions and not taken & set(positions):
                heat, peak = heat_of(maps, positions)
                there, own = heat > 0.4, heats[word][0] > 0.4
                thing = there.mean() < 0.15  # and not a surface
                # the object's own colour, say
                attribute = (there & own).sum() > 0.25 * min(there.sum(), own.sum())
                if thing and not attribute:
                    heats[other] = (heat, peak)
        return heats

    def _not_found(self, word: str, score: float) -> ObjectNotFoundError:
        pieces = self.backbone.seen_words(word)
        read = " + ".join(f"'{piece}'" for piece in pieces)
        return ObjectNotFoundError(
            f"no {word!r} found in the photo: {self.ref.name} read {read} "
            f"(attention {score:.3f}, needs {self._least_peak(word)})",
            "describe the photo with --prompt, use another word, "
            "or show the object with --point, --box or --mask",
        )

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
        text = prompt or "a photo"
        began = time.perf_counter()
        size = self.backbone.working_size(loaded.height, loaded.width, self.working_side)
        schedule = self.backbone.schedule(steps)
        key = cache_key(
            photo=loaded.digest(), prompt=text, model=fingerprint(self.ref), method=method, size=str(size),
            dtype=str(self.backbone.unet.dtype), schedule=json.dumps(asdict(schedule)),
            scale=f"{scale} {inversion_scale}", layout="1",
        )  # fmt: skip
        kept = self.cache.get(key) if self.cache is not None else None
        if kept is not None:
            found = Inversion.from_tensors(
                kept[0], prompt=text, size=size, method=method, scale=scale, schedule=schedule,
                device=self.backbone.device,
            )  # fmt: skip
            return InvertedPhoto(loaded, found, True, time.perf_counter() - began)
        with translated(), self._capture:
            x_0 = self.backbone.encode(at_size(loaded.rgb, size))
            found = invert_photo(
                self.backbone, self._capture, x_0, self.backbone.prompt(text, size), size, method=method,
                steps=steps, scale=scale, inversion_scale=inversion_scale, progress=progress,
            )  # fmt: skip
        if self.cache is not None:
            tensors = {name: value.cpu() for name, value in found.tensors().items()}
            made = {"prompt": text, "method": method, "model": self.ref.name, "steps": str(steps)}
            self.cache.put(key, tensors, made)
        return InvertedPhoto(loaded, found, False, time.perf_counter() - began)

    def reconstruct(self, inverted: InvertedPhoto) -> np.ndarray:
        """Replay an inversion; float32 ``[h, w, 3]`` in 0..255 at the working size."""
        return self.backbone.decode(self._replayed(inverted.inversion))

    def _replayed(self, inversion: Inversion) -> torch.Tensor:
        prompt = self.backbone.prompt(inversion.prompt, inversion.size)
        with translated():
            guidance = Guidance(prompt.conditioning, prompt.null, inversion.result.guidance_scale)
            return replay(self.backbone, inversion.result, guidance)

    def _inverted_for(
        self,
        photo: Photo | InvertedPhoto,
        prompt: str | None,
        word: str | None,
        progress: Progress | None,
        how: dict[str, Any],
    ) -> InvertedPhoto:
        """An inversion whose prompt holds the object's words: the one given, if it does, else a new one."""
        if isinstance(photo, InvertedPhoto):
            if not word or self.backbone.tokens(photo.inversion.prompt, word):
                return photo
            prompt, photo = prompt or photo.inversion.prompt, photo.photo
        text = (prompt or "").strip()
        return self.invert(photo, add_words(text, word) if word else text, progress=progress, **how)

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
            edits: of one object: :class:`~realedit.edits.Move`, :class:`~realedit.edits.Resize`, or both.
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
            ObjectNotFoundError: the model does not see the object.
            OutOfFrameError: the object would leave the frame.
            UsageError: the arguments contradict each other.
            NumericalError: the model returned NaN or infinity.
        """
        wanted = plan(edits)
        settings = _settings(settings, strength)
        clock = Clock()
        before = self.backbone.evaluations
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else as_photo(photo)
        given = given_location(loaded, wanted.target, mask, box, point)
        inverted = self._inverted_for(
            photo if isinstance(photo, InvertedPhoto) else loaded, prompt, wanted.target, progress, inversion
        )
        clock.lap("invert")
        location = given or self._by_word(inverted, _word(wanted))
        clock.lap("locate")
        transform = Transform(wanted.dx, wanted.dy, wanted.scale, centre=location.centroid)
        if not allow_crop:
            check_frame(location, transform)
        _tell(progress, "anchor", 0, 1)
        closed = self._others(inverted, location, wanted.target)
        with translated():
            anchor = build_anchor(loaded.rgb, location, transform, closed, shadow=settings.shadow)
        clock.lap("anchor")
        resampled = self._resample(inverted, anchor, location, wanted, transform, settings, seed, progress)
        clock.lap("resample")
        edited, alpha = blend(loaded.rgb, anchor, resampled, settings)
        out = composite(loaded, edited, alpha)
        clock.lap("composite")
        figures = metrics(loaded, out, alpha, location, anchor, resampled, wanted)
        figures["model_evaluations"] = float(self.backbone.evaluations - before)
        return EditResult(
            out, loaded, location, location.mask, anchor.matte, alpha > 0,
            self._reconstruction(inverted.inversion), figures, seed, clock.laps,
            recipe(wanted, inverted.inversion, settings, seed, self.ref.name),
            before_composite=None if resampled is None else resampled.picture,
        )  # fmt: skip

    def _reconstruction(self, inversion: Inversion) -> Image.Image:
        # what stores every step's offset replays to the photo's own latent
        exact = inversion.result.offsets is not None
        latent = inversion.result.x_0 if exact else self._replayed(inversion)
        return Image.fromarray(self.backbone.decode(latent).round().astype(np.uint8))

    def _others(self, inverted: InvertedPhoto, location: Location, word: str | None) -> np.ndarray | None:
        """Where the prompt's other things lie, bool ``[H, W]``: nothing is copied from them into the hole."""
        if not word:
            return None
        h, w = location.mask.shape
        own = grow(location.hard, max(h, w) / 64)
        closed = np.zeros((h, w), bool)
        for other, (heat, peak) in self._heats(inverted.inversion, word).items():
            if other != word and peak >= FOUND_SPELT:
                closed |= grow(cv2.resize(heat, (w, h), interpolation=cv2.INTER_CUBIC) > 0.35, max(h, w) / 64)
        return closed & ~own

    def _resample(
        self, inverted: InvertedPhoto, anchor: Anchor, location: Location, wanted: Plan, transform: Transform,
        settings: Settings, seed: int, progress: Progress | None,
    ) -> Resampled | None:  # fmt: skip
        if settings.strength == 0 or settings.resample == 0:
            return None
        inversion = inverted.inversion
        prompt: Prompt = self.backbone.prompt(inversion.prompt, inversion.size)
        tokens = self.backbone.tokens(inversion.prompt, wanted.target) if wanted.target else []
        with translated(), self._capture:
            return resample(
                self.backbone, self._capture, inversion, prompt, anchor, location.hard, tokens, transform,
                settings, seed, None if progress is None else partial(progress, "resample"),
            )  # fmt: skip


def _cache(cache: Cache | str | Path | bool | None) -> Cache | None:
    if isinstance(cache, Cache):
        return cache
    if cache is False:
        return None
    return Cache(Path(cache) if isinstance(cache, str | Path) else None)


def _tell(progress: Progress | None, stage: str, done: int, total: int) -> None:
    if progress is not None:
        progress(stage, done, total)


def _word(wanted: Plan) -> str:
    if not wanted.target:
        raise UsageError("what is to be edited?", "give a word, a mask, a box or a point")
    return wanted.target


def _settings(settings: Settings | None, strength: float | None) -> Settings:
    settings = settings or Settings()
    if strength is not None:
        settings = replace(settings, strength=strength)
    if not 0 <= settings.strength <= EDITED:
        raise UsageError(f"strength must lie in [0, {EDITED}], got {settings.strength}")
    return settings
