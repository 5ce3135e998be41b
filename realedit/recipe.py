"""What it takes to make an edit again, as data for the file beside the edited photo.

:class:`realedit.edit_entries.Besides` reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from realedit.edit_entries import entries
from realedit.edits import Edit
from realedit.inputs import PhotoLike, as_mask
from realedit.inverted import Inversion

if TYPE_CHECKING:
    from realedit.pipeline import RealEditPipeline
    from realedit.steps import Work


def recipe(
    edits: Edit | Sequence[Edit], work: Work, inversion: Inversion, *,
    mask: np.ndarray | PhotoLike | None = None, box: Sequence[float] | None = None,
    point: Sequence[float] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Everything that decides an edit's picture, but for the photo and a mask, of which there is a digest.

    Args:
        edits: what was asked for.
        work: what the steps worked with: model, settings, seed.
        inversion: the first step's, whose prompt holds that step's words.
        mask: what the user showed the object with, or None.
        box: likewise.
        point: likewise.
    """
    shown = {
        "mask_sha256": None if mask is None else mask_digest(as_mask(mask, work.photo)),
        "box": None if box is None else [float(side) for side in box],
        "point": None if point is None else [float(place) for place in point],
        "inversion_scale": None if inversion.inversion_scale == 1 else inversion.inversion_scale,
    }
    return {
        "edits": entries(edits),
        "prompt": inversion.prompt,
        **{name: value for name, value in shown.items() if value is not None},
        "allow_crop": work.allow_crop,
        **models(work.pipeline),
        # null is the model's own, which another model's need not be
        "working_size": work.pipeline.working_side,
        "inversion": inversion.result.method,
        "steps": inversion.result.schedule.steps,
        "guidance_scale": inversion.result.guidance_scale,
        "seed": work.seed,
        "settings": asdict(work.settings),
        "versions": {name: _version(name) for name in ("realedit", "torch", "diffusers", "transformers")},
    }


def models(pipeline: RealEditPipeline) -> dict[str, str | None]:
    """The names of the models of an edit, and the editing one's precision; None where there is none."""
    outside = pipeline.outside
    helpers = {
        "detector": outside and outside.detector,
        "segmenter": outside and outside.segmenter,
        "captioner": pipeline.captioner,
    }
    named = {role: None if helper is None else helper.loaded.label for role, helper in helpers.items()}
    dtype = str(pipeline.backbone.unet.dtype).removeprefix("torch.")
    return {"model": pipeline.ref.name, "dtype": dtype, **named}


def mask_digest(mask: np.ndarray) -> str:
    """The SHA-256 of a mask ``[H, W]`` in [0, 1], at 8 bits, and of its size, in hexadecimal."""
    levels = (mask * 255).round().clip(0, 255).astype(np.uint8)
    return hashlib.sha256(f"{mask.shape[1]}x{mask.shape[0]}:".encode() + levels.tobytes()).hexdigest()


def _version(name: str) -> str:
    """A distribution's version; "source" where it runs from a checkout that is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "source"
