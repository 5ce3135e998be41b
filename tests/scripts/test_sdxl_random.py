"""What people do with SDXL, on a small random model of its shape instead of the full one."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from small_sdxl import SIDE, small_sdxl

STEPS = 4
KNOWN = ("file", "lora", "offload-sequential")
"""Parts that tests of their own show already."""


@pytest.fixture(scope="module")
def rows(script: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("random")
    small_sdxl().save_pretrained(folder / "model")
    measured = script("sdxl_random")
    assert len(measured.run(folder, ["word"], SIDE, STEPS)) == 1
    others = [part for part in measured.PARTS if part not in ("word", *KNOWN)]
    found = measured.run(folder, others, SIDE, STEPS)
    assert found[0].part == "a word, looked for by GoCA"  # kept from the first run
    assert measured.table(found).count("\n") == len(found) + 1
    return {row.part: row for row in found}


def test_everything_runs_and_is_counted_beside_plain_sampling(rows: dict[str, Any]) -> None:
    assert len(rows) == 7
    assert {row.plain_forwards for row in rows.values()} == {2 * STEPS}
    word = rows["a word, looked for by GoCA"]
    assert (word.forwards, word.backwards) == (1, 0)
    assert word.note.startswith("not found (contrast")
    for part in ("move", "another move, from the cache", "remove", "restyle", "replace"):
        row = rows[part]
        assert f"tells {row.forwards + 2 * row.backwards} " in row.note
        assert row.forwards > 0


def test_a_second_edit_costs_less_by_the_inversion_and_the_look(rows: dict[str, Any]) -> None:
    first, again = rows["move"], rows["another move, from the cache"]
    levels, look = STEPS - 1, 1  # that at t = 1 is not visited; other things are looked for once in a photo
    assert first.forwards - again.forwards == levels + look
    assert first.backwards == again.backwards > 0


def test_the_command_takes_what_offloads(rows: dict[str, Any]) -> None:
    row = rows["`realedit ... --offload model`, loading included"]
    assert row.note == "realedit: --offload model does nothing on the CPU"
    assert (row.forwards, row.backwards) == (rows["move"].forwards, rows["move"].backwards)
