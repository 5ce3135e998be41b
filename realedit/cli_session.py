"""From what the user named to what the pipeline takes: the photo, where the object is, the loaded model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from realedit.cli_boundary import say
from realedit.cli_options import BackboneOptions, ModelOptions, ObjectOptions
from realedit.inputs import as_mask
from realedit.photo import Photo
from realedit.progress import Progress

if TYPE_CHECKING:
    from realedit.edits import Edit
    from realedit.locate import Location
    from realedit.pipeline import InvertedPhoto, RealEditPipeline


def region(options: ObjectOptions, photo: Photo) -> dict[str, Any]:
    """Return the pipeline's keywords for where the object is: prompt, mask, box, point.

    Raises:
        PhotoError: the mask file cannot be read.
        UsageError: it has another size than the photo, or shows nothing, or everything.
    """
    mask = None if options.mask is None else as_mask(options.mask, photo, f"the mask {options.mask}")
    return {"prompt": options.prompt, "mask": mask, "box": options.box, "point": options.point}


def announce(options: BackboneOptions, *, quiet: bool) -> None:
    """Say which model it is, where nobody chose one.

    Raises:
        ModelUnavailableError: there is no such model on this machine.
    """
    from realedit.models import resolve_model

    ref = resolve_model(options.model)
    if ref.chosen_by == "default" and not quiet:
        say(
            f"realedit: using the embedded model {ref.name} (small, for tabletop photos); "
            "--model sdxl or REALEDIT_MODEL chooses another"
        )


def load(options: ModelOptions, *, quiet: bool, progress: Progress) -> RealEditPipeline:
    """Load the model that the options, the environment or the default name; say so where it was the default.

    Raises:
        ModelUnavailableError: the model is not on this machine, or is not one that realedit can use.
        UsageError: there is no such device.
    """
    announce(options, quiet=quiet)
    progress("loading the model", 0, 0)
    from realedit.pipeline import RealEditPipeline

    return RealEditPipeline.from_pretrained(
        options.model,
        device=options.device,
        dtype=options.dtype,
        offline=options.offline or None,
        cache=False if options.no_cache else None,
        working_size=options.working_size,
        detector=options.detector,
        segmenter=options.segmenter,
        captioner=options.captioner,
    )


def find(
    pipeline: RealEditPipeline, photo: Photo, edits: Sequence[Edit], shown: Mapping[str, Any],
    inversion: Mapping[str, Any], progress: Progress,
) -> dict[str | None, Location]:  # fmt: skip
    """The objects that edits change, by their words; None is the one that is shown and not named.

    Args:
        pipeline: the model.
        photo: where they are.
        edits: see :func:`realedit.edits.subjects`.
        shown: of :func:`region`; a mask, box or point shows one of them.
        inversion: method and steps.
        progress: told of each stage.

    Raises:
        ObjectNotFoundError: the model does not see one of them.
    """
    from realedit.edits import shown_word, subjects

    given = any(shown[name] is not None for name in ("mask", "box", "point"))
    word_shown = shown_word(edits, shown=given)
    found: dict[str | None, Location] = {}
    for word in subjects(edits):
        where = shown if given and word == word_shown else {"prompt": shown["prompt"]}
        found[word] = pipeline.locate(photo, word, **where, **inversion, progress=progress)
    return found


def inversion_fields(pipeline: RealEditPipeline, inverted: InvertedPhoto) -> dict[str, Any]:
    """Return what is known about an inversion: what was kept, and how well it replays.

    `replay_psnr` compares the replay with the autoencoder's own round trip, `photo_psnr` with the photo at
    the model's working size (dB, peak 255; higher is better).
    """
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
        "replay_psnr": _psnr(replayed, pipeline.backbone.decode(found.result.x_0)),
        "photo_psnr": _psnr(replayed, np.asarray(at_size, dtype=np.float32)),
        "seconds": inverted.seconds,
    }


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
