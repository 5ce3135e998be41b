"""Makes the Huffman code that is shortest for what is to be coded, in JPEG's form (T.81, C and K.2)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

_LONGEST = 16
"""Bits of a code word, at most. Set by the standard."""


@dataclass(frozen=True)
class Code:
    """A Huffman code for symbols from 0 to 255.

    Attributes:
        counts: how many code words have 1, 2 ... 16 bits.
        symbols: those that have a code word, in its order.
        words: the code word of each symbol, uint32 [256].
        lengths: its bits, uint8 [256]; 0 for a symbol that has none.
    """

    counts: tuple[int, ...]
    symbols: tuple[int, ...]
    words: np.ndarray
    lengths: np.ndarray

    def __bytes__(self) -> bytes:
        """Return the code as a file holds it, without its class and number."""
        return bytes(self.counts) + bytes(self.symbols)


def shortest_code(frequencies: np.ndarray) -> Code:
    """Returns the code with the fewest bits in all, of words of 16 bits at most.

    Args:
        frequencies: how often each symbol occurs, [256]; at least one of them above 0.
    """
    by_length = _cut(_tree_lengths(frequencies))
    # longest words to the rarest; the order within a length does not matter
    order: list[int] = np.argsort(-frequencies, kind="stable")[: np.count_nonzero(frequencies)].tolist()
    words, lengths = np.zeros(256, np.uint32), np.zeros(256, np.uint8)
    word, at = 0, 0
    for bits, count in enumerate(by_length, 1):
        for symbol in order[at : at + count]:
            words[symbol], lengths[symbol] = word, bits
            word += 1
        at += count
        word <<= 1
    return Code(tuple(by_length), tuple(order), words, lengths)


def _tree_lengths(frequencies: np.ndarray) -> list[int]:
    """Returns how many words have 1, 2 ... bits in Huffman's tree, one word of all ones left free."""
    # the standard forbids the word of ones alone: a symbol that never occurs takes it
    heap: list[tuple[int, int, tuple[int, ...]]]
    heap = [(int(count), number, (number,)) for number, count in enumerate(frequencies) if count]
    heap.append((0, -1, (-1,)))
    heapq.heapify(heap)
    depth = dict.fromkeys((leaf[2][0] for leaf in heap), 0)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in first[2] + second[2]:
            depth[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), first[2] + second[2]))
    counts = [0] * max(_LONGEST, *depth.values())
    for bits in depth.values():
        counts[bits - 1] += 1
    return counts


def _cut(counts: list[int]) -> list[int]:
    """Returns the counts with no word above 16 bits, and without the word that is left free (K.2)."""
    counts = counts.copy()
    for bits in range(len(counts), _LONGEST, -1):
        while counts[bits - 1]:
            shorter = bits - 2
            while not counts[shorter - 1]:
                shorter -= 1
            # of two long words, one takes their common beginning; the other goes below a shorter word
            counts[bits - 1] -= 2
            counts[bits - 2] += 1
            counts[shorter] += 2
            counts[shorter - 1] -= 1
    counts = counts[:_LONGEST]
    longest = max(bits for bits, count in enumerate(counts) if count)
    counts[longest] -= 1
    return counts
