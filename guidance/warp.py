"""Warps maps by an edit's similarity transform: attention, features and masks alike.

**Convention:** (x, y) in [0, 1] of the frame, x right, y down; ``dx, dy`` fractions of its width and height;
``scale`` about the object's own centroid or a given ``centre``; ``angle`` in degrees, positive clockwise on
screen, a rotation in pixels (not in fractions of an oblong frame); ``mirrored`` swaps left and right before
that. Cells that come in over the border are 0:
a warp never wraps around and never repeats the edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


@dataclass(frozen=True)
class Transform:
    """Mirrors, scales and rotates about ``centre``, then shifts by (dx, dy).

    If no centre is given, an energy takes the object's own centroid (:meth:`about`), and a map that belongs
    to no object is turned about the middle of the frame.

    Raises:
        ValueError: the scale is not positive.
    """

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    angle: float = 0.0
    centre: tuple[float, float] | None = None
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale must be positive, got {self.scale}")

    def about(self, place: Tensor) -> Self:
        """Returns the same transform about ``place [2]``, if it has no centre of its own and needs one."""
        if self.centre is not None or (self.scale == 1 and self.angle == 0 and not self.mirrored):
            return self
        x, y = place.detach()
        return replace(self, centre=(float(x), float(y)))

    def matrix(self, aspect: float) -> list[list[float]]:
        """Returns the 2 x 3 affine map of (x, y) in [0, 1]; ``aspect`` is the frame's width / height."""
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        a, b = self.scale * c, -self.scale * s / aspect
        d, e = self.scale * s * aspect, self.scale * c
        if self.mirrored:
            a, d = -a, -d
        x, y = self.centre or (0.5, 0.5)
        return [[a, b, x + self.dx - a * x - b * y], [d, e, y + self.dy - d * x - e * y]]

    def apply(self, points: Tensor, aspect: float) -> Tensor:
        """Moves points ``[..., 2]``; ``aspect`` is the frame's width / height."""
        m = torch.tensor(self.matrix(aspect), dtype=points.dtype, device=points.device)
        return points @ m[:, :2].T + m[:, 2]


IDENTITY = Transform()


def warp_objects(maps: Tensor, transform: Transform, centroids: Tensor) -> Tensor:
    """Warps ``[B, h, w]``, each map about its own centroid ``[B, 2]`` if the transform has no centre."""
    each = zip(maps, centroids, strict=True)
    return torch.cat([warp(one[None], transform.about(place)) for one, place in each])


def move_points(points: Tensor, transform: Transform, aspect: float) -> Tensor:
    """Moves centroids ``[B, 2]``, each about itself if the transform has no centre."""
    return torch.stack([transform.about(point).apply(point, aspect) for point in points])


def warp(maps: Tensor, transform: Transform, *, mode: Literal["bilinear", "nearest"] = "bilinear") -> Tensor:
    """Warps ``[B, h, w]`` or ``[B, h, w, D]``; cells that come in over the border are 0.

    Args:
        maps: the maps.
        transform: where they go.
        mode: "bilinear", or "nearest" for noise, whose variance a mean of cells would reduce.
    """
    flat = maps[..., None] if maps.dim() == 3 else maps
    h, w = flat.shape[1:3]
    inverse = torch.inverse(torch.tensor([*transform.matrix(w / h), [0.0, 0.0, 1.0]], dtype=torch.float64))
    # affine_grid wants the output -> input map in [-1, 1]; for p' = R p + t with p in [0, 1] that is
    # 2 p' - 1 = R (2 p - 1) + (2 t + R 1 - 1)
    linear, shift = inverse[:2, :2], inverse[:2, 2]
    # half precision would place the samples up to an eighth of a cell off
    flat = flat.to(torch.promote_types(maps.dtype, torch.float32))
    theta = torch.cat([linear, (2 * shift + linear.sum(1) - 1)[:, None]], 1).to(flat)
    grid = affine_grid(theta.expand(flat.shape[0], 2, 3), [flat.shape[0], 1, h, w], align_corners=False)
    moved = grid_sample(flat.movedim(-1, 1), grid, mode=mode, padding_mode="zeros", align_corners=False)
    moved = moved.movedim(1, -1).to(maps.dtype)
    return moved[..., 0] if maps.dim() == 3 else moved
