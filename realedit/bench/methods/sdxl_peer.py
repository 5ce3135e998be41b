"""Shared by the peers that run diffusers' pipelines: weights, prompt, sizes, and the composite."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from PIL import Image

from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import GEOMETRIC
from realedit.bench.methods.pasted import FILLS, Pasted, composited, feathered, grown, paste
from realedit.bench.methods.shared_vae import SharedVAE
from realedit.bench.outcome import Outcome
from realedit.bench.workbench import Workbench
from realedit.errors import NumericalError, UsageError
from realedit.pixels.unit import unit_of
from realedit.prompts import with_words, without_words

EDITS = GEOMETRIC | {"remove", "replace", "recolour"}
"""What a method can do that repaints a masked region under a prompt."""


class PeerOutput(Protocol):
    """What a peer returns.

    Attributes:
        images: latents ``[1, C, h, w]``.
    """

    images: torch.Tensor


class Peer(Protocol):
    """One of diffusers' pipelines: each takes settings of its own."""

    def __call__(self, **settings: Any) -> PeerOutput:
        """Sample."""
        ...

    def invert(self, **settings: Any) -> object:
        """Invert a photo; of LEDITS++ alone."""
        ...


def sibling(kind: type, bench: Workbench, **components: Any) -> Peer:
    """Makes another of diffusers' SDXL pipelines on the components of the one at hand, but the scheduler.

    The VAE is lent, so that no pipeline can change its precision.

    Args:
        kind: the pipeline's class.
        bench: has the pipeline at hand.
        components: used instead of that pipeline's.
    """
    own = bench.backbone.pipeline
    scheduler: Any = own.scheduler
    parts = {
        **own.components,
        "scheduler": type(scheduler).from_config(scheduler.config),
        "vae": SharedVAE(own.vae, bench.backbone.native_size),
        **components,
    }
    known = inspect.signature(kind.__init__).parameters
    pipeline: Any = kind(
        **{name: part for name, part in parts.items() if name in known}, add_watermarker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def start(loaded: LoadedCase, fill: str, margin: int) -> Pasted:
    """Returns the pixels to start from: pasted for a geometric edit or a removal, else the photo's.

    Args:
        loaded: the case.
        fill: what fills the hole, a key of :data:`~realedit.bench.methods.pasted.FILLS`.
        margin: how far the hole reaches beyond the mask, in 1/256 of the longer side.

    Raises:
        UsageError: there is no such fill.
    """
    if fill not in FILLS:
        raise UsageError(f"no such fill: {fill}", f"there are {', '.join(FILLS)}")
    if loaded.case.edit.kind in GEOMETRIC or loaded.case.edit.kind == "remove":
        return paste(loaded, FILLS[fill], margin=margin)
    mask = loaded.mask if loaded.mask is not None else np.zeros(loaded.photo.shape[:2], bool)
    front = loaded.photo.astype(np.float32)
    return Pasted(loaded.photo, loaded.photo, front, mask.astype(np.float32), np.zeros_like(mask), mask)


def repainted(loaded: LoadedCase, pasted: Pasted, seam: int) -> np.ndarray:
    """Returns where a peer repaints, bool ``[H, W]``: the hole and the pasted object's rim, or the object.

    Args:
        loaded: the case.
        pasted: its start.
        seam: width of the rim on either side of the object's edge, in 1/256 of the longer side.
    """
    unit = unit_of(loaded.photo.shape)
    if loaded.case.edit.kind in ("replace", "recolour"):
        return grown(pasted.after, seam * unit)
    if not pasted.after.any() or seam == 0:
        return pasted.hole & ~pasted.after
    rim = grown(pasted.after, seam * unit) & grown(~pasted.after, seam * unit)
    return (pasted.hole & ~pasted.after) | rim


def prompt(loaded: LoadedCase) -> str:
    """Returns what the edited picture shows; what is removed is not mentioned."""
    case = loaded.case
    if case.edit.kind == "remove":
        return case.edit.target_prompt or without_words(case.prompt, [case.object or ""])
    text = case.edit.prompt_after(case.prompt, case.object, case.colour)
    return text if case.object is None or case.edit.kind == "replace" else with_words(text, case.object)


def at(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a picture or a mask to (height, width), averaging on the way down."""
    if image.shape[:2] == size:
        return image
    smaller = size[0] < image.shape[0]
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def pillow(rgb: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Returns a uint8 picture as Pillow's, at (height, width)."""
    return Image.fromarray(at(rgb, size))


def generator(bench: Workbench) -> torch.Generator:
    """Returns the generator of the noise, the same for every case and method."""
    return torch.Generator().manual_seed(bench.seed)


def decoded(bench: Workbench, latent: torch.Tensor, loaded: LoadedCase) -> np.ndarray:
    """Decodes a latent to a uint8 picture at the photo's size.

    Raises:
        NumericalError: it is not finite.
    """
    if not torch.isfinite(latent).all():
        raise NumericalError("the peer's latent is not finite")
    picture = bench.backbone.decode(latent.float())
    return at(picture, loaded.photo.shape[:2]).clip(0, 255).round().astype(np.uint8)


def outcome(
    loaded: LoadedCase,
    pasted: Pasted,
    picture: np.ndarray,
    region: np.ndarray,
    *,
    times: dict[str, float],
    evaluations: int,
) -> Outcome:
    """Lays a peer's picture over the pasted one where it repainted, with a soft edge, and nowhere else."""
    unit = unit_of(loaded.photo.shape)
    final = composited(pasted.picture, picture, feathered(region, 3 * unit))
    after = pasted.after if pasted.after.any() else None
    return Outcome(final, times, evaluations, picture, after=after)
