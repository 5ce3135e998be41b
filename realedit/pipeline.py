"""The Python API: locate, invert, edit.

Example::

    from realedit import Move, RealEditPipeline

    pipe = RealEditPipeline.from_pretrained()
    inversion = pipe.invert("photo.jpg", "a red mug on a table")
    pipe.edit(inversion, [Move("mug", dx=0.2)]).save("moved.png")
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from realedit.edits.edit import Edit
from realedit.edits.plan import EditStep, plan
from realedit.edits.prepared import Points, Prepared, Shown, prepare
from realedit.engine import Engine
from realedit.errors import UsageError
from realedit.find.by_hand import shown_location
from realedit.inverted.cache import Cache
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.inverted.inverter import METHOD
from realedit.location import Box, Location
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef
from realedit.models.frugality import Offload
from realedit.opening import open_engine
from realedit.photo import Photo
from realedit.photo.inputs import PhotoLike, as_photo
from realedit.result import EditResult
from realedit.settings import Settings
from realedit.steps import do
from realedit.steps.gathered import gathered
from realedit.steps.sequence import after
from realedit.steps.work import Outcome, Request, State, Work
from realedit.system.one_at_a_time import one_at_a_time
from realedit.system.progress import Progress, silent
from realedit.system.stopwatch import Stopwatch

__all__ = ["METHOD", "InvertedPhoto", "RealEditPipeline"]


class RealEditPipeline:
    """Finds objects in photos, inverts photos and edits them. Made by :meth:`from_pretrained`.

    Threads may share one: each method waits until the model is free. More threads make no edit quicker; for
    that, give each process a pipeline of its own (``realedit batch --jobs``).

    Args:
        engine: the loaded model.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        device: str | None = None,
        dtype: torch.dtype | str | None = None,
        offline: bool | None = None,
        cache: Cache | str | Path | bool | None = None,
        working_size: int | None = None,
        detector: str | Path | None = None,
        segmenter: str | Path | None = None,
        captioner: str | Path | None = None,
        cutout: str | Path | None = None,
        inpainter: str | Path | None = None,
        loras: Sequence[str | Path] = (),
        vae: str | Path | None = None,
        profile: str | Path | None = None,
        offload: Offload | None = None,
        compiled: bool = False,
    ) -> RealEditPipeline:
        """Opens a model; its weights are loaded when they are first needed.

        Args:
            model: a folder, a safetensors file, a hub id or an alias; by default ``REALEDIT_MODEL``, else the
                embedded model.
            device: "cpu", "cuda", "xpu", "mps"...; by default a card if there is one.
            dtype: precision of the UNet and the text encoders; by default float16 on a GPU, else float32. The
                VAE stays in float32.
            offline: never use the network.
            cache: a cache or its folder; by default the user's cache folder; False for none.
            working_size: side in pixels of the square whose area the model works at; by default the model's
                own.
            detector: OWL-ViT, OWLv2 or Grounding DINO, which finds words instead of the model.
            segmenter: CLIPSeg, which finds words too, or SAM, which cuts out what the detector finds.
            captioner: BLIP or Florence-2, which says what a photo shows where no prompt does.
            cutout: what cuts objects out: "ours", "sam", or another SAM's folder or hub id; by default
                ``REALEDIT_CUTOUT``, else the SAM that ``realedit fetch sam`` has brought, else ours.
            inpainter: LaMa's weights, or an SDXL inpainting model, which fills holes in the place of ours.
            loras: safetensors files that are added to the model's weights, each "FILE" or "FILE:weight".
            vae: a VAE in the place of the model's own: a folder, a safetensors file or a hub id.
            profile: the model's defaults, by a file of ``realedit calibrate`` or a name ("sdxl"); by default
                those that suit it (:class:`realedit.models.profile.Profile`).
            offload: "model" or "sequential": networks or layers are on the card only while they work; "none":
                they stay there. By default the fastest that fits the card's free memory.
            compiled: compile blocks of the UNet, which takes minutes and makes many edits faster.

        Raises:
            ModelUnavailableError: a model is not here and cannot be fetched, or cannot be used.
            MemoryLimitError: the model does not fit the card's free memory, however it is laid out.
            UsageError: there is no such device or precision.
        """
        engine = open_engine(
            model,
            device=device,
            dtype=dtype,
            offline=offline,
            cache=cache,
            working_size=working_size,
            detector=detector,
            segmenter=segmenter,
            captioner=captioner,
            cutout=cutout,
            inpainter=inpainter,
            loras=loras,
            vae=vae,
            profile=profile,
            offload=offload,
            compiled=compiled,
        )
        return cls(engine)

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while the model is at work; see :class:`realedit.models.backbone.Backbone`."""
        return self.backbone.lock

    @property
    def backbone(self) -> Backbone:
        """The loaded model."""
        return self.engine.backbone

    @property
    def ref(self) -> ModelRef:
        """Which model it is."""
        return self.engine.ref

    @property
    def cache(self) -> Cache | None:
        """Where inversions are kept, or None."""
        return self.engine.inverter.cache

    def locate(
        self,
        photo: PhotoLike | InvertedPhoto,
        word: str | None = None,
        *,
        prompt: str | None = None,
        mask: np.ndarray | PhotoLike | None = None,
        box: Box | None = None,
        point: Points | None = None,
        not_point: Points | None = None,
        refine: bool | None = None,
        min_confidence: float = 0.0,
        progress: Progress = silent,
        **how: Any,
    ) -> Location:
        """Finds an object by its words, or takes the user's mask, box or point.

        Args:
            photo: the photo, or an inversion of it.
            word: the object's words.
            prompt: what the photo shows; it helps to tell the object from others.
            mask: ``[H, W]`` at the photo's size, white where the object is.
            box: (x0, y0, x1, y1) in [0, 1].
            point: (x, y) in [0, 1], on the object, or several; with a box, both show it together.
            not_point: (x, y) in [0, 1], not on the object, or several.
            refine: whether the mask's edge is brought to the photo's by the cut-out network; by default where
                the mask is rough.
            min_confidence: refuse what is found with less confidence, in [0, 1]; see
                :attr:`realedit.Location.confidence`.
            progress: told of each stage.
            **how: keyword arguments of :meth:`invert`.

        Raises:
            PhotoError: the photo or the mask cannot be read.
            ObjectNotFoundError: the model does not see the object.
            UnsureError: what was found is less sure than ``min_confidence``.
            UsageError: the arguments contradict each other.
        """
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else as_photo(photo)
        shown = Shown.read(loaded, mask=mask, box=box, point=point, not_point=not_point, refine=refine)
        return self.locate_shown(
            photo if isinstance(photo, InvertedPhoto) else loaded,
            shown,
            word,
            prompt=prompt,
            min_confidence=min_confidence,
            progress=progress,
            **how,
        )

    @one_at_a_time
    def locate_shown(
        self,
        photo: Photo | InvertedPhoto,
        shown: Shown,
        word: str | None = None,
        *,
        prompt: str | None = None,
        min_confidence: float = 0.0,
        progress: Progress = silent,
        **how: Any,
    ) -> Location:
        """Finds what is shown, else what a word names; the rest is as of :meth:`locate`.

        Args:
            photo: the photo, or an inversion of it.
            shown: where the user shows the object, already read and checked.
            word: see :meth:`locate`.
            prompt: see :meth:`locate`.
            min_confidence: see :meth:`locate`.
            progress: see :meth:`locate`.
            **how: see :meth:`locate`.
        """
        least = _share(min_confidence)
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else photo
        progress("looking", 0, 0)
        found = shown_location(self.engine.cutter, loaded, shown, word)
        if found is not None:
            return found.assured(least)
        if not word:
            raise UsageError("what is to be found?", "give a word, a mask, a box or a point")
        how = how or (self.engine.profile.look if photo is loaded else {})
        inverted = self.engine.inverted_for(photo, prompt, [word], how, progress=progress)
        return self.engine.find(loaded, inverted, word).assured(least)

    @one_at_a_time
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
        """Inverts a photo: follows it up to noise, and keeps what the model sees on the way.

        Many edits can start from one inversion. What is kept at each noise level are the latent, attention,
        activations, and self-attention's keys and values.

        Args:
            photo: a path, Pillow image, uint8 array ``[H, W, 3]`` or loaded photo.
            prompt: what the photo shows.
            method: one of ``inversion.METHODS``.
            steps: number of noise levels; the model's profile has the default.
            guidance_scale: classifier-free guidance scale of the replay; 1 by default, and 2 for null-text
                inversion, which has nothing to optimise at 1.
            inversion_scale: classifier-free guidance scale on the way up.
            progress: told of each stage.

        Raises:
            PhotoError: the photo cannot be read.
            UsageError: there is no such method, or it does not work at that scale.
        """
        return self.engine.invert(
            photo,
            prompt,
            method=method,
            steps=steps,
            guidance_scale=guidance_scale,
            inversion_scale=inversion_scale,
            progress=progress,
        )

    def reconstruct(self, inverted: InvertedPhoto) -> np.ndarray:
        """Returns an inversion's replay of its photo, float32 ``[h, w, 3]`` in 0..255 at the working size."""
        return self.engine.inverter.reconstruct(inverted.inversion)

    def edit(
        self,
        photo: PhotoLike | InvertedPhoto,
        edits: Edit | Sequence[Edit],
        *,
        prompt: str | None = None,
        mask: np.ndarray | PhotoLike | None = None,
        box: Box | None = None,
        point: Points | None = None,
        not_point: Points | None = None,
        refine: bool | None = None,
        min_confidence: float = 0.0,
        seed: int = 0,
        strength: float | None = None,
        settings: Settings | None = None,
        allow_crop: bool = False,
        progress: Progress = silent,
        **how: Any,
    ) -> EditResult:
        """Edits a photo.

        Args:
            photo: the photo, or an inversion of it from :meth:`invert`.
            edits: one of :mod:`realedit.edits.kinds`, or several, done in their order; neighbours that move
                one object are done at once.
            prompt: what the photo shows.
            mask: see :meth:`locate`.
            box: see :meth:`locate`.
            point: see :meth:`locate`.
            not_point: see :meth:`locate`.
            refine: see :meth:`locate`.
            min_confidence: see :meth:`locate`.
            seed: seed of the noise.
            strength: share of the noise levels that is sampled anew, in [0, 0.7].
            settings: all knobs; ``strength`` overrides theirs.
            allow_crop: let part of the object leave the frame.
            progress: told of each stage.
            **how: keyword arguments of :meth:`invert`.

        Raises:
            PhotoError: the photo, or a picture that an edit names, cannot be read.
            ObjectNotFoundError: the model does not see the object.
            UnsureError: what was found is less sure than ``min_confidence``.
            OutOfFrameError: the object would leave the frame.
            UsageError: the arguments contradict each other.
            NumericalError: the model returned NaN or infinity.
        """
        loaded = photo.photo if isinstance(photo, InvertedPhoto) else as_photo(photo)
        shown = Shown.read(loaded, mask=mask, box=box, point=point, not_point=not_point, refine=refine)
        return self.edit_prepared(
            prepare(loaded, plan(edits, shown=bool(shown)), shown),
            inverted=photo if isinstance(photo, InvertedPhoto) else None,
            prompt=prompt,
            seed=seed,
            strength=strength,
            settings=settings,
            allow_crop=allow_crop,
            min_confidence=min_confidence,
            progress=progress,
            **how,
        )

    @one_at_a_time
    def edit_prepared(
        self,
        prepared: Prepared,
        *,
        inverted: InvertedPhoto | None = None,
        prompt: str | None = None,
        seed: int = 0,
        strength: float | None = None,
        settings: Settings | None = None,
        allow_crop: bool = False,
        min_confidence: float = 0.0,
        progress: Progress = silent,
        **how: Any,
    ) -> EditResult:
        """Does an edit that is planned and checked already; other arguments and errors are :meth:`edit`'s.

        Args:
            prepared: from :func:`realedit.edits.prepared.prepare`.
            inverted: an inversion of its photo, if there is one already.
            prompt: see :meth:`edit`.
            seed: see :meth:`edit`.
            strength: see :meth:`edit`.
            settings: see :meth:`edit`.
            allow_crop: see :meth:`edit`.
            min_confidence: see :meth:`locate`.
            progress: see :meth:`edit`.
            **how: see :meth:`edit`.
        """
        request = Request(
            settings=_settings(settings, strength),
            seed=operator.index(seed),
            allow_crop=allow_crop,
            min_confidence=_share(min_confidence),
            how=_made_as(inverted, how),
            progress=progress,
            stopwatch=Stopwatch(),
        )
        prepared = prepared.meaning(self.engine.meant)
        before = self.backbone.evaluations
        shown = shown_location(self.engine.cutter, prepared.photo, prepared.shown, prepared.plan.shown_word)
        shown = shown and shown.assured(request.min_confidence)
        state = State(prepared.photo, inverted, prompt, shown)
        outcomes: list[Outcome] = []
        requests = [self._for(step, request) for step in prepared.steps]
        for step, its in zip(prepared.steps, requests, strict=True):
            outcome = do(step, Work(self.engine, its, state))
            state = after(state, outcome, step)
            # not every step's own inversion: on a GPU, what they keep would add up
            outcomes.append(replace(outcome, inverted=outcomes[0].inverted) if outcomes else outcome)
        evaluations = self.backbone.evaluations - before
        return gathered(
            self.engine, prepared, request, requests, outcomes, known=state.known, evaluations=evaluations
        )

    def _for(self, step: EditStep, request: Request) -> Request:
        """Returns how one step is made: what the user leaves open is the model's own."""
        profile = self.engine.profile
        settings = profile.filled(request.settings, by_model=step.by_model)
        if step.by_model or settings.resamples:
            return replace(request, settings=settings, step=step)
        return replace(request, settings=settings, how=request.how or profile.look, step=step)


def _share(min_confidence: float) -> float:
    if not 0 <= min_confidence <= 1:
        raise UsageError(f"min_confidence must lie in [0, 1], got {min_confidence}")
    return float(min_confidence)


def _made_as(inverted: InvertedPhoto | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Returns how further inversions are made: as asked, else as the given one was.

    Scales belong to a method: where another one is asked for, the given inversion's scales are not taken
    over.
    """
    made = {} if inverted is None else dict(inverted.how)
    if asked.get("method", made.get("method")) != made.get("method"):
        made = {"steps": made["steps"]} if made else {}
    return {**made, **asked}


def _settings(settings: Settings | None, strength: float | None) -> Settings:
    settings = settings or Settings()
    return settings if strength is None else replace(settings, strength=strength)
