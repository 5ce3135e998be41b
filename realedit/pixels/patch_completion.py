r"""A hole filled with patches of what is known around it, until all that overlap agree.

.. math:: \min_{D, s} \sum_p \Big( \sum_q w_{p + q} \lVert D(p + q) - D(s(p) + q) \rVert^2
    + \mu \lVert B(p) - B(s(p)) \rVert^2 + \nu g_p \, \frac{a_p^2}{1 + a_p^2 / \kappa^2} \Big),
    \quad a_p = n_p \cdot (s(p) - p)

over the patches p that touch the hole, each with a wholly known one s(p). The picture, in CIELAB, is B + D:
B is light and broad colour, carried on smoothly into the hole; D is the rest, and only that is copied, so
that a piece of a table's dark end may go on in its bright one. Where D has a grain
(:mod:`realedit.pixels.texture_direction`; n_p is across it, g_p its strength), what is drawn from along it is
liked better, so that its lines meet from both sides. From coarse to fine, search (better s, D fixed) and
vote (D from s) take turns.

A source that many patches are drawn from costs more, so that no twig or knot is seen again and again.

References: Wexler, Shechtman and Irani 2007, *Space-Time Completion of Video*, for the energy and its
descent; Barnes et al. 2009, *PatchMatch*, for the search; Kaspar et al. 2015, *Self Tuning Texture
Optimization*, for the price of what is used often. Here all patches take their neighbours' offers at once.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realedit.pixels.normalised_blur import broad
from realedit.pixels.screened_poisson import from_gradients
from realedit.pixels.texture_direction import grain_of

_REACH = 3
"""Of a patch about its centre, in pixels."""
_SIDE = 2 * _REACH + 1
_BROAD = 0.15
"""Gaussian sigma of what counts as light and broad colour, in longer sides of the picture."""
_ALIKE = 2.0
"""Weight of a difference in B."""
_ACROSS = 1.0
"""Weight of a step across the grain."""
_ASTRAY = 0.04
"""Steps across the grain from which on all are alike, in longer sides of the picture."""
_GRAIN = 0.05
"""Gaussian sigma that the grain is averaged with, in longer sides of the picture."""
_DEEP = 2.5
"""The farthest from what is known that a hole's pixel is in the coarsest picture, in pixels."""
_TURNS = (12, 6, 4, 3)
"""Votes and searches, from the coarsest picture on; the last for all finer ones."""
_TRUST = 1.3
"""A hole's pixel counts this many times less for each pixel that it is farther from what is known."""
_SHARP = 0.03
"""Temperature of the votes at full size, as a share of the others': the less, the more they keep of the best
patch, and so of the grain that averaging takes."""

_REPEATED = 0.15
"""Price of each time that a source is drawn from beyond the first, in medians of all patches' costs: 0 lets
one good patch fill a hole, at 0.5 what fits badly is taken for being new and grain is averaged away. In grain
the place that is copied most is copied 2.3 times at 0, 1.8 at 0.15 and 1.6 at 0.5."""

_STRAY = 0.05
"""Length over which the filling may stray from what the patches say, in longer sides of the picture: so far
about it, what does not meet is spread."""


class Scene(NamedTuple):
    """What is to be completed at one size: Lab ``[H, W, 3]``, its B likewise; bool ``[H, W]``."""

    lab: np.ndarray
    base: np.ndarray
    hole: np.ndarray
    forbidden: np.ndarray


class Completion(NamedTuple):
    """A filled hole, and where each of its pixels comes from.

    Args:
        picture: uint8 ``[H, W, 3]``.
        steps: from each of the hole's pixels to the middle of the patch that its own is drawn from, (row,
            column) in pixels, int32 ``[H, W, 2]``; 0 outside the hole.
        missed: mean squared difference, in CIELAB, of each patch to what it is drawn from and of their broad
            light, float32 ``[H, W]``; 0 outside the hole.
    """

    picture: np.ndarray
    steps: np.ndarray
    missed: np.ndarray


def complete(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> np.ndarray | None:
    """The picture of :func:`completed` alone."""
    done = completed(rgb, hole, forbidden, melded=melded)
    return None if done is None else done.picture


def completed(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> Completion | None:
    """Fill ``hole`` with patches from around it; None where too little is left to copy from.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, places that nothing is copied from and that nothing has to agree with.
        melded: whether patches that do not agree, with each other or with the rim, fade into each other.

    Returns:
        The picture is equal to ``rgb`` outside the hole.
    """
    rng = np.random.default_rng(0)
    scenes = _coarse_to_fine(rgb, hole, forbidden)
    level = None
    for depth, scene in enumerate(scenes):
        finer = _Level(scene, rng, _SHARP if depth == len(scenes) - 1 else 1.0)
        if not len(finer.sources):
            return None
        finer.start(level)
        for _ in range(_TURNS[min(depth, len(_TURNS) - 1)]):
            finer.vote()
            finer.search()
        level = finer
    steps, missed = np.zeros((*hole.shape, 2), np.int32), np.zeros(hole.shape, np.float32)
    if level is None:
        return Completion(rgb.copy(), steps, missed)
    level.vote()
    if melded:
        level.meld()
    lab = (level.detail + level.base).astype(np.float32)
    filled = (cv2.cvtColor(lab, cv2.COLOR_Lab2RGB).clip(0, 1) * 255).round().astype(np.uint8)
    steps[tuple(level.at.T)] = level.source - level.at
    missed[tuple(level.at.T)] = level.cost
    steps[~hole], missed[~hole] = 0, 0
    return Completion(np.where(hole[..., None], filled, rgb), steps, missed)


def _coarse_to_fine(rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None) -> list[Scene]:
    """The picture at halves of its size, until the hole is shallow or it is small; none without a hole."""
    if not hole.any():
        return []
    shut = np.zeros_like(hole) if forbidden is None else forbidden & ~hole
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    scenes = [Scene(lab, broad(lab, ~(hole | shut), _BROAD * max(hole.shape)), hole, shut)]
    while _inward(scenes[0].hole).max() > _DEEP and min(scenes[0].hole.shape) >= 6 * _SIDE:
        scenes.insert(0, _halved(scenes[0]))
    return scenes


def _halved(scene: Scene) -> Scene:
    h, w = scene.hole.shape
    size = ((w + 1) // 2, (h + 1) // 2)

    def shrunk(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    known = ~scene.hole
    share = shrunk(known)
    lab = shrunk(scene.lab * known[..., None]) / np.maximum(share, 1e-6)[..., None]
    return Scene(lab, shrunk(scene.base), share < 0.5, shrunk(scene.forbidden) > 0.25)


def _inward(hole: np.ndarray) -> np.ndarray:
    """How far each of the hole's pixels is from what is known; the frame's border is no end of it."""
    return cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)


def _patch(width: int) -> np.ndarray:
    """A patch's pixels as steps from its centre in a flat picture of that width, ``[_SIDE**2]``."""
    reach = np.arange(-_REACH, _REACH + 1)
    return (reach[:, None] * width + reach).ravel()


def _flat(at: np.ndarray, width: int) -> np.ndarray:
    """Rows and columns ``[n, 2]`` as places in a flat picture of that width, ``[n, 1]``."""
    return at[:, :1] * width + at[:, 1:]


def _widened(image: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(image, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REFLECT_101)


class _Level:
    """The patches of one size of the picture, each with the known one that it is drawn from.

    **Convention:** n patches to fill, by their centres ``at`` ``[n, 2]`` (row, column); ``source`` ``[n, 2]``
    is where each is drawn from, ``cost`` ``[n]`` what is amiss with that.
    """

    def __init__(self, scene: Scene, rng: np.random.Generator, temperature: float) -> None:
        self.base, self.detail = scene.base, scene.lab - scene.base
        self.hole, self.forbidden, self._rng, self._temperature = (
            scene.hole,
            scene.forbidden,
            rng,
            temperature,
        )
        square = np.ones((_SIDE, _SIDE), np.uint8)
        touching = cv2.dilate(scene.hole.astype(np.uint8), square) > 0
        self.at = np.argwhere(touching)
        self.number = np.full(scene.hole.shape, -1)
        self.number[touching] = np.arange(len(self.at))
        inside = np.zeros_like(scene.hole)
        inside[_REACH:-_REACH, _REACH:-_REACH] = True
        self.known = inside & (cv2.dilate((scene.hole | scene.forbidden).astype(np.uint8), square) == 0)
        self.sources = np.argwhere(self.known)
        shut = scene.hole | scene.forbidden
        grain = grain_of(self.detail[..., 0], ~shut, _GRAIN * max(shut.shape))
        self._across, self._grain = (values[tuple(self.at.T)] for values in grain)
        self._worn = np.zeros(scene.hole.shape, np.float32)
        self._trust = (_TRUST ** -_inward(scene.hole)).astype(np.float32)
        h, w = scene.hole.shape
        self._wide = (h + 2 * _REACH, w + 2 * _REACH)
        # flat positions of each patch's pixels in the widened picture, [n, _SIDE**2]
        self._pixels = _flat(self.at + _REACH, self._wide[1]) + _patch(self._wide[1])
        weights = _widened(np.where(scene.forbidden, 0, self._trust)).ravel()[self._pixels]
        self._weights = weights / np.maximum(weights.sum(1, keepdims=True), 1e-6)

    def start(self, coarser: _Level | None) -> None:
        """Begin as the coarser level ended; with chance where there is none."""
        n = len(self.at)
        self.source = self._rng.choice(self.sources, n)
        if coarser is None:
            self.detail[self.hole] = 0
            self._measure()
            for _ in range(4):
                self.search()
            return
        under = np.minimum(self.at // 2, np.array(coarser.hole.shape) - 1)
        number = coarser.number[tuple(under.T)]
        offered = self.at + 2 * (coarser.source[number] - under)
        usable = (number >= 0) & self._usable(offered)
        self.source[usable] = offered[usable]
        self.cost = np.where(usable, 1.0, 1e6)
        self.vote()
        self.search()

    def vote(self) -> None:
        """D in the hole: each pixel the mean of what the patches over it say, the better ones more."""
        self.detail[self.hole] = self._voted(self.detail, np.ones(_SIDE**2, np.float32))[self.hole]
        self._measure()

    def _voted(self, image: np.ndarray, within: np.ndarray) -> np.ndarray:
        """What the patches say, drawn from ``[H, W, 3]``; each pixel of a patch counts as ``within``."""
        usual = max(float(np.percentile(self.cost, 75)), 1e-3)
        weight = (np.exp(-self.cost / (2 * self._temperature * usual)) + 1e-6) * self._trust[tuple(self.at.T)]
        weights = weight[:, None] * within
        cells, pixels = self._wide[0] * self._wide[1], self._pixels.ravel()
        total = np.maximum(np.bincount(pixels, weights.ravel(), cells), 1e-12)
        drawn = self._drawn(image, self.source) * weights[..., None]
        said = [np.bincount(pixels, drawn[..., channel].ravel(), cells) / total for channel in range(3)]
        wide = np.stack(said, axis=-1).reshape(*self._wide, 3)
        return wide[_REACH:-_REACH, _REACH:-_REACH]

    def meld(self) -> None:
        """D in the hole from the gradients that its patches vote for: no step where they do not agree."""
        down, right = np.zeros_like(self.detail), np.zeros_like(self.detail)
        down[:-1], right[:, :-1] = np.diff(self.detail, axis=0), np.diff(self.detail, axis=1)
        above, left = np.ones((2, _SIDE, _SIDE), np.float32)
        above[-1], left[:, -1] = 0, 0  # their steps lead out of the patch
        self.detail = from_gradients(
            self.detail,
            self.hole,
            self.forbidden,
            self._voted(down, above.ravel()),
            self._voted(right, left.ravel()),
            _STRAY * max(self.hole.shape),
        ).astype(np.float32)

    def search(self) -> None:
        """Offer each patch what its neighbours are drawn from, and chance finds, near its own ever nearer."""
        every = np.arange(len(self.at))
        size = np.array(self.hole.shape)
        for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            beside = self.at + step
            there = np.all((beside >= 0) & (beside < size), axis=1)
            number = np.where(there, self.number[tuple(beside.clip(0, size - 1).T)], -1)
            mine = every[number >= 0]
            self._offer(mine, self.source[number[mine]] - step)
        radius = int(size.max()) // 2
        while radius >= 1:
            self._offer(every, self.source + self._rng.integers(-radius, radius + 1, self.source.shape))
            radius //= 2

    def _offer(self, mine: np.ndarray, offered: np.ndarray) -> None:
        """Take what costs less, of one offer to each of the patches of those numbers."""
        worth = self._usable(offered) & (offered != self.source[mine]).any(1)
        mine, offered = mine[worth], offered[worth]
        cost = self._cost(mine, offered)
        better = cost < self.cost[mine]
        self.source[mine[better]], self.cost[mine[better]] = offered[better], cost[better]

    def _usable(self, offered: np.ndarray) -> np.ndarray:
        last = np.array(self.hole.shape) - 1
        inside = np.all((offered >= 0) & (offered <= last), axis=1)
        return inside & self.known[tuple(offered.clip(0, last).T)]

    def _measure(self) -> None:
        self._wanted = _widened(self.detail).reshape(-1, 3)[self._pixels]
        every = np.arange(len(self.at))
        usual = float(np.median(self._cost(every, self.source) - self._worn[tuple(self.source.T)]))
        self._worn = self._wear(usual)
        self.cost = self._cost(every, self.source)

    def _wear(self, usual: float) -> np.ndarray:
        """The price of drawing from each place once more, float32 ``[H, W]``."""
        height, width = self.hole.shape
        drawn = np.bincount(_flat(self.source, width).ravel(), minlength=height * width)
        # a patch copies its whole square: what is copied once, in one piece, has 1 everywhere
        often = cv2.boxFilter(drawn.reshape(height, width).astype(np.float32), -1, (_SIDE, _SIDE))
        return _REPEATED * usual * np.maximum(often - 1, 0)

    def _cost(self, mine: np.ndarray, source: np.ndarray) -> np.ndarray:
        missed = self._drawn(self.detail, source)
        missed -= self._wanted[mine]
        light = self.base[tuple(source.T)] - self.base[tuple(self.at[mine].T)]
        seen = np.einsum("npc,npc,np->n", missed, missed, self._weights[mine]) + _ALIKE * (light**2).sum(-1)
        step2 = np.einsum("nd,nd->n", source - self.at[mine], self._across[mine]) ** 2
        far2 = (_ASTRAY * max(self.hole.shape)) ** 2
        astray = _ACROSS * self._grain[mine] * step2 / (1 + step2 / far2)
        return seen + astray + self._worn[tuple(source.T)]

    def _drawn(self, image: np.ndarray, source: np.ndarray) -> np.ndarray:
        """An image's patches about those centres, ``[n, _SIDE**2, 3]``."""
        width = self.hole.shape[1]
        return image.reshape(-1, 3)[_flat(source, width) + _patch(width)]
