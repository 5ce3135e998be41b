"""Opens an engine: the model, and the models beside it, by folders, hub ids, aliases and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from realedit.engine import Engine
from realedit.errors import UsageError
from realedit.find.by_cutout import Cutter
from realedit.find.kept_looks import KeptLooks
from realedit.find.which_cutout import choose_cutout
from realedit.inverted.cache import Cache
from realedit.inverted.fitting import Choice, fitting
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef, resolve_model
from realedit.models.description import Unloaded
from realedit.models.devices import best_device, free_memory
from realedit.models.frugality import OFFLOADS, SETTINGS, Offload
from realedit.models.loading import open_model
from realedit.models.profile import said_profile
from realedit.system.memory import translated

if TYPE_CHECKING:
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline


def open_engine(
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
) -> Engine:
    """Opens a model; arguments and errors are those of :meth:`realedit.RealEditPipeline.from_pretrained`."""
    ref = resolve_model(model, loras=loras, vae=vae, offline=bool(offline))
    defaults = None if profile is None else said_profile(profile)
    chosen = choose_cutout(cutout, offline)
    device = device or best_device()
    from realedit.external import Captioner, Inpainter

    painter = None if inpainter is None else Inpainter(inpainter, device)
    with translated():
        model_to_load = open_model(
            ref, device=device, dtype=_dtype(dtype), offline=offline, compiled=compiled
        )
    layout = _laid_out(model_to_load, ref, working_size, offload)
    from realedit.find.by_detector import DetectorFinder

    finds = detector is not None or segmenter is not None
    kept = _cache(cache)
    cutter = Cutter(chosen, device, KeptLooks(kept))
    return Engine(
        Backbone(model_to_load, layout.settings, note=layout.line),
        ref,
        cache=kept,
        working_side=working_size,
        cutter=cutter,
        inpainter=painter,
        detector=DetectorFinder(detector, segmenter, device, offline, cutter=cutter) if finds else None,
        captioner=None if captioner is None else Captioner(captioner, device, offline),
        profile=defaults,
    )


def _laid_out(
    model: StableDiffusionXLPipeline | Unloaded, ref: ModelRef, side: int | None, offload: Offload | None
) -> Choice:
    """Chooses how the model is laid out over the memory, before anything is computed."""
    if offload is not None and offload not in OFFLOADS:
        raise UsageError(f"no way of offloading '{offload}'", f"use one of {', '.join(OFFLOADS)}")
    if not isinstance(model, Unloaded):  # its configs leave sizes open, so that nothing can be counted
        return Choice(SETTINGS[:1])
    description = model.description
    native = description.sample_size * description.scale_factor
    free = free_memory(description.device)
    return fitting(model, side or native, offload, free, ref.name, vae=torch.float32)


def _cache(cache: Cache | str | Path | bool | None) -> Cache | None:
    if isinstance(cache, Cache):
        return cache
    if cache is False:
        return None
    return Cache(Path(cache) if isinstance(cache, str | Path) else None)


def _dtype(dtype: torch.dtype | str | None) -> torch.dtype | None:
    if not isinstance(dtype, str):
        return dtype
    found = getattr(torch, dtype, None)
    if not isinstance(found, torch.dtype):
        raise UsageError("dtype must be one of float32, float16, bfloat16")
    return found
