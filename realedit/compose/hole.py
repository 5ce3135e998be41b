"""Clears a photo of objects and of their shadows, fills the holes and fits the filling to the light there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from realedit.compose.piece import LEAST_SEEN_LOSS, Cast
from realedit.compose.rest import rest_beside
from realedit.compose.surroundings import near_foot, slope_of
from realedit.location import Location
from realedit.photo.samples import differs
from realedit.pixels.fine_detail import with_detail
from realedit.pixels.hole_filling import fill_with_steps, several_surfaces
from realedit.pixels.light import contrast
from realedit.pixels.masks import connected, grow
from realedit.pixels.normalised_blur import normalised_blur
from realedit.pixels.pyramid import Completion
from realedit.pixels.resizing import scaled
from realedit.pixels.unit import unit_of

Fill = Callable[[np.ndarray, np.ndarray, np.ndarray | None], Completion]
"""Fills a hole: (picture, hole, forbidden) as of :func:`realedit.pixels.hole_filling.fill_with_steps`."""

FILL_SIDE = 640
"""Longer side in pixels of the copy in which holes are filled: larger joins finer structures and takes
longer, smaller joins only coarse ones; larger photos get the filling scaled up, with their own detail. Not
measured."""
_MOST_DOUBT = 28.0
"""Doubt of a filling (see :class:`realedit.pixels.pyramid.Completion`): above it the user is told that it may
show, up to it is not. Set by eye on 16 scenes of ReS: of 13 fillings that show 10 are above it, of the 3
that do not, none is."""
_LEAST_REST = 0.1
"""Loss of log intensity in a hole's margin: above it the margin is a rest of the shadow and is filled, up to
it the photo shows through. Not measured."""
_LEAST_COVER = 0.05
"""Share of a pixel of the small copy that the object covers: above it the pixel is cleared, up to it stays.
Set by eye, so that thin things go too."""
_OBJECT_MARGIN_UNITS = (4.0, 2.0)
"""Width in units of the hole's margin about the object or its reflection, where one surface goes on about it
and where several meet: wider ones hide rests and fade more softly, narrower ones keep more of what tells how
the hole goes on. The first set on 9 scenes of ReS and 20 rendered cases (on 8 others ST-LPIPS of the hole was
0.0745, at 2 units 0.0859), the second by eye on 16 scenes of ReS and 25 photographs of COCOEE."""
_SHADOW_MARGIN_UNITS = (2.0, 6.0)
"""The same about its shadow, where something is in the way and where the surface goes on: a wider one leaves
no ring of a soft shadow, a narrower one fills less that is known. The second set by eye on 5 scenes of ReS
and photographs of COCOEE, of 2, 4 and 6: at 2 a ring stays in three of them, at 6 in none."""
_MOST_SLOPE = 0.3
"""Slope of log intensity a unit: at or above it something is in the way of a shadow's margin, below it the
surface goes on. Set by eye on the same."""
_FADE_SHARE = (0.6, 0.5)
"""Outer part of that margin over which the filling fades into the photo: a wider one fades more softly, a
narrower one hides more of the object's edge. Not measured."""
_LEAST_FADE_PIXELS = 2.0
"""Least width of that part in pixels: a narrower one would not tell what the filling lacks in light, a wider
one keeps more of it. Set on the test of an inpainter, in a photo of 144 pixels."""
_RIM_UNITS = 2
"""Width in units of the rim about a hole in which other objects are counted: wider ones count what is farther
away, narrower ones only what touches. Not measured."""
_MOST_OTHERS = 0.25
"""Share of that rim that other objects take: above it they are what lies behind and go on in the hole, up to
it they stand beside it and nothing is copied from them. Set on 16 scenes of ReS, where it and the
narrower margin brought three fillings nearer to the truth and one farther from it (mean distance in Lab,
blurred: from 38.6, 43.2, 25.6 and 4.1 to 18.8, 20.2, 22.6 and 9.7)."""
_TOUCHING_UNITS = 1
"""Distance from the object in units up to which the hole may take in a neighbour's pixels; farther out the
neighbour stays whole. Not measured."""
_SHADOW_SOLID_SHARE = 0.6
"""Inner part of that margin in which the filling covers all; farther out it fades into the photo. Set with
the margin."""
_REST_UNITS = 8
"""Distance in units from the object's foot or its shadow up to which rests of the shadow are looked for;
farther out what is dark is another thing. Set on 30 rendered cases, of one to three values tried."""
_OBJECT_EDGE_PIXELS = 2
"""Distance in pixels from the object up to which nothing is forbidden; farther out other objects are. Set by
eye, so that a neighbour's soft mask does not run into the object."""
_LIGHT_SIGMAS_A_SIDE = 40
"""Longer sides over the standard deviation of the blur by which the filling is fitted to the light: higher
follows finer changes of light, lower only broad ones. Not measured."""
_LIGHT_LEVELS = 24.0
"""Difference in grey levels of 255 between a filling and the photo in the hole's margin, beyond what the
whole margin has in common (its median, up to as much): of much more nothing is added to the filling, of much
less all, of as much a quarter. Set by eye on 8 scenes of ReS."""
_STEADY = 4.0
"""Standard deviation of the blur that fits the light over that before the difference is judged: higher judges
each pixel and its grain, lower whole parts of the margin. Not measured."""


class Cleared(NamedTuple):
    """A photo that was cleared of objects.

    Args:
        picture: float32 ``[H, W, 3]`` in 0..255.
        changed: the pixels that may differ from the photo, bool ``[H, W]``.
        unsure: whether the filling may show.
    """

    picture: np.ndarray
    changed: np.ndarray
    unsure: bool


def cleared(
    rgb: np.ndarray,
    taken: Sequence[tuple[Location, Cast]],
    forbidden: np.ndarray | None,
    fill: Fill = fill_with_steps,
) -> Cleared:
    """Clears a photo of some objects, their shadows and their reflections.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        taken: the objects, and what each casts.
        forbidden: bool ``[H, W]``, other objects: nothing is copied from them.
        fill: fills the holes.

    Returns:
        The photo without them.
    """
    if not taken:
        return Cleared(rgb.astype(np.float32), np.zeros(rgb.shape[:2], bool), unsure=False)
    lit = _without_shadows(rgb, [one for _, one in taken])
    small = small_copy(lit)
    size = small.shape[1::-1]
    unit = unit_of(size)
    mask = np.zeros(small.shape[:2], bool)
    cast = mask.copy()
    mirrored = mask.copy()
    for location, one in taken:
        mask |= scaled(location.hard.astype(np.float32), size) > _LEAST_COVER
        cast |= one.mask
        mirrored |= one.reflection.mask
    elsewhere = None if forbidden is None else forbidden_small(forbidden, mask, size)
    own = mask | rest_beside(small, mask, _OBJECT_MARGIN_UNITS[0] * unit, unit, elsewhere)
    margin, fade = _margin(small, own, elsewhere, unit)
    hole = grow(own | mirrored, margin) | _about_shadow(small, cast, 1.0, unit)
    if elsewhere is not None:
        hole &= ~elsewhere | grow(mask, _TOUCHING_UNITS * unit)
    solid = grow(own, margin - fade) | _about_shadow(small, cast, _SHADOW_SOLID_SHARE, unit)
    completion = fill(small, hole, _not_behind(elsewhere, hole, unit))
    filled = completion.picture
    # not at the object's upper side, where another thing may be dark
    dim = hole & ~solid & (near_foot(mask, _REST_UNITS * unit) | grow(cast, _REST_UNITS * unit))
    solid |= _rests(small, filled, dim, unit)
    filled = settle(small, filled, hole, solid)
    full = with_detail(lit, small, filled, completion.steps, share=share_of_fill(hole, solid))
    changed = scaled(hole.astype(np.float32), rgb.shape[1::-1]) > 0
    unsure = completion.doubt > _MOST_DOUBT
    return Cleared(full, changed | differs(lit, rgb), unsure)


def _without_shadows(rgb: np.ndarray, casts: Sequence[Cast]) -> np.ndarray:
    """Lifts shadows off a photo; takes and returns uint8 ``[H, W, 3]``."""
    if not any((one.shadow.seen > LEAST_SEEN_LOSS).any() for one in casts):
        return rgb
    lit = rgb.astype(np.float32)
    for one in casts:
        one.lift_off(lit)
    return np.rint(lit, out=lit).astype(np.uint8)


def _margin(
    rgb: np.ndarray, own: np.ndarray, elsewhere: np.ndarray | None, unit: float
) -> tuple[float, float]:
    """Returns the widths in pixels of a hole's margin and of the part of it in which the filling fades."""
    widest = grow(own, _OBJECT_MARGIN_UNITS[0] * unit)
    others = np.zeros_like(own) if elsewhere is None else elsewhere
    several = int(several_surfaces(rgb, widest, others))
    margin = _OBJECT_MARGIN_UNITS[several] * unit
    fade = max(_FADE_SHARE[several] * margin, _LEAST_FADE_PIXELS)
    return max(margin, fade + 1), fade


def _about_shadow(rgb: np.ndarray, cast: np.ndarray, share: float, unit: float) -> np.ndarray:
    """Returns a shadow and a share of its margin, bool ``[H, W]``: wide where the surface goes on."""
    if not cast.any():
        return cast
    least, most = (share * width * unit for width in _SHADOW_MARGIN_UNITS)
    near = grow(cast, least)
    even = (slope_of(rgb, unit) < _MOST_SLOPE) | near
    return connected(grow(cast, most) & even, near)


def _not_behind(others: np.ndarray | None, hole: np.ndarray, unit: float) -> np.ndarray | None:
    """Returns the other objects that nothing is copied from; none where they are what lies behind."""
    if others is None:
        return None
    rim = grow(hole, _RIM_UNITS * unit) & ~hole
    return others if others[rim].sum() <= _MOST_OTHERS * rim.sum() else None


def _rests(rgb: np.ndarray, filled: np.ndarray, margin: np.ndarray, unit: float) -> np.ndarray:
    """Finds rests of a shadow, bool ``[H, W]``: where a hole's margin is darker than its filling.

    They may be of any colour, since an object's own colour shines into its shadow.
    """
    return margin & (contrast(rgb, filled, margin, unit).mean(-1) > _LEAST_REST)


def small_copy(rgb: np.ndarray) -> np.ndarray:
    """Shrinks a picture to the size at which holes are filled, :data:`FILL_SIDE` on its longer side."""
    factor = min(1.0, FILL_SIDE / max(rgb.shape[:2]))
    if factor == 1:
        return rgb
    # by the rounded size: the way back scales by its ratio too, by the factor the picture would shift
    height, width = (max(1, round(side * factor)) for side in rgb.shape[:2])
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def forbidden_small(forbidden: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scales ``forbidden`` to a size (width, height), and frees the object ``mask`` and its edge."""
    return (scaled(forbidden.astype(np.float32), size) > 0.5) & ~grow(mask, _OBJECT_EDGE_PIXELS)


def settle(rgb: np.ndarray, filled: np.ndarray, hole: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Fits a filling to the light about its hole and lets it fade into the photo.

    In the hole's margin outside ``solid`` the photo is known: what the filling lacks there in low frequencies
    is added to all of it, and across the margin it gives way to the photo.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        filled: the photo with its hole filled, uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        solid: bool ``[H, W]``, the part of the hole in which nothing of the photo may be seen.

    Returns:
        uint8 ``[H, W, 3]``.
    """
    margin = hole & ~solid
    if not margin.any():
        return filled
    sigma = max(hole.shape) / _LIGHT_SIGMAS_A_SIDE
    x, y, w, h = cv2.boundingRect(hole.astype(np.uint8))
    box = np.s_[y : y + h, x : x + w]
    photo, filled, margin = rgb[box], filled[box], margin[box]
    missed: np.ndarray = photo.astype(np.float32) - filled
    # what differs by more than light may is another thing there, whose colour is not to spread
    common = np.median(missed[margin], axis=0)
    common *= np.linalg.norm(common) <= _LIGHT_LEVELS
    steady: np.ndarray = cv2.GaussianBlur(missed, (0, 0), sigma / _STEADY) - common
    off = np.linalg.norm(steady, axis=-1) / _LIGHT_LEVELS
    low = normalised_blur(missed / ((1 + off**2) ** 2)[..., None], margin, sigma)
    share = share_of_fill(hole, solid)[box][..., None]
    mixed = photo * (1 - share) + (filled + low) * share
    out = rgb.copy()
    out[box] = np.clip(mixed, 0, 255).round().astype(np.uint8)
    return out


def share_of_fill(hole: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Returns the filling's share in the picture, float32 ``[H, W]``: 1 in ``solid``, 0 outside ``hole``."""
    inward = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    outward = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
    return (inward / np.maximum(inward + outward, 1e-6) * hole).astype(np.float32)
