"""Keeps what the names' networks saw in a photo: a second word, or a second command, need not look again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realedit.find.names import SIZES, Seen
from realedit.inverted.cache import Cache, cache_key
from realedit.models.choice import embedded_folder
from realedit.models.folder import RECOGNISER
from realedit.models.imagenet import FOLDER

_LAYOUT = "1"
"""Version of what an entry holds and of how photos are looked at; entries of others are made anew."""
_MADE = {"model": "imagenet", "method": "names", "steps": "-", "prompt": "-"}
"""What a list of the cache says of an entry."""
_LOGITS, _OUTLINES, _NOUNS, _FAMILIAR, _SIZE = "logits", "outlines", "nouns", "familiar", "size"


class KeptLooks:
    """What was seen in the last photo, in memory, and in others, on disk.

    Args:
        cache: where it is kept on disk, or None.
    """

    def __init__(self, cache: Cache | None = None) -> None:
        self.cache = cache
        self._last: tuple[str, Seen] | None = None

    def seen(self, rgb: np.ndarray, look: Callable[[np.ndarray], Seen]) -> Seen:
        """Returns what is to be seen in a photo, and looks only if nothing is kept of it.

        Args:
            rgb: the photo, uint8 ``[H, W, 3]``.
            look: looks at it.
        """
        photo = _digest(rgb)
        if self._last is None or self._last[0] != photo:
            self._last = (photo, self._kept(photo, lambda: look(rgb)))
        return self._last[1]

    def _kept(self, photo: str, look: Callable[[], Seen]) -> Seen:
        """Reads what was seen from the disk, or looks and writes it there."""
        if self.cache is None:
            return look()
        key = cache_key(photo=photo, networks=self._networks, sizes=str(SIZES), layout=_LAYOUT)
        found = self.cache.get(key)
        if found is not None:
            return _read(found[0])
        seen = look()
        self.cache.put(key, _tensors(seen), _MADE)
        return seen

    @cached_property
    def _networks(self) -> str:
        """Hash of the weights that see."""
        digest = hashlib.sha256()
        for folder in (FOLDER, embedded_folder() / RECOGNISER):
            for file in sorted(Path(folder).iterdir()):
                digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()


def _digest(rgb: np.ndarray) -> str:
    pixels = np.ascontiguousarray(rgb)
    return hashlib.sha256(f"{pixels.shape}:".encode() + pixels.tobytes()).hexdigest()


def _tensors(seen: Seen) -> dict[str, Tensor]:
    """Returns what was seen as named tensors, without loss: words find the same in what is read again."""
    named = {f"{_LOGITS}/{number}": logits for number, logits in enumerate(seen.logits)}
    named |= {_OUTLINES: seen.outlines, _SIZE: torch.tensor(seen.size)}
    named[_FAMILIAR] = torch.tensor(seen.familiar, dtype=torch.float64)
    if seen.nouns is not None:
        named[_NOUNS] = torch.as_tensor(seen.nouns)
    return named


def _read(named: Mapping[str, Tensor]) -> Seen:
    """Returns what :func:`_tensors` has named."""
    nouns = named.get(_NOUNS)
    return Seen(
        tuple(named[f"{_LOGITS}/{number}"] for number in range(len(SIZES))),
        named[_OUTLINES],
        (int(named[_SIZE][0]), int(named[_SIZE][1])),
        None if nouns is None else nouns.numpy(),
        float(named[_FAMILIAR]),
    )
