"""Observations that wait in the host's memory are those that stay on the device."""

from __future__ import annotations

import torch

from guidance import Observation
from realedit.inverted.kept import KeptLevels

CPU = torch.device("cpu")


def seen(level: int) -> Observation:
    x = torch.full((1, 2, 2, 3), float(level))
    return Observation({"a": x}, {"f": x + 0.5}, {"m": (x + 1, x + 2)})


def values(observation: Observation) -> list[torch.Tensor]:
    pairs = [x for pair in observation.memory.values() for x in pair]
    return [*observation.attention.values(), *observation.features.values(), *pairs]


def test_either_gives_the_same() -> None:
    levels = {level: seen(level) for level in (5, 4, 3, 1)}
    there, host = (KeptLevels.of(levels, CPU, on_host=on) for on in (False, True))
    assert list(there) == list(host) == [5, 4, 3, 1]
    assert len(host) == 4
    for level in (5, 4, 3, 1, 4):
        pairs = zip(values(there[level]), values(host[level]), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)
    assert host.get(2) is None


def test_two_levels_are_on_the_card_at_most() -> None:
    host = KeptLevels.of({level: seen(level) for level in range(1, 9)}, CPU, on_host=True)
    for level in range(8, 0, -1):
        _ = host[level]
        assert sorted(host._here) == sorted({level, max(level - 1, 1)})
    # the levels that were sent for before are not sent for again
    sent = host[4]
    assert host[4] is sent


def test_levels_can_be_moved_later() -> None:
    kept = KeptLevels.of({1: seen(1)}, CPU, on_host=False)
    before = values(kept[1])
    kept.move_to_host()
    assert all(torch.equal(one, other) for one, other in zip(before, values(kept[1]), strict=True))
    assert [level for level, _ in KeptLevels.at_rest(kept)] == [1]
