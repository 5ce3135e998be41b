r"""Whether something dark beside an object is its shadow: what a shadow has and a dark neighbour has not.

A shadow lies against the outline that casts it, and where it ends the surface goes on as bright as it should
be. A black chair, a bag or a cable touches the object at a corner, ends at another thing as dark, or runs on
out of sight; a lid or a label has edges inside. Each sign is a number, each number a share in [0, 1], and the
confidence is their product: one sign that speaks against a shadow is enough.

The limits were set on ReS, where the same scene without the object tells the true loss of light: the sixteen
scenes with an even (n + 1) / 2 of "pn", 29 dark places, and the even half of 40 rendered cases.
"""

from __future__ import annotations

import numpy as np

from realedit.pixels.masks import grow, shrink

_CONTACT = (0.13, 0.27)
"""Share of a dark place's outline that lies along the object: at the first none is a shadow, from the second
on this sign does not doubt it. True ones had 0.29 to 0.62 (a long narrow one 0.2), neighbours 0.0 to 0.3."""
_AREA = (1.0, 0.6)
"""Area of the place in areas of the object: from the first on it is another thing, below the second any
shadow of an object that stands on something. True ones had 0.02 to 0.4."""
_DEPTH = (2.6, 1.9)
"""Loss of log intensity (ninth decile): from the first on it is black whatever the light, below the second a
room's light leaves no darker shadow. True ones had 0.2 to 1.9, those above 1.5 in contact only."""
_GOES_ON = (0.75, 0.35)
"""Darkness just outside the place, as a share of its own: from the first on what it ends at is as dark as it
is, below the second the surface is lit again. True ones had -0.1 to 0.45."""
_UNEVEN = (0.45, 0.25)
"""Standard deviation of the surface's own log intensity: from the first on nothing dark can be told from it,
below the second it does not matter."""
_INNER_EDGE = (1.0, 0.6)
"""Steepest slope inside, in log intensity for 1/256 of the longer side (ninth decile): from the first on it
is an edge that something has, below the second a shadow's own fading or the surface's texture."""
_CUT = (0.40, 0.20)
"""Share of its outline at which it is only cut off by the reach of the search: from the first on it is taken
for something that runs on, below the second for a shadow that ends."""


def confidence(
    part: np.ndarray,
    dark: np.ndarray,
    slope: np.ndarray,
    mask: np.ndarray,
    beside: np.ndarray,
    reach: np.ndarray,
    texture: float,
    unit: float,
) -> float:
    """How sure it is that a dark place is the object's shadow, in [0, 1].

    Args:
        part: the place, bool ``[H, W]``, connected.
        dark: log intensity that the photo lacks against its surface, float32 ``[H, W]``.
        slope: of the photo's log intensity, for each ``unit``, float32 ``[H, W]``.
        mask: the object, bool ``[H, W]``.
        beside: where its surroundings are seen, bool ``[H, W]``.
        reach: where a shadow was looked for, bool ``[H, W]``.
        texture: standard deviation of ``dark`` where no shadow is.
        unit: length in pixels that is one in a picture of 256.
    """
    rim = grow(part, unit) & ~part
    if not rim.any():
        return 0.0
    contact = (rim & grow(mask, 1.5 * unit)).sum() / rim.sum()
    cut = (rim & ~reach & ~grow(mask, 2 * unit)).sum() / rim.sum()
    depth = max(float(np.percentile(dark[part], 90)), 0.05)
    outside = grow(part, 3 * unit) & ~grow(part, unit) & beside & ~grow(mask, 2 * unit)
    goes_on = float(np.percentile(dark[outside], 75)) / depth if outside.any() else 0.0
    apart = part & ~grow(mask, 2 * unit)  # the object's own edge is steep
    inner = shrink(part, 2 * unit) & apart
    inner = inner if inner.sum() >= 10 else apart if apart.sum() >= 4 else part
    steep = float(np.percentile(slope[inner], 90))
    signs = (
        (float(contact), _CONTACT),
        (float(part.sum() / mask.sum()), _AREA),
        (depth, _DEPTH),
        (goes_on, _GOES_ON),
        (texture, _UNEVEN),
        (steep, _INNER_EDGE),
        (float(cut), _CUT),
    )
    return float(np.prod([_share(value, *limits) for value, limits in signs]))


def _share(value: float, none: float, all_: float) -> float:
    """0 at ``none`` and beyond, 1 at ``all_`` and beyond, straight between."""
    return float(np.clip((value - none) / (all_ - none), 0, 1))
