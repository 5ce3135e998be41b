"""Opens an engine: the model, and the models beside it, by folders, hub ids, aliases and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from realedit.engine import Engine
from realedit.errors import UsageError
from realedit.find.by_cutout import Cutter
from realedit.find.kept_looks import KeptLooks
from realedit.find.which_cutout import choose_cutout
from realedit.inverted.cache import Cache
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.models.loading import open_model
from realedit.models.profile import said_profile
from realedit.system.memory import translated


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
) -> Engine:
    """Opens a model; arguments and errors are those of :meth:`realedit.RealEditPipeline.from_pretrained`."""
    ref = resolve_model(model, loras=loras, vae=vae, offline=bool(offline))
    defaults = None if profile is None else said_profile(profile)
    chosen = choose_cutout(cutout, offline)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    from realedit.external import Captioner, Inpainter

    painter = None if inpainter is None else Inpainter(inpainter, device)
    with translated():
        model_to_load = open_model(ref, device=device, dtype=_dtype(dtype), offline=offline)
    from realedit.find.by_detector import DetectorFinder

    finds = detector is not None or segmenter is not None
    kept = _cache(cache)
    cutter = Cutter(chosen, device, KeptLooks(kept))
    return Engine(
        Backbone(model_to_load),
        ref,
        cache=kept,
        working_side=working_size,
        cutter=cutter,
        inpainter=painter,
        detector=DetectorFinder(detector, segmenter, device, offline, cutter=cutter) if finds else None,
        captioner=None if captioner is None else Captioner(captioner, device, offline),
        profile=defaults,
    )


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
