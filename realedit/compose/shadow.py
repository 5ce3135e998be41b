r"""The shadow that an object casts: found in the photo, as a layer of light that goes where the object goes.

A shadow leaves what it falls on in place and takes light from it, so the photo is modelled as
:math:`I = B\, e^{-S}` beside the object, with B what the surface would look like (its continuation from
outside a band around the object) and S >= 0 the lost light per channel, in log intensity. S is believed
where it is dark against the band, nearly grey (light is lost alike in all channels), touches the object's
lower part and has what tells a shadow from a dark neighbour (:mod:`realedit.compose.shadow_evidence`): that
is the umbra. About it the light comes back by degrees, which is believed as far as it can
be told from the surface's own texture: that is the penumbra.

Reference: the multiplicative illumination model is Land & McCann's (1971), *Lightness and Retinex Theory*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from realedit.compose.shadow_evidence import confidence
from realedit.pixels.hole_filling import rough_fill
from realedit.pixels.light import FLOOR, average, contrast, shade
from realedit.pixels.masks import connected, disk, grow, shrink
from realedit.pixels.unit import unit_of

_REACH = 0.6
"""How far a shadow is looked for around the object, in square roots of its area (1.5 times as far to the
sides)."""
_FAINTEST = 0.08
"""Least loss of log intensity that counts as a shadow."""
_EDGE = 0.35
"""Share of the shadow's own depth at which its umbra ends."""
_FADED = 0.05
"""Loss of log intensity at which a penumbra ends."""
_WIDEST = 10
"""Of a penumbra, in pixels of a picture of 256."""
_UMBRA_STANDS_OUT, _PENUMBRA_STANDS_OUT = 2.0, 3.0
"""How many standard deviations of the surface's own texture each is darker by: a penumbra has less else to
be told by."""
_FAR = (0.7, 0.5)
"""How far from the object's foot an umbra may reach, in square roots of the object's area: a long shadow
needs the first, one that runs into another dark thing is told from it at the second. On the scenes that they
were set on, the first alone loses a third of what is gained on photographs, the second alone a quarter of
that on rendered ones."""
_SURE = 0.5
"""Confidence from which on what is dark is taken for a shadow and goes along; below it stays where it is."""
_UNSURE = 0.1
"""Confidence from which on what is dark and stays is told of: below it is plainly another thing."""
_FOOT = 0.3
"""Lowest share of an object, about which its shadow begins."""


@dataclass(frozen=True)
class Shadow:
    """A shadow, and the light that it takes.

    Args:
        mask: its umbra, bool ``[H, W]``.
        loss: log intensity lost in umbra and penumbra, and on under the object; float32 ``[H, W, 3]`` >= 0.
        seen: the same as it is seen beside the object, and only there.
        unsure: whether something dark beside the object might have been its shadow and was left where it is.
    """

    mask: np.ndarray
    loss: np.ndarray
    seen: np.ndarray
    unsure: bool = False

    def cast(self, rgb: np.ndarray) -> np.ndarray:
        """Take the shadow's light from a picture; float32 ``[H, W, 3]`` in 0..255."""
        return (rgb.astype(np.float32) + FLOOR) * np.exp(-self.loss) - FLOOR

    def lift(self, rgb: np.ndarray) -> np.ndarray:
        """Give what is seen of it back; float32 ``[H, W, 3]`` in 0..255."""
        return np.minimum((rgb.astype(np.float32) + FLOOR) * np.exp(self.seen) - FLOOR, 255)


class _Surroundings(NamedTuple):
    """What is seen beside an object: bool ``[H, W]`` but for ``loss`` ``[H, W, 3]`` and ``dark`` ``[H, W]``.

    ``loss`` is in log intensity, ``dark`` its mean over the channels and a small neighbourhood; ``grey`` is
    where all channels lose alike; ``unit`` the length in pixels that is one in a picture of 256; ``texture``
    the standard deviation of ``dark`` where no shadow is.
    """

    beside: np.ndarray
    loss: np.ndarray
    dark: np.ndarray
    grey: np.ndarray
    texture: float
    unit: float


def no_shadow(rgb: np.ndarray) -> Shadow:
    """The absence of one."""
    nothing = np.zeros(rgb.shape, np.float32)
    return Shadow(np.zeros(rgb.shape[:2], bool), nothing, nothing)


def find_shadow(rgb: np.ndarray, mask: np.ndarray, forbidden: np.ndarray | None = None) -> Shadow:
    """The shadow of the object in ``mask``; an empty one where none can be told.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        forbidden: bool ``[H, W]``, other objects: no shadow of this one is looked for on them.
    """
    empty = no_shadow(rgb)
    seen = _look_beside(rgb, mask, forbidden)
    if seen is None:
        return empty
    umbra, others, unsure = _umbra(rgb, seen, mask)
    if not umbra.any():
        return replace(empty, unsure=unsure)
    core = shrink(umbra, seen.unit) & seen.beside
    if not core.any():
        core = umbra & seen.beside
    depth = np.median(seen.loss[core], axis=0).clip(0)
    lost = _lost(seen, umbra, others, depth)
    return Shadow(umbra, np.maximum(_layer(seen, umbra, mask, depth), lost), lost, unsure)


def _look_beside(rgb: np.ndarray, mask: np.ndarray, forbidden: np.ndarray | None) -> _Surroundings | None:
    """What the surface about an object lacks in light; None where nothing is open about it."""
    unit = unit_of(mask.shape)
    reach = float(np.clip(_REACH * np.sqrt(mask.sum()), 6 * unit, 60 * unit))
    sideways = np.ones((1, 2 * int(1.5 * reach) + 1), np.uint8)
    band = grow(mask, reach) | (cv2.dilate(mask.astype(np.uint8), sideways) > 0)
    beside = band & ~grow(mask, unit)
    if forbidden is not None:
        beside &= ~forbidden
    if not beside.any():
        return None
    surface = rough_fill(rgb, band, forbidden)
    smooth = contrast(rgb, surface, beside, 1.5 * unit)
    dark, grey = shade(smooth)
    grey &= beside
    # what is lighter than the surface is no shadow; of a normal distribution, the median's 1.48 times
    lighter = -dark[beside & (dark < 0)]
    texture = 1.48 * float(np.median(lighter)) if lighter.size else 0.0
    return _Surroundings(beside, contrast(rgb, surface), dark, grey, texture, unit)


def _umbra(rgb: np.ndarray, seen: _Surroundings, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Where light is lost for most of the shadow's depth, bool ``[H, W]``; empty where there is no shadow.

    Also what is dark there and no shadow, bool ``[H, W]``, and whether that might have been one.
    """
    unit = seen.unit
    faintest = max(_FAINTEST, _UMBRA_STANDS_OUT * seen.texture)
    touching = near_foot(mask, 5 * unit) & seen.beside
    slope = _slope(rgb, unit)
    found, believed, others, unsure = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask), False
    for far in _FAR:
        reach = (
            near_foot(mask, max(far * float(np.sqrt(mask.sum())), 6 * unit))
            & seen.beside
            & ~grow(believed, unit)
        )
        dark = (seen.grey & (seen.dark > faintest) & reach).astype(np.uint8)
        candidates = connected(cv2.morphologyEx(dark, cv2.MORPH_OPEN, disk(unit)) > 0, touching)
        others, unsure = np.zeros_like(mask), False
        count, labels = cv2.connectedComponents(candidates.astype(np.uint8))
        for number in range(1, count):
            part = labels == number
            if part.sum() < 8 * unit**2:
                continue
            sure = confidence(part, seen.dark, slope, mask, seen.beside, reach, seen.texture, unit)
            if sure < _SURE:
                others |= part
                unsure |= sure > _UNSURE
                continue
            believed |= part
            deep = float(np.percentile(seen.dark[part & touching], 80))
            found |= connected(part & (seen.dark > max(faintest, _EDGE * deep)), touching)
    if not found.any():
        return found, others, unsure
    found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, disk(2 * unit)) > 0
    found |= grow(found, 3 * unit) & grow(mask, unit)
    found &= ~mask & ~others
    return (found if found.sum() >= 8 * unit**2 else np.zeros_like(mask)), others, unsure


def _slope(rgb: np.ndarray, unit: float) -> np.ndarray:
    """Slope of a photo's log intensity for each unit of length, float32 ``[H, W]``."""
    light = np.log(rgb.astype(np.float32) + FLOOR).mean(-1)
    soft = cv2.GaussianBlur(light, (0, 0), 0.5 * unit)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    return np.hypot(across, down) * unit


def _layer(seen: _Surroundings, umbra: np.ndarray, mask: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """The umbra's loss: the surface's texture averaged out of it, carried on under the object, softened."""
    unit = seen.unit
    under = mask & grow(umbra, 3 * unit)
    edge = cv2.GaussianBlur((umbra | under).astype(np.float32), (0, 0), unit)
    # a soft shadow fades: its own slope, free of the surface's texture, but never deeper than its core
    fading = average(seen.loss, umbra & seen.beside, 3 * unit).clip(0)
    share = np.where(under[..., None], 1.0, np.minimum(fading / np.maximum(depth, 1e-3), 1.0))
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), unit)
    return (edge[..., None] * share * depth).astype(np.float32)


def _lost(seen: _Surroundings, umbra: np.ndarray, others: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """The loss in umbra and penumbra as it is seen: of the umbra's colour, the texture averaged out of it.

    ``others``, bool ``[H, W]``, is dark for other reasons.
    """
    unit = seen.unit
    near = umbra & seen.beside
    faintest = max(_FADED, _PENUMBRA_STANDS_OUT * seen.texture)
    about = grow(near, _WIDEST * unit) & ~others
    fading = connected(seen.grey & (seen.dark > faintest) & about, near)
    fading = cv2.morphologyEx(fading.astype(np.uint8), cv2.MORPH_OPEN, disk(unit)) > 0
    share = cv2.GaussianBlur((fading | near).astype(np.float32), (0, 0), unit) * seen.beside
    # a penumbra is no darker than the umbra's edge
    deepest = np.where(near, np.inf, max(_EDGE, _FADED) * max(float(depth.mean()), _FADED) * 1.5)
    lost = np.minimum(average(seen.loss, seen.beside, 2 * unit).mean(-1).clip(0), deepest) * share
    return (lost[..., None] * (depth / max(float(depth.mean()), 1e-3))).astype(np.float32)


def near_foot(mask: np.ndarray, radius: float) -> np.ndarray:
    """The surroundings of the object's lowest part, where it stands on something."""
    rows = np.flatnonzero(mask.any(1))
    lower = mask.copy()
    lower[: round(rows[-1] - _FOOT * (rows[-1] - rows[0]))] = False
    return grow(lower, radius)
