"""The table in docs/formats.md says what the formats do keep."""

from __future__ import annotations

import pytest

from format_table import BEGIN, END, HEAD, PAGE, rows


@pytest.fixture(scope="module")
def measured() -> list[tuple[str, ...]]:
    pytest.importorskip("pillow_heif")
    pytest.importorskip("pillow_jxl")
    return list(rows())


def test_the_table_of_formats_is_what_is_measured(measured: list[tuple[str, ...]]) -> None:
    listed = PAGE.read_text().split(BEGIN)[1].split(END)[0].splitlines()[2:]
    assert [tuple(line.strip("| ").split(" | ")) for line in listed] == measured


def test_what_is_not_lossy_keeps_every_sample_outside_the_edit(measured: list[tuple[str, ...]]) -> None:
    for row in measured:
        told = dict(zip(HEAD, row, strict=True))
        if "lossy" not in told["format"] and told["format"] != "HEIC":
            assert told["outside the edit"].startswith("to the bit"), told
            assert told["transparency"] in ("kept", "-"), told
        else:
            assert told["outside the edit"] == "change a little", told
