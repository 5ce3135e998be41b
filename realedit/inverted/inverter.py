"""Inverts photos by the loaded model, or reads their inversions from the cache; and replays inversions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image

from guidance import Capture
from inversion import METHODS, Guidance, Schedule, replay
from realedit.errors import UsageError
from realedit.inverted.cache import Cache, cache_key
from realedit.inverted.enlarged_attention import enlarged_attention
from realedit.inverted.inversion import Inversion, capture_for, invert_photo
from realedit.inverted.inverted_photo import InvertedPhoto, Made
from realedit.inverted.levels import Reads, all_levels, glanced
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef, fingerprint
from realedit.models.profile import Layers, Profile, general
from realedit.photo import Photo
from realedit.pixels.resizing import at_size
from realedit.system.memory import translated
from realedit.system.one_at_a_time import one_at_a_time
from realedit.system.outside_json import parse_json
from realedit.system.progress import Progress, silent

METHOD = "direct"
"""The inversion method where none is asked for: it replays exactly and optimises nothing."""
_NULL_TEXT_SCALE = 2.0
"""Guidance scale of null-text inversion where none is asked for: higher ones leave more to optimise, at 1
there would be nothing. Not measured."""
_CACHE_LAYOUT = "5"
"""Version of what a cache entry holds; after a change, entries of other versions are made anew."""


@dataclass(frozen=True)
class _Asked:
    """One inversion, as it is to be; arguments as of :meth:`Inverter.to_invert`, all said."""

    photo: Photo
    text: str
    size: tuple[int, int]
    reads: Reads | None
    method: str
    steps: int
    guidance_scale: float
    inversion_scale: float
    glance: bool = False


@dataclass(frozen=True)
class Inverter:
    """Inverts photos, and replays inversions.

    Args:
        backbone: the model.
        ref: which model it is.
        cache: where inversions are kept, or None.
        working_side: side in pixels of the square whose area the model works at; None for the model's own.
        enlarges: whether attention to an enlarged photo is kept too; see
            :mod:`realedit.inverted.enlarged_attention`.
        profile: the model's.
    """

    backbone: Backbone
    ref: ModelRef
    cache: Cache | None = None
    working_side: int | None = None
    enlarges: bool = False
    profile: Profile = field(default_factory=general)

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """The model's."""
        return self.backbone.lock

    @cached_property
    def capture(self) -> Capture:
        """The windows through which the model is watched."""
        return capture_for(self.backbone.unet, self.profile)

    @property
    def side(self) -> int:
        """Side in pixels of the square whose area the model works at."""
        return self.working_side or self.profile.native_size or self.backbone.native_size

    def to_invert(
        self,
        photo: Photo,
        prompt: str,
        *,
        method: str | None = None,
        steps: int | None = None,
        guidance_scale: float | None = None,
        inversion_scale: float = 1.0,
        glance: bool = False,
        reads: Reads | None = None,
        progress: Progress = silent,
        during: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> InvertedPhoto:
        """Returns a photo whose inversion is made when something asks for it.

        Args:
            photo: the photo.
            prompt: what it shows.
            method: see :meth:`realedit.RealEditPipeline.invert`; by default the profile's for what an edit
                reads, else :data:`METHOD`.
            steps: see :meth:`realedit.RealEditPipeline.invert`.
            guidance_scale: see :meth:`realedit.RealEditPipeline.invert`.
            inversion_scale: see :meth:`realedit.RealEditPipeline.invert`.
            glance: whether only words are looked for in it.
            reads: what is read of it, where the profile lets that alone be inverted and observed; None for
                all.
            progress: told of each stage.
            during: the inversion is made within what this returns.

        Raises:
            UsageError: there is no such method, or it does not work at that scale.
        """
        if self.profile.levels == "all" or glance:
            reads = None
        method = method or (METHOD if reads is None else self.profile.method)
        if (
            reads is not None and method != self.profile.method
        ):  # what is seen on the way up is for that alone
            reads = replace(reads, upward=False)
        how: dict[str, Any] = {
            "method": method,
            "steps": steps or self.profile.steps,
            "guidance_scale": _scale_of(method, guidance_scale),
            "inversion_scale": inversion_scale,
            **({"glance": True} if glance else {}),
        }
        text = prompt or self.profile.plain_caption
        size = self.backbone.working_size(photo.height, photo.width, self.side)

        def make() -> Made:
            with during():
                return self._made(_Asked(photo, text, size, reads, **how), progress)

        def part(of: Photo) -> InvertedPhoto:
            return self.to_invert(of, text, reads=reads, progress=progress, during=during, **how)

        return InvertedPhoto(photo, text, size, how, make, self.lock, reads=reads, part=part)

    def _made(self, asked: _Asked, progress: Progress) -> Made:
        """Makes an inversion, or reads it from the cache."""
        began = time.perf_counter()
        key = self._key(asked, asked.reads)
        found = self._kept(key, asked)
        if found is None and asked.reads is not None:
            found = self._kept(self._key(asked, None), asked)  # which has it all
        cached = found is not None
        if found is None:
            found = self.backbone.within_memory(lambda: self._computed(asked, progress))
            self._keep(key, found)
        return Made(found, cached=cached, seconds=time.perf_counter() - began, key=key)

    def _key(self, asked: _Asked, reads: Reads | None) -> str:
        """Returns what the cache calls an inversion of which ``reads`` is kept; None for all."""
        return cache_key(
            photo=asked.photo.digest(),
            prompt=asked.text,
            model=fingerprint(self.ref) + self.backbone.altered,
            method=asked.method,
            size=str(asked.size),
            dtype=str(self.backbone.dtype),
            steps=str(asked.steps),
            scale=f"{asked.guidance_scale} {asked.inversion_scale}",
            layout=_CACHE_LAYOUT,
            **({"seen": "words"} if asked.glance else {}),
            **_layers_seen(self.profile),
            **({} if reads is None else {"reads": str(reads)}),
        )

    def _kept(self, key: str, asked: _Asked) -> Inversion | None:
        """Reads an inversion from the cache; None where there is none."""
        entry = None if self.cache is None else self.cache.get(key)
        schedule = None if entry is None else _schedule_in(entry[1])
        if entry is None or schedule is None:
            return None
        return Inversion.from_tensors(
            entry[0],
            prompt=asked.text,
            size=asked.size,
            method=asked.method,
            scale=asked.guidance_scale,
            inversion_scale=asked.inversion_scale,
            schedule=schedule,
            device=self.backbone.device,
            on_host=self.backbone.frugality.on_host,
        )

    def _computed(self, asked: _Asked, progress: Progress) -> Inversion:
        """Inverts by the model."""
        schedule = self.backbone.schedule(asked.steps, self.profile.least_time)
        if asked.reads is not None:
            levels = asked.reads.levels(schedule.steps)
        elif asked.glance:
            levels = glanced(schedule.steps)
        else:
            levels = all_levels(schedule.steps, self.profile)
        with self.capture:
            found = invert_photo(
                self.backbone,
                self.capture,
                self.backbone.encode(at_size(asked.photo.rgb, asked.size)),
                self.backbone.prompt(asked.text, asked.size),
                size=asked.size,
                method=asked.method,
                schedule=schedule,
                levels=levels,
                scale=asked.guidance_scale,
                inversion_scale=asked.inversion_scale,
                progress=progress,
            )
            if self.enlarges and (asked.reads is None or asked.reads.words):
                found = self._with_enlarged_attention(found, asked.photo.rgb)
        return found

    def _with_enlarged_attention(self, inversion: Inversion, rgb: np.ndarray) -> Inversion:
        before = self.backbone.evaluations
        enlarged = enlarged_attention(self.backbone, self.capture, rgb, inversion.prompt, size=inversion.size)
        took = self.backbone.evaluations - before
        return replace(inversion, enlarged=enlarged, evaluations=inversion.evaluations + took)

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

    @one_at_a_time
    def reconstruct(self, inversion: Inversion) -> np.ndarray:
        """Replays an inversion; float32 ``[h, w, 3]`` in 0..255 at the working size."""
        return self.backbone.decode(self._replayed(inversion))

    @one_at_a_time
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


def _layers_seen(profile: Profile) -> dict[str, str]:
    """Returns what is watched and which levels are left out, for a key; nothing where they are the usual."""
    decoder = Layers(("up",))
    seen = (profile.guided if profile.find == "goca" else decoder, profile.guided, profile.shared)
    usual = (decoder, decoder, Layers(("up",), (0,)))
    layers = {} if seen == usual else {"layers": str(seen)}
    return layers | ({"from": str(profile.least_time)} if profile.least_time else {})


def _schedule_in(entry: Mapping[str, str]) -> Schedule | None:
    """Returns the noise levels that a cache entry was made with; None where it does not say them."""
    try:
        levels: Any = parse_json(entry["schedule"])
        return Schedule(tuple(levels["timesteps"]), tuple(levels["alphas_cumprod"]))
    except (KeyError, TypeError, ValueError):
        return None


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
