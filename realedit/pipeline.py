"""Locate, invert, edit: the Python API.

Example::

    from realedit import Move, RealEditPipeline

    pipe = RealEditPipeline.from_pretrained()
    inversion = pipe.invert("photo.jpg", "a red mug on a table")
    pipe.edit(inversion, [Move("mug", dx=0.2)]).save("moved.png")
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from PIL import Image

from guidance import Capture, Transform
from guidance.properties import object_attention
from inversion import METHODS, Guidance, replay
from realedit.anchor import Anchor, build_anchor
from realedit.backbone import Backbone, Prompt, add_words
from realedit.cache import Cache, cache_key
from realedit.edits import Edit, Plan, plan
from realedit.environment import out_of_memory
from realedit.errors import NumericalError, ObjectNotFoundError, OutOfFrameError, UsageError
from realedit.inverted import EDITED, Inversion, Progress, capture_for, invert_photo
from realedit.locate import Location, from_box, from_heat, from_mask, from_point
from realedit.models import ModelRef, fingerprint, load_pipeline, resolve_model
from realedit.photo import Photo, composite, load_photo
from realedit.resample import Resampled, Settings, resample
from realedit.result import EditResult
from realedit.shadow import grow

if TYPE_CHECKING:
    from collections.abc import Iterator

PhotoLike = Photo | str | os.PathLike[str] | Image.Image | np.ndarray
STEPS = 20
METHOD = "direct"
FOUND = 0.4
"""Least peak of a word's mean attention that counts as having found it: objects that are there reach 0.77 to 0.99 on the
embedded model, words that it does not know 0.13 to 0.25."""


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

    def __init__(self, backbone: Backbone, ref: ModelRef, cache: Cache | None = None, working_side: int | None = None) -> None:
        self.backbone = backbone
        self.ref = ref
        self.cache = cache
        self.working_side = working_side
        self._capture = capture_for(backbone)

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, *, device: str | None = None, dtype: torch.dtype | str | None = None,
        offline: bool | None = None, cache: Cache | str | Path | bool | None = None, working_size: int | None = None,
    ) -> RealEditPipeline:  # fmt: skip
        """Load a model.

        Args:
            model: a folder, a hub id or an alias; by default ``REALEDIT_MODEL``, else the embedded one.
            device: "cpu", "cuda"...; by default a GPU if there is one.
            dtype: of the UNet and the text encoders; by default fp16 on a GPU, fp32 else. The VAE stays in fp32.
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
        with _translated():
            pipeline = load_pipeline(ref, device=device, dtype=dtype, offline=offline)
        if cache is False:
            store = None
        else:
            store = cache if isinstance(cache, Cache) else Cache(None if cache in (None, True) else Path(cache))
        return cls(Backbone(pipeline), ref, store, working_size)

    # ------------------------------------------------------------------ locate

    def locate(
        self, photo: PhotoLike | InvertedPhoto, word: str | None = None, *, prompt: str | None = None,
        mask: np.ndarray | PhotoLike | None = None, box: tuple[float, float, float, float] | None = None,
        point: tuple[float, float] | None = None, progress: Progress | None = None, **inversion: Any,  # noqa: ANN401
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
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else _load(photo)
        given = _by_region(loaded, word, mask, box, point)
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
        if score < FOUND:
            raise self._not_found(word, score)
        return from_heat(inverted.photo.rgb, heat, word, score, [other for other, peak in heats.values() if peak >= FOUND])

    def _heats(self, inversion: Inversion, word: str) -> dict[str, tuple[np.ndarray, float]]:
        """Heat and peak of the object's words, and of the prompt's other words that name compact things."""
        prompt = inversion.prompt
        tokens = self.backbone.tokens(prompt, word)
        if not tokens:
            raise self._not_found(word, 0.0)
        maps = _mean_attention(inversion)
        heats = {word: _heat(maps, tokens)}
        taken = set(tokens)
        for other in dict.fromkeys(prompt.lower().split()):
            positions = self.backbone.tokens(prompt, other.strip(".,;:!?"))
            if positions and not taken & set(positions):
                heat, peak = _heat(maps, positions)
                there, own = heat > 0.4, heats[word][0] > 0.4
                thing = there.mean() < 0.15  # and not a surface
                attribute = (there & own).sum() > 0.25 * min(there.sum(), own.sum())  # the object's own colour, say
                if thing and not attribute:
                    heats[other] = (heat, peak)
        return heats

    def _not_found(self, word: str, score: float) -> ObjectNotFoundError:
        pieces = self.backbone.seen_words(word)
        read = " + ".join(f"'{piece}'" for piece in pieces)
        return ObjectNotFoundError(
            f"no {word!r} found in the photo: {self.ref.name} read {read} (attention {score:.3f}, needs {FOUND})",
            "describe the photo with --prompt, use another word, or show the object with --point, --box or --mask",
        )

    # ------------------------------------------------------------------ invert

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
            guidance_scale: that the replay is made for; 1 by default, 2 for null-text inversion, which needs another.
            inversion_scale: guidance scale on the way up.
            progress: told of each stage.
        """
        if method not in METHODS:
            raise UsageError(f"no inversion method {method!r}", f"use one of {', '.join(METHODS)}")
        scale = guidance_scale if guidance_scale is not None else (2.0 if method == "null_text" else 1.0)
        if method == "null_text" and scale == 1:
            raise UsageError("null-text inversion needs a guidance scale other than 1")
        loaded, steps = _load(photo), steps or STEPS
        text = prompt or "a photo"
        began = time.perf_counter()
        size = self.backbone.working_size(loaded.height, loaded.width, self.working_side)
        schedule = self.backbone.schedule(steps)
        key = cache_key(
            photo=loaded.digest(), prompt=text, model=fingerprint(self.ref), dtype=str(self.backbone.unet.dtype), method=method,
            size=str(size), schedule=json.dumps(asdict(schedule)), scale=f"{scale} {inversion_scale}", layout="1",
        )  # fmt: skip
        kept = self.cache.get(key) if self.cache is not None else None
        if kept is not None:
            found = Inversion.from_tensors(
                kept[0], prompt=text, size=size, method=method, scale=scale, schedule=schedule, device=self.backbone.device
            )
            return InvertedPhoto(loaded, found, True, time.perf_counter() - began)
        with _translated(), self._capture:
            x_0 = self.backbone.encode(_at(loaded.rgb, size))
            found = invert_photo(
                self.backbone, self._capture, x_0, self.backbone.prompt(text, size), size, method=method, steps=steps,
                scale=scale, inversion_scale=inversion_scale, progress=progress,
            )  # fmt: skip
        if self.cache is not None:
            tensors = {name: value.cpu() for name, value in found.tensors().items()}
            self.cache.put(key, tensors, {"prompt": text, "method": method, "model": self.ref.name, "steps": str(steps)})
        return InvertedPhoto(loaded, found, False, time.perf_counter() - began)

    def reconstruct(self, inverted: InvertedPhoto) -> np.ndarray:
        """Replay an inversion; float32 ``[h, w, 3]`` in 0..255 at the working size."""
        return self.backbone.decode(self._replayed(inverted.inversion))

    def _replayed(self, inversion: Inversion) -> torch.Tensor:
        prompt = self.backbone.prompt(inversion.prompt, inversion.size)
        with _translated():
            guidance = Guidance(prompt.conditioning, prompt.null, inversion.result.guidance_scale)
            return replay(self.backbone, inversion.result, guidance)

    def _inverted_for(
        self, photo: Photo | InvertedPhoto, prompt: str | None, word: str | None, progress: Progress | None, how: dict[str, Any]
    ) -> InvertedPhoto:
        """An inversion whose prompt holds the object's words: the one given, if it does, else a new one."""
        if isinstance(photo, InvertedPhoto):
            if not word or self.backbone.tokens(photo.inversion.prompt, word):
                return photo
            prompt, photo = prompt or photo.inversion.prompt, photo.photo
        text = (prompt or "").strip()
        return self.invert(photo, add_words(text, word) if word else text, progress=progress, **how)

    # ------------------------------------------------------------------ edit

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
        clock = _Clock()
        before = self.backbone.evaluations
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else _load(photo)
        given = _by_region(loaded, wanted.target, mask, box, point)
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
        with _translated():
            anchor = build_anchor(loaded.rgb, location, transform, closed, shadow=settings.shadow)
        clock.lap("anchor")
        resampled = self._resample(inverted, anchor, location, wanted, transform, settings, seed, progress)
        clock.lap("resample")
        edited, alpha = _blend(loaded.rgb, anchor, resampled, settings)
        out = composite(loaded, edited, alpha)
        clock.lap("composite")
        latent = inverted.inversion.result.x_0 if METHOD == inverted.inversion.result.method else self._replayed(inverted.inversion)
        reconstruction = self.backbone.decode(latent).round().astype(np.uint8)
        metrics = _metrics(loaded, out, alpha, location, anchor, wanted)
        metrics["model_evaluations"] = float(self.backbone.evaluations - before)
        if resampled is not None and resampled.trace.energies:
            metrics["energy_first"], metrics["energy_last"] = resampled.trace.energies[0], resampled.trace.energies[-1]
        return EditResult(
            out, loaded, location, location.mask, anchor.matte, alpha > 0, Image.fromarray(reconstruction), metrics, seed,
            clock.laps, self._recipe(wanted, inverted, settings, seed),
        )  # fmt: skip

    def _others(self, inverted: InvertedPhoto, location: Location, word: str | None) -> np.ndarray | None:
        """Where the prompt's other things lie, bool ``[H, W]``: nothing is to be copied from them into the hole."""
        if not word:
            return None
        h, w = location.mask.shape
        own = grow(location.hard, max(h, w) / 64)
        closed = np.zeros((h, w), bool)
        for other, (heat, peak) in self._heats(inverted.inversion, word).items():
            if other != word and peak >= FOUND:
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
        with _translated(), self._capture:
            return resample(
                self.backbone, self._capture, inversion, prompt, anchor, location.hard, tokens, transform, settings, seed,
                None if progress is None else lambda done, total: progress("resample", done, total),
            )  # fmt: skip

    def _recipe(self, wanted: Plan, inverted: InvertedPhoto, settings: Settings, seed: int) -> dict[str, Any]:
        inversion = inverted.inversion
        return {
            "edit": {name: value for name, value in asdict(wanted).items() if value is not None},
            "prompt": inversion.prompt,
            "model": self.ref.name,
            "inversion": inversion.result.method,
            "steps": inversion.result.schedule.steps,
            "seed": seed,
            "settings": asdict(settings),
            "versions": {name: _version(name) for name in ("realedit", "torch", "diffusers", "transformers")},
        }


def _version(name: str) -> str:
    """A distribution's version; "source" where it runs from a checkout that is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "source"


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = now - self._last
        self._last = now


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the model's libraries raise into errors a user can act on."""
    try:
        yield
    except FloatingPointError as error:
        raise NumericalError(str(error), "try --dtype float32, or another model") from error
    except (MemoryError, RuntimeError) as error:
        memory = out_of_memory(error)
        if memory is None:
            raise
        raise memory from error


def _load(photo: PhotoLike) -> Photo:
    return photo if isinstance(photo, Photo) else load_photo(photo)


def _at(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A photo at (height, width)."""
    if rgb.shape[:2] == size:
        return rgb
    smaller = size[0] < rgb.shape[0]
    return cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


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


def _by_region(
    photo: Photo, word: str | None, mask: np.ndarray | PhotoLike | None, box: tuple[float, float, float, float] | None,
    point: tuple[float, float] | None,
) -> Location | None:  # fmt: skip
    if sum(what is not None for what in (mask, box, point)) > 1:
        raise UsageError("give one of mask, box and point, not several")
    if mask is not None:
        array = mask if isinstance(mask, np.ndarray) else _load(mask).rgb
        return from_mask(photo.rgb, array, word)
    if box is not None:
        return from_box(photo.rgb, box, word)
    if point is not None:
        return from_point(photo.rgb, point, word)
    return None


def _mean_attention(inversion: Inversion) -> torch.Tensor:
    """Mean attention of the finest recorded layers over the middle noise levels, ``[h, w, K]``."""
    steps = inversion.result.schedule.steps
    levels = range(max(1, round(0.1 * steps)), max(2, round(0.5 * steps)) + 1)
    finest = max(a.shape[1] * a.shape[2] for a in inversion.observations[1].attention.values())
    maps = [
        a[0].float()
        for level in levels
        for a in inversion.observations[level].attention.values()
        if a.shape[1] * a.shape[2] == finest
    ]
    return torch.stack(maps).mean(0).cpu()


def _heat(maps: torch.Tensor, tokens: list[int]) -> tuple[np.ndarray, float]:
    """An object's attention brought to [0, 1], and its peak before that."""
    attention = object_attention(maps[None], tokens)[0]
    low, high = float(attention.min()), float(attention.max())
    return ((attention - low) / max(high - low, 1e-9)).numpy().astype(np.float32), high


def check_frame(location: Location, transform: Transform) -> None:
    """Refuse a transform that carries the object over the border.

    Raises:
        OutOfFrameError: it says by how much.
    """
    h, w = location.mask.shape
    x0, y0, x1, y1 = location.box
    corners = torch.tensor([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], dtype=torch.float64)
    moved = transform.apply(corners, w / h)
    low, high = moved.amin(0).tolist(), moved.amax(0).tolist()
    # an object that the frame cuts already may stay cut on that side
    over = {
        "left": -low[0] if x0 > 0.003 else -low[0] - x0,
        "right": high[0] - 1 if x1 < 0.997 or high[0] > x1 else 0.0,
        "top": -low[1] if y0 > 0.003 else -low[1] - y0,
        "bottom": high[1] - 1 if y1 < 0.997 or high[1] > y1 else 0.0,
    }
    side, amount = max(over.items(), key=lambda item: item[1])
    if amount > 0.002:
        raise OutOfFrameError(
            f"the object would leave the frame by {math.ceil(100 * amount)} % of its "
            f"{'width' if side in ('left', 'right') else 'height'} at the {side}",
            "use a smaller change, or --allow-crop to let it be cut",
        )


def _blend(rgb: np.ndarray, anchor: Anchor, resampled: Resampled | None, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """The edited picture, uint8 ``[H, W, 3]``, and the alpha it is laid over the photo with, float32 ``[H, W]``."""
    h, w = rgb.shape[:2]
    unit = max(h, w) / 256
    alpha = anchor.changed.astype(np.float32)
    picture = anchor.picture
    if resampled is not None:
        wide = grow(anchor.changed, 3 * unit)
        soft = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 1.5 * unit) * wide
        change = cv2.resize(resampled.change, (w, h), interpolation=cv2.INTER_CUBIC)
        picture = picture + settings.resample * soft[..., None] * change * (1 - settings.pin * anchor.matte[..., None])
        alpha = wide.astype(np.float32)
    edited = np.clip(picture, 0, 255).round().astype(np.uint8)
    return edited, alpha


def _metrics(
    photo: Photo, out: Photo, alpha: np.ndarray, location: Location, anchor: Anchor, wanted: Plan
) -> dict[str, float]:
    """Figures of an edit that need no truth."""
    after = Location(location.word, anchor.matte, location.heat, 1.0, location.source) if (anchor.matte > 0.5).any() else None
    changed = (photo.rgb != out.rgb).any(-1)
    figures = {
        "changed_outside_region": float((changed & (alpha == 0)).sum()),
        "region_share": float((alpha > 0).mean()),
        "score": location.score,
    }
    if after is not None:
        (x0, y0), (x1, y1) = location.centroid, after.centroid
        figures["centroid_error"] = math.hypot(x1 - x0 - wanted.dx, y1 - y0 - wanted.dy)
        figures["size_ratio"] = float(anchor.matte.sum() / location.mask.sum())
    return figures
