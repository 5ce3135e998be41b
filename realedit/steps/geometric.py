"""Steps that pick objects up and put them down: move, resize, rotate, flip, remove, swap, reshape, paste."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from guidance import Transform
from realedit.compose.anchor import Anchor, build_anchor
from realedit.compose.frame import check_box, check_frame
from realedit.compose.frame_cut import shown_edges
from realedit.compose.piece import Piece
from realedit.compose.refit import pasted, pasted_box, reshaped
from realedit.edits.edit import Similarity
from realedit.edits.kinds import Paste, Remove, Reshape, Swap
from realedit.find.by_hand import from_mask
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.photo.inputs import as_mask
from realedit.prompts import split, with_words, without_words
from realedit.sample.blend import blend
from realedit.sample.regions import Subject
from realedit.sample.resample import Resampled
from realedit.steps.dispatch import do
from realedit.steps.work import Outcome, Work, reached
from realedit.system.memory import translated

_UNSURE_SHADOW = (
    "what is dark beside the object may be its shadow or another thing: it was left where it is "
    "(the setting shadow=false looks for none)"
)

_UNSURE_FILL = (
    "the place that the object left may show: several things meet there, and what was behind it is a guess"
)


@do.register
def transform(step: Similarity, work: Work) -> Outcome:
    """Moves, scales, turns and mirrors one object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    to = _about_its_centroid(step, location)
    if not work.request.allow_crop:
        check_frame(location, to)
    outcome = _put(work, inverted, [Piece(location, to)], [step.target])
    cut = shown_edges(location, to)
    if cut:
        warning = (
            f"the frame cuts the object at the {' and the '.join(sorted(cut))}: its straight edge now shows"
        )
        outcome = replace(outcome, warnings=(*outcome.warnings, warning))
    (x0, y0), matte = location.centroid, outcome.mask_after
    if not (matte > 0.5).any():
        return outcome
    x1, y1 = replace(location, mask=matte).centroid
    return outcome.with_metrics(
        centroid_error=math.hypot(x1 - x0 - step.dx, y1 - y0 - step.dy),
        size_ratio=float(matte.sum() / location.mask.sum()),
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
        piece = Piece(location, _about_its_centroid(to, location) if isinstance(to, Similarity) else None)
        if piece.transform is not None and not work.request.allow_crop:
            check_frame(location, piece.transform)
        pieces.append(piece)
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
    there = other.invert(step.target)
    found = other.find(there, step.target)
    inverted = work.invert()
    size, at = work.photo.rgb.shape[:2], (step.x, step.y)
    source, matte = pasted(other.photo.rgb, found, size, at=at, scale=step.scale)
    location = Location(step.target, matte, matte, found.score, found.source)
    if not work.request.allow_crop:
        check_box(pasted_box(found, size, at=at, scale=step.scale), step.target)
    text = with_words(inverted.prompt, split(step.target)[1])
    return _put(work, inverted, [Piece(location, Transform(), source)], [step.target], text)


def _about_its_centroid(to: Similarity, location: Location) -> Transform:
    return Transform(to.dx, to.dy, to.scale, to.angle, location.centroid, to.mirrored)


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
        work = work.with_settings(pin=0.0)
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
        warnings=_warnings(anchor),
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
        Subject(tokens, piece.transform, piece.location.hard if piece.source is None else None, matte)
        for tokens, piece, matte in zip(work.tokens(text, words), pieces, anchor.mattes, strict=True)
    ]
    return work.resampled(inverted.inversion, text, anchor, subjects)


def _warnings(anchor: Anchor) -> tuple[str, ...]:
    unsure = ((anchor.unsure_shadow, _UNSURE_SHADOW), (anchor.unsure_fill, _UNSURE_FILL))
    return tuple(text for holds, text in unsure if holds)
