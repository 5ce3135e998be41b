"""CLIP's tokenizer, which every SDXL reads prompts with, from the byte pairs that the package holds.

A pipeline's folder has files of its own for it; a checkpoint in one file has none.

Reference: Radford et al. 2021, arXiv 2103.00020; github.com/openai/CLIP, ``simple_tokenizer.py``.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

TOKENS = 77
"""Tokens of a prompt, both ends included. Set by CLIP's position embedding."""
_START, _END = "<|startoftext|>", "<|endoftext|>"
_PRINTABLE = (range(ord("!"), ord("~") + 1), range(ord("¡"), ord("¬") + 1), range(ord("®"), ord("ÿ") + 1))


def clip_tokenizer(pad: str = _END) -> CLIPTokenizer:
    """Returns CLIP's tokenizer.

    Args:
        pad: the token that fills a prompt up; SDXL's second encoder takes "!".
    """
    from transformers import CLIPTokenizer

    merges: Any = _merges()  # typed as strings, read as pairs too
    letters = _letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(a + b for a, b in merges), _START, _END]
    numbered = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=numbered, merges=merges, model_max_length=TOKENS, pad_token=pad)


def _merges() -> list[tuple[str, str]]:
    """Returns the byte pairs that are joined, in the order in which they are."""
    text = (resources.files("realedit") / "assets" / "sdxl" / "merges.txt").read_text(encoding="utf-8")
    pairs = (line.split(" ") for line in text.splitlines())
    return [(first, second) for first, second in pairs]


def _letters() -> list[str]:
    """Returns a printable letter for each byte, as GPT-2's byte-level encoding orders them."""
    plain = [byte for span in _PRINTABLE for byte in span]
    others = len(set(range(256)) - set(plain))
    return [*map(chr, plain), *(chr(256 + place) for place in range(others))]
