"""The edit in pixels: objects at their new places, their holes roughly filled, their shadows taken along.

It is what the resampling is anchored in (design: an edit by attention alone loses an object's identity):
everything in it comes from the photo itself, at the photo's own resolution.

**Convention:** masks and mattes are ``[H, W]`` at the picture's size; the transform is in fractions of the
frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from guidance import Transform
from realedit.fill import fill
from realedit.locate import Location
from realedit.reflection import Reflection, find_reflection, no_reflection
from realedit.shadow import Shadow, contrast, find_shadow, grow, near_foot, no_shadow

FILL_SIDE = 640
"""Longer side of the picture in which texture is copied into the hole; larger photos get it scaled up."""

_SEEN = 0.004
"""Loss of log intensity from which on a shadow is one."""
_REST = 0.1
"""Loss of log intensity from which on the margin of a hole counts as dark."""
_SOME = 0.05
"""Share of a small picture's pixel that an object covers from which on it is taken out: what is thin goes
too."""


@dataclass(frozen=True)
class Piece:
    """An object that an edit takes up, and where it puts it down.

    Args:
        location: the object, in the photo or in ``source``.
        transform: from where it is to where it goes; None where it goes away.
        source: uint8 ``[H, W, 3]`` at the photo's size that its pixels come from, where that is another
            picture: then nothing is taken up from the photo.
        casts: whether its shadow is looked for; a reshaped object's own pixels end at its outline.
    """

    location: Location
    transform: Transform | None
    source: np.ndarray | None = None
    casts: bool = True


@dataclass(frozen=True)
class _Cast:
    """What a piece does to what it stands on, at the size at which holes are filled."""

    shadow: Shadow
    reflection: Reflection

    @property
    def mask(self) -> np.ndarray:
        return self.shadow.mask | self.reflection.mask

    def moved(self, transform: Transform, size: tuple[int, int]) -> _Cast:
        """The same where the piece goes, at a size (width, height)."""
        loss = _warp(_scaled(self.shadow.loss, size), transform)
        light = _warp(_scaled(self.reflection.light, size), transform)
        seen = np.zeros_like(loss)  # nothing of it is in the photo there
        return _Cast(Shadow(loss.max(-1) > _SEEN, loss, seen), Reflection(np.abs(light).max(-1) > 0.5, light))

    def lifted(self, rgb: np.ndarray) -> np.ndarray:
        """A picture of any size, float32 ``[H, W, 3]`` in 0..255, without the shadow's darkness."""
        seen = _scaled(self.shadow.seen, rgb.shape[1::-1])
        some = seen.max(-1, keepdims=True) > _SEEN
        return np.where(some, replace(self.shadow, seen=seen).lift(rgb), rgb)

    def upon(self, behind: np.ndarray) -> np.ndarray:
        """A picture with it, float32 ``[H, W, 3]`` in 0..255; the same where it is not."""
        dark = np.where(self.shadow.mask[..., None], self.shadow.cast(behind), behind)
        return np.where(self.reflection.mask[..., None], self.reflection.cast(dark), dark)


@dataclass(frozen=True)
class Anchor:
    """The edit in pixels.

    Args:
        picture: float32 ``[H, W, 3]`` in 0..255; equal to the photo outside ``changed``.
        mattes: each piece's matte at its new place, float32 ``[H, W]`` in [0, 1]; zero where it went away.
        hole: what the objects, their whole shadows and reflections used to cover, bool ``[H, W]``.
        shadow_before: where shadows and reflections were, bool ``[H, W]``.
        shadow_after: where they are, bool ``[H, W]``.
    """

    picture: np.ndarray
    mattes: tuple[np.ndarray, ...]
    hole: np.ndarray
    shadow_before: np.ndarray
    shadow_after: np.ndarray

    @property
    def matte(self) -> np.ndarray:
        """What the pieces cover at their new places, float32 ``[H, W]`` in [0, 1]."""
        return 1 - np.prod([1 - matte for matte in self.mattes], axis=0, dtype=np.float32)

    @property
    def changed(self) -> np.ndarray:
        """Where the picture may differ from the photo, bool ``[H, W]``."""
        return self.hole | self.shadow_after | (self.matte > 0)


def build_anchor(
    rgb: np.ndarray, pieces: Sequence[Piece], closed: np.ndarray | None = None, *, shadow: bool = True,
    reflection: bool = False, pixels: bool = True, fill_hole: bool = True,
) -> Anchor:  # fmt: skip
    """Move objects' pixels, fill what they leave and take their shadows along.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        pieces: what is taken up and put down. Where they overlap, the lower in the photo is in front.
        closed: bool ``[H, W]``, other objects: nothing is copied from them.
        shadow: whether to look for shadows.
        reflection: whether to look for reflections.
        pixels: whether objects are laid at their new places; else their mattes alone say where those are.
        fill_hole: whether what they leave is filled.
    """
    h, w = rgb.shape[:2]
    taken = [piece for piece in pieces if piece.source is None]
    casts = {
        id(piece): _cast_of(rgb, piece, pieces, closed, shadow=shadow, reflection=reflection)
        for piece in pieces
    }
    behind, hole = _cleared(rgb, [(piece.location, casts[id(piece)]) for piece in taken], closed)
    if not fill_hole:
        behind = rgb.astype(np.float32)
    mattes = [np.zeros((h, w), np.float32) for _ in pieces]
    shadow_after = np.zeros((h, w), bool)
    placed = [(k, piece, piece.transform) for k, piece in enumerate(pieces) if piece.transform is not None]
    for k, piece, transform in sorted(placed, key=lambda one: _foot(one[1].location, one[2])):
        cast = casts[id(piece)].moved(transform, (w, h))
        behind = cast.upon(behind)
        shadow_after |= cast.mask
        laid, mattes[k] = _lay(behind, rgb if piece.source is None else piece.source, piece, transform)
        behind = laid if pixels else behind
    shadow_before = np.zeros((h, w), bool)
    for piece in taken:
        shadow_before |= _scaled(casts[id(piece)].mask.astype(np.float32), (w, h)) > 0.5
    return Anchor(behind.astype(np.float32), tuple(mattes), hole, shadow_before, shadow_after)


def _cast_of(
    rgb: np.ndarray, piece: Piece, pieces: Sequence[Piece], closed: np.ndarray | None, *, shadow: bool,
    reflection: bool,
) -> _Cast:  # fmt: skip
    """A piece's shadow and reflection at the size at which holes are filled; none on the other pieces."""
    small = _small(rgb if piece.source is None else piece.source)
    none = _Cast(no_shadow(small), no_reflection(small))
    if not (piece.casts and (shadow or reflection)):
        return none
    size = small.shape[1::-1]
    mask = _scaled(piece.location.mask, size) > 0.5
    shut = None if closed is None or piece.source is not None else _shut(closed, mask, size)
    for other in pieces:
        if other is not piece and other.source is None and piece.source is None:
            theirs = _scaled(other.location.mask, size) > 0.5
            shut = theirs if shut is None else shut | theirs
    mirrored = find_reflection(small, mask, shut) if reflection else none.reflection
    if not shadow:
        return _Cast(none.shadow, mirrored)
    # what is reflected is no shadow
    return _Cast(find_shadow(mirrored.taken_from(small), mask, shut), mirrored)


def _cleared(
    rgb: np.ndarray, taken: Sequence[tuple[Location, _Cast]], closed: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The photo without some objects and what they cast, float32 ``[H, W, 3]``, and where it was filled."""
    if not taken:
        return rgb.astype(np.float32), np.zeros(rgb.shape[:2], bool)
    lit = rgb.astype(np.float32)
    for _, one in taken:
        lit = one.lifted(lit)
    lit = lit.round().astype(np.uint8)
    small = _small(lit)
    size = small.shape[1::-1]
    unit = max(size) / 256
    mask = np.zeros(small.shape[:2], bool)
    cast = mask.copy()
    mirrored = mask.copy()
    for location, one in taken:
        mask |= _scaled(location.hard.astype(np.float32), size) > _SOME
        cast |= one.mask
        mirrored |= one.reflection.mask
    shut = None if closed is None else _shut(closed, mask, size)
    hole = grow(mask | mirrored, 6 * unit) | grow(cast, 2 * unit)
    if shut is not None:  # a neighbour that the object touches stays whole
        hole &= ~shut | grow(mask, unit)
    solid = grow(mask, 1.5 * unit) | grow(cast, unit)
    filled = fill(small, hole, shut)
    # not at its upper side, where another thing may be dark
    margin = hole & ~solid & (near_foot(mask, 8 * unit) | grow(cast, 8 * unit))
    filled = settle(small, filled, hole, solid | _rests(small, filled, margin, unit))
    changed = _scaled(hole.astype(np.float32), rgb.shape[1::-1]) > 0
    return _scaled_up(filled, lit, hole), changed | (lit != rgb).any(-1)


def _rests(rgb: np.ndarray, filled: np.ndarray, margin: np.ndarray, unit: float) -> np.ndarray:
    """Where a hole's margin is darker than its filling: rests of a shadow, bool ``[H, W]``.

    Of any colour: where an object stands, its own colour shines into its shadow.
    """
    return margin & (contrast(rgb, filled, margin, unit).mean(-1) > _REST)


def _lay(
    behind: np.ndarray, rgb: np.ndarray, piece: Piece, transform: Transform
) -> tuple[np.ndarray, np.ndarray]:
    """A piece's own pixels over what is behind them, and its matte there."""
    weight = piece.location.mask[..., None]
    moved = _warp(piece.location.mask, transform)
    alpha = np.clip(moved, 0, 1)
    # beside an edge a bicubic kernel swings below 0 and above 1, in the pixels as in the matte
    share = np.divide(alpha, moved, out=np.zeros_like(moved), where=moved > 0)
    pixels = _warp(rgb.astype(np.float32) * weight, transform) * share[..., None]
    return np.clip(behind * (1 - alpha[..., None]) + pixels, 0, 255), alpha


def _foot(location: Location, transform: Transform) -> float:
    """How far down a piece stands: what stands lower is nearer."""
    return location.centroid[1] + transform.dy + transform.scale * (location.box[3] - location.centroid[1])


def _small(rgb: np.ndarray) -> np.ndarray:
    factor = min(1.0, FILL_SIDE / max(rgb.shape[:2]))
    if factor == 1:
        return rgb
    # the size itself, not the factor: that would map by another ratio than the way back does
    height, width = (max(1, round(side * factor)) for side in rgb.shape[:2])
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def _shut(closed: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return (_scaled(closed.astype(np.float32), size) > 0.5) & ~grow(mask, 2)


def settle(rgb: np.ndarray, filled: np.ndarray, hole: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Fit a hole's fill to the light about it and let it fade into the photo; uint8 ``[H, W, 3]``.

    The hole's margin beyond ``solid`` (bool ``[H, W]``, what must go) is photo that is known: what the fill
    misses there in low frequencies it is given everywhere, and across the margin it gives way to the photo.
    """
    margin = hole & ~solid
    if not margin.any():
        return filled
    sigma = max(hole.shape) / 40
    weight = margin.astype(np.float32)
    missed = (rgb.astype(np.float32) - filled) * weight[..., None]
    known = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
    low = cv2.GaussianBlur(missed, (0, 0), sigma) / (known + 1e-3)
    inward = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5)
    outward = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
    share = (inward / np.maximum(inward + outward, 1e-6))[..., None] * hole[..., None]
    mixed = rgb * (1 - share) + (filled + low) * share
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def _scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resized to (width, height); as it is where it has that size already."""
    if image.shape[1::-1] == size:
        return image
    return cv2.resize(
        image, size, interpolation=cv2.INTER_LINEAR if size[0] > image.shape[1] else cv2.INTER_AREA
    )


def _scaled_up(filled: np.ndarray, rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A small picture's hole in the full-size photo, float32."""
    if filled.shape == rgb.shape:
        return filled.astype(np.float32)
    size = rgb.shape[1::-1]
    gap = (_scaled(hole.astype(np.float32), size) > 0)[..., None]
    return np.where(gap, _scaled(filled.astype(np.float32), size), rgb.astype(np.float32))


def _warp(image: np.ndarray, transform: Transform) -> np.ndarray:
    """An image ``[H, W]`` or ``[H, W, 3]`` moved; 0 enters over the border. Shrinks without aliasing."""
    h, w = image.shape[:2]
    if transform.scale < 0.75:  # a bicubic kernel spans two pixels: band-limit first
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / transform.scale)
    (a, b, c), (d, e, f) = transform.matrix(w / h)
    # fractions to pixel centres: p = (u + 1/2) / size
    matrix = np.array(
        [
            [a, b * w / h, (a * 0.5 + b * w / h * 0.5 + c * w) - 0.5],
            [d * h / w, e, (d * h / w * 0.5 + e * 0.5 + f * h) - 0.5],
        ],
        np.float64,
    )
    return cv2.warpAffine(np.ascontiguousarray(image, np.float32), matrix, (w, h), flags=cv2.INTER_CUBIC)
