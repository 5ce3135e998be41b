"""The documents for those who work on the project: links, and the words of the glossary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def _anchors(page: Path) -> set[str]:
    """What a page's headings are linked by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8"))
    broken: list[str] = []
    for path, anchor in links:
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and anchor not in _anchors(to)):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_every_file_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`", text)
    assert len(named) > 20
    missing = [
        name
        for name in named
        if not any((ROOT / root / name).exists() for root in ("", "realedit", "realedit/steps"))
    ]
    assert missing == []


def test_the_glossary_is_alphabetical_and_short() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"^- (.+(?:\n  (?!-).+)*)", text, re.MULTILINE)
    words = [re.sub(r"\W", "", entry.partition("**:")[0]).lower() for entry in entries]
    assert len(words) > 60
    assert words == sorted(words)
    assert max(entry.count("\n") for entry in entries) <= 1


def test_every_inversion_method_is_in_the_glossary() -> None:
    from inversion import METHODS

    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^  - \*\*(\w+)\*\*", text, re.MULTILINE)) == set(METHODS)
