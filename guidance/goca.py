r"""Where words are, seen in one pass by all attention layers, each weighed by what it does (GoCA).

Heads and layers of a network that nobody trained to point at things differ much in how well they point. With
a head's probabilities :math:`A_n`, values :math:`V_n` and slice of the output projection :math:`W_n`, at a
place p and for a token k:

.. math::
    w_n(p) &= \langle A_n V_n W_n, \textstyle\sum_m A_m V_m W_m\rangle_p \big/ \textstyle\sum_{n'}(\cdot),
    \qquad M_l = \textstyle\sum_n w_n A_n \\
    v_l &= \max\big(0, \langle S_l, R\rangle - 1\big), \qquad
    M = \max\big(0, \textstyle\sum_l v_l M_l / \textstyle\sum_l v_l\big) \\
    r_k(p) &= M_k(p) / M_0(p)

:math:`S_l` is the mean over the heads of the self-attention in the layer's own block, brought to the finest
grid; :math:`R = softmax(q q^T / \sqrt d)`, averaged over the heads, is the affinity of places by the queries
of one layer of the decoder. Rows of both sum to 1, so that their product is 1 where a layer attends to all
places alike: such a layer gets no weight. Token 0 is the start token, which takes what no word asks for.
At last each word's map is spread to places that are alike: twice :math:`r \leftarrow S r` with S the mean
self-attention of the finest layers.

**Convention:** places are in rows, y first; maps are ``[places, tokens]`` and affinities ``[places, places]``
in fp32.

Reference: Meng et al. 2026 (CVPR), arXiv 2603.06178. Subtracting 1, for layers that ignore what they see, is
ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from guidance.layers import map_size

_BLUR = 1 / 64
"""Standard deviation of the blur over a word's map, as a share of the grid's longer side: a wider one joins
neighbours, a narrower one keeps single places that stand out. Set to one cell of SDXL's finest grid, by its 5
x 5 kernel; not measured."""
_LEAST_START = 1e-3
"""Share of a place's attention that the start token has at least: where it has less, this is divided by, so
that no word's map explodes; where it has more, its own. Not measured."""
_PEAK_SHARE = 0.03
"""Share of the places, a word's strongest, that its contrast is measured at: more take in what is beside a
small thing, fewer leave it to chance. Not measured."""
_ROWS = 1024
"""Places whose affinities to all others are made at once: more are faster and take more memory. Not
measured."""


def probabilities(q: Tensor, k: Tensor, scale: float) -> Tensor:
    """Returns softmax(q k^T scale), ``[heads, P, K]`` in fp32, of ``[heads, P, d]`` and ``[heads, K, d]``."""
    # the scores of large models overflow half precision
    return (q.float() @ k.float().transpose(-1, -2) * scale).softmax(-1)


def head_weights(values: Tensor, projection: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns how much of a layer's output each head makes at each place; they sum to 1 over the heads.

    The head's part in the output's squared length. A head that writes against the others has a negative one.

    Args:
        values: what the heads read, A_n V_n, ``[heads, P, d]``.
        projection: the layer's output projection, linear but for a bias: ``[P, heads * d]`` to ``[P, D]``.

    Returns:
        ``[heads, P]``.
    """
    heads, places, width = values.shape
    with torch.enable_grad():
        joined = values.transpose(0, 1).flatten(1).detach().requires_grad_()
        out = projection(joined) - projection(torch.zeros_like(joined))
        # <A_n V_n W_n, out> is what the n-th slice says of the gradient of <out, its value>
        (pulled,) = torch.autograd.grad(out, joined, out.detach())
    parts = (joined.detach().float() * pulled.float()).view(places, heads, width).sum(-1).T
    return parts / _away_from_zero(parts.sum(0))


def weighed(attention: Tensor, values: Tensor, projection: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns a layer's attention M_l, heads weighed by what they do.

    Args:
        attention: ``[heads, P, K]``.
        values: as of :func:`head_weights`.
        projection: as of :func:`head_weights`.

    Returns:
        ``[P, K]``.
    """
    return (head_weights(values, projection)[..., None] * attention).sum(0)


def affinity(q: Tensor, k: Tensor, scale: float, take: Callable[[slice, Tensor], None]) -> None:
    """Makes the mean over the heads of softmax(q k^T scale), some rows at a time.

    Args:
        q: ``[heads, P, d]``.
        k: ``[heads, P, d]``.
        scale: of the scores.
        take: is given the rows' numbers and the rows, ``[rows, P]``.
    """
    for start in range(0, q.shape[1], _ROWS):
        rows = slice(start, min(start + _ROWS, q.shape[1]))
        mean = torch.zeros(rows.stop - start, k.shape[1], device=q.device)
        for head in range(q.shape[0]):
            mean += probabilities(q[head, rows], k[head], scale)
        take(rows, mean / q.shape[0])


@dataclass(frozen=True)
class Grid:
    """The finest grid on which maps are put together, and how coarser ones lie in it.

    Args:
        latent: (h, w) of the latent.
        level: the finest grid's level of the UNet; see :func:`guidance.layers.map_size`.
    """

    latent: tuple[int, int]
    level: int

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the finest grid."""
        return map_size(self.latent, self.level)

    def at(self, level: int) -> tuple[int, int]:
        """(h, w) of another level's grid."""
        return map_size(self.latent, level)

    def cells(self, level: int, device: torch.device | None = None) -> Tensor:
        """Returns the number of the coarser cell that each finest place lies in, ``[P]``."""
        h, w = self.size
        step = 2 ** (level - self.level)
        y = torch.arange(h, device=device) // step
        x = torch.arange(w, device=device) // step
        return (y[:, None] * self.at(level)[1] + x).flatten()

    def pooled(self, affinities: Tensor, level: int) -> Tensor:
        """Returns affinities ``[P, P]`` as a coarser level's, ``[P_l, P_l]``; rows still sum to 1.

        Such that for any S of that level, its product with this is that of the enlarged S with the original.
        """
        if level == self.level:
            return affinities
        cells = self.cells(level, affinities.device)
        h, w = self.at(level)
        counts = torch.bincount(cells, minlength=h * w).to(affinities)
        rows = torch.zeros(h * w, affinities.shape[1], device=affinities.device)
        rows.index_add_(0, cells, affinities)
        out = torch.zeros(h * w, h * w, device=affinities.device)
        out.index_add_(1, cells, rows)
        return out / counts

    def enlarged(self, maps: Tensor, level: int) -> Tensor:
        """Returns maps ``[P_l, K]`` of a level on the finest grid, ``[P, K]``, bilinearly."""
        if level == self.level:
            return maps
        grid: Tensor = torch.unflatten(maps.T, 1, self.at(level))[None]
        wide = F.interpolate(grid, self.size, mode="bilinear", align_corners=False)
        return wide[0].flatten(1).T


def layer_weight(self_attention: Tensor, reference: Tensor) -> float:
    """Returns v_l, at least 0: how much a layer's self-attention is like the reference.

    Args:
        self_attention: S_l, ``[P_l, P_l]``.
        reference: R as :meth:`Grid.pooled` brings it to the layer's grid, ``[P_l, P_l]``.
    """
    return max(0.0, float((self_attention * reference).sum()) - 1)


@dataclass(frozen=True)
class WordMaps:
    """What one pass shows of a prompt's words.

    Args:
        attention: M, ``[P, K]`` for K tokens, at least 0.
        spread: S, ``[P, P]``.
        size: (h, w) of the grid; h w = P.
        weights: v_l by the names of the layers, summing to 1; all 0 if no layer is like the reference.
    """

    attention: Tensor
    spread: Tensor
    size: tuple[int, int]
    weights: dict[str, float]

    def shares(self) -> Tensor:
        """Returns each token's share of a place's attention, ``[P, K]``; a place that has none is all 0."""
        total = self.attention.sum(1, keepdim=True)
        return self.attention / total.clamp_min(torch.finfo(total.dtype).tiny)

    def relative(self, tokens: list[int]) -> Tensor:
        """Returns a word's attention as multiples of the start token's, blurred, ``[h, w]``.

        Args:
            tokens: its positions in the prompt; they are averaged.
        """
        shares = self.shares()
        ratio = shares[:, tokens].mean(1) / shares[:, 0].clamp_min(_LEAST_START)
        return _blurred(torch.unflatten(ratio, 0, self.size))

    def contrast(self, tokens: list[int], others: list[list[int]]) -> float:
        """Returns how much a word stands out where it is most, as the logarithm of a ratio.

        The lesser of two: against its own map's median, which is that of a word that is nowhere in
        particular, and against the strongest other word there.

        Args:
            tokens: as of :meth:`relative`.
            others: positions of the prompt's other words, each word's own.
        """
        own = self.relative(tokens).flatten()
        peak = own >= own.quantile(1 - _PEAK_SHARE)
        rivals = [own.median(), *(self.relative(other).flatten()[peak].mean() for other in others)]
        least = torch.finfo(own.dtype).tiny
        return float((own[peak].mean() + least).log() - (torch.stack(rivals).max() + least).log())

    def heat(self, tokens: list[int], times: int = 2) -> Tensor:
        """Returns where a word is, scaled to [0, 1], ``[h, w]``.

        Args:
            tokens: as of :meth:`relative`.
            times: how often the map is spread to places that are alike.
        """
        map_ = scaled(self.relative(tokens)).flatten()
        for _ in range(times):
            map_ = self.spread @ map_
        return torch.unflatten(scaled(map_), 0, self.size)


def scaled(values: Tensor) -> Tensor:
    """Returns values brought to [0, 1]; all 0 where they are all the same."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp_min(torch.finfo(values.dtype).tiny)


def _blurred(maps: Tensor) -> Tensor:
    """Blurs a map ``[h, w]`` by a Gaussian of 5 x 5, edges continued."""
    sigma = _BLUR * max(maps.shape)
    offsets = torch.arange(-2, 3, device=maps.device, dtype=maps.dtype)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    wide = F.pad(maps[None, None], (2, 2, 2, 2), mode="replicate")
    return F.conv2d(F.conv2d(wide, kernel.view(1, 1, 5, 1)), kernel.view(1, 1, 1, 5))[0, 0]


def _away_from_zero(x: Tensor) -> Tensor:
    return torch.where(x.abs() < torch.finfo(x.dtype).tiny, torch.ones_like(x), x)
