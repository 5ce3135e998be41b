"""Steps that paint by text: restyle, replace, background, retouch."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from realedit.compose.shadow import find_shadow
from realedit.edits.kinds import Background, Replace, Restyle, Retouch
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.pixels.masks import grow
from realedit.pixels.unit import unit_of
from realedit.prompts import replace_words, split, with_article, with_words, without_words
from realedit.sample.repaint import Repainted
from realedit.steps.dispatch import do
from realedit.steps.looks import Loan, carry_look
from realedit.steps.work import Outcome, Work, reached

_TOO_SMALL = "the embedded model is too small to paint what a text says: choose another with --model"


@do.register
def restyle(step: Restyle, work: Work) -> Outcome:
    """Another look, in the same outline.

    What the model paints has the colours that the words ask for, seldom the object's own detail; so its
    colours are carried to the photo's pixels, which the model then settles, as a look that another object
    lends is (:mod:`realedit.steps.looks`).
    """
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = _with_new(inverted, step.target, step.text)
    painted = work.repainted(inverted.inversion, text, location.hard, fresh=False, held=step.text)
    h, w = location.mask.shape
    wide = cv2.resize(painted.picture, (w, h), interpolation=cv2.INTER_CUBIC)
    pixels = wide.clip(0, 255).round().astype(np.uint8)
    outcome = carry_look(work, inverted, [Loan(location, pixels, location.mask)], text, step.text)
    return replace(outcome.with_metrics(**reached(painted.trace)), warnings=_missed(painted))


@do.register
def replace_object(step: Replace, work: Work) -> Outcome:
    """Something else in the same place."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = _with_new(inverted, step.target, step.text)
    unit = unit_of(location.mask.shape)
    region = grow(location.hard, 8 * unit)
    if work.settings.shadow:
        region |= grow(find_shadow(work.photo.rgb, location.hard).mask, 2 * unit)
    painted = work.repainted(inverted.inversion, text, region, fresh=True)
    edited, alpha = _over(work, painted, region)
    return _outcome(
        work, inverted, location, painted, edited=edited, region=alpha > 0, text=text, named=step.text
    )


@do.register
def background(step: Background, work: Work) -> Outcome:
    """Other surroundings of the same object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    named = split(step.target)[1] if step.target else "object"
    text = with_words(f"a photo of {with_article(named)} on {step.text}", named)
    unit = unit_of(location.mask.shape)
    region = ~(cv2.erode(location.hard.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    painted = work.repainted(inverted.inversion, text, ~grow(location.hard, unit), fresh=True)
    wide = cv2.resize(painted.picture, location.mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    keep = location.mask[..., None]
    edited = work.photo.rgb * keep + wide * (1 - keep)
    return _outcome(work, inverted, location, painted, edited=edited, region=region, text=text, named=named)


@do.register
def retouch(step: Retouch, work: Work) -> Outcome:
    """A text painted into a region that the user shows."""
    inverted = work.invert()
    location = work.find(inverted, None)
    prompt = inverted.inversion.prompt
    text = with_words(prompt, step.text)
    painted = work.repainted(inverted.inversion, text, location.hard, fresh=True)
    edited, alpha = _over(work, painted, location.hard)
    return _outcome(
        work, inverted, location, painted, edited=edited, region=alpha > 0, text=text, named=step.text
    )


def _with_new(inverted: InvertedPhoto, old: str | None, new: str) -> str:
    prompt = inverted.inversion.prompt
    return replace_words(prompt, split(old)[1], new) if old else with_words(without_words(prompt, []), new)


def _over(work: Work, painted: Repainted, region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The painted region over the photo, fading at its border; and its alpha."""
    h, w = region.shape
    unit = unit_of((h, w))
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
    """What a painting step did.

    Args:
        work: what it worked with.
        inverted: what it was painted from.
        location: the object as it was found.
        painted: what the model made.
        edited: float32 ``[H, W, 3]`` in 0..255.
        region: where that counts, bool ``[H, W]``.
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
    return tuple(f"not reached in the model's own picture: {target}" for target in painted.trace.missed)
