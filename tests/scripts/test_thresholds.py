"""The table of the constants: what is in it, and that it is up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = '''
"""A module."""

from x import y

_NEAR = 0.5
"""Share of the way; above it a target counts as reached, below it not. Set on 48 objects."""
LOW, HIGH = 0.1, 1e-9
"""Both."""
WINDOW: Window = Window(0.0, stop=0.4)
"""When it acts; see :class:`guidance.windows.Window`, or ``a | b``. Not measured."""
_ROWS = [
    1,
    2,
]
_BARE = -3
MEANS = (0.1, 0.2), (0.3,)
_BRACKETS = (
    1,
    2,
)
ORDER = Group("Edit", sort_key=1)
NAME = "no number 3"
FLAG = True
_FIRST = NAMES[0]
_CALL = lambda x: x + 1
small = 4


def f():
    INNER = 5
    """Not the module's."""
'''


@pytest.fixture(scope="module")
def thresholds(script: Callable[[str], ModuleType]) -> Any:
    return script("thresholds")


@pytest.fixture(scope="module")
def found(thresholds: Any) -> list[Any]:
    return list(thresholds.constants_of(SOURCE, Path("realedit/pixels/module.py")))


def test_the_page_is_up_to_date(thresholds: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is not: python scripts/thresholds.py."""
    assert thresholds.main(["--check"]) == 0, capsys.readouterr().err


def test_every_constant_of_the_core_packages_has_its_line(thresholds: Any) -> None:
    silent = [one.place for one in thresholds.read() if one.package in thresholds.CORE and not one.line]
    assert silent == []


def test_the_constants_with_numbers_are_found(found: list[Any]) -> None:
    assert [(one.name, one.value) for one in found] == [
        ("_NEAR", "0.5"),
        ("LOW, HIGH", "0.1, 1e-9"),
        ("WINDOW", "Window(0.0, stop=0.4)"),
        ("_ROWS", "[ 1, 2, ]"),
        ("_BARE", "-3"),
        ("MEANS", "(0.1, 0.2), (0.3,)"),
        ("_BRACKETS", "1, 2"),
    ]
    assert [bool(one.line) for one in found] == [True] * 3 + [False] * 4


def test_a_row_tells_what_a_constant_does_apart_from_what_it_was_set_on(
    thresholds: Any, found: list[Any]
) -> None:
    page = thresholds.page_of(found).splitlines()
    link = "[module.py](../realedit/pixels/module.py)"
    assert (
        "| `_NEAR` | `0.5` | Share of the way; above it a target counts as reached, below it not. "
        f"| Set on 48 objects. | {link} |"
    ) in page
    assert (
        r"| `WINDOW` | `Window(0.0, stop=0.4)` | When it acts; see `guidance.windows.Window`, or `a \| b`. "
        f"| Not measured. | {link} |"
    ) in page
    assert "## realedit.pixels" in page
    assert f"* `_BARE` in {link}" in page


def test_a_core_constant_without_its_line_fails_the_command(
    thresholds: Any, found: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thresholds, "PAGE", tmp_path / "thresholds.md")
    monkeypatch.setattr(thresholds, "read", lambda: found)
    assert thresholds.main([]) == 1
    monkeypatch.setattr(thresholds, "read", lambda: found[:3])
    assert thresholds.main(["--check"]) == 1
    assert thresholds.main([]) == 0
    assert thresholds.main(["--check"]) == 0


def test_every_constant_is_listed_once_by_its_own_package(thresholds: Any) -> None:
    found = thresholds.read()
    assert len(found) > 100
    page = thresholds.page_of(found)
    for one in found:
        assert f"## {one.package}\n" in page
        assert f"| `{one.name}` | " in page
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert len(headings) == len(set(headings))
