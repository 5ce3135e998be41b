"""Steps that paint by text: restyle, replace, background, retouch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from realedit.edits import Background, Replace, Restyle, Retouch
from realedit.locate import Location
from realedit.model_errors import translated
from realedit.repaint import Repainted, repaint
from realedit.shadow import find_shadow, grow
from realedit.steps.looks import Loan, carry_look
from realedit.steps.work import Outcome, Work, reached
from realedit.which_one import split
from realedit.words import replace_words, with_article, with_words, without_words

if TYPE_CHECKING:
    from realedit.pipeline import InvertedPhoto


_TOO_SMALL = "the embedded model is too small to paint what a text says: choose another with --model"


def restyle(work: Work, step: Restyle) -> Outcome:
    """Another look, in the same outline.

    What the model paints has the colours that the words ask for, seldom the object's own detail; so its
    colours are carried to the photo's pixels, which the model then settles, as a look that another object
    lends is (:mod:`realedit.steps.looks`).
    """
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = _with_new(inverted, step.target, step.text)
    painted = _painted(work, inverted, text, location.hard, fresh=False, held=step.text)
    h, w = location.mask.shape
    wide = cv2.resize(painted.picture, (w, h), interpolation=cv2.INTER_CUBIC)
    pixels = wide.clip(0, 255).round().astype(np.uint8)
    outcome = carry_look(work, inverted, [Loan(location, pixels, location.mask)], text, step.text)
    return replace(outcome, metrics=outcome.metrics | reached(painted.trace), warnings=_missed(painted))


def replace_object(work: Work, step: Replace) -> Outcome:
    """Something else in the same place."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = _with_new(inverted, step.target, step.text)
    unit = max(location.mask.shape) / 256
    region = grow(location.hard, 8 * unit)
    if work.settings.shadow:
        region |= grow(find_shadow(work.photo.rgb, location.hard).mask, 2 * unit)
    painted = _painted(work, inverted, text, region, fresh=True)
    edited, alpha = _over(work, painted, region)
    return _outcome(work, inverted, location, painted, edited, alpha > 0, text, step.text)


def background(work: Work, step: Background) -> Outcome:
    """Other surroundings of the same object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    named = split(step.target)[1] if step.target else "object"
    text = with_words(f"a photo of {with_article(named)} on {step.text}", named)
    unit = max(location.mask.shape) / 256
    region = ~(cv2.erode(location.hard.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    painted = _painted(work, inverted, text, ~grow(location.hard, unit), fresh=True)
    wide = cv2.resize(painted.picture, location.mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    keep = location.mask[..., None]
    edited = work.photo.rgb * keep + wide * (1 - keep)
    return _outcome(work, inverted, location, painted, edited, region, text, named)


def retouch(work: Work, step: Retouch) -> Outcome:
    """A text painted into a region that the user shows."""
    inverted = work.invert()
    location = work.find(inverted, None)
    prompt = inverted.inversion.prompt
    text = with_words(prompt, step.text)
    painted = _painted(work, inverted, text, location.hard, fresh=True)
    edited, alpha = _over(work, painted, location.hard)
    return _outcome(work, inverted, location, painted, edited, alpha > 0, text, step.text)


def _with_new(inverted: InvertedPhoto, old: str | None, new: str) -> str:
    prompt = inverted.inversion.prompt
    return replace_words(prompt, split(old)[1], new) if old else with_words(without_words(prompt, []), new)


def _painted(
    work: Work, inverted: InvertedPhoto, text: str, region: np.ndarray, *, fresh: bool, held: str = ""
) -> Repainted:
    pipeline, inversion, progress = work.pipeline, inverted.inversion, work.progress
    tell = None if progress is None else lambda done, total: progress("resample", done, total)
    tokens = tuple(pipeline.backbone.tokens(text, held)) if held else ()
    with translated(), pipeline.capture:
        prompt = pipeline.backbone.prompt(text, inversion.size)
        painted = repaint(
            pipeline.backbone, pipeline.capture, inversion, prompt, region, work.settings, work.seed,
            fresh=fresh, tokens=tokens, callback=tell,
        )  # fmt: skip
    work.clock.lap("resample")
    return painted


def _over(work: Work, painted: Repainted, region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The painted region over the photo, fading at its border; and its alpha."""
    h, w = region.shape
    unit = max(h, w) / 256
    picture = cv2.resize(painted.picture, (w, h), interpolation=cv2.INTER_CUBIC)
    # the autoencoder's own loss, where nothing was painted, is not to show beside the border
    inner = cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, round(2 * unit)))
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1.5 * unit) * region
    soft = np.maximum(soft, _thin(region, 4 * unit))
    return work.photo.rgb * (1 - soft[..., None]) + picture * soft[..., None], soft


def _thin(region: np.ndarray, least: float) -> np.ndarray:
    """Alpha, float32 ``[H, W]``, of the parts of a region that are nowhere deeper than ``least`` pixels.

    What is eroded from a thick part would be all of such a one: a scratch, a wire.
    """
    _, labels = cv2.connectedComponents(region.astype(np.uint8))
    parts = labels.astype(np.intp)
    inside = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    deepest = np.zeros(parts.max() + 1, np.float32)
    np.maximum.at(deepest, parts.ravel(), inside.ravel())
    ramp = np.clip(inside / np.maximum(0.6 * deepest[parts], 1), 0, 1)
    thin = region & (deepest[parts] < least)
    return np.where(thin, ramp * ramp * (3 - 2 * ramp), 0).astype(np.float32)


def _outcome(
    work: Work, inverted: InvertedPhoto, location: Location, painted: Repainted, edited: np.ndarray,
    region: np.ndarray, text: str, named: str,
) -> Outcome:  # fmt: skip
    pixels = np.clip(edited, 0, 255).round().astype(np.uint8)
    out, figures = work.laid_over(pixels, region.astype(np.float32))
    figures |= {"score": location.score, **reached(painted.trace)}
    known = dict.fromkeys([word for word in (location.word, named) if word], location.mask)
    warnings = (*_missed(painted), *([_TOO_SMALL] if work.pipeline.ref.source == "embedded" else []))
    return Outcome(
        out, inverted, location, location.mask, region, figures, text, known, warnings, painted.picture
    )


def _missed(painted: Repainted) -> tuple[str, ...]:
    return tuple(f"not reached in the model's own picture: {target}" for target in painted.trace.missed)
