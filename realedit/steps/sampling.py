"""What the model does for a step: it resamples the step's anchor, or paints into a region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import cv2
import numpy as np

from guidance import Trace
from realedit.compose.anchor import Anchor
from realedit.inverted.inversion import Inversion
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.inverted.kept import KeptLevels
from realedit.sample.regions import Lender, Subject
from realedit.sample.repaint import Repainted, repaint
from realedit.sample.resample import Resampled, resample
from realedit.sample.window import Window, window_about
from realedit.steps.work import Work

_Made = TypeVar("_Made")


def resample_anchor(
    work: Work,
    inverted: InvertedPhoto,
    text: str,
    anchor: Anchor,
    subjects: Sequence[Subject],
    lenders: Sequence[Lender] = (),
    *,
    bare: str | None = None,
) -> Resampled:
    """Runs the anchor through the model, where :attr:`realedit.settings.FullSettings.resamples`.

    See :func:`realedit.sample.resample.resample`.

    Args:
        work: what the step works with.
        inverted: the photo with its inversion.
        text: what the edited photo shows.
        anchor: the edit in pixels.
        subjects: the edited objects.
        lenders: pictures that lend a look.
        bare: what it shows without the objects that leave a hole; None where it is the same.
    """
    window = _window(work, anchor.changed)
    if window is not None:
        inverted = inverted.part_at(window.rows, window.columns)
        shape = anchor.hole.shape
        anchor, subjects = window.anchor(anchor), [window.subject(one, shape) for one in subjects]
    inversion, backbone = inverted.inversion, work.engine.backbone
    made = _by_model(
        work,
        inversion,
        lambda: resample(
            backbone,
            work.engine.capture,
            inversion,
            backbone.prompt(text, inversion.size, work.settings.negative_prompt),
            anchor=anchor,
            subjects=subjects,
            lenders=lenders,
            settings=work.settings,
            seed=work.request.seed,
            profile=work.engine.profile,
            plain=None if bare in (None, text) else backbone.prompt(str(bare), inversion.size),
            callback=partial(work.request.progress, "resample"),
        ),
    )
    work.request.stopwatch.lap("resample")
    return replace(made, window=window)


def paint_region(
    work: Work, inverted: InvertedPhoto, text: str, region: np.ndarray, *, fresh: bool, held: str = ""
) -> Repainted:
    """Lets the model paint a region; see :func:`realedit.sample.repaint.repaint`.

    Args:
        work: what the step works with.
        inverted: the photo with its inversion.
        text: what the painted picture shows.
        region: where it paints, bool ``[H, W]``.
        fresh: start from fresh noise, so that nothing of what was there comes back.
        held: words in ``text`` whose object keeps the outline that the photo shows.
    """
    window = _window(work, region)
    if window is not None:
        inverted = inverted.part_at(window.rows, window.columns)
        region = window.of(region)
    inversion, backbone = inverted.inversion, work.engine.backbone
    painted = _by_model(
        work,
        inversion,
        lambda: repaint(
            backbone,
            work.engine.capture,
            inversion,
            backbone.prompt(text, inversion.size, work.settings.negative_prompt),
            region=region,
            settings=work.settings,
            profile=work.engine.profile,
            seed=work.request.seed,
            fresh=fresh,
            tokens=tuple(backbone.tokens(text, held)) if held else (),
            callback=partial(work.request.progress, "resample"),
        ),
    )
    work.request.stopwatch.lap("resample")
    if window is None:
        return painted
    part = cv2.resize(painted.picture, (window.width, window.height), interpolation=cv2.INTER_CUBIC)
    return replace(painted, picture=window.laid(part, work.photo.rgb.astype(np.float32)))


def reached(trace: Trace | None) -> dict[str, float]:
    """Returns how far self-guidance came towards each target in the sampled picture; 1 is all the way."""
    if trace is None:
        return {}
    figures: dict[str, float] = {}
    for target in trace.targets.values():
        name = f"reached_{target.name}"
        figures[name] = min(target.share, figures.get(name, 1.0))
    return figures


def _window(work: Work, region: np.ndarray) -> Window | None:
    """Returns the part of a large photo that the model works on; None for the whole."""
    engine = work.engine
    if not engine.profile.native_window:
        return None
    return window_about(region, engine.inverter.side, engine.backbone.multiple)


def _by_model(work: Work, inversion: Inversion, make: Callable[[], _Made]) -> _Made:
    """Does something under the model's windows; again with less of the card's memory where that is short."""
    engine, seen = work.engine, inversion.observations

    def watched() -> _Made:
        if engine.backbone.frugality.on_host and isinstance(seen, KeptLevels):
            seen.move_to_host()
        with engine.capture:
            return make()

    return engine.backbone.within_memory(watched)
