"""Codes all coefficients of a JPEG as scans, baseline or progressive (T.81, F.1 and G.1).

Codes are made for the picture itself, so a file does not grow by being written again. What is not taken over
from the old file are restart markers and the order of progressive scans, neither of which changes a sample: a
progressive file is written as its means, then each component's low and then its high frequencies.

Written with arrays of whole rows of blocks, because a loop over blocks in Python takes minutes for a large
photo, and no package writes coefficients without loss: see :mod:`realedit.photo.jpeg.coefficients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from realedit.photo.jpeg.huffman import Code, shortest_code
from realedit.photo.jpeg.marker_segments import DHT, PROGRESSIVE, SOS, ZIGZAG, Component, Frame, Segment

_MOST_BLOCKS = 10
"""Blocks in a unit of an interleaved scan: with more, each component is a scan of its own, else all are one.
Set by the standard."""
_BLOCKS_AT_ONCE = 1 << 14
"""Blocks that are coded at once: more take more memory, fewer more time. Not measured."""
_LOW, _HIGH = (1, 5), (6, 63)
"""First and last frequency of the progressive scans, as in libjpeg's simplest script. Not measured."""
_ZERO_RUN, _ZEROS = 0xF0, 16
"""The symbol for so many zeros. Set by the standard."""
_LONGEST_END = 0x7FFF
"""Blocks whose end one symbol can tell in a progressive scan. Set by the standard."""
_MOST_BITS = 15
"""Bits of a coefficient, or of a difference of means, that a symbol can tell. Set by the standard."""
_SIZES = np.frexp(np.arange(1 << 17))[1].astype(np.uint8)
"""Bits of each magnitude."""


@dataclass(frozen=True)
class _Symbols:
    """What is coded, in its order.

    Attributes:
        names: symbol + 256 * number of its Huffman code, int32 [n].
        extras: the bits that follow the symbol's word, uint32 [n].
        lengths: how many, uint8 [n].
    """

    names: np.ndarray
    extras: np.ndarray
    lengths: np.ndarray


def code_scans(frame: Frame, coefficients: Sequence[np.ndarray]) -> bytes:
    """Returns everything behind the frame header: Huffman tables and scans, to the end of the picture.

    Args:
        frame: the frame header; its kind says whether scans are progressive.
        coefficients: each component's, int16 [rows, columns, 64], row by row in a block.

    Raises:
        ValueError: a coefficient is larger than the format can tell.
    """
    numbered = list(zip(frame.components, coefficients, strict=True))
    together = sum(part.across * part.down for part in frame.components) <= _MOST_BLOCKS
    groups = [numbered] if together else [[one] for one in numbered]
    parts: list[bytes] = []
    if frame.kind == PROGRESSIVE:
        parts += [_scan(frame, group, (0, 0)) for group in groups]
        parts += [_scan(frame, [one], band) for band in (_LOW, _HIGH) for one in numbered]
    else:
        parts += [_scan(frame, group, (0, 63)) for group in groups]
    return b"".join((*parts, b"\xff\xd9"))


def _scan(frame: Frame, group: list[tuple[Component, np.ndarray]], band: tuple[int, int]) -> bytes:
    """Returns one scan with its Huffman tables."""
    first, last = band
    if first:
        pieces = list(_end_runs(_spectral(group[0][1], band)))
    else:
        pieces = list(_sequential(frame, group, with_ac=last > 0))
    counts = sum(
        (np.bincount(piece.names, minlength=1024) for piece in pieces), np.zeros(1024, np.int64)
    ).reshape(4, 256)
    codes = {number: shortest_code(row) for number, row in enumerate(counts) if row.any()}
    tables = b"".join(
        bytes([(number & 1) << 4 | number >> 1]) + bytes(code) for number, code in codes.items()
    )
    # a scan of frequencies is one component's, and takes its own tables with it
    chosen = b"".join(bytes([part.number, 0 if first else 0x11 * _table(frame, part)]) for part, _ in group)
    head = bytes([len(group)]) + chosen + bytes([first, last, 0])
    data = _packed(pieces, codes)
    return bytes(Segment(DHT, tables)) + bytes(Segment(SOS, head)) + data


def _table(frame: Frame, component: Component) -> int:
    """Returns which pair of Huffman tables a component uses: 0 with the first component's quantisation."""
    return int(component.table != frame.components[0].table)


def _sequential(
    frame: Frame, group: list[tuple[Component, np.ndarray]], *, with_ac: bool
) -> Iterator[_Symbols]:
    """Yields the symbols of a scan of means, with or without the other frequencies."""
    alone = len(group) == 1
    rows = [plane.shape[0] if alone else -(-plane.shape[0] // part.down) for part, plane in group]
    columns = [plane.shape[1] if alone else -(-plane.shape[1] // part.across) for part, plane in group]
    sides = [(1, 1) if alone else (part.down, part.across) for part, _ in group]
    unit = sum(down * across for down, across in sides)
    step = max(1, _BLOCKS_AT_ONCE // (unit * max(columns)))
    before = [0] * len(group)
    classes = np.concatenate(
        [
            np.full(down * across, _table(frame, part))
            for (part, _), (down, across) in zip(group, sides, strict=True)
        ]
    )
    for at in range(0, max(rows), step):
        blocks: list[np.ndarray] = []
        means: list[np.ndarray] = []
        for number, (_, plane) in enumerate(group):
            down, across = sides[number]
            part = plane[at * down : (at + step) * down]
            ordered, differences, before[number] = _units(part, down, across, max(columns), before[number])
            blocks.append(ordered)
            means.append(differences)
        zigzag = np.concatenate(blocks, axis=1).reshape(-1, 64)[:, ZIGZAG]
        differences = np.concatenate(means, axis=1).ravel()
        yield _blocks(zigzag, differences, np.resize(classes, len(zigzag)), with_ac=with_ac)


def _units(
    plane: np.ndarray, down: int, across: int, columns: int, before: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Brings a component's blocks into the order of units, filled up to whole ones.

    Blocks that fill up hold nothing but the mean of the block before them, which costs the fewest bits.

    Args:
        plane: [rows, columns, 64].
        down: blocks of the component in a unit, one below the other.
        across: likewise, side by side.
        columns: units side by side.
        before: the mean of the block before the first.

    Returns:
        The blocks [units, down * across, 64], the differences of their means, and the last mean.
    """
    high, wide = plane.shape[:2]
    rows = -(-high // down)
    filled = np.zeros((rows * down, columns * across, 64), np.int16)
    filled[:high, :wide] = plane
    real = np.zeros(filled.shape[:2], bool)
    real[:high, :wide] = True

    def ordered(values: np.ndarray) -> np.ndarray:
        parted = values.reshape(rows, down, columns, across, *values.shape[2:])
        return np.moveaxis(parted, 2, 1).reshape(rows * columns, down * across, *values.shape[2:])

    blocks = ordered(filled)
    flat = blocks[..., 0].ravel().astype(np.int32)
    last_real = np.maximum.accumulate(np.where(ordered(real).ravel(), np.arange(flat.size), 0))
    flat = flat[last_real]
    differences = np.diff(flat, prepend=before)
    return blocks, differences.reshape(blocks.shape[:2]), int(flat[-1])


def _blocks(zigzag: np.ndarray, means: np.ndarray, classes: np.ndarray, *, with_ac: bool) -> _Symbols:
    """Returns the symbols of whole blocks: the mean, each frequency that is not 0, and the end (F.1.2)."""
    n = len(zigzag)
    mean_bits, mean_lengths = _magnitudes(means)
    if not with_ac:
        return _Symbols(mean_lengths + 512 * classes.astype(np.int32), mean_bits, mean_lengths)
    block, run, value, last = _nonzero(zigzag, 1)
    bits, lengths = _magnitudes(value)
    runs = run // _ZEROS
    ends = (last < 63).astype(np.intp)
    items = 1 + runs
    per_block = 1 + np.bincount(block, items, n).astype(np.intp) + ends
    starts = np.cumsum(per_block) - per_block
    total = int(per_block.sum())
    # the symbol of many zeros is what stays where nothing else is put
    names = np.repeat(_ZERO_RUN + 256 * (2 * classes + 1), per_block).astype(np.int32)
    extras, counts = np.zeros(total, np.uint32), np.zeros(total, np.uint8)
    names[starts], extras[starts], counts[starts] = mean_lengths + 512 * classes, mean_bits, mean_lengths
    at_end = (starts + per_block - 1)[ends > 0]
    names[at_end] -= _ZERO_RUN
    within = np.cumsum(items)
    before = np.concatenate(([0], within))[np.searchsorted(block, np.arange(n))]
    place = starts[block] + within - before[block]
    names[place] += (run % _ZEROS << 4) + lengths - _ZERO_RUN
    extras[place], counts[place] = bits, lengths
    return _Symbols(names, extras, counts)


def _spectral(plane: np.ndarray, band: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yields a component's blocks, some rows at a time, with the frequencies of a band alone."""
    flat = plane.reshape(-1, 64)
    places = ZIGZAG[band[0] : band[1] + 1]
    for at in range(0, len(flat), 4 * _BLOCKS_AT_ONCE):
        yield flat[at : at + 4 * _BLOCKS_AT_ONCE, places]


def _end_runs(parts: Iterator[np.ndarray]) -> Iterator[_Symbols]:
    """Yields the symbols of a progressive scan of frequencies, with the runs of ended blocks (G.1.2.2)."""
    waiting = 0
    for part in parts:
        block, run, value, last = _nonzero(part, 0)
        bits, lengths = _magnitudes(value)
        used, firsts = np.unique(block, return_index=True)
        ended = (last[used] < part.shape[1] - 1).astype(np.int64)
        # ended blocks before each used one: the empty ones, and the used one before where it ended
        pending = np.diff(used, prepend=-1) - 1
        if not used.size:
            waiting += len(part)
            continue
        pending[0] += waiting
        pending[1:] += ended[:-1]
        waiting = int(ended[-1]) + len(part) - 1 - int(used[-1])
        before = np.zeros(len(block), np.int64)
        before[firsts] = pending
        yield _with_ends(before, run, bits, lengths)
    if waiting:
        yield _with_ends(np.array([waiting]), *np.zeros((3, 0), np.int64))


def _with_ends(ended: np.ndarray, run: np.ndarray, bits: np.ndarray, lengths: np.ndarray) -> _Symbols:
    """Returns, for each coefficient: ends of blocks before it, zeros before it, itself.

    Args:
        ended: blocks that ended before the coefficient, [n]; of length 1 without coefficients.
        run: zeros before it, [n].
        bits: what tells its value, [n].
        lengths: how many bits that are, [n].
    """
    whole, rest = np.divmod(ended, _LONGEST_END)
    size = np.maximum(_SIZES[rest].astype(np.int64) - 1, 0)
    longest = int(_SIZES[_LONGEST_END]) - 1
    none = np.zeros_like(ended)
    names = [np.full_like(ended, longest << 4), size << 4]
    extras = [np.full_like(ended, _LONGEST_END - (1 << longest)), rest - np.where(rest > 0, 1 << size, 0)]
    counts = [np.full_like(ended, longest), size]
    times = [whole, (rest > 0).astype(np.int64)]
    if len(run):
        names += [np.full_like(ended, _ZERO_RUN), (run % _ZEROS << 4) + lengths]
        extras += [none, bits.astype(np.int64)]
        counts += [none, lengths.astype(np.int64)]
        times += [run // _ZEROS, np.ones_like(ended)]
    repeats = np.stack(times, axis=1).ravel()

    def laid(columns: list[np.ndarray]) -> np.ndarray:
        return np.repeat(np.stack(columns, axis=1).ravel(), repeats)

    return _Symbols(
        laid(names).astype(np.int32) + 256, laid(extras).astype(np.uint32), laid(counts).astype(np.uint8)
    )


def _nonzero(values: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Finds the coefficients that are not 0.

    Args:
        values: [n, k], in the file's order.
        first: the column of the first frequency that counts.

    Returns:
        Of each coefficient: its block, the zeros before it, its value; and of each block, the column of its
        last one (``first`` - 1 if it has none).
    """
    block, column = np.nonzero(values[:, first:])
    column += first
    starts = np.ones(len(block), bool)
    starts[1:] = block[1:] != block[:-1]
    before = np.empty(len(block), np.intp)
    before[1:] = column[:-1]
    before[starts] = first - 1
    last = np.full(len(values), first - 1, np.intp)
    ends = np.roll(starts, -1)
    last[block[ends]] = column[ends]
    return block, column - before - 1, values[block, column].astype(np.int32), last


def _magnitudes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the bits that tell each value (F.1.2.1), uint32, and how many they are, int32."""
    magnitudes = np.abs(values.astype(np.int64))
    lengths = _SIZES[magnitudes].astype(np.int32)
    if lengths.size and lengths.max() > _MOST_BITS:
        raise ValueError("a coefficient is larger than JPEG can tell")
    bits = np.where(values < 0, values + (1 << lengths) - 1, values)
    return bits.astype(np.uint32), lengths


def _packed(pieces: Sequence[_Symbols], codes: dict[int, Code]) -> bytes:
    """Returns the code words and bits, one after the other, with stuffed bytes, filled up by ones."""
    words, lengths = np.zeros(1024, np.uint64), np.zeros(1024, np.uint8)
    for number, code in codes.items():
        words[256 * number : 256 * (number + 1)] = code.words
        lengths[256 * number : 256 * (number + 1)] = code.lengths
    out: list[bytes] = []
    value, used = 0, 0  # bits of the last byte that the pieces before have begun
    for piece in pieces:
        count = lengths[piece.names].astype(np.int64) + piece.lengths
        word = words[piece.names] << piece.lengths.astype(np.uint64) | piece.extras.astype(np.uint64)
        ends = np.cumsum(count) + used
        data = _bytes(word, count, ends)
        data[0] |= value
        whole, used = divmod(int(ends[-1]), 8)
        value = int(data[whole]) if used else 0
        out.append(data[:whole].tobytes())
    if used:
        out.append(bytes([value | (0xFF >> used)]))
    return b"".join(out).replace(b"\xff", b"\xff\x00")


def _bytes(word: np.ndarray, count: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns words of some bits each as bytes, uint8; bits before the first and behind the last are 0.

    Args:
        word: each in its lowest bits, uint64 [n].
        count: its bits, at most 32, [n].
        ends: the place in bits behind it, [n].
    """
    first = (ends - count) >> 3
    window = word << (64 - (ends - 8 * first)).astype(np.uint64)
    size = int(ends[-1] + 7) // 8 + 1
    total = np.zeros(size + 8, np.float64)
    for offset in range(5):
        part = (window >> np.uint64(56 - 8 * offset)) & np.uint64(255)
        # no two words share a bit: their sum is their union
        sums = np.bincount(first + offset, part.astype(np.float64), size + 8)
        total += sums[: size + 8]
    return total.astype(np.uint8)[:size]
