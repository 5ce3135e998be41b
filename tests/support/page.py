"""What a person does on the page, in a browser that Playwright drives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SOON = 60_000
"""Milliseconds."""
FLOWER = (0.45, 0.52)
"""A place on the flower of the photo ``dahlia``."""
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium"),
]
"""Of every test that needs a browser."""


def bring(page: Any, photo: Path) -> None:
    page.set_input_files("[data-file]", str(photo))
    page.wait_for_selector('.re[data-state="photo"]', timeout=SOON)
    page.wait_for_function("document.querySelector('[data-tip]').textContent.includes('Click')", timeout=SOON)


def at(page: Any, place: tuple[float, float]) -> tuple[float, float]:
    box = page.locator("[data-canvas]").bounding_box()
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def choose(page: Any, place: tuple[float, float] = FLOWER) -> None:
    page.mouse.click(*at(page, place))
    found = "!document.querySelector('[data-selected]').textContent.startsWith('Looking')"
    page.wait_for_function(f"realedit.stage.thing?.sprite && !realedit.stage.locked && {found}", timeout=SOON)


def drag(page: Any, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
    page.mouse.move(*at(page, start))
    page.mouse.down()
    for number in range(1, steps + 1):
        share = number / steps
        page.mouse.move(
            *at(page, (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
        )
    page.mouse.up()


def apply(page: Any, edits: int = 1) -> None:
    page.click('[data-do="apply"]')
    done(page, edits)


def done(page: Any, edits: int) -> None:
    idle = "!realedit.working && !realedit.loading && !realedit.stage.locked"
    page.wait_for_function(f"realedit.history.at === {edits} && {idle}", timeout=SOON)
