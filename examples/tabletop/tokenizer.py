"""A CLIP tokenizer that reads each word of the vocabulary as one token.

CLIP's own byte-pair encoding, with merges learnt from the vocabulary alone: a word it knows becomes one
token, any other falls apart into letters, which is how ``realedit`` tells what the model was never taught.
"""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from transformers import CLIPTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from examples.tabletop.captions import OPENINGS
from examples.tabletop.vocabulary import COLOURS, NOUNS, SURFACES, SYNONYMS

_JOINTS = "and on a an the table surface ,"
_START, _END = "<|startoftext|>", "<|endoftext|>"


def words() -> tuple[str, ...]:
    """Every word a caption can hold, sorted."""
    phrases = [
        *NOUNS,
        *(word for others in SYNONYMS.values() for word in others),
        *COLOURS,
        *SURFACES,
        *OPENINGS,
    ]
    return tuple(sorted({word for phrase in [*phrases, _JOINTS] for word in phrase.split()}))


def make_tokenizer(folder: Path, length: int = 77) -> CLIPTokenizer:
    """Write the tokenizer's files to ``folder`` and load them; ``length`` tokens a prompt, ends included."""
    marked = {word: (*word[:-1], f"{word[-1]}</w>") for word in words()}
    letters = sorted({piece for pieces in marked.values() for piece in pieces})
    merges = learnt_merges(list(marked.values()))
    alphabet = bytes_to_unicode().values()
    pieces = [
        _START,
        _END,
        *alphabet,
        *(f"{letter}</w>" for letter in alphabet),
        *letters,
        *map("".join, merges),
    ]
    vocabulary = {piece: k for k, piece in enumerate(dict.fromkeys(pieces))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, merges), ""]))
    return CLIPTokenizer(
        vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), model_max_length=length
    )


def learnt_merges(pieces: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Byte-pair merges that make each word, given in its letters, one piece (Sennrich et al. 2016).

    The commonest neighbours are merged first, equally common ones in alphabetical order.
    """
    merges: list[tuple[str, str]] = []
    split = list(pieces)
    while counts := Counter(pair for word in split for pair in pairwise(word)):
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        split = [_merged(word, best) for word in split]
    return merges


def _merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for piece in word:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)
