"""Steps that carry a look from one object to another: like, swapped looks, the look of a whole photo.

First in pixels: the mean and spread of the main colour in Lab become the other object's (Reinhard et al.
2001, *Color Transfer between Images*); parts of another colour stay (:mod:`realedit.pixels.main_colour`).
Then through the model, whose self-attention reads the other object's keys and values (MasaCtrl, Cao et al.
2023; Cross-Image Attention, Alaluf et al. 2024), so that the texture follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidance import Transform
from realedit.compose.anchor import Anchor
from realedit.compose.window import window_of
from realedit.edits.kinds import Like, LookOf, SwapLooks
from realedit.inverted.inverted_photo import InvertedPhoto
from realedit.location import Location
from realedit.pixels.colour_transfer import lab_of, transfer
from realedit.pixels.main_colour import LEAST_COLOURED, main_colour
from realedit.pixels.unit import unit_of
from realedit.sample.blend import blend
from realedit.sample.regions import Lender, Subject
from realedit.sample.resample import Resampled
from realedit.steps.dispatch import do
from realedit.steps.sampling import reached, resample_anchor
from realedit.steps.work import Outcome, Work

_PIN = 0.3
"""The object's latent is held to the recoloured pixels no more firmly than this, in [0, 1]: above, the model
adds no texture; below, the object loses its form. Less than a moved object's 0.8, because a look is to
change. Set by eye."""
_LEAST_PART = 0.1
"""Area of the main colour's parts as a share of the object's: below it all of the object takes the new
colour, at or above it they alone do. Not measured."""
_LEAST_LENT = 0.2
"""Share of what lends a look that has a colour: at or above it that colour is lent, below it grey or white.
It is less than of what takes one: the model paints a colour that a text asks for in places. Set by eye on six
rendered cases, of 0.25 and 0.4: at 0.4 an orange bucket became white."""
_ABOUT_PIXELS = 16
"""Width in pixels of what is seen about an object while its colours are judged: more changes nothing, less
cuts the blur at its edge. Set by the blur's width in large photos."""


@dataclass(frozen=True)
class Loan:
    """An object that takes a look.

    Args:
        location: where the object is.
        rgb: the picture that lends the look, uint8 ``[H', W', 3]``.
        lent_by: the matte of the lending object in that picture, float32 ``[H', W']`` in [0, 1].
        inverted: that picture's inversion; its keys and values are lent too. None lends the colours alone.
        whole: whether all colours change and not the main one alone.
    """

    location: Location
    rgb: np.ndarray
    lent_by: np.ndarray
    inverted: InvertedPhoto | None = None
    whole: bool = False


@do.register
def like(step: Like, work: Work) -> Outcome:
    """Lets one object look like another, of this photo or of another one."""
    word = step.other or step.target
    if step.source is None:
        inverted = work.invert(step.target, word)
        location = work.find(inverted, step.target)
        other, there = work, inverted
    else:
        inverted = work.invert(step.target)
        location = work.find(inverted, step.target)
        other = work.other_photo(step.source)
        there = other.invert(word)
    lender = other.find_named(there, word)
    return carry_look(work, inverted, [Loan(location, other.photo.rgb, lender.mask, there)])


@do.register
def swap_looks(step: SwapLooks, work: Work) -> Outcome:
    """Lets two objects of one photo exchange their looks."""
    inverted = work.invert(step.target, step.other)
    first = work.find(inverted, step.target)
    second = work.find_named(inverted, step.other)
    rgb = work.photo.rgb
    loans = [Loan(first, rgb, second.mask, inverted), Loan(second, rgb, first.mask, inverted)]
    return replace(carry_look(work, inverted, loans), others=(second,))


@do.register
def look_of(step: LookOf, work: Work) -> Outcome:
    """Gives the whole photo another photo's look; its layout stays."""
    inverted = work.invert()
    other = work.other_photo(step.source)
    there = other.invert()
    everything = np.ones(work.photo.rgb.shape[:2], np.float32)
    location = Location(None, everything, everything, 1.0, "mask")
    lent_by = np.ones(other.photo.rgb.shape[:2], np.float32)
    return carry_look(work, inverted, [Loan(location, other.photo.rgb, lent_by, there, whole=True)])


def carry_look(
    work: Work, inverted: InvertedPhoto, loans: Sequence[Loan], text: str | None = None, named: str = ""
) -> Outcome:
    """Carries looks to objects, first in colours, then through the model.

    Args:
        work: what to work with.
        inverted: the photo.
        loans: who takes whose look.
        text: what the photo then shows; by default what it shows now.
        named: the object's words in ``text``, where they are new.
    """
    rgb = work.photo.rgb
    picture = rgb.astype(np.float32)
    for loan in loans:
        taking, lending = loan.location.mask, loan.lent_by
        if not loan.whole:
            taking = _of_main_colour(rgb, taking, LEAST_COLOURED)
            lending = _of_main_colour(loan.rgb, lending, _LEAST_LENT)
        picture = transfer(picture, taking, loan.rgb, lending)
    nothing = np.zeros(rgb.shape[:2], bool)
    mattes = tuple(loan.location.mask for loan in loans)
    anchor = Anchor(picture, mattes, nothing, nothing, nothing)
    words = [loan.location.word for loan in loans]
    text = text or inverted.prompt
    work = work.with_settings(pin=min(work.settings.pin, _PIN), pin_low=min(work.settings.pin_low, _PIN))
    work.request.stopwatch.lap("anchor")
    resampled = _resampled(work, inverted, anchor, loans, text, named) if work.settings.resamples else None
    edited, alpha = blend(rgb, anchor, resampled, work.settings)
    if named:  # an object of another colour by words casts no other light on its surroundings
        alpha = np.where(anchor.matte > 0, alpha, 0).astype(np.float32)
    laid = work.laid_over(edited, alpha)
    known = {word: matte for word, matte in zip(words, mattes, strict=True) if word}
    return Outcome(
        laid=laid,
        inverted=inverted,
        location=loans[0].location,
        mask_after=anchor.matte,
        prompt=text,
        metrics={
            **laid.figures,
            "score": loans[0].location.score,
            **reached(resampled and resampled.trace),
        },
        mattes=known | ({named: mattes[0]} if named else {}),
        picture=None if resampled is None else resampled.picture,
    )


def _of_main_colour(rgb: np.ndarray, matte: np.ndarray, least: float) -> np.ndarray:
    """Returns the part of an object's matte that has its main colour; all of it where hardly any has."""
    at = window_of(matte > 0, matte.shape, _ABOUT_PIXELS).at
    part = np.zeros_like(matte)
    part[at] = matte[at] * main_colour(lab_of(rgb[at]), matte[at], unit_of(matte.shape), least)
    return part if part.sum() >= _LEAST_PART * matte.sum() else matte


def _resampled(
    work: Work, inverted: InvertedPhoto, anchor: Anchor, loans: Sequence[Loan], text: str, named: str
) -> Resampled:
    """Runs recoloured objects through the model; arguments as of :func:`carry_look`."""
    positions = work.tokens(text, [named] if named else [loan.location.word for loan in loans])
    subjects = [
        # under new words the object must not read its own old look
        Subject(tokens, Transform(), None if named else loan.location.hard, loan.location.mask)
        for tokens, loan in zip(positions, loans, strict=True)
    ]
    lent = [(loan.inverted, loan.lent_by > 0.5) for loan in loans if loan.inverted is not None]
    lenders = [Lender(lender.inversion, mask) for lender, mask in lent]
    return resample_anchor(work, inverted, text, anchor, subjects, lenders)
