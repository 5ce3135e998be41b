r"""Finds an object in a picture by its pixels in the photo: a similarity transform by correlation.

.. math::
    \max_{s, \theta, t} \mathrm{corr}_{p \in M}\left(I(p),\; J(s R_\theta\,(p - c) + c + t)\right)

for the photo :math:`I`, the edited picture :math:`J`, the object's mask :math:`M` with a narrow rim, so that
outlines count, and its centre :math:`c`. Template matching (``cv2.matchTemplate``) over the whole picture at
several sizes and angles, then Nelder and Mead's simplex (scipy). It knows nothing of how the edit was made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from scipy.optimize import minimize

from realedit.bench.methods.pasted import grown

_RIM_SIDES = 2 / 256
"""Width of the rim that counts with an object, in longer sides: a wider one takes in more ground, a narrower
one less of the outline. Not measured."""
_COARSE_PIXELS = 128
"""Longer side, in pixels, of the picture that templates are matched in: a larger one is slower, a smaller one
misses small objects. Not measured."""
_LEAST_PIXELS = 12
"""Pixels of a mask in that picture: an object of fewer is not matched, one of more is. Not measured."""
_MOST_PIXELS = 10_000
"""Pixels that are correlated: of an object of more only every nth, of a smaller one all. Set below the 32,767
that cv2.remap takes in a row."""
_REFINED = 2
"""Template matches that are refined, the best first: more are slower, fewer may miss the object. Not
measured."""
_SPREAD = np.array([2.0, 2.0, 0.06, 0.06])
"""Edges of the first simplex, in pixels twice, log size and radians: larger ones search farther. Not
measured."""
_SIZES = (0.4, 2.5)
"""Sizes of an object, as multiples of its own: a match outside them is chance and refused. Not measured."""
_LEAST_INSIDE = 0.5
"""Share of an object's pixels that lie in the frame: below it the object has left it, above it is correlated.
Not measured."""


@dataclass(frozen=True)
class Registered:
    """An object as it was found.

    Args:
        x: its mask's centroid in the picture, a fraction of the width.
        y: the same of the height.
        scale: its size, times that in the photo.
        angle: how far it is turned, degrees, clockwise on screen, in (-180, 180].
        score: correlation of its pixels, up to 1.
    """

    x: float
    y: float
    scale: float
    angle: float
    score: float


def register(
    photo: np.ndarray, mask: np.ndarray, picture: np.ndarray, likely: Iterable[tuple[float, float]] = ()
) -> Registered:
    """Looks for an object all over a picture.

    Args:
        photo: uint8 ``[H, W, 3]``.
        mask: the object in it, bool ``[H, W]``, not empty.
        picture: uint8 ``[H, W, 3]``.
        likely: sizes and angles (degrees) that templates are matched at, beside the object's own.
    """
    candidates = [
        _matched(photo, mask, picture, scale=scale, angle=angle) for scale, angle in {(1.0, 0.0), *likely}
    ]
    candidates.sort(key=lambda one: -one[0])
    patch = _Patch.of(photo, mask)
    return max(
        (patch.refined(picture, start) for _, start in candidates[:_REFINED]), key=lambda one: one.score
    )


def remains(photo: np.ndarray, mask: np.ndarray, picture: np.ndarray) -> float:
    """Correlates an object's pixels with a picture at the very place where they were; -1 to 1."""
    return _Patch.of(photo, mask).correlation(picture, np.zeros(4))


@dataclass(frozen=True)
class _Patch:
    """An object's pixels ``[n, 3]``, their places ``[n, 2]`` about its centroid (x, y), in pixels."""

    pixels: np.ndarray
    places: np.ndarray
    centre: np.ndarray

    @classmethod
    def of(cls, photo: np.ndarray, mask: np.ndarray) -> _Patch:
        rows, columns = np.nonzero(mask)
        centre = np.array([columns.mean(), rows.mean()])
        y, x = np.nonzero(grown(mask, max(mask.shape) * _RIM_SIDES))
        every = math.ceil(len(x) / _MOST_PIXELS)
        x, y = x[::every], y[::every]
        return cls(photo[y, x].astype(np.float32), np.stack([x, y], -1) - centre, centre)

    def correlation(self, picture: np.ndarray, parameters: np.ndarray) -> float:
        """Correlates with the picture under (dx, dy, log size, radians); -1 where that leaves the frame."""
        dx, dy, size, turn = parameters
        if not math.log(_SIZES[0]) < size < math.log(_SIZES[1]):
            return -1.0
        there = self.places @ _linear(math.exp(size), turn).T + self.centre + (dx, dy)
        h, w = picture.shape[:2]
        inside = ((there > -0.5) & (there < (w - 0.5, h - 0.5))).all(1)
        if inside.mean() < _LEAST_INSIDE:
            return -1.0
        x, y = there[inside].astype(np.float32).T
        seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        return _corr(self.pixels[inside], seen.astype(np.float32))

    def refined(self, picture: np.ndarray, start: np.ndarray) -> Registered:
        """Finds the best match near a start."""
        simplex = start + np.vstack([np.zeros(4), np.diag(_SPREAD)])
        # the stubs know other methods' options alone
        options: Any = {"initial_simplex": simplex, "xatol": 0.02, "fatol": 1e-4, "maxfev": 300}
        found = minimize(
            lambda p: -self.correlation(picture, p), start, method="Nelder-Mead", options=options
        )
        dx, dy, size, turn = found.x
        h, w = picture.shape[:2]
        x, y = (self.centre + (dx, dy) + 0.5) / (w, h)
        return Registered(float(x), float(y), math.exp(size), wrapped(math.degrees(turn)), -float(found.fun))


def wrapped(degrees: float) -> float:
    """Returns the same angle in (-180, 180]."""
    return 180 - (180 - degrees) % 360


def _matched(
    photo: np.ndarray, mask: np.ndarray, picture: np.ndarray, *, scale: float, angle: float
) -> tuple[float, np.ndarray]:
    """Finds an object's best place at a size and an angle: correlation, and :class:`_Patch`'s parameters."""
    factor = min(1.0, _COARSE_PIXELS / max(mask.shape))
    turn = math.radians(angle)
    support = grown(mask, max(mask.shape) * _RIM_SIDES).astype(np.float32)
    rows, columns = np.nonzero(mask)
    centre = np.array([columns.mean(), rows.mean()])
    reach = math.ceil(
        factor * scale * float(np.abs(np.argwhere(support) - centre[::-1]).max()) * math.sqrt(2)
    )
    linear = factor * _linear(scale, turn)
    matrix = np.hstack([linear, (reach - linear @ centre)[:, None]])
    size = (2 * reach + 1, 2 * reach + 1)
    weight = cv2.warpAffine(support, matrix, size) > 0.9
    start = np.array([0.0, 0.0, math.log(scale), turn])
    if weight.sum() < _LEAST_PIXELS:
        return -1.0, start
    soft = cv2.GaussianBlur(photo, (0, 0), 0.4 / (factor * scale)) if factor * scale < 0.75 else photo
    left, top, w, h = cv2.boundingRect(weight.astype(np.uint8))
    there = (slice(top, top + h), slice(left, left + w))
    template = cv2.warpAffine(soft, matrix, size)[there].astype(np.float32)
    ground = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA).astype(np.float32)
    if h > ground.shape[0] or w > ground.shape[1]:
        return -1.0, start
    shown = np.repeat(weight[there][..., None], 3, 2).astype(np.float32)
    scores = cv2.matchTemplate(ground, template, cv2.TM_CCOEFF_NORMED, mask=shown)
    scores[~np.isfinite(scores) | (scores > 1 + 1e-3)] = -1  # a flat ground divides by nothing
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    # the template's centre, from pixel centres of the small picture to those of the large one
    place = (np.array([x - left, y - top]) + reach + 0.5) / factor - 0.5
    return best, np.array([*(place - centre), math.log(scale), turn])


def _linear(scale: float, turn: float) -> np.ndarray:
    """Returns a rotation, clockwise on screen, and scaling, ``[2, 2]``."""
    cos, sin = math.cos(turn), math.sin(turn)
    return scale * np.array([[cos, -sin], [sin, cos]])


def _corr(a: np.ndarray, b: np.ndarray) -> float:
    """Returns Pearson's correlation of two sets of colours, each channel about its own mean."""
    a, b = a - a.mean(0), b - b.mean(0)
    norm = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else -1.0
