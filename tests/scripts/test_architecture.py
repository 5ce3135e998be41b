"""The drawing of the imports: what it shows, and that the page is up to date."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LAYERS = ["top", "left | right", "mixed : other", "bottom", "guidance"]
IMPORTS = {
    "realedit": {"realedit.top"},
    "realedit.top": {"realedit.left", "realedit.bottom.deep"},
    "realedit.left": {"realedit.left.own", "realedit.bottom"},
    "realedit.left.own": {"realedit.bottom.deep"},
    "realedit.right": {"realedit.bottom"},
    "realedit.mixed": {"realedit.other"},
    "realedit.other": set[str](),
    "realedit.bottom": set[str](),
    "realedit.bottom.deep": {"guidance.capture"},
    "guidance.capture": set[str](),
}


@pytest.fixture(scope="module")
def architecture(script: Callable[[str], ModuleType]) -> Any:
    return script("architecture")


def drawn(architecture: Any, **more: set[str]) -> Any:
    """The drawing of the imports above, and of some more by module."""
    imports = dict(IMPORTS)
    for name, used in more.items():
        imports[f"realedit.{name}"] = imports[f"realedit.{name}"] | used
    return architecture.drawing_of(imports, [architecture.Layer.read(text) for text in LAYERS])


def test_the_page_is_up_to_date_and_no_arrow_runs_back_up(
    architecture: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is not: python scripts/architecture.py."""
    assert architecture.main(["--check"]) == 0, capsys.readouterr().err
    assert "**Arrows that run back up: 0**" in architecture.PAGE.read_text(encoding="utf-8")


def test_modules_are_joined_to_their_packages(architecture: Any) -> None:
    arrows = drawn(architecture).arrows
    assert ("left", "bottom") in arrows
    assert ("bottom", "guidance") in arrows
    assert not any("realedit" in arrow or arrow[0] == arrow[1] for arrow in arrows)


def test_an_arrow_that_a_longer_way_stands_for_is_not_drawn(architecture: Any) -> None:
    drawing = drawn(architecture)
    assert ("top", "bottom") in drawing.arrows
    assert drawing.reduced == [
        ("top", "left"),
        ("left", "bottom"),
        ("right", "bottom"),
        ("mixed", "other"),
        ("bottom", "guidance"),
    ]


def test_arrows_up_and_between_independent_packages_are_wrong(architecture: Any) -> None:
    assert drawn(architecture).wrong == []
    drawing = drawn(architecture, bottom={"realedit.top"}, left={"realedit.right"})
    assert drawing.wrong == [("bottom", "top"), ("left", "right")]
    text = architecture.imports_text(drawing)
    assert "back up: 2** (bottom -> top, left -> right)." in text
    assert "    bottom ==> top\n" in text


def test_a_package_in_no_layer_is_refused(architecture: Any) -> None:
    with pytest.raises(ValueError, match=r"in none of pyproject\.toml's layers: new$"):
        architecture.drawing_of({"realedit.new.module": {"realedit.top"}}, [architecture.Layer(("top",))])


def test_an_arrow_back_up_fails_the_command(
    architecture: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "architecture.md"
    page.write_text(architecture.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(architecture, "PAGE", page)
    imports = architecture.read_imports()
    monkeypatch.setattr(
        architecture,
        "read_imports",
        lambda: imports | {"realedit.errors": {"realedit.cli.main"}},
    )
    assert architecture.main([]) == 1
    assert "**Arrows that run back up: 1** (errors -> cli)." in page.read_text(encoding="utf-8")


def test_only_what_lies_between_the_markers_is_made(architecture: Any) -> None:
    begin, end = "<!-- imports: made by scripts/architecture.py -->", "<!-- end of imports -->"
    page = f"before\n{begin}\nold\n{end}\nafter\n"
    assert architecture.replaced(page, "imports", "new") == f"before\n{begin}\n\nnew\n\n{end}\nafter\n"
    with pytest.raises(ValueError, match="the page lacks the lines"):
        architecture.replaced("before", "imports", "new")


def test_every_package_of_the_table_is_there_and_says_what_it_is(architecture: Any) -> None:
    layers = architecture.read_layers(architecture.ROOT / "pyproject.toml")
    table = architecture.packages_text(architecture.Drawing(layers, frozenset()))
    rows = re.findall(r"^\| \d+ \| \[`(\w+)`\]\(\.\./(\S+)\) \| (.+) \|$", table, re.MULTILINE)
    assert [name for name, _, _ in rows] == [name for layer in layers for name in layer.names]
    assert all((architecture.ROOT / path).exists() for _, path, _ in rows)
