"""Turns what the user named into what the pipeline takes: where the object is, and the loaded model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from realedit.cli.boundary import say
from realedit.cli.lengths import in_fractions
from realedit.cli.options import BackboneOptions, ModelOptions, ObjectOptions
from realedit.edits.prepared import Shown
from realedit.photo import Photo
from realedit.system.progress import Progress

if TYPE_CHECKING:
    from realedit.edits.prepared import Points
    from realedit.find.by_cutout import Cutter
    from realedit.location import Box
    from realedit.pipeline import InvertedPhoto, RealEditPipeline


def shown(options: ObjectOptions, photo: Photo) -> Shown:
    """Returns where the flags show the object in a photo.

    Raises:
        PhotoError: the mask file cannot be read.
        UsageError: it has another size than the photo, or shows nothing, or everything.
    """
    return Shown.read(
        photo,
        mask=options.mask,
        box=cast("Box | None", in_fractions(options.box, photo.size)),
        point=cast("Points", in_fractions(options.point, photo.size)),
        not_point=cast("Points", in_fractions(options.not_point, photo.size)),
        refine=options.refine,
    )


def announce(options: BackboneOptions, *, quiet: bool) -> None:
    """Prints which model edits, if nobody chose one.

    Raises:
        ModelUnavailableError: the model is not on this machine.
    """
    from realedit.models.choice import resolve_model

    ref = resolve_model(options.model)
    if ref.chosen_by == "default" and not quiet:
        say(
            f"realedit: using the embedded model {ref.name} (small, for tabletop photos); "
            "--model sdxl or REALEDIT_MODEL chooses another"
        )


def announce_if_used(pipeline: RealEditPipeline, options: BackboneOptions, *, quiet: bool) -> None:
    """Prints which model it was, if nobody chose one and something needed it."""
    if pipeline.backbone.loaded:
        announce(options, quiet=quiet)


def load(
    options: ModelOptions,
    *,
    quiet: bool,
    progress: Progress,
    needed: bool = True,
    cache: Path | None = None,
) -> RealEditPipeline:
    """Opens the model that the options or the environment name, else the default, and prints which it is.

    Args:
        options: which model, and the models that help it.
        quiet: print nothing.
        progress: told of it.
        needed: whether it surely takes part; where not, :func:`announce_if_used` tells of it afterwards.
        cache: the folder for inverted photos, in the place of the user's own.

    Raises:
        ModelUnavailableError: the model is not on this machine, or realedit cannot use it.
        UsageError: there is no such device.
    """
    announce(options, quiet=quiet or not needed)
    progress("loading the model", 0, 0)
    from realedit.pipeline import RealEditPipeline

    pipeline = RealEditPipeline.from_pretrained(
        options.model,
        device=options.device,
        dtype=options.dtype,
        offline=options.offline or None,
        cache=False if options.no_cache else cache,
        working_size=options.working_size,
        detector=options.detector,
        segmenter=options.segmenter,
        captioner=options.captioner,
        cutout=options.cutout,
        inpainter=options.inpainter,
        loras=options.lora,
        vae=options.vae,
        profile=options.profile,
        offload=options.offload,
        compiled=options.compile,
    )
    if pipeline.backbone.note and not quiet:
        say(f"realedit: {pipeline.backbone.note}")
    _announce_cutout(pipeline.engine.cutter, quiet=quiet)
    return pipeline


def _announce_cutout(cutter: Cutter, *, quiet: bool) -> None:
    """Prints what cuts out, if it is a SAM that nobody chose."""
    choice = cutter.choice
    if choice.folder is not None and choice.chosen_by == "default" and not quiet:
        say(f"realedit: cutting out with {choice.name} (fetched); --cutout ours uses the network that ships")


def inversion_fields(pipeline: RealEditPipeline, inverted: InvertedPhoto) -> dict[str, Any]:
    """Returns what is known about an inversion: what was kept, and how well it replays.

    `replay_psnr` compares the replay with the autoencoder's own round trip, `photo_psnr` with the photo at
    the model's working size (dB, peak 255; higher is better, 100 for equal pictures).
    """
    from realedit.bench.metrics.pixel import psnr

    found = inverted.inversion
    height, width = found.size
    at_size = Image.fromarray(inverted.photo.rgb).resize((width, height), Image.Resampling.BOX)
    replayed = pipeline.reconstruct(inverted)
    entries = pipeline.cache.entries() if pipeline.cache is not None else []
    kept = [entry.bytes for entry in entries if entry.key == inverted.key]
    return {
        "prompt": found.prompt,
        "method": found.result.method,
        "steps": found.result.schedule.steps,
        "working_size": [height, width],
        "cached": inverted.cached,
        "kept_bytes": kept[0] if kept else None,
        "replay_psnr": psnr(replayed, pipeline.backbone.decode(found.result.x_0)),
        "photo_psnr": psnr(replayed, np.asarray(at_size, dtype=np.float32)),
        "seconds": inverted.seconds,
    }
