r"""Chooses, for each pixel of a hole, which of a few shifted copies of the picture is seen there.

.. math:: \min_s \sum_p \Big( U_p(s_p) + R_p(s_p) \Big) + \sum_{p \sim q} \Big( \lVert I_{p + s_p} -
    I_{p + s_q} \rVert^2 + \lVert I_{q + s_p} - I_{q + s_q} \rVert^2 + \sigma\,[s_p \ne s_q] \Big)

over the hole's pixels p and neighbouring pairs p ~ q. R is how much the copy differs from the photo on the
known pixels about p, so that a copy goes on what it borders; the pairs let copies meet where they look alike;
:math:`\sigma` makes pieces large. U asks for the colours of the rim nearby,

.. math:: U_p(s) = -\lambda \log \Big( \varepsilon + \sum_r w_{pr}\, e^{-\lVert I_{p + s} - I_r \rVert^2 / 2
    \tau^2} \Big), \quad w_{pr} \propto \lVert p - r \rVert^{-4}

with r on the rim: without it a thing beside the hole may be copied across it. Belief propagation lowers the
sum: messages sweep down, up, right and left in turn, a whole row or column at a time.

References: Kwatra et al. 2003, *Graphcut Textures*, and He and Sun 2012, *Statistics of Patch Offsets*, for
the pairs; Szeliski et al. 2008, *A Comparative Study of Energy Minimization Methods*, for the sweeps (BP-M).
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.guide import Guide

_RIM_WEIGHT = 5.0
"""Weight of a difference on the rim, against one where copies meet: higher, and copies go on what they
border; lower, and they agree with each other. Not measured."""
_WINDOW_PIXELS = 5
"""Side of the square about a pixel in which the rim is compared: larger ones see longer structures, smaller
ones only what touches. Not measured."""
MOST_DIFFERENCE = 60.0**2
"""Squared difference in Lab at which a mismatch saturates: higher avoids one glaring seam at the cost of
several faint ones, lower the other way round. Of 60 and 1000, squared, on 16 scenes of ReS, the first."""
_UNSEEN_DIFFERENCE = 200.0
"""Squared difference in Lab that is assumed where a copy shows nothing on the rim: higher prefers copies that
show it all, lower those that match the rest. Not measured."""
SEAM_PRICE = 200.0
"""Price of a seam between two pixels, in squared differences in Lab: higher makes fewer, larger pieces, lower
more that fit better. Set on 16 scenes of ReS, of 40, 200 and 600."""
_COLOUR_WEIGHT = 100.0
"""Weight of a copy's having colours of the rim nearby: higher fills each side with its own colours and breaks
structures, lower lets things go across. Set by eye on 16 scenes of ReS, of 0, 50, 100 and 200."""
_COLOUR_WIDTH = 8.0
"""Distance in Lab within which colours are alike: farther ones are another colour, nearer ones the same. Not
measured."""
_FOREIGN_SHARE = 0.02
"""Share of the rim at which a colour is as good as absent: with less it costs no more, with more it costs
less. Not measured."""
_RIM_SAMPLES = 160
"""Pixels of the rim whose colours are looked at: more take longer, fewer miss narrow structures. Not
measured."""
_RIM_REACH_PIXELS = 3
"""Distance from the hole in pixels up to which those lie; farther out none does. Not measured."""
_NEAREST_PIXELS = 2.0
"""Distance in pixels below which a pixel of the rim counts no more: larger mixes colours, smaller follows the
nearest one. Not measured."""
_GUIDE_WEIGHT = 1.0
"""Weight of a squared difference in Lab from a guide's colour: higher follows the guide, lower the rim and
the seams. Not measured."""
_MOST_MISSED = 30.0**2
"""Squared difference in Lab at which that saturates: higher avoids what is quite unlike the guide, lower lets
more of it through. Not measured."""
_ACROSS = 0.02
"""Weight of a colour on the rim that lies behind an edge, of one that does not: higher lets colours cross
edges, lower keeps sides apart. Not measured."""
_ROUNDS = 6
"""Sweeps in each direction: more settle better, fewer take less time. Not measured."""
_NEVER = 1e6
"""Cost of a copy that shows nothing known: more than all others together, less could be chosen. Set by the
formula."""


def choose_copies(
    features: np.ndarray,
    hole: np.ndarray,
    known: np.ndarray,
    steps: np.ndarray,
    guide: Guide | None = None,
) -> np.ndarray:
    """Chooses a step for each pixel of the hole.

    Args:
        features: what has to agree: CIELAB, then its slopes, float32 ``[H, W, C]``.
        hole: bool ``[H, W]``.
        known: bool ``[H, W]``, what may be copied.
        steps: int32 ``[n, 2]``, (row, column).
        guide: what the hole should show.

    Returns:
        int32 ``[H, W, 2]``, 0 outside the hole. Where no step leads to a known pixel it is any of them.
    """
    x, y, w, h = cv2.boundingRect(hole.astype(np.uint8))
    box = np.s_[y : y + h, x : x + w]
    rows, columns = np.mgrid[box]
    drawn, usable = drawn_from(features, known, rows[..., None], columns[..., None], steps)
    own = np.where(usable, 0, _NEVER).astype(np.float32)
    own += _rim_difference(features[..., :3], known, steps, box)
    own += _COLOUR_WEIGHT * _unlike_rim(
        features[..., :3], hole, known, drawn[..., :3], (rows, columns), guide
    )
    if guide is not None:
        missed = ((drawn[..., :3] - guide.lab[box][..., None, :]) ** 2).sum(-1)
        own += _GUIDE_WEIGHT * guide.trust[box][..., None] * np.minimum(missed, _MOST_MISSED)
    own[~hole[box]] = 0
    squares = (drawn**2).sum(-1)
    apart = squares[..., :, None] + squares[..., None, :] - 2 * drawn @ drawn.transpose(0, 1, 3, 2)
    different = 1 - np.eye(len(steps), dtype=np.float32)
    pairs = np.minimum(apart.clip(0), MOST_DIFFERENCE) + SEAM_PRICE / 2 * different
    chosen = _settled(own, pairs.astype(np.float32), hole[box])
    out = np.zeros((*hole.shape, 2), np.int32)
    out[box] = steps[chosen] * hole[box][..., None]
    return out


def drawn_from(
    image: np.ndarray, known: np.ndarray, rows: np.ndarray, columns: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what an image shows some steps away from some pixels, and whether that is known."""
    height, width = known.shape
    y, x = rows + steps[..., 0], columns + steps[..., 1]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    y, x = y.clip(0, height - 1), x.clip(0, width - 1)
    return image[y, x], inside & known[y, x]


def _rim_difference(
    lab: np.ndarray, known: np.ndarray, steps: np.ndarray, box: tuple[slice, slice]
) -> np.ndarray:
    """Returns how each copy differs from the known pixels about a pixel of the box, float32 ``[h, w, n]``."""
    rows, columns = np.mgrid[: known.shape[0], : known.shape[1]]
    out = list[np.ndarray]()
    for step in steps:
        copy, seen = drawn_from(lab, known, rows, columns, step)
        difference = np.where(seen, ((copy - lab) ** 2).sum(-1), _UNSEEN_DIFFERENCE)
        difference = np.minimum(difference, MOST_DIFFERENCE) * known
        mean = cv2.blur(difference.astype(np.float32), (_WINDOW_PIXELS, _WINDOW_PIXELS))
        out.append(mean[box])
    return _RIM_WEIGHT * np.stack(out, axis=-1)


def _unlike_rim(
    lab: np.ndarray,
    hole: np.ndarray,
    known: np.ndarray,
    drawn: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
    guide: Guide | None,
) -> np.ndarray:
    """Returns U over its weight for colours ``drawn`` ``[h, w, n, 3]`` at rows and columns ``[h, w]``."""
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    rim = np.argwhere((away <= _RIM_REACH_PIXELS) & known)
    out = np.zeros(drawn.shape[:3], np.float32)
    if not len(rim):
        return out
    rim = rim[np.linspace(0, len(rim) - 1, min(len(rim), _RIM_SAMPLES)).round().astype(int)]
    colours = lab[tuple(rim.T)]
    squares = (colours**2).sum(-1)
    for row in range(len(out)):  # a row at a time, for the memory
        apart2 = (at[0][row][:, None] - rim[:, 0]) ** 2 + (at[1][row][:, None] - rim[:, 1]) ** 2
        weight = 1 / (apart2.astype(np.float32) + _NEAREST_PIXELS**2) ** 2
        if guide is not None and len(guide.edges):
            here = np.stack([at[0][row], at[1][row]], axis=-1).astype(np.float32)
            weight *= np.where(_hidden(here, rim.astype(np.float32), guide.edges), _ACROSS, 1)
        weight /= weight.sum(-1, keepdims=True)
        mine = drawn[row]
        apart = (mine**2).sum(-1)[..., None] + squares - 2 * mine @ colours.T
        alike = np.exp(-apart.clip(0) / (2 * _COLOUR_WIDTH**2))
        out[row] = -np.log((alike @ weight[..., None])[..., 0] + _FOREIGN_SHARE)
    return out


def _hidden(here: np.ndarray, there: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Tells which of some points ``[m, 2]`` an edge hides from which pixels ``[n, 2]``, bool ``[n, m]``."""
    out = np.zeros((len(here), len(there)), bool)

    def turns(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
            c[..., 0] - a[..., 0]
        ) > 0

    for edge in edges:
        start, end = edge[:2], edge[2:]
        parted = turns(start, end, here)[:, None] != turns(start, end, there)[None]
        p, q = here[:, None], there[None]
        out |= parted & (turns(p, q, start) != turns(p, q, end))
    return out


def _settled(own: np.ndarray, pairs: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Returns each pixel's choice by belief propagation, int ``[h, w]``.

    Args:
        own: each choice's cost at each pixel, float32 ``[h, w, n]``.
        pairs: one pixel's part of the cost of two choices beside each other, float32 ``[h, w, n, n]``.
        hole: bool ``[h, w]``; messages pass between its pixels only.
    """
    h, w = hole.shape
    # messages that come from there
    above, below, left, right = (np.zeros_like(own) for _ in range(4))
    down, across = hole[1:] & hole[:-1], hole[:, 1:] & hole[:, :-1]

    def sent(belief: np.ndarray, pair: np.ndarray, passes: np.ndarray) -> np.ndarray:
        least = (belief[..., :, None] + pair).min(-2)
        return (least - least.min(-1, keepdims=True)) * passes[..., None]

    for _ in range(_ROUNDS):
        for i in range(h - 1):
            belief = own[i] + above[i] + left[i] + right[i]
            above[i + 1] = sent(belief, pairs[i] + pairs[i + 1], down[i])
        for i in range(h - 1, 0, -1):
            belief = own[i] + below[i] + left[i] + right[i]
            below[i - 1] = sent(belief, pairs[i] + pairs[i - 1], down[i - 1])
        for j in range(w - 1):
            belief = own[:, j] + left[:, j] + above[:, j] + below[:, j]
            left[:, j + 1] = sent(belief, pairs[:, j] + pairs[:, j + 1], across[:, j])
        for j in range(w - 1, 0, -1):
            belief = own[:, j] + right[:, j] + above[:, j] + below[:, j]
            right[:, j - 1] = sent(belief, pairs[:, j] + pairs[:, j - 1], across[:, j - 1])
    return (own + above + below + left + right).argmin(-1)
