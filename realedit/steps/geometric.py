"""Steps that pick objects up and put them down: move, copy, resize, rotate, flip, remove, swap and others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from guidance import Transform
from realedit.compose.anchor import Anchor, build_anchor
from realedit.compose.covering import covers
from realedit.compose.frame import check_box, check_frame, lost_share
from realedit.compose.frame_cut import shown_edges
from realedit.compose.piece import Piece
from realedit.compose.refit import pasted, pasted_box, reshaped
from realedit.edits.edit import Similarity
from realedit.edits.kinds import Copy, Paste, Remove, Reshape, Swap
from realedit.edits.recipe import PERSPECTIVE
from realedit.errors import Sentence
from realedit.find.by_hand import from_mask
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.photo.inputs import as_mask
from realedit.pixels.horizon import find_horizon
from realedit.placing import Placed, placed
from realedit.prompts import split, with_words, without_words
from realedit.sample.blend import blend
from realedit.sample.regions import Subject
from realedit.sample.resample import Resampled
from realedit.steps.dispatch import do
from realedit.steps.sampling import reached, resample_anchor
from realedit.steps.work import Outcome, Work
from realedit.system.memory import translated

_UNSURE_SHADOW = Sentence(
    "what is dark beside the object may be its shadow or another thing: it was left where it is "
    "(--no-shadow looks for none)",
    "unsure_shadow",
)
_COVERS = Sentence("at its new place the object covers another thing that was there", "covers")
_UNSURE_FILL = Sentence(
    "the place that the object left may show: several things meet there, and what was behind it is a guess",
    "unsure_fill",
)


@do.register
def transform(step: Similarity, work: Work) -> Outcome:
    """Moves, scales, turns and mirrors one object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    to = _placed(step, location, work)
    return _measured(_put(work, inverted, [Piece(location, to.transform)], [step.target]), location, to)


@do.register
def copy(step: Copy, work: Work) -> Outcome:
    """Lays a second one of an object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    to = _placed(step.way, location, work)
    return _measured(
        _put(work, inverted, [Piece(location, to.transform, stays=True)], [step.target]), location, to
    )


@do.register
def remove(step: Remove, work: Work) -> Outcome:
    """Takes one object away."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = inverted.prompt
    if step.target:
        text = without_words(text, [split(step.target)[1]])
    return _put(work, inverted, [Piece(location, None)], [step.target], text)


@do.register
def swap(step: Swap, work: Work) -> Outcome:
    """Lets two objects change places; each then stands on the spot where the other stood."""
    inverted = work.invert(step.target, step.other)
    first = work.find(inverted, step.target)
    second = work.find_named(inverted, step.other)
    carried = step.carried({step.target: first.box, step.other: second.box})
    pieces: list[Piece] = []
    for word, location in ((step.target, first), (step.other, second)):
        to = carried[word]
        pieces.append(
            Piece(location, _placed(to, location, work).transform if isinstance(to, Similarity) else None)
        )
    return replace(_put(work, inverted, pieces, [step.target, step.other]), others=(second,))


@do.register
def reshape(step: Reshape, work: Work) -> Outcome:
    """Fits one object into a given outline."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    goal = from_mask(work.photo.rgb, as_mask(step.shape, work.photo, "the outline"), step.target)
    source = reshaped(work.photo.rgb, location.mask, goal.mask)
    # an object that stays where it is keeps its shadow as it is
    elsewhere = not (location.hard & goal.hard).any()
    pieces = [Piece(location, None, casts=elsewhere), Piece(goal, Transform(), source, casts=False)]
    outcome = _put(work, inverted, pieces, [step.target, step.target])
    hard, wanted = outcome.mask_after > 0.5, goal.hard
    return outcome.with_metrics(shape_iou=float((hard & wanted).sum() / (hard | wanted).sum()))


@do.register
def paste(step: Paste, work: Work) -> Outcome:
    """Puts an object of another photo into this one."""
    other = work.other_photo(step.source)
    if step.places:
        found = other.find_at(step.places, step.target)
    else:
        found = other.find(other.invert(step.target), step.target)
    inverted = work.invert()
    size, at = work.photo.rgb.shape[:2], (step.x, step.y)
    source, matte = pasted(other.photo.rgb, found, size, at=at, scale=step.scale)
    location = Location(step.target, matte, matte, found.score, found.source)
    if not work.request.allow_crop:
        check_box(pasted_box(found, size, at=at, scale=step.scale), step.target)
    text = with_words(inverted.prompt, split(step.target)[1])
    return _put(work, inverted, [Piece(location, Transform(), source)], [step.target], text)


def _placed(step: Similarity, location: Location, work: Work) -> Placed:
    """Works out where an object is put.

    Raises:
        OutOfFrameError: part of it would leave the photo, or its cut edge would show.
        UsageError: it does not stand below the horizon that was told.
    """
    to = placed(step, location, partial(find_horizon, work.photo.rgb))
    if not work.request.allow_crop:
        check_frame(location, to.transform)
    return to


def _measured(outcome: Outcome, location: Location, to: Placed) -> Outcome:
    """Returns an outcome with what it did to place and size, and with warnings of what the frame cuts."""
    transform, matte = to.transform, outcome.mask_after
    cut = shown_edges(location, transform)
    if cut:
        sides = " and the ".join(sorted(cut))
        told = f"the frame cuts the object at the {sides}: its straight edge now shows"
        warning = Sentence(told, "edge_shows")
        outcome = replace(outcome, warnings=(*outcome.warnings, warning))
    lost = lost_share(location, transform)
    if lost > 0:
        share = "less than 1 %" if lost < 0.01 else f"{100 * lost:.0f} %"
        warning = f"{share} of the object leaves the photo"
        outcome = replace(outcome, warnings=(*outcome.warnings, warning))
    if to.perspective is not None:
        outcome = outcome.with_metrics(**{PERSPECTIVE: to.perspective})
    if not (matte > 0.5).any():
        return outcome
    (x0, y0), (x1, y1) = location.centroid, replace(location, mask=matte).centroid
    return outcome.with_metrics(
        centroid_error=math.hypot(x1 - x0 - transform.dx, y1 - y0 - transform.dy),
        size_ratio=float(matte.sum() / location.mask.sum()),
    )


def _put(
    work: Work,
    inverted: InvertedPhoto,
    pieces: Sequence[Piece],
    words: Sequence[str | None],
    text: str | None = None,
) -> Outcome:
    """Picks pieces up and puts them down, first in pixels, then through the model.

    Args:
        work: what to work with.
        inverted: the photo.
        pieces: what is picked up and put down.
        words: the words of each piece.
        text: what the photo then shows; by default what it shows now.
    """
    if not work.settings.pixels:  # no object's pixels are at the new place that its latent could be held to
        work = work.with_settings(pin=0.0, pin_low=0.0)
    rgb, settings = work.photo.rgb, work.settings
    text = text or inverted.prompt
    work.request.progress("anchor", 0, 1)
    own = np.zeros(rgb.shape[:2], bool)
    for piece in pieces:
        if piece.source is None:
            own |= piece.location.hard
    named = [word for word in words if word and work.engine.reads(inverted.prompt, split(word)[1])]
    forbidden = work.engine.finder.others(rgb, inverted, own, named)
    with translated():
        anchor = build_anchor(
            rgb,
            pieces,
            forbidden,
            shadow=settings.shadow,
            reflection=settings.reflection,
            pixels=settings.pixels,
            fill_hole=settings.fill,
            fill=work.engine.fill,
        )
    work.request.stopwatch.lap("anchor")
    resampled = _resampled(work, inverted, anchor, pieces, words, text) if settings.resamples else None
    laid = work.laid_over(*blend(rgb, anchor, resampled, settings))
    mattes = {
        word: matte for word, matte in zip(words, anchor.mattes, strict=True) if word and (matte > 0.5).any()
    }
    return Outcome(
        laid=laid,
        inverted=inverted,
        location=pieces[0].location,
        mask_after=anchor.matte,
        prompt=text,
        metrics={
            **laid.figures,
            "score": pieces[0].location.score,
            **reached(resampled and resampled.trace),
        },
        mattes=mattes,
        warnings=_warnings(anchor, pieces, forbidden),
        picture=None if resampled is None else resampled.picture,
    )


def _resampled(
    work: Work,
    inverted: InvertedPhoto,
    anchor: Anchor,
    pieces: Sequence[Piece],
    words: Sequence[str | None],
    text: str,
) -> Resampled:
    """Runs pieces that are put down through the model; arguments as of :func:`_put`."""
    subjects = [
        # where the first stays, what the model sees of its words is at both places and has no one target
        Subject(
            () if piece.stays else tokens,
            piece.transform,
            piece.location.hard if piece.source is None else None,
            matte,
        )
        for tokens, piece, matte in zip(work.tokens(text, words), pieces, anchor.mattes, strict=True)
    ]
    gone = [split(word)[1] for word, piece in zip(words, pieces, strict=True) if word and piece.taken]
    return resample_anchor(work, inverted, text, anchor, subjects, bare=without_words(text, gone))


def _warnings(anchor: Anchor, pieces: Sequence[Piece], others: np.ndarray | None) -> tuple[str, ...]:
    """Returns what the user should know of an edit in pixels.

    Args:
        anchor: the edit.
        pieces: what was taken up and put down.
        others: the photo's other things, bool ``[H, W]``; None where they are not known.
    """
    things = np.zeros(anchor.hole.shape, bool) if others is None else others
    for piece in pieces:
        if piece.stays:
            things = things | piece.location.hard
    told = (
        (anchor.unsure_shadow, _UNSURE_SHADOW),
        (anchor.unsure_fill, _UNSURE_FILL),
        (covers(anchor.matte, things), _COVERS),
    )
    return tuple(text for holds, text in told if holds)
