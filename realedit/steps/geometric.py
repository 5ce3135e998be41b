"""Steps that take objects up and put them down: move, resize, rotate, remove, swap, reshape, paste."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from guidance import Transform
from realedit.anchor import Anchor, Piece, build_anchor
from realedit.blend import blend
from realedit.change import Box
from realedit.edits import Paste, Plan, Remove, Reshape, Swap
from realedit.frame import check_box, check_frame
from realedit.inputs import as_mask
from realedit.inverted import Inversion
from realedit.locate import Location, from_mask
from realedit.model_errors import translated
from realedit.refit import pasted, pasted_box, reshaped
from realedit.resample import Resampled, Subject, resample
from realedit.steps.work import Outcome, Work, reached, tokens_of
from realedit.which_one import split
from realedit.words import with_words, without_words

if TYPE_CHECKING:
    from realedit.pipeline import InvertedPhoto


def transform(work: Work, step: Plan) -> Outcome:
    """Move, scale and turn one object."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    to = Transform(step.dx, step.dy, step.scale, step.angle, location.centroid)
    if not work.allow_crop:
        check_frame(location, to)
    outcome = _run(work, inverted, [Piece(location, to)], [step.target])
    (x0, y0), after = location.centroid, outcome.mask_after
    if (after > 0.5).any():
        x1, y1 = replace(location, mask=after).centroid
        outcome.metrics["centroid_error"] = math.hypot(x1 - x0 - step.dx, y1 - y0 - step.dy)
        outcome.metrics["size_ratio"] = float(after.sum() / location.mask.sum())
    return outcome


def remove(work: Work, step: Remove) -> Outcome:
    """Take one object away."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    text = inverted.inversion.prompt
    if step.target:
        text = without_words(text, [split(step.target)[1]])
    return _run(work, inverted, [Piece(location, None)], [step.target], text)


def swap(work: Work, step: Swap) -> Outcome:
    """Let two objects change places; each keeps standing on the spot that the other stood on."""
    inverted = work.invert(step.target, step.other)
    first = work.find(inverted, step.target)
    second = replace(work, given=None).find(inverted, step.other)
    pieces = [Piece(first, _to_the_spot_of(first, second)), Piece(second, _to_the_spot_of(second, first))]
    for piece in pieces:
        if piece.transform is not None and not work.allow_crop:
            check_frame(piece.location, piece.transform)
    return replace(_run(work, inverted, pieces, [step.target, step.other]), others=(second,))


def reshape(work: Work, step: Reshape) -> Outcome:
    """Fit one object into a given outline."""
    inverted = work.invert(step.target)
    location = work.find(inverted, step.target)
    goal = from_mask(work.photo.rgb, as_mask(step.shape, work.photo, "the outline"), step.target)
    source = reshaped(work.photo.rgb, location.mask, goal.mask)
    # where it stands as before, its shadow stays as it is
    elsewhere = not (location.hard & goal.hard).any()
    pieces = [Piece(location, None, casts=elsewhere), Piece(goal, Transform(), source, casts=False)]
    outcome = _run(work, inverted, pieces, [step.target, step.target])
    hard, wanted = outcome.mask_after > 0.5, goal.hard
    outcome.metrics["shape_iou"] = float((hard & wanted).sum() / (hard | wanted).sum())
    return outcome


def paste(work: Work, step: Paste) -> Outcome:
    """Put an object of another photo into this one."""
    other = work.other_photo(step.source)
    there = other.invert(step.target)
    found = other.find(there, step.target)
    inverted = work.invert()
    source, matte = pasted(other.photo.rgb, found, work.photo.rgb.shape[:2], (step.x, step.y), step.scale)
    location = Location(step.target, matte, matte, found.score, found.source)
    if not work.allow_crop:
        check_box(pasted_box(found, work.photo.rgb.shape[:2], (step.x, step.y), step.scale), step.target)
    text = with_words(inverted.inversion.prompt, split(step.target)[1])
    return _run(work, inverted, [Piece(location, Transform(), source)], [step.target], text)


def shift_to_the_spot(one: Box, other: Box) -> tuple[float, float]:
    """(dx, dy) from where a box stands to where another does: the middle of its foot."""
    return (other[0] + other[2] - one[0] - one[2]) / 2, other[3] - one[3]


def _to_the_spot_of(one: Location, other: Location) -> Transform:
    return Transform(*shift_to_the_spot(one.box, other.box), centre=one.centroid)


def _run(
    work: Work, inverted: InvertedPhoto, pieces: Sequence[Piece], words: Sequence[str | None],
    text: str | None = None,
) -> Outcome:  # fmt: skip
    """The edit that puts pieces down; ``text`` says what the photo then shows, if not what it shows now."""
    if not work.settings.pixels:  # what stands at the new place is not the object: nothing to be held to
        work = replace(work, settings=replace(work.settings, pin=0.0))
    rgb, inversion, settings = work.photo.rgb, inverted.inversion, work.settings
    text = text or inversion.prompt
    work.tell("anchor")
    own = np.zeros(rgb.shape[:2], bool)
    for piece in pieces:
        if piece.source is None:
            own |= piece.location.hard
    positions = tokens_of(work, inversion.prompt, words)
    named = [word for word, tokens in zip(words, positions, strict=True) if word and tokens]
    closed = work.pipeline.finder.others(rgb, inversion, own, named)
    with translated():
        anchor = build_anchor(
            rgb, pieces, closed, shadow=settings.shadow, reflection=settings.reflection,
            pixels=settings.pixels, fill_hole=settings.fill,
        )  # fmt: skip
    work.clock.lap("anchor")
    resampled = _resampled(work, inversion, anchor, pieces, words, text)
    work.clock.lap("resample")
    edited, alpha = blend(rgb, anchor, resampled, settings)
    out, figures = work.laid_over(edited, alpha)
    figures["score"] = pieces[0].location.score
    figures |= reached(resampled and resampled.trace)
    mattes: dict[str, np.ndarray] = {}
    for word, matte in zip(words, anchor.mattes, strict=True):
        if word and (matte > 0.5).any():
            mattes[word] = matte
    return Outcome(
        out, inverted, pieces[0].location, anchor.matte, alpha > 0, figures, text, mattes,
        picture=None if resampled is None else resampled.picture,
    )  # fmt: skip


def _resampled(
    work: Work, inversion: Inversion, anchor: Anchor, pieces: Sequence[Piece], words: Sequence[str | None],
    text: str,
) -> Resampled | None:  # fmt: skip
    settings, pipeline = work.settings, work.pipeline
    if settings.strength == 0 or settings.resample == 0:
        return None
    subjects = [
        Subject(tokens, p.transform, p.location.hard if p.source is None else None, matte)
        for tokens, p, matte in zip(tokens_of(work, text, words), pieces, anchor.mattes, strict=True)
    ]
    progress = work.progress
    tell = None if progress is None else lambda done, total: progress("resample", done, total)
    with translated(), pipeline.capture:
        prompt = pipeline.backbone.prompt(text, inversion.size)
        return resample(
            pipeline.backbone, pipeline.capture, inversion, prompt, anchor, subjects, settings, work.seed,
            tell,
        )  # fmt: skip
