"""Steps that carry a look from one object to another: like, swapped looks, the look of a whole photo.

In pixels first: the colours' mean and spread in Lab are brought to the other object's (Reinhard et al. 2001,
*Color Transfer between Images*). Then through the model, whose self-attention reads the other object's keys
and values (MasaCtrl, Cao et al. 2023; Cross-Image Attention, Alaluf et al. 2024), so that texture follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from guidance import Transform
from realedit.anchor import Anchor
from realedit.blend import blend
from realedit.colour_transfer import transfer
from realedit.edits import Like, LookOf, SwapLooks
from realedit.inverted import Inversion
from realedit.locate import Location
from realedit.model_errors import translated
from realedit.resample import Lender, Subject, resample
from realedit.steps.work import Outcome, Work, reached, tokens_of

if TYPE_CHECKING:
    from realedit.pipeline import InvertedPhoto

_PIN = 0.3
"""A look is to change, so the object's latent is held less firmly than a moved one's."""


@dataclass(frozen=True)
class _Loan:
    """An object that takes a look: where it is, and whose look it takes."""

    location: Location
    rgb: np.ndarray
    lent_by: np.ndarray
    inversion: Inversion


def like(work: Work, step: Like) -> Outcome:
    """One object looks like another, of this photo or of another one."""
    word = step.other or step.target
    if step.source is None:
        inverted = work.invert(step.target, word)
        location, there, other = work.find(inverted, step.target), inverted, replace(work, given=None)
    else:
        inverted = work.invert(step.target)
        location = work.find(inverted, step.target)
        other = work.other_photo(step.source)
        there = other.invert(word)
    lender = other.find(there, word)
    loan = _Loan(location, other.photo.rgb, lender.mask, there.inversion)
    return _run(work, inverted, [loan])


def swap_looks(work: Work, step: SwapLooks) -> Outcome:
    """Two objects of one photo exchange their looks."""
    inverted = work.invert(step.target, step.other)
    first = work.find(inverted, step.target)
    second = replace(work, given=None).find(inverted, step.other)
    rgb, inversion = work.photo.rgb, inverted.inversion
    loans = [_Loan(first, rgb, second.mask, inversion), _Loan(second, rgb, first.mask, inversion)]
    return replace(_run(work, inverted, loans), others=(second,))


def look_of(work: Work, step: LookOf) -> Outcome:
    """The whole photo takes another's look and keeps its own layout."""
    inverted = work.invert()
    other = work.other_photo(step.source)
    there = other.invert()
    everything = np.ones(work.photo.rgb.shape[:2], np.float32)
    location = Location(None, everything, everything, 1.0, "mask")
    lent_by = np.ones(other.photo.rgb.shape[:2], np.float32)
    return _run(work, inverted, [_Loan(location, other.photo.rgb, lent_by, there.inversion)])


def _run(work: Work, inverted: InvertedPhoto, loans: Sequence[_Loan]) -> Outcome:
    rgb, inversion, pipeline = work.photo.rgb, inverted.inversion, work.pipeline
    picture = rgb.astype(np.float32)
    for loan in loans:
        picture = transfer(picture, loan.location.mask, loan.rgb, loan.lent_by)
    nothing = np.zeros(rgb.shape[:2], bool)
    mattes = tuple(loan.location.mask for loan in loans)
    anchor = Anchor(picture, mattes, nothing, nothing, nothing)
    words = [loan.location.word for loan in loans]
    subjects = [
        Subject(tokens, Transform(), loan.location.hard, loan.location.mask)
        for tokens, loan in zip(tokens_of(work, inversion.prompt, words), loans, strict=True)
    ]
    lenders = [Lender(loan.inversion, loan.lent_by > 0.5) for loan in loans]
    settings = replace(work.settings, pin=min(work.settings.pin, _PIN))
    work.clock.lap("anchor")
    resampled = None
    if settings.strength > 0 and settings.resample > 0:
        progress = work.progress
        tell = None if progress is None else lambda done, total: progress("resample", done, total)
        with translated(), pipeline.capture:
            prompt = pipeline.backbone.prompt(inversion.prompt, inversion.size)
            resampled = resample(
                pipeline.backbone, pipeline.capture, inversion, prompt, anchor, subjects, settings, work.seed,
                tell, lenders=lenders,
            )  # fmt: skip
    work.clock.lap("resample")
    edited, alpha = blend(rgb, anchor, resampled, settings)
    out, figures = work.laid_over(edited, alpha)
    figures["score"] = loans[0].location.score
    known = {word: matte for word, matte in zip(words, mattes, strict=True) if word}
    figures |= reached(resampled and resampled.trace)
    return Outcome(
        out, inverted, loans[0].location, anchor.matte, alpha > 0, figures, inversion.prompt, known,
        picture=None if resampled is None else resampled.picture,
    )  # fmt: skip
