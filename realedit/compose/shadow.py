r"""Finds the shadow that an object casts, as a layer of lost light that goes along with the object.

A shadow takes light from a surface and leaves the surface as it is, so beside the object the photo is
modelled as :math:`I = B\, e^{-S}`, with B the surface in full light (continued from outside a band around the
object) and S >= 0 the light lost in each channel, in log intensity. The umbra is where S is large, nearly
grey (all channels lose alike), connected to the surroundings of the object's lower part, and has what tells a
shadow from a dark neighbour (:mod:`realedit.compose.shadow_evidence`). Around it the light comes back by
degrees; the penumbra reaches as far as that stands out from the surface's own texture.

Reference: the multiplicative illumination model is Land & McCann's (1971), *Lightness and Retinex Theory*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from realedit.compose.shadow_evidence import confidence, lifts_cleanly
from realedit.compose.shadow_growth import UMBRA_EDGE, grown
from realedit.compose.surroundings import Surroundings, look_beside, near_foot, slope_of, without_specks
from realedit.pixels.light import FLOOR, average
from realedit.pixels.masks import connected, disk, grow, shrink

_LEAST_UMBRA_LOSS = 0.08
"""Smallest loss of log intensity that counts as shadow: from there on it may be umbra, below it is none. Not
measured."""
_DEPTH_PERCENTILE = 80
"""Percentile of the loss at the object's foot that is taken for the shadow's depth: higher makes the umbra
smaller, lower larger. Set on 30 rendered cases, of one to three values tried."""
_LEAST_PENUMBRA_LOSS = 0.05
"""Smallest loss of log intensity in a penumbra: above it the penumbra goes on, up to it the penumbra ends.
Set on 30 rendered cases, of one to three values tried."""
_MOST_PENUMBRA_UNITS = 10
"""Largest distance of a penumbra from its umbra in units: nearer it is looked for, farther out all is
surface. Set on 30 rendered cases, of one to three values tried."""
_UMBRA_DEVIATIONS, _PENUMBRA_DEVIATIONS = 2.0, 3.0
"""Required darkness in standard deviations of the surface's texture: above it a pixel may be shadow, up to it
is texture; higher for the penumbra, which has no other evidence. Not measured."""
_FOOT_REACH = (0.7, 0.5)
"""Distances from the object's foot, in square roots of its area, up to which an umbra may reach, the first
tried first: larger ones find long shadows, smaller ones tell a shadow from a dark thing that it runs into.
Set on 16 scenes of ReS and 20 rendered cases; the first alone loses a third of what is gained on the scenes,
the second alone a quarter of what is gained on the rendered cases."""
_MOST_CUT_AREA = 0.3
"""Area, in areas of the object, of a dark place that is believed only within the second distance: above it it
is doubted as it was within the first, up to it is the shadow's beginning. Set on 16 scenes of ReS and 25
photographs of COCOEE: it concerns two, of one of which papers and a box went as shadow."""
_DOUBTED = 0.4
"""Most confidence in such a place: at 0.5 or above it would go along, up to 0.1 the user would not be told of
it. Set between the two."""
_LEAST_FOOT_REACH_UNITS = 6
"""Least value of that distance in units: smaller ones are raised to it, larger ones stay. Not measured."""
_BELIEVED_UNITS = 1
"""Distance in units from what is taken for shadow up to which nothing else is looked for; farther out it is.
Not measured."""
_SURE = 0.5
"""Confidence (0 to 1) that something dark is the object's shadow: at or above it, it goes along; below it, it
stays where it is. Not measured."""
_UNSURE = 0.1
"""The same confidence of what stays: above it the user is told of it, up to it is plainly another thing. Not
measured."""
_LEAST_UNSURE_SHARE = 0.2
"""Area of what stays as a share of what goes along: above it the user is told of it, up to it is a rest that
is not worth a word. Not measured."""
_LEAST_UNSURE_OBJECT = 0.03
"""The same as a share of the object's area: above it the user is told of it, up to it is a speck. Set on 16
scenes of ReS and 25 photographs of COCOEE: of four warnings one was of a speck of less than 0.005."""
_PENUMBRA_DEPTH = 1.5
"""Largest loss in a penumbra, in losses at the umbra's edge: higher lets it be darker, lower cuts it to the
edge's own loss and below. Not measured."""
_PENUMBRA_FALL_UNITS = 8
"""Distance from the umbra in units over which that limit falls from the umbra's own loss: longer takes more
of what is dark beside it, shorter leaves a step where the search ended the umbra. Set by eye."""
_FOOT_UNITS = 5
"""Distance from the foot in units up to which a shadow has to begin; farther out none begins. Not
measured."""
_LEAST_SQUARE_UNITS = 8
"""Least area of a shadow, and of its beginning at the foot, in square units: smaller ones are none. Not
measured."""
_END_UNITS = 1
"""Distance from an umbra in units up to which the search's end cuts it off; farther away the umbra ends by
itself. Not measured."""
_LEAST_END_SQUARE_UNITS = 3
"""Area in square units beyond the search's end that an umbra borders: above it the search goes on farther out
in all directions, up to it is over. Set on README's picture and 12 rendered cases."""
_GAP_UNITS = 2
"""Radius in units of the gaps in an umbra that are closed: larger ones stay gaps. Not measured."""
_CONTACT_UNITS = 3
"""Distance from the umbra in units up to which the object's edge, and what it stands on, is in shadow;
farther along the edge there is light. Not measured."""
_UMBRA_BLUR_UNITS, _PENUMBRA_BLUR_UNITS = 3, 2
"""Standard deviation in units of the blur that takes the surface's texture out of the loss, in the umbra and
in all that is seen: more of it softens the shadow, less of it moves texture along. Not measured."""
_EDGE_BLUR_UNITS = 1
"""Standard deviation in units of the blur of a shadow's edge: more of it is softer, less of it harder. Set by
eye."""


@dataclass(frozen=True)
class Shadow:
    """A shadow, and the light that it takes.

    Args:
        mask: its umbra, bool ``[H, W]``.
        loss: S, the log intensity lost in umbra and penumbra, carried on under the object;
            float32 ``[H, W, 3]`` >= 0.
        seen: the part of S that the photo shows beside the object, likewise.
        unsure: whether something dark beside the object may be its shadow and was left where it is.
    """

    mask: np.ndarray
    loss: np.ndarray
    seen: np.ndarray
    unsure: bool = False

    def cast(self, rgb: np.ndarray) -> np.ndarray:
        """Darkens a picture by the shadow; float32 ``[H, W, 3]`` in 0..255."""
        return (rgb.astype(np.float32) + FLOOR) * np.exp(-self.loss) - FLOOR

    def lift(self, rgb: np.ndarray) -> np.ndarray:
        """Lightens a picture by the part of the shadow that is seen; float32 ``[H, W, 3]`` in 0..255."""
        return np.minimum((rgb.astype(np.float32) + FLOOR) * np.exp(self.seen) - FLOOR, 255)


def no_shadow(rgb: np.ndarray) -> Shadow:
    """Returns a shadow that takes no light, for a picture ``[H, W, 3]``."""
    nothing = np.zeros(rgb.shape, np.float32)
    return Shadow(np.zeros(rgb.shape[:2], bool), nothing, nothing)


def find_shadow(rgb: np.ndarray, mask: np.ndarray, forbidden: np.ndarray | None = None) -> Shadow:
    """Finds the shadow of the object in ``mask``.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        forbidden: bool ``[H, W]``, other objects: no shadow of this one is looked for on them.

    Returns:
        One that takes no light if none is found.
    """
    empty = no_shadow(rgb)
    seen = look_beside(rgb, mask, forbidden)
    if seen is None:
        return empty
    umbra, others, unsure = _umbra(rgb, seen, mask)
    if not umbra.any():
        return replace(empty, unsure=unsure)
    if _runs_out(seen, umbra, mask):
        farther = look_beside(rgb, mask, forbidden, diagonally=True)
        again = None if farther is None else _umbra(rgb, farther, mask)
        if farther is not None and again is not None and again[0].any():
            seen, (umbra, others, unsure) = farther, again
    seen, umbra = grown(rgb, seen, umbra, near_foot(mask, _foot_reach(mask, _FOOT_REACH[-1], seen.unit)))
    core = shrink(umbra, seen.unit) & seen.beside
    if not core.any():
        core = umbra & seen.beside
    depth = np.median(seen.loss[core], axis=0).clip(0)
    lost = _lost(seen, umbra, others, depth)
    found = Shadow(umbra, np.maximum(_layer(seen, umbra, mask, depth), lost), lost, unsure)
    clean = lifts_cleanly(rgb, found.lift(rgb), lost, mask, seen.unit)
    return found if clean else replace(empty, unsure=unsure)


def _runs_out(seen: Surroundings, umbra: np.ndarray, mask: np.ndarray) -> bool:
    """Tells whether an umbra reaches the end of what was looked at, away from the object."""
    end = grow(umbra, _END_UNITS * seen.unit) & ~seen.beside & ~grow(mask, 2 * _END_UNITS * seen.unit)
    return bool(end.sum() > _LEAST_END_SQUARE_UNITS * seen.unit**2)


def _umbra(rgb: np.ndarray, seen: Surroundings, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Finds where most of the shadow's depth is lost, bool ``[H, W]``; nowhere if there is no shadow.

    Returns:
        That; what is dark there and no shadow, bool ``[H, W]``; and whether that may be one all the same.
    """
    unit = seen.unit
    faintest = max(_LEAST_UMBRA_LOSS, _UMBRA_DEVIATIONS * seen.texture)
    least_area = _LEAST_SQUARE_UNITS * unit**2
    touching = near_foot(mask, _FOOT_UNITS * unit) & seen.beside
    slope = slope_of(rgb, unit)
    dark = seen.grey & (seen.dark > faintest)
    found, believed, others, unsure = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask), False
    for far in _FOOT_REACH:
        free = seen.beside & ~grow(believed, _BELIEVED_UNITS * unit)
        reach = near_foot(mask, _foot_reach(mask, far, unit)) & free
        candidates = connected(without_specks(dark & reach, unit), touching)
        others, unsure = np.zeros_like(mask), False
        count, labels = cv2.connectedComponents(candidates.astype(np.uint8))
        for number in range(1, count):
            part = labels == number
            if part.sum() < least_area:
                continue
            sure = confidence(part, seen.dark, slope, mask, seen.beside, reach, seen.texture, unit)
            if far < _FOOT_REACH[0] and part.sum() > _MOST_CUT_AREA * mask.sum():
                sure = min(sure, _DOUBTED)  # it was doubted as a whole, and this is much of it
            if sure < _SURE:
                others |= part
                least_told = max(_LEAST_UNSURE_SHARE * believed.sum(), _LEAST_UNSURE_OBJECT * mask.sum())
                unsure |= sure > _UNSURE and part.sum() > least_told
                continue
            # a long shadow touches its object with little of its outline: its beginning has shown that
            whole = connected(without_specks(dark & free, unit), part)
            goes_on = confidence(
                whole, seen.dark, slope, mask, seen.beside, free, seen.texture, unit, touching=True
            )
            part = whole if goes_on >= _SURE else part
            believed |= part
            depth = float(np.percentile(seen.dark[part & touching], _DEPTH_PERCENTILE))
            found |= connected(part & (seen.dark > max(faintest, UMBRA_EDGE * depth)), touching)
    if not found.any():
        return found, others, unsure
    found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, disk(_GAP_UNITS * unit)) > 0
    found |= grow(found, _CONTACT_UNITS * unit) & grow(mask, unit)
    found &= ~mask & ~others
    return (found if found.sum() >= least_area else np.zeros_like(mask)), others, unsure


def _foot_reach(mask: np.ndarray, far: float, unit: float) -> float:
    """Returns a distance from the foot in pixels, ``far`` in square roots of the object's area."""
    return max(far * float(np.sqrt(mask.sum())), _LEAST_FOOT_REACH_UNITS * unit)


def _layer(seen: Surroundings, umbra: np.ndarray, mask: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Returns the umbra's loss without the surface's texture, carried on under the object."""
    unit = seen.unit
    under = mask & grow(umbra, _CONTACT_UNITS * unit)
    blur = _EDGE_BLUR_UNITS * unit
    edge = cv2.GaussianBlur((umbra | under).astype(np.float32), (0, 0), blur)
    # a soft shadow fades: its own slope, without the surface's texture, but never deeper than its core
    fading = average(seen.loss, umbra & seen.beside, _UMBRA_BLUR_UNITS * unit).clip(0)
    full = np.where(under[..., None], 1.0, np.minimum(fading / np.maximum(depth, 1e-3), 1.0))
    share: np.ndarray = cv2.GaussianBlur(full.astype(np.float32), (0, 0), blur)
    return (edge[..., None] * share * depth).astype(np.float32)


def _lost(seen: Surroundings, umbra: np.ndarray, others: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Returns the loss seen in umbra and penumbra, of the umbra's colour, without the texture.

    ``others``, bool ``[H, W]``, is dark for other reasons.
    """
    unit = seen.unit
    near = umbra & seen.beside
    faintest = max(_LEAST_PENUMBRA_LOSS, _PENUMBRA_DEVIATIONS * seen.texture)
    within = grow(near, _MOST_PENUMBRA_UNITS * unit) & ~others
    fading = connected(seen.grey & (seen.dark > faintest) & within, near)
    fading = without_specks(fading, unit)
    edge = cv2.GaussianBlur((fading | near).astype(np.float32), (0, 0), _EDGE_BLUR_UNITS * unit)
    share = edge * seen.beside.astype(np.float32)
    # a penumbra is little darker than the umbra's edge
    most = _PENUMBRA_DEPTH * UMBRA_EDGE * max(float(depth.mean()), _LEAST_PENUMBRA_LOSS)
    lost = average(seen.loss, seen.beside, _PENUMBRA_BLUR_UNITS * unit).mean(-1).clip(0)
    # where the search ended the umbra, and not the light, a sudden limit would show as an edge
    fall = _PENUMBRA_FALL_UNITS * unit
    apart = cv2.distanceTransform((~near).astype(np.uint8), cv2.DIST_L2, 5) / fall
    beside_it = average(seen.loss, near, fall).mean(-1).clip(0)
    limit = np.where(near, np.inf, np.maximum(most, beside_it * (1 - apart)))
    lost = np.minimum(lost, limit) * share
    return (lost[..., None] * (depth / max(float(depth.mean()), 1e-3))).astype(np.float32)
