r"""Fills a hole with patches of what is known around it, until all that overlap agree.

.. math:: \min_{D, s} \sum_p \Big( \sum_q w_{p + q} \lVert D(p + q) - D(s(p) + q) \rVert^2
    + \mu \lVert B(p) - B(s(p)) \rVert^2 + \nu g_p \, \frac{a_p^2}{1 + a_p^2 / \kappa^2} \Big),
    \quad a_p = n_p \cdot (s(p) - p)

over the patches p that touch the hole; each is drawn from a wholly known patch s(p). The picture, in CIELAB,
is B + D: B is light and broad colour, carried on smoothly into the hole; D is the rest, and only that is
copied, so that a piece from a table's dark end may continue its bright end. Where D has a grain
(:mod:`realedit.pixels.texture_direction`; n_p is the direction across it, g_p its strength), sources along
the grain cost less, so that its lines meet from both sides. From coarse to fine, search (better s, D fixed)
and vote (D from s) take turns.

It is written here because OpenCV's fills do worse. On 40 rendered cases, mask told, a move's ST-LPIPS to the
truth went from 0.0134 with ``xphoto``'s shift map to 0.0128, a removal's from 0.0076 to 0.0058, at 0.4 to 0.9
of its time (with a change of the shadow's edge in the same version). Of the filled holes alone, the cost of
the grain took ST-LPIPS from 0.0669 to 0.0562 on 50 other cases. ``xphoto``'s frequency-selective fill smeared
neighbours into the surface; it is left in :func:`realedit.pixels.hole_filling.smooth_fill`.

A source that many patches are drawn from costs more, so that no twig or knot is seen again and again; that
price is not in the formula, since it follows from all sources together and is set anew at each vote.

References: Wexler, Shechtman and Irani 2007, *Space-Time Completion of Video*, for the energy and its
descent; Barnes et al. 2009, *PatchMatch*, for the search; Kaspar et al. 2015, *Self Tuning Texture
Optimization*, for the price of what is used often. Here all patches take their neighbours' offers at once.
"""

from __future__ import annotations

import cv2
import numpy as np

from realedit.pixels.pyramid import REACH_PIXELS, SIDE, Completion, Scene, coarse_to_fine, completed, inward
from realedit.pixels.screened_poisson import solve_screened_poisson
from realedit.pixels.texture_direction import texture_direction

_BASE_WEIGHT = 2.0
"""Weight of a difference in B: higher, and patches come from places of the same light; lower, and only the
texture counts. Set on 30 rendered cases."""
_ACROSS_WEIGHT = 1.0
"""Weight of a step across the grain: higher, and patches come from along the grain; lower, and its lines may
break off in the hole. Set on 30 rendered cases, of two to four values tried."""
_SATURATION_SIDES = 0.04
"""Distance across the grain, in longer sides, at which its penalty saturates: beyond it all sources cost
alike, below it nearer ones cost less. Set on 30 rendered cases, of two to four values tried."""
_DIRECTION_SIGMA_SIDES = 0.05
"""Standard deviation in longer sides of the blur that averages the grain: larger ones follow one direction,
smaller ones follow bends and noise. Set on 30 rendered cases, of two to four values tried."""
_TURNS = (12, 6, 4, 3)
"""Votes and searches in the coarsest picture, the next, the third, and each finer one: more of them agree
better, fewer take less time. Set on 30 rendered cases."""
_FIRST_SEARCHES = 4
"""Searches in the coarsest picture before the first vote: more find better sources, fewer leave more to
chance. Not measured."""
_TRUST_DECAY = 1.3
"""A hole's pixel counts this many times less for each pixel that it is farther from the known ones: higher,
and the rim decides alone; at 1 all count alike. Set on 30 rendered cases."""
_USUAL_PERCENTILE = 75
"""Percentile of the patches' costs that the temperature of a vote is measured in: higher, and votes average
more patches; lower, and they keep the best. Set as Wexler et al. 2007 do."""
_FINEST_TEMPERATURE = 0.03
"""Temperature of the votes at full size, as a share of the coarser ones': higher averages the grain away,
lower keeps more of the best patch. Set by eye; on 30 rendered cases it made no difference beyond chance."""
_REPEAT_WEIGHT = 0.15
"""Price of each time that a source is drawn from beyond the first, in medians of all patches' costs: higher,
and what fits badly is taken because it is new, and grain is averaged away; lower, and one good patch may fill
a hole. Set on made grain: the place that is copied most is copied 2.3 times at 0, 1.8 times at 0.15, 1.6
times at 0.5."""
_MELD_SIDES = 0.05
"""Length in longer sides over which the filling may stray from the patches' values to follow their gradients:
longer spreads a step wider, shorter leaves it sharper. Set by eye on one photo; 0.02 was no worse by
figures."""


def complete_by_patches(
    rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None, *, melded: bool = True
) -> Completion | None:
    """Fills ``hole`` with patches from around it.

    Args:
        rgb: uint8 ``[H, W, 3]``.
        hole: bool ``[H, W]``.
        forbidden: bool ``[H, W]``, pixels that nothing is copied from and that nothing has to agree with.
        melded: whether patches that do not agree, with each other or with the rim, fade into each other.

    Returns:
        The filled picture; None if there is no whole patch to copy.
    """
    rng = np.random.default_rng(0)
    scenes = coarse_to_fine(rgb, hole, forbidden)
    level = None
    for depth, scene in enumerate(scenes):
        finer = _Level(scene, rng, _FINEST_TEMPERATURE if depth == len(scenes) - 1 else 1.0)
        if not len(finer.sources):
            return None
        finer.start(level)
        for _ in range(_TURNS[min(depth, len(_TURNS) - 1)]):
            finer.vote()
            finer.search()
        level = finer
    steps, cost = np.zeros((*hole.shape, 2), np.int32), np.zeros(hole.shape, np.float32)
    if level is None:
        return Completion(rgb.copy(), steps, cost)
    level.vote()
    if melded:
        level.meld()
    steps[tuple(level.at.T)] = level.source - level.at
    cost[tuple(level.at.T)] = level.cost
    steps[~hole], cost[~hole] = 0, 0
    return completed(rgb, hole, level.detail + level.base, steps, cost)


def _patch(width: int) -> np.ndarray:
    """Returns a patch's pixels as offsets ``[SIDE**2]`` from its centre in a flattened picture."""
    reach = np.arange(-REACH_PIXELS, REACH_PIXELS + 1)
    return (reach[:, None] * width + reach).ravel()


def _flat(at: np.ndarray, width: int) -> np.ndarray:
    """Turns rows and columns ``[n, 2]`` into indices ``[n, 1]`` of a flattened picture of a width."""
    return at[:, :1] * width + at[:, 1:]


def _widened(image: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(
        image, REACH_PIXELS, REACH_PIXELS, REACH_PIXELS, REACH_PIXELS, cv2.BORDER_REFLECT_101
    )


class _Level:
    """The patches at one size of the picture, each with the known patch that it is drawn from.

    **Convention:** n patches have their centres ``at`` ``[n, 2]`` (row, column); patch i is drawn from the
    one about ``source[i]`` at the cost ``cost[i]``, its term of the energy and the price of repeating.
    """

    def __init__(self, scene: Scene, rng: np.random.Generator, temperature: float) -> None:
        self.base, self.detail = scene.base, scene.lab - scene.base
        self.hole, self.forbidden = scene.hole, scene.forbidden
        self._rng, self._temperature = rng, temperature
        square = np.ones((SIDE, SIDE), np.uint8)
        touching = cv2.dilate(scene.hole.astype(np.uint8), square) > 0
        self.at = np.argwhere(touching)
        self.number = np.full(scene.hole.shape, -1)
        self.number[touching] = np.arange(len(self.at))
        hole_or_forbidden = scene.hole | scene.forbidden
        inside = np.zeros_like(scene.hole)
        inside[REACH_PIXELS:-REACH_PIXELS, REACH_PIXELS:-REACH_PIXELS] = True
        self.known = inside & (cv2.dilate(hole_or_forbidden.astype(np.uint8), square) == 0)
        self.sources = np.argwhere(self.known)
        sigma = _DIRECTION_SIGMA_SIDES * max(scene.hole.shape)
        direction = texture_direction(self.detail[..., 0], ~hole_or_forbidden, sigma)
        self._across, self._strength = (values[tuple(self.at.T)] for values in direction)
        self._repeat_price = np.zeros(scene.hole.shape, np.float32)
        self._trust = (_TRUST_DECAY ** -inward(scene.hole)).astype(np.float32)
        h, w = scene.hole.shape
        self._wide = (h + 2 * REACH_PIXELS, w + 2 * REACH_PIXELS)
        # indices of each patch's pixels in the flattened widened picture, [n, SIDE**2]
        self._pixels = _flat(self.at + REACH_PIXELS, self._wide[1]) + _patch(self._wide[1])
        weights = _widened(np.where(scene.forbidden, 0, self._trust)).ravel()[self._pixels]
        self._weights = weights / np.maximum(weights.sum(1, keepdims=True), 1e-6)

    def start(self, coarser: _Level | None) -> None:
        """Begins as the coarser level ended, or at random without one."""
        n = len(self.at)
        self.source = self._rng.choice(self.sources, n)
        if coarser is None:
            self.detail[self.hole] = 0
            self._measure()
            for _ in range(_FIRST_SEARCHES):
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
        """Sets D in the hole to the mean of the patches over each pixel; cheaper patches weigh more."""
        self.detail[self.hole] = self._voted(self.detail, np.ones(SIDE**2, np.float32))[self.hole]
        self._measure()

    def _voted(self, image: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Averages patches drawn from an image ``[H, W, 3]``; ``within`` ``[SIDE**2]`` weighs pixels."""
        usual = max(float(np.percentile(self.cost, _USUAL_PERCENTILE)), 1e-3)
        weight = (np.exp(-self.cost / (2 * self._temperature * usual)) + 1e-6) * self._trust[tuple(self.at.T)]
        weights = weight[:, None] * within
        cells, pixels = self._wide[0] * self._wide[1], self._pixels.ravel()
        total = np.maximum(np.bincount(pixels, weights.ravel(), cells), 1e-12)
        drawn = self._drawn(image, self.source) * weights[..., None]
        mean = [np.bincount(pixels, drawn[..., channel].ravel(), cells) / total for channel in range(3)]
        wide = np.stack(mean, axis=-1).reshape(*self._wide, 3)
        return wide[REACH_PIXELS:-REACH_PIXELS, REACH_PIXELS:-REACH_PIXELS]

    def meld(self) -> None:
        """Sets D in the hole by the gradients that its patches vote for, which leaves no step in it."""
        down, right = np.zeros_like(self.detail), np.zeros_like(self.detail)
        down[:-1], right[:, :-1] = np.diff(self.detail, axis=0), np.diff(self.detail, axis=1)
        above, left = np.ones((2, SIDE, SIDE), np.float32)
        above[-1], left[:, -1] = 0, 0  # their steps lead out of the patch
        self.detail = solve_screened_poisson(
            self.detail,
            self.hole,
            self.forbidden,
            down=self._voted(down, above.ravel()),
            right=self._voted(right, left.ravel()),
            length=_MELD_SIDES * max(self.hole.shape),
        ).astype(np.float32)

    def search(self) -> None:
        """Offers each patch its neighbours' sources, then random ones ever nearer to its own."""
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
        """Offers one source to each of the patches ``mine`` and takes those that cost less."""
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
        price = self._repeat_price[tuple(self.source.T)]
        self._set_repeat_price(float(np.median(self._cost(every, self.source) - price)))
        self.cost = self._cost(every, self.source)

    def _set_repeat_price(self, usual: float) -> None:
        """Prices each place by how often it is drawn from; ``usual`` is the patches' median cost without."""
        height, width = self.hole.shape
        drawn = np.bincount(_flat(self.source, width).ravel(), minlength=height * width)
        # a patch copies its whole square: what is copied once, in one piece, has 1 everywhere
        often = cv2.boxFilter(drawn.reshape(height, width).astype(np.float32), -1, (SIDE, SIDE))
        self._repeat_price = _REPEAT_WEIGHT * usual * np.maximum(often - 1, 0)

    def _cost(self, mine: np.ndarray, source: np.ndarray) -> np.ndarray:
        missed = self._drawn(self.detail, source)
        missed -= self._wanted[mine]
        light = self.base[tuple(source.T)] - self.base[tuple(self.at[mine].T)]
        seen = np.einsum("npc,npc,np->n", missed, missed, self._weights[mine]) + _BASE_WEIGHT * (
            light**2
        ).sum(-1)
        step2 = np.einsum("nd,nd->n", source - self.at[mine], self._across[mine]) ** 2
        far2 = (_SATURATION_SIDES * max(self.hole.shape)) ** 2
        across = _ACROSS_WEIGHT * self._strength[mine] * step2 / (1 + step2 / far2)
        return seen + across + self._repeat_price[tuple(source.T)]

    def _drawn(self, image: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Returns an image's patches about some centres ``[n, 2]``, as ``[n, SIDE**2, 3]``."""
        width = self.hole.shape[1]
        return image.reshape(-1, 3)[_flat(source, width) + _patch(width)]
