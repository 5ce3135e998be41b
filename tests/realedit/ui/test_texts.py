"""The page's words: each language has all of them, and one for every sentence that the code says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[3] / "realedit"
ASSETS = PACKAGE / "ui" / "assets"
TEXTS = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (ASSETS / "texts").glob("*.json")
}


def test_each_language_says_the_same_things_with_the_same_values() -> None:
    assert set(TEXTS) >= {"en", "de"}
    for said in TEXTS.values():
        assert list(said) == list(TEXTS["en"])
        assert all(text.strip() for text in said.values())
        for key, text in said.items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", TEXTS["en"][key])), key


def test_every_sentence_of_the_code_has_a_text_and_every_text_of_one_is_said() -> None:
    keys: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        if "Sentence(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Sentence":
                key = node.args[1] if len(node.args) > 1 else None
                if isinstance(key, ast.Constant):
                    keys.add(str(key.value))
    assert keys == {key.removeprefix("said_") for key in TEXTS["en"] if key.startswith("said_")}


@pytest.mark.parametrize(
    "file", [*sorted(ASSETS.glob("*.js")), ASSETS / "app.html"], ids=lambda file: file.name
)
def test_every_text_that_the_page_asks_for_is_there(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    asked = set(re.findall(r"\bt\(\"([\w ]+)\"", source))
    asked |= set(re.findall(r"data-(?:text|label|hint)=\"(\w+)\"", source))
    assert asked <= set(TEXTS["en"])
