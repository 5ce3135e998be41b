"""Tells a shadow beside an object from a dark neighbour, by what shadows have and neighbours lack.

A shadow lies against the outline that casts it, and where it ends the surface is in full light again. A black
chair, a bag or a cable touches the object at a corner, ends at another thing as dark, or runs on out of
sight; a lid or a label has edges inside. Each sign is a number, each number becomes a share in [0, 1], and
the confidence is their product: one sign that speaks against a shadow is enough.

The limits were set on ReS, where a photo of the same scene without the object tells the true loss of light:
16 scenes (those with an even (n + 1) / 2 of "pn"; 29 dark places) and 20 of 40 rendered cases.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.light import FLOOR
from realedit.pixels.masks import grow, shrink

_CONTACT_SHARE = (0.13, 0.27)
"""Share of a dark place's outline that lies along the object: up to the first it is no shadow, at or above
the second this sign does not doubt it. Set on 16 scenes of ReS and 20 rendered cases; shadows had 0.29 to
0.62 (a long narrow one 0.2), neighbours 0.0 to 0.3."""
_LONG_CONTACT_SHARE = (0.10, 0.15)
"""The same share of a place that lies along much of the object, as a long shadow does: up to the first it is
no shadow, at or above the second this sign does not doubt it. Set on 16 scenes of ReS, 20 rendered cases and
README's picture (0.16); neighbours that touched as long had 0.05 to 0.07."""
_CONTACT_LENGTH = (0.35, 0.48)
"""Length along which a place lies against the object, in square roots of the object's area: up to the first
the limits for a long one do not hold, at or above the second they do. Set on the same; README's long shadow
had 0.49."""
_LONG_DEPTH = (1.0, 0.6)
"""Loss of log intensity deep in such a place: at or above the first it is another thing, up to the second
this sign does not doubt it, since a shadow that reaches far gets light from all around. Set on the same;
README's had 0.31."""
_AREA_RATIO = (1.0, 0.6)
"""Area of the place in areas of the object: at or above the first it is another thing, up to the second this
sign does not doubt it. Set on 16 scenes of ReS and 20 rendered cases; shadows had 0.02 to 0.4."""
_DEPTH_LOSS = (2.6, 1.9)
"""Loss of log intensity deep in the place: at or above the first it is black in any light, up to the second
this sign does not doubt it. Set on 16 scenes of ReS and 20 rendered cases; shadows had 0.2 to 1.9, those
above 1.5 in contact only."""
_OUTSIDE_RATIO = (0.75, 0.35)
"""Darkness just outside the place, as a share of its own: at or above the first what it ends at is as dark as
it is, up to the second the surface is lit again. Set on 16 scenes of ReS and 20 rendered cases; shadows had
-0.1 to 0.45."""
_TEXTURE_LOSS = (0.45, 0.25)
"""Standard deviation of the surface's own log intensity: at or above the first nothing dark can be told from
it, up to the second this sign does not doubt it. Set on 16 scenes of ReS and 20 rendered cases."""
_INNER_SLOPE = (1.0, 0.6)
"""Slope where it is steep inside the place, in log intensity a unit: at or above the first it is a thing's
edge, up to the second a shadow's own fading or the surface's texture. Set on 16 scenes of ReS and 20 rendered
cases."""
_CUT_SHARE = (0.40, 0.20)
"""Share of the place's outline at which only the search ends: at or above the first it is a thing that runs
on, up to the second a shadow that ends. Set on 16 scenes of ReS and 20 rendered cases."""
_DEEP_PERCENTILE, _STEEP_PERCENTILE, _OUTSIDE_PERCENTILE = 90, 90, 75
"""Percentiles of the loss, of the slope and of the darkness outside that count: higher ones let fewer pixels
doubt a shadow, lower ones take more of them. Not measured."""
_LEAST_DEPTH = 0.05
"""Least loss of log intensity that the darkness outside is a share of: smaller ones are raised to it, larger
ones stay. Not measured."""
_RIM_UNITS = 1
"""Width of the place's outline in units: wider ones reach more of what is about it, narrower ones less. Not
measured."""
_CONTACT_UNITS = 1.5
"""Distance from the object in units up to which the outline lies along it; farther out it does not. Not
measured."""
_APART_UNITS = 2
"""Distance from the object in units up to which darkness and slopes may be the object's own edge and are not
looked at; farther out they are. Not measured."""
_OUTSIDE_UNITS = 3
"""Distance from the place in units up to which the darkness outside is looked at, beyond its outline; farther
out it is not. Not measured."""
_INSIDE_UNITS = 2
"""Distance from the place's outline in units up to which slopes are the place's own edge; farther in they
are edges inside. Not measured."""
_LEAST_INSIDE_PIXELS, _LEAST_APART_PIXELS = 10, 4
"""Pixels that are left inside, and apart from the object: with fewer, slopes are looked at in more of the
place, with as many or more only there. Not measured."""
_MOST_ROUGHER = 0.95
"""Mean slope of log intensity about a shadow once it is lifted, as a share of that before: above it what was
lifted is no shadow, up to it is one. Set on 16 scenes of ReS and 25 photographs of COCOEE: seven true shadows
have 0.57 to 0.86 (one that is found in part 0.93), three that are none 1.01, 1.14 and 2.13."""
_LIFT_BLUR_UNITS = 1
"""Standard deviation in units of the blur before those slopes are measured: more of it hides the shadow's
edge, less of it measures grain. Not measured."""
_LIFT_LEAST_LOSS = 0.03
"""Loss of log intensity above which a place is lifted, up to which it is not. Not measured."""
_LIFT_UNITS = 3
"""Width in units of what is looked at about the lifted places, and of what is left out about the object:
wider ones see more of the surface, narrower ones miss a soft edge. Not measured."""


def confidence(
    part: np.ndarray,
    dark: np.ndarray,
    slope: np.ndarray,
    mask: np.ndarray,
    beside: np.ndarray,
    reach: np.ndarray,
    texture: float,
    unit: float,
    *,
    touching: bool = False,
) -> float:
    """Returns how sure it is that a dark place is the object's shadow, in [0, 1].

    Args:
        part: the place, bool ``[H, W]``, connected.
        dark: log intensity that the photo lacks against its surface, float32 ``[H, W]``.
        slope: of the photo's log intensity, for each ``unit``, float32 ``[H, W]``.
        mask: the object, bool ``[H, W]``.
        beside: the pixels about the object that are looked at, bool ``[H, W]``.
        reach: where a shadow was looked for, bool ``[H, W]``.
        texture: standard deviation of ``dark`` on the surface outside shadows.
        unit: 1/256 of the longer side, in pixels.
        touching: whether it is known already that the place lies against the object.
    """
    outline = grow(part, _RIM_UNITS * unit)
    rim = outline & ~part
    if not rim.any():
        return 0.0
    near = grow(mask, _APART_UNITS * unit)
    along = int((rim & grow(mask, _CONTACT_UNITS * unit)).sum())
    contact = along / int(rim.sum())
    length = along / max(1, round(_RIM_UNITS * unit)) / float(np.sqrt(mask.sum()))
    depth = max(float(np.percentile(dark[part], _DEEP_PERCENTILE)), _LEAST_DEPTH)
    lies_against = max(
        _share(contact, *_CONTACT_SHARE),
        _share(contact, *_LONG_CONTACT_SHARE)
        * _share(length, *_CONTACT_LENGTH)
        * _share(depth, *_LONG_DEPTH),
    )
    cut = (rim & ~reach & ~near).sum() / rim.sum()
    outside = grow(part, _OUTSIDE_UNITS * unit) & ~outline & beside & ~near
    goes_on = float(np.percentile(dark[outside], _OUTSIDE_PERCENTILE)) / depth if outside.any() else 0.0
    steep = float(np.percentile(slope[_inside(part, near, unit)], _STEEP_PERCENTILE))
    signs = (
        (1.0 if touching else lies_against, (0.0, 1.0)),
        (float(part.sum() / mask.sum()), _AREA_RATIO),
        (depth, _DEPTH_LOSS),
        (goes_on, _OUTSIDE_RATIO),
        (texture, _TEXTURE_LOSS),
        (steep, _INNER_SLOPE),
        (float(cut), _CUT_SHARE),
    )
    return float(np.prod([_share(value, *limits) for value, limits in signs]))


def _inside(part: np.ndarray, near: np.ndarray, unit: float) -> np.ndarray:
    """Returns the pixels of a place away from its edge and from ``near``; in a small place, more of it."""
    apart = part & ~near
    inner = shrink(part, _INSIDE_UNITS * unit) & apart
    if inner.sum() >= _LEAST_INSIDE_PIXELS:
        return inner
    return apart if apart.sum() >= _LEAST_APART_PIXELS else part


def _share(value: float, none: float, full: float) -> float:
    """Returns 0 at ``none`` and beyond, 1 at ``full`` and beyond, and linear values between."""
    return float(np.clip((value - none) / (full - none), 0, 1))


def lifts_cleanly(
    rgb: np.ndarray, lifted: np.ndarray, loss: np.ndarray, mask: np.ndarray, unit: float
) -> bool:
    """Tells whether a photo is smoother without a shadow than with it: where it is not, there was none.

    Lifting a shadow takes its edge away; lifting what is none makes an edge, or more contrast inside.
    Finlayson et al. 2009, *Entropy Minimization for Shadow Removal*, ask the same of the entropy of colours.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        lifted: the photo with the shadow lifted, in 0..255, likewise.
        loss: the log intensity that was lifted, float32 ``[H, W, 3]``.
        mask: the object, bool ``[H, W]``.
        unit: 1/256 of the longer side, in pixels.
    """
    width = _LIFT_UNITS * unit
    about = grow(loss.mean(-1) > _LIFT_LEAST_LOSS, width) & ~grow(mask, width)
    if not about.any():
        return True
    before, after = (_slopes(picture, unit)[about].mean() for picture in (rgb, lifted))
    return bool(after <= _MOST_ROUGHER * before)


def _slopes(picture: np.ndarray, unit: float) -> np.ndarray:
    light: np.ndarray = np.log(np.clip(picture, 0, 255).astype(np.float32) + FLOOR).mean(-1)
    soft: np.ndarray = cv2.GaussianBlur(light, (0, 0), _LIFT_BLUR_UNITS * unit)
    right, down = (cv2.Sobel(soft, cv2.CV_32F, x, 1 - x, scale=1 / 8) for x in (1, 0))
    return np.hypot(right, down)
