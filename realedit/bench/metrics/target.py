r"""Checks whether an edit did what was asked, by the pictures alone: no mask or attention of the method's.

* move, resize, rotate: the object's pixels are looked for all over the result
  (:mod:`realedit.bench.metrics.registration`); it is as large and turned as in the truth, and in its place:
  the truth's (what really grows keeps standing), or about its own centroid, as it is asked for.
* remove: its pixels are no longer where they were, and the hole looks like the truth's.
* replace, recolour: the mean colour where the new object truly is has come at least half the way.

A case on which this check does not pass the truth itself, or passes the untouched photo, cannot be judged: a
plate turned about its centre, glass, a new colour much like the old one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import GEOMETRIC
from realedit.bench.metrics.missing import MetricUnavailableError
from realedit.bench.metrics.registration import register, remains, wrapped
from realedit.bench.regions import centroid

CENTROID, SIZE, ANGLE = 0.02, 0.1, 5.0
"""Errors of place (a fraction of the width), size (a share) and angle (degrees): up to them an edit did what
was asked, above any of them it did not. Not measured."""
SCORE = 0.5
"""Correlation of an object's pixels, up to 1: at or above it the object was found, below it was not. Not
measured."""
REMAINS = 0.7
"""Correlation at an object's old place, up to 1: at or above it the object is still there, below it is gone.
Not measured."""
HALF = 0.5
"""Share of the untouched photo's colour difference to the truth: up to it an edit did what was asked, above
it did not. Not measured."""
NOTICED = 5.0
"""CIEDE2000 of a recolouring: above it the new colour can be told at a glance, at or below it the case cannot
be judged. Not measured; 2 is just noticeable."""

REACHED = "target_reached"
Check = Callable[[np.ndarray], dict[str, float]]


@dataclass(frozen=True)
class Target:
    """What a case asks for, and the check of a picture against it.

    Args:
        check: a picture, uint8 ``[H, W, 3]``, to figures; :data:`REACHED` is 1 or 0.
    """

    check: Check

    @classmethod
    def of(cls, loaded: LoadedCase) -> Target:
        """Returns the target of a case.

        Raises:
            MetricUnavailableError: it has none that is known, or the check cannot tell it from the photo.
        """
        check = _check(loaded)
        truth = loaded.truth
        if truth is None:
            raise MetricUnavailableError("the case has no truth")
        if not check(truth)[REACHED] or check(loaded.photo)[REACHED]:
            raise MetricUnavailableError("the check cannot tell this case's truth from its photo")
        return cls(check)


def _check(loaded: LoadedCase) -> Check:
    kind, mask, truth, there = loaded.case.edit.kind, loaded.mask, loaded.truth, loaded.truth_mask
    if mask is None or truth is None or not mask.any():
        raise MetricUnavailableError("the case has no mask of the object or no truth")
    if kind == "remove":
        return partial(removed, loaded.photo, mask, truth)
    if there is None or not there.any() or kind not in GEOMETRIC | {"replace", "recolour"}:
        raise MetricUnavailableError("where the object is afterwards is not known")
    if kind in GEOMETRIC:
        return partial(placed, loaded, mask, there)
    return partial(coloured, loaded.photo, truth, there)


def placed(loaded: LoadedCase, mask: np.ndarray, there: np.ndarray, picture: np.ndarray) -> dict[str, float]:
    r"""Measures errors of the object's place, size and angle; 0 is right.

    ``target_centroid``: :math:`\sqrt{\Delta x^2 + (\Delta y\, h / w)^2}`, a fraction of the width, to the
    truth's or to the asked place, whichever is nearer;
    ``target_size``: :math:`|s / s_{true} - 1|`, the true size by the masks' areas; ``target_angle``, degrees,
    of a rotation alone: what is moved looks turned by the perspective.
    """
    edit = loaded.case.edit
    size = math.sqrt(float(there.sum()) / float(mask.sum()))
    likely = [(edit.scale * factor, edit.angle * share) for factor in (0.85, 1, 1.18) for share in (0.5, 1)]
    found = register(loaded.photo, mask, picture, likely)
    h, w = there.shape
    own = centroid(mask)
    places = (centroid(there), (own[0] + edit.dx, own[1] + edit.dy))
    figures = {
        "target_centroid": min(math.hypot(found.x - x, (found.y - y) * h / w) for x, y in places),
        "target_size": abs(found.scale / size - 1),
    }
    near = figures["target_centroid"] <= CENTROID and figures["target_size"] <= SIZE
    if edit.kind == "rotate":
        figures["target_angle"] = abs(wrapped(found.angle - edit.angle))
        near &= figures["target_angle"] <= ANGLE
    return figures | {REACHED: float(near and found.score >= SCORE)}


def removed(photo: np.ndarray, mask: np.ndarray, truth: np.ndarray, picture: np.ndarray) -> dict[str, float]:
    """Measures what is left of a removed object; lower is better.

    ``target_remains``: correlation with its own pixels at its place; ``target_hole``: mean colour difference
    (CIEDE2000) of the hole's pixels to the truth's, as a share of the untouched photo's.
    """
    before, now = (
        float(deltaE_ciede2000(rgb2lab(one[mask]), rgb2lab(truth[mask])).mean()) for one in (photo, picture)
    )
    figures = {"target_remains": remains(photo, mask, picture), "target_hole": now / max(before, 1e-6)}
    gone = figures["target_remains"] < REMAINS and figures["target_hole"] <= HALF
    return figures | {REACHED: float(gone)}


def coloured(
    photo: np.ndarray, truth: np.ndarray, there: np.ndarray, picture: np.ndarray
) -> dict[str, float]:
    """Measures ``target_colour``: CIEDE2000 of the mean Lab colours where the new object truly is.

    0 is right; 2 is just noticeable, red to green about 85.
    """

    def difference(one: np.ndarray) -> float:
        return float(deltaE_ciede2000(*(rgb2lab(rgb[there]).mean(0) for rgb in (one, truth))))

    far, now = difference(photo), difference(picture)
    return {"target_colour": now, REACHED: float(now <= HALF * far and far > NOTICED)}
