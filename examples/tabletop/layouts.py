"""How boards, bricks and tiles are laid: which piece a pixel belongs to, and where in the piece it lies."""

from dataclasses import dataclass

import numpy as np

from examples.tabletop.noise import SIZE, pixels


@dataclass(frozen=True, slots=True)
class Layout:
    """A periodic division of the tile into pieces.

    Attributes:
        ident: int [512, 512] in [0, count), the piece.
        count: How many pieces.
        along: float32 [512, 512], pixels along the piece.
        across: float32 [512, 512], pixels across the piece.
        edge: float32 [512, 512], pixels to the piece's nearest border.
    """

    ident: np.ndarray
    count: int
    along: np.ndarray
    across: np.ndarray
    edge: np.ndarray

    def joint(self, width: float) -> np.ndarray:
        """1 in joints ``width`` pixels wide in all, 0 in pieces, a pixel of ramp; float32 [512, 512]."""
        return np.clip(width / 2 + 0.5 - self.edge, 0, 1)


def _centres() -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres, so that a piece is as far from its first border as from its last."""
    x, y = pixels()
    return x + np.float32(0.5), y + np.float32(0.5)


def rows(count: int, pieces: int, shifts: np.ndarray, *, ends: bool = True) -> Layout:
    """Rows of equal pieces along x.

    Args:
        count: Rows in a tile.
        pieces: Pieces in a row.
        shifts: [count], each row's shift in pieces: zeros for a grid, 0 and 1/2 for a running bond.
        ends: Whether a piece's ends are borders; without, rows are strips that go on for ever.
    """
    x, y = _centres()
    length, height = SIZE / pieces, SIZE / count
    row = np.minimum((y / height).astype(int), count - 1)
    position = np.mod(x / length + shifts[row], pieces).astype(np.float32)
    piece = np.minimum(position.astype(int), pieces - 1)
    along = (position - piece) * np.float32(length)
    across = y - row * np.float32(height)
    edge = np.minimum(across, height - across)
    if ends:
        edge = np.minimum(edge, np.minimum(along, length - along))
    return Layout(row * pieces + piece, count * pieces, along, across, edge.astype(np.float32))


def grid(count: int) -> Layout:
    """``count`` times ``count`` squares."""
    return rows(count, count, np.zeros(count))


def hexagons(columns: int, lines: int) -> Layout:
    """Pointy-topped hexagons; ``lines`` is even and about 1.15 times ``columns``, or they look squashed."""
    x, y = _centres()
    ident = np.zeros((SIZE, SIZE), int)
    dx, dy = np.full((2, SIZE, SIZE), np.inf, np.float32)
    # The centres are two rectangular lattices, the odd lines shifted by half a column.
    for odd in (0, 1):
        column, line = x / SIZE * columns - odd / 2, (y / SIZE * lines - odd) / 2
        at_x = (column - np.round(column)) * (SIZE / columns)
        # Measured as if the hexagons were regular, so that all six joints come out equally wide.
        at_y = (line - np.round(line)) * (3**0.5 * SIZE / columns)
        piece = (np.round(line).astype(int) * 2 + odd) % lines * columns + np.round(column).astype(
            int
        ) % columns
        nearer = np.hypot(at_x, at_y) < np.hypot(dx, dy)
        ident, dx, dy = np.where(nearer, piece, ident), np.where(nearer, at_x, dx), np.where(nearer, at_y, dy)
    reach = np.maximum(np.abs(dx), np.abs(dx) * 0.5 + np.abs(dy) * 0.866)
    return Layout(ident, columns * lines, dx, dy, (SIZE / columns / 2 - reach).astype(np.float32))


def herringbone(repeats: int, ratio: int) -> Layout:
    """Blocks ``ratio`` times longer than wide, each ending at the side of the next."""
    cells = 2 * ratio * repeats
    unit = np.float32(SIZE / cells)
    x, y = _centres()
    i, j = (np.minimum((axis / unit).astype(int), cells - 1) for axis in (x, y))
    phase = (i - j) % (2 * ratio)
    lying = phase < ratio
    offset = np.where(lying, phase, 2 * ratio - 1 - phase)
    ident = np.where(lying, (i - offset) % cells * cells + j, i * cells + (j - offset) % cells) * 2 + ~lying
    along = np.where(lying, x - i * unit, y - j * unit) + offset * unit
    across = np.where(lying, y - j * unit, x - i * unit)
    edge = np.minimum(np.minimum(along, ratio * unit - along), np.minimum(across, unit - across))
    return Layout(ident, 2 * cells**2, along.astype(np.float32), across, edge.astype(np.float32))


def basket(blocks: int, strips: int) -> Layout:
    """Square blocks of parallel strips, neighbours at right angles; ``blocks`` is even."""
    x, y = _centres()
    side = np.float32(SIZE / blocks)
    i, j = (np.minimum((axis / side).astype(int), blocks - 1) for axis in (x, y))
    lying = (i + j) % 2 == 0
    along = np.where(lying, x - i * side, y - j * side)
    across = np.where(lying, y - j * side, x - i * side)
    width = side / strips
    strip = np.minimum((across / width).astype(int), strips - 1)
    across = (across - strip * width).astype(np.float32)
    edge = np.minimum(np.minimum(along, side - along), np.minimum(across, width - across))
    return Layout(
        (i * blocks + j) * strips + strip, blocks**2 * strips, along, across, edge.astype(np.float32)
    )
