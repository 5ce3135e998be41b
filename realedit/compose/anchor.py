"""Makes the edit in pixels: objects at their new places, their holes filled, their shadows taken along.

It is called the anchor because the model may only change it a little: an edit by attention alone loses an
object's identity, while everything here comes from the photo itself, at the photo's own resolution.

**Convention:** masks and mattes are ``[H, W]`` at the picture's size; transforms map (x, y) in fractions of
the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidance import Transform
from realedit.compose.contact import find_contact
from realedit.compose.hole import Fill, cleared, forbidden_small, small_copy
from realedit.compose.piece import Cast, Piece, carried
from realedit.compose.reflection import find_reflection, no_reflection
from realedit.compose.shadow import find_shadow, no_shadow
from realedit.compose.window import Window, window_of
from realedit.location import Location
from realedit.pixels.foreground import foreground, reach_of
from realedit.pixels.hole_filling import fill_with_steps
from realedit.pixels.resizing import scaled
from realedit.pixels.rounding import as_bytes


@dataclass(frozen=True)
class Anchor:
    """The edit in pixels.

    Args:
        picture: float32 ``[H, W, 3]`` in 0..255; equal to the photo outside ``changed``.
        mattes: each piece's matte at its new place, float32 ``[H, W]`` in [0, 1]; zero everywhere for a piece
            that went away.
        hole: the pixels that were filled or given light: what the objects, their shadows and their
            reflections used to cover, with a margin; bool ``[H, W]``.
        shadow_before: where shadows and reflections were, bool ``[H, W]``.
        shadow_after: where they are now, bool ``[H, W]``.
        unsure_shadow: whether something dark beside an object may be its shadow and was left behind.
        unsure_fill: whether the filling of the holes may show.
    """

    picture: np.ndarray
    mattes: tuple[np.ndarray, ...]
    hole: np.ndarray
    shadow_before: np.ndarray
    shadow_after: np.ndarray
    unsure_shadow: bool = False
    unsure_fill: bool = False

    @property
    def matte(self) -> np.ndarray:
        """What all pieces together cover at their new places, float32 ``[H, W]`` in [0, 1]."""
        left = 1 - self.mattes[0]
        for matte in self.mattes[1:]:
            left *= 1 - matte
        return np.subtract(1, left, out=left)

    @property
    def changed(self) -> np.ndarray:
        """Where the picture may differ from the photo, bool ``[H, W]``."""
        return self.hole | self.shadow_after | (self.matte > 0)


def build_anchor(
    rgb: np.ndarray,
    pieces: Sequence[Piece],
    forbidden: np.ndarray | None = None,
    *,
    shadow: bool = True,
    reflection: bool = False,
    pixels: bool = True,
    fill_hole: bool = True,
    fill: Fill = fill_with_steps,
) -> Anchor:
    """Moves objects' pixels, fills the holes that they leave and takes their shadows along.

    Args:
        rgb: the photo, uint8 ``[H, W, 3]``.
        pieces: the objects, and where each goes. Where they overlap, the one that stands lower is in front.
        forbidden: bool ``[H, W]``, other objects: nothing is copied from them.
        shadow: whether to look for shadows.
        reflection: whether to look for reflections.
        pixels: whether objects are laid at their new places; if not, their mattes alone say where those are.
        fill_hole: whether holes are filled; if not, the objects stay there too.
        fill: fills them.
    """
    h, w = rgb.shape[:2]
    taken = [piece for piece in pieces if piece.taken]
    casts = {
        id(piece): _cast_of(rgb, piece, pieces, forbidden, shadow=shadow, reflection=reflection)
        for piece in pieces
    }
    behind, hole, unsure_fill = cleared(
        rgb, [(piece.location, casts[id(piece)]) for piece in taken], forbidden, fill
    )
    if not fill_hole:
        behind = rgb.astype(np.float32)
    elif shadow and not unsure_fill:
        for piece in taken:
            casts[id(piece)] = _with_contact(casts[id(piece)], rgb, behind, piece)
    mattes = [np.zeros((h, w), np.float32) for _ in pieces]
    shadow_after = np.zeros((h, w), bool)
    placed = [(k, piece, piece.transform) for k, piece in enumerate(pieces) if piece.transform is not None]
    for k, piece, transform in sorted(placed, key=lambda one: _foot(one[1].location, one[2])):
        reach = casts[id(piece)].reach(piece.location, transform, (h, w))
        if reach.size[0]:
            cast = casts[id(piece)].moved(piece.location, transform, (w, h), reach)
            behind[reach.at] = cast.upon(behind[reach.at])
            shadow_after[reach.at] |= cast.mask
        mattes[k], window, laid = _lay(
            behind, rgb if piece.source is None else piece.source, piece, transform
        )
        if pixels:
            behind[window.at] = laid
    shadow_before = np.zeros((h, w), bool)
    for piece in taken:
        if casts[id(piece)].mask.any():
            shadow_before |= scaled(casts[id(piece)].mask.astype(np.float32), (w, h)) > 0.5
    unsure = any(casts[id(piece)].shadow.unsure for piece in taken)
    return Anchor(
        behind,
        tuple(mattes),
        hole,
        shadow_before,
        shadow_after,
        unsure_shadow=unsure,
        unsure_fill=fill_hole and unsure_fill,
    )


def _cast_of(
    rgb: np.ndarray,
    piece: Piece,
    pieces: Sequence[Piece],
    forbidden: np.ndarray | None,
    *,
    shadow: bool,
    reflection: bool,
) -> Cast:
    """Finds a piece's shadow and reflection, at the size at which holes are filled; none on other pieces."""
    small = small_copy(rgb if piece.source is None else piece.source)
    none = Cast(no_shadow(small), no_reflection(small))
    if not (piece.casts and (shadow or reflection)):
        return none
    size = small.shape[1::-1]
    mask = scaled(piece.location.mask, size) > 0.5
    elsewhere = None  # no shadow is looked for there, at the small size
    if forbidden is not None and piece.source is None:
        elsewhere = forbidden_small(forbidden, mask, size)
    for other in pieces:
        if other is not piece and other.source is None and piece.source is None:
            theirs = scaled(other.location.mask, size) > 0.5
            elsewhere = theirs if elsewhere is None else elsewhere | theirs
    mirrored = find_reflection(small, mask, elsewhere) if reflection else none.reflection
    if not shadow:
        return Cast(none.shadow, mirrored)
    # a dark reflection would be taken for shadow
    return Cast(find_shadow(mirrored.taken_from(small), mask, elsewhere), mirrored)


def _with_contact(cast: Cast, rgb: np.ndarray, cleared: np.ndarray, piece: Piece) -> Cast:
    """Adds the contact shadow of a piece that no shadow was found of, as the photo shows it at its place."""
    if cast.shadow.mask.any() or piece.transform is None or not piece.casts:
        return cast
    small = small_copy(rgb)
    filled = small_copy(as_bytes(cleared))
    mask = scaled(piece.location.mask, small.shape[1::-1]) > 0.5
    contact = find_contact(small, filled, mask)
    return replace(cast, shadow=replace(cast.shadow, loss=contact.loss))


def _lay(
    behind: np.ndarray, rgb: np.ndarray, piece: Piece, transform: Transform
) -> tuple[np.ndarray, Window, np.ndarray]:
    """Lays a piece's own pixels over what is behind them.

    Returns:
        The piece's matte, the window outside which it lies nowhere, and the picture there.
    """
    mask, frame = piece.location.mask, behind.shape[:2]
    matte = carried(mask, transform)
    window = window_of(matte != 0, frame)
    source = window_of(mask > 0, frame, reach_of(frame))
    part, weight = rgb[source.at], mask[source.at]
    # the old background stays behind; about a reshaped object there is none to take out
    own = foreground(part, weight, frame=frame) if piece.casts else part.astype(np.float32)
    # in place, all of it: of a large photo each of these takes hundreds of megabytes
    own *= weight[..., None]
    pixels = carried(own, transform, window, source=source, frame=frame)
    del own
    moved = matte[window.at]
    alpha = np.clip(moved, 0, 1)
    # beside an edge a bicubic kernel swings below 0 and above 1, in the pixels as in the matte
    pixels *= np.divide(alpha, moved, out=np.zeros_like(moved), where=moved > 0)[..., None]
    laid = behind[window.at] * (1 - alpha[..., None])
    laid += pixels
    return np.clip(matte, 0, 1, out=matte), window, np.clip(laid, 0, 255, out=laid)


def _foot(location: Location, transform: Transform) -> float:
    """Returns y of a piece's lowest point at its new place: what stands lower is nearer."""
    return location.centroid[1] + transform.dy + transform.scale * (location.box[3] - location.centroid[1])
