"""Steps that paint by text: restyle, replace, background, retouch."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from realedit.compose.shadow import find_shadow
from realedit.edits.kinds import Background, Replace, Restyle, Retouch
from realedit.errors import Sentence
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of
from realedit.prompts import replace_words, split, with_article, with_words, without_words
from realedit.sample.repaint import Repainted
from realedit.steps.dispatch import do
from realedit.steps.looks import Loan, carry_look
from realedit.steps.sampling import paint_region, reached
from realedit.steps.work import Outcome, Work

_REPLACED_UNITS = 8
"""A replacement may change the photo up to this far outside the old object, in units of 1/256 of the longer
side: below, a wider new object is cut off; above, more of the surroundings is repainted. Set by eye."""
_SHADOW_UNITS = 2
"""A replacement also changes the old shadow and this margin around it, in units of 1/256 of the longer side:
below, the shadow's soft edge stays; above, more of the surroundings is repainted. Set by eye."""
_KEPT_UNITS = 1
"""A new background is painted everywhere but up to this far outside the object, in units of 1/256 of the
longer
side: below, the object's edge is repainted; above, a rim of the old background stays. Set by eye."""
_INNER_UNITS = 2
"""A painted region shows in full at or above this distance inside its border, in units of 1/256 of the longer
side; below it fades into the photo. Set by eye."""
_FADE_UNITS = 1.5
"""Standard deviation of a painted region's fading at its border, in units of 1/256 of the longer side: above,
the border is softer; below, it shows. Set by eye."""
_THIN_UNITS = 4
"""Parts of a painted region that are nowhere deeper than this (a scratch, a wire) fade by their own depth, in
units of 1/256 of the longer side; deeper parts fade by the distances above. Set by eye."""
_THIN_SHARE = 0.6
"""A thin part shows in full at or above this share of its own greatest depth; below it fades. Set by eye."""
_TOO_SMALL = Sentence(
    "the embedded model is too small to paint what a text says; choose another model (--model)",
    "too_small_model",
)
_MISSED = Sentence(
    "the new look may not keep to the object's outline; if it looks wrong, try another seed (--seed)",
    "outline_missed",
)


@do.register
def restyle(step: Restyle, work: Work) -> Outcome:
    """Gives an object another look in the same outline.

    The model's painting has the colours that the words ask for, but seldom the object's own detail. So only
    its colours are carried to the photo's pixels, as a look is that another object lends
    (:mod:`realedit.steps.looks`).
    """
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = _with_new(inverted, step.target, step.text)
    painted = paint_region(work, inverted, text, location.hard, fresh=False, held=step.text)
    h, w = location.mask.shape
    wide = cv2.resize(painted.picture, (w, h), interpolation=cv2.INTER_CUBIC)
    pixels = wide.clip(0, 255).round().astype(np.uint8)
    outcome = carry_look(work, inverted, [Loan(location, pixels, location.mask)], text, step.text)
    return replace(outcome.with_metrics(**reached(painted.trace)), warnings=_missed(painted))


@do.register
def replace_object(step: Replace, work: Work) -> Outcome:
    """Puts something else in an object's place."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = _with_new(inverted, step.target, step.text)
    unit = unit_of(location.mask.shape)
    region = grow(location.hard, _REPLACED_UNITS * unit)
    if work.settings.shadow:
        region |= grow(find_shadow(work.photo.rgb, location.hard).mask, _SHADOW_UNITS * unit)
    painted = paint_region(work, inverted, text, region, fresh=True)
    edited, alpha = _over(work, painted, region)
    return _outcome(
        work, inverted, location, painted, edited=edited, region=alpha > 0, text=text, named=step.text
    )


@do.register
def background(step: Background, work: Work) -> Outcome:
    """Paints other surroundings about an object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    named = split(step.target)[1] if step.target else "object"
    text = with_words(f"a photo of {with_article(named)} on {step.text}", named)
    unit = unit_of(location.mask.shape)
    region = ~(cv2.erode(location.hard.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    painted = paint_region(work, inverted, text, ~grow(location.hard, _KEPT_UNITS * unit), fresh=True)
    wide = cv2.resize(painted.picture, location.mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    keep = location.mask[..., None]
    edited = work.photo.rgb * keep + wide * (1 - keep)
    return _outcome(work, inverted, location, painted, edited=edited, region=region, text=text, named=named)


@do.register
def retouch(step: Retouch, work: Work) -> Outcome:
    """Paints a text into a region that the user shows."""
    inverted = work.invert()
    location = work.find(inverted, None)
    prompt = inverted.prompt
    text = with_words(prompt, step.text)
    painted = paint_region(work, inverted, text, location.hard, fresh=True)
    edited, alpha = _over(work, painted, location.hard)
    return _outcome(
        work, inverted, location, painted, edited=edited, region=alpha > 0, text=text, named=step.text
    )


def _with_new(inverted: InvertedPhoto, old: str | None, new: str) -> str:
    """Returns the photo's prompt with new words for an object in it."""
    prompt = inverted.prompt
    return replace_words(prompt, split(old)[1], new) if old else with_words(without_words(prompt, []), new)


def _over(work: Work, painted: Repainted, region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lays the painted picture over the photo in a region, fading at its border.

    Returns:
        The edited picture, float32 ``[H, W, 3]`` in 0..255, and its alpha, float32 ``[H, W]`` in [0, 1].
    """
    h, w = region.shape
    unit = unit_of((h, w))
    picture = cv2.resize(painted.picture, (w, h), interpolation=cv2.INTER_CUBIC)
    # so that the autoencoder's loss does not show beside the border, where nothing was painted
    inner = cv2.erode(
        region.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=max(1, round(_INNER_UNITS * unit))
    )
    soft: np.ndarray = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), _FADE_UNITS * unit) * region
    soft = np.maximum(soft, _thin(region, _THIN_UNITS * unit))
    return work.photo.rgb * (1 - soft[..., None]) + picture * soft[..., None], soft


def _thin(region: np.ndarray, least: float) -> np.ndarray:
    """Returns the alpha of those parts of a region that are nowhere deeper than ``least`` pixels.

    Of a scratch or a wire, the erosion that thick parts get would leave nothing.

    Returns:
        float32 ``[H, W]`` in [0, 1]; 0 in deeper parts.
    """
    _, labels = cv2.connectedComponents(region.astype(np.uint8))
    parts = labels.astype(np.intp)
    inside = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    deepest = np.zeros(parts.max() + 1, np.float32)
    np.maximum.at(deepest, parts.ravel(), inside.ravel())
    ramp = np.clip(inside / np.maximum(_THIN_SHARE * deepest[parts], 1), 0, 1)
    thin = region & (deepest[parts] < least)
    return np.where(thin, ramp * ramp * (3 - 2 * ramp), 0).astype(np.float32)


def _outcome(
    work: Work,
    inverted: InvertedPhoto,
    location: Location,
    painted: Repainted,
    *,
    edited: np.ndarray,
    region: np.ndarray,
    text: str,
    named: str,
) -> Outcome:
    """Returns what a painting step did.

    Args:
        work: what the step worked with.
        inverted: the inversion that it started from.
        location: the object as it was found.
        painted: what the model made.
        edited: the edited picture, float32 ``[H, W, 3]`` in 0..255.
        region: where it replaces the photo, bool ``[H, W]``.
        text: what the photo then shows.
        named: the painted object's words.
    """
    pixels = np.clip(edited, 0, 255).round().astype(np.uint8)
    laid = work.laid_over(pixels, region.astype(np.float32))
    too_small = (_TOO_SMALL,) if work.engine.ref.source == "embedded" else ()
    return Outcome(
        laid=laid,
        inverted=inverted,
        location=location,
        mask_after=location.mask,
        prompt=text,
        metrics={**laid.figures, "score": location.score, **reached(painted.trace)},
        mattes=dict.fromkeys([word for word in (location.word, named) if word], location.mask),
        warnings=(*_missed(painted), *too_small),
        picture=painted.picture,
    )


def _missed(painted: Repainted) -> tuple[str, ...]:
    """Returns the warning of an outline that was not held; the metric ``reached_shape`` says how far."""
    return (_MISSED,) if painted.trace.missed else ()
