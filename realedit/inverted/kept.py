"""What a model saw of a photo, by noise level: on the card, or in the host's memory and brought when read.

On the host the tensors are pinned, and the next level is sent before it is asked for: an edit goes down the
levels one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from guidance import Observation


class KeptLevels(Mapping[int, Observation]):
    """Observations by level, given out on the card.

    Args:
        device: where they are read.
        on_host: whether they wait in the host's memory.
    """

    def __init__(self, device: torch.device, *, on_host: bool) -> None:
        self._device, self._on_host = device, on_host
        self._levels: dict[int, Observation] = {}
        self._here: dict[int, Observation] = {}

    @classmethod
    def of(cls, levels: Mapping[int, Observation], device: torch.device, *, on_host: bool) -> KeptLevels:
        """Keeps some levels."""
        kept = cls(device, on_host=on_host)
        for level, seen in levels.items():
            kept.put(level, seen)
        return kept

    def put(self, level: int, seen: Observation) -> None:
        """Keeps a level."""
        self._levels[level] = _moved(seen, self._rest if self._on_host else self._bring)

    def move_to_host(self) -> None:
        """Moves all levels to the host's memory, if they are not there."""
        if not self._on_host:
            self._on_host = True
            self._levels = {level: _moved(seen, self._rest) for level, seen in self._levels.items()}

    def __getitem__(self, level: int) -> Observation:
        """Returns a level on the card, and sets the one below it on its way."""
        if level not in self._levels or not self._on_host:
            return self._levels[level]
        # levels other than these two leave the card
        wanted = [one for one in (level, level - 1) if one in self._levels]
        self._here = {
            one: self._here[one] if one in self._here else _moved(self._levels[one], self._bring)
            for one in wanted
        }
        return self._here[level]

    def __iter__(self) -> Iterator[int]:
        """Goes through the levels."""
        return iter(self._levels)

    def __len__(self) -> int:
        """Counts the levels."""
        return len(self._levels)

    @staticmethod
    def at_rest(levels: Mapping[int, Observation]) -> Iterator[tuple[int, Observation]]:
        """Goes through any levels where they are, without bringing them to the card."""
        return iter((levels._levels if isinstance(levels, KeptLevels) else levels).items())

    def _bring(self, x: Tensor) -> Tensor:
        return x.to(self._device, non_blocking=self._on_host)

    def _rest(self, x: Tensor) -> Tensor:
        host = x.cpu()
        # from pinned memory alone the host need not wait for the copy
        return host.pin_memory() if self._device.type == "cuda" else host


def _moved(seen: Observation, move: Callable[[Tensor], Tensor]) -> Observation:
    """Returns an observation whose tensors were moved."""
    return Observation(
        {name: move(x) for name, x in seen.attention.items()},
        {name: move(x) for name, x in seen.features.items()},
        {name: (move(k), move(v)) for name, (k, v) in seen.memory.items()},
    )
