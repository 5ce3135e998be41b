"""Makes the pictures of `realedit ui` in docs/ui, by using it: a flower is pointed at, dragged and set down.

    python -m examples.ui_pictures docs/ui

Wants the extras ``ui`` and ``dev`` and Debian's chromium. Looks are those of the machine's own fonts.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from pathlib import Path
from typing import Any

from PIL import Image

from realedit import RealEditPipeline

PHOTO = Path(__file__).parent / "photos" / "dahlia.jpg"
FLOWER, THERE = (0.45, 0.5), (0.63, 0.5)
"""Where the flower is, and where it goes."""
WIDE = {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": 1}
DARK_PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "color_scheme": "dark"}
FILM = {"viewport": {"width": 1000, "height": 620}, "device_scale_factor": 1}
_FILM_WIDTH = 760
"""Pixels of the film: wider is sharper and larger. Set by eye."""
_QUALITY = 82
"""Quality of the WebP files, of 100: higher is larger. Set by eye."""


class Film:
    """Pictures of a page, one after the other."""

    def __init__(self, page: Any) -> None:  # noqa: ANN401 - Playwright's, which is imported late
        self._page = page
        self._frames: list[Image.Image] = []
        self._times: list[int] = []

    def take(self, milliseconds: int) -> None:
        """Takes a picture that is seen for so long."""
        with Image.open(io.BytesIO(self._page.screenshot())) as shot:
            height = round(shot.height * _FILM_WIDTH / shot.width)
            self._frames.append(shot.convert("RGB").resize((_FILM_WIDTH, height), Image.Resampling.LANCZOS))
        self._times.append(milliseconds)

    def save(self, file: Path) -> None:
        """Writes an animated WebP that goes on for ever."""
        first, *rest = self._frames
        first.save(
            file, save_all=True, append_images=rest, duration=self._times, loop=0, quality=_QUALITY, method=4
        )


def at(page: Any, place: tuple[float, float]) -> tuple[float, float]:  # noqa: ANN401 - likewise
    """Returns where on the page a place of the photo is."""
    box = page.locator("[data-canvas]").bounding_box()
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def opened(browser: Any, url: str, options: dict[str, Any]) -> Any:  # noqa: ANN401 - likewise
    """Returns a page with the photo on it, ready to be pointed at."""
    page = browser.new_context(locale="en-US", **options).new_page()
    page.goto(url)
    page.wait_for_selector('[data-ready="yes"]')
    page.set_input_files("[data-file]", str(PHOTO))
    page.wait_for_function(
        "document.querySelector('[data-tip]').textContent.includes('Click')", timeout=60_000
    )
    return page


def choose(page: Any) -> None:  # noqa: ANN401 - likewise
    """Clicks the flower, and waits for its preview."""
    page.mouse.click(*at(page, FLOWER))
    page.wait_for_function("realedit.stage.cleared && realedit.stage.thing.sprite", timeout=60_000)


def moved(page: Any, share: float) -> None:  # noqa: ANN401 - likewise
    """Moves the pointer a share of the way."""
    x, y = (a + (b - a) * share for a, b in zip(FLOWER, THERE, strict=True))
    page.mouse.move(*at(page, (x, y)))
    page.wait_for_timeout(40)


def applied(page: Any) -> None:  # noqa: ANN401 - likewise
    """Waits for the finished edit."""
    idle = "!realedit.working && !realedit.loading && !realedit.stage.locked"
    page.wait_for_function(f"realedit.history.at === 1 && {idle}", timeout=120_000)
    page.wait_for_timeout(300)


def wide(browser: Any, url: str, folder: Path) -> None:  # noqa: ANN401 - likewise
    """A picture of the page: the flower in hand."""
    page = opened(browser, url, WIDE)
    choose(page)
    page.mouse.move(*at(page, FLOWER))
    page.mouse.down()
    moved(page, 1)
    page.mouse.up()
    page.wait_for_timeout(200)
    save(page.screenshot(), folder / "drag.webp")


def phone(browser: Any, url: str, folder: Path) -> None:  # noqa: ANN401 - likewise
    """A picture of the page on a phone, in the dark."""
    page = opened(browser, url, DARK_PHONE)
    choose(page)
    page.wait_for_timeout(200)
    save(page.screenshot(), folder / "phone.webp")


def film(browser: Any, url: str, folder: Path) -> None:  # noqa: ANN401 - likewise
    """The whole way, as an animated picture."""
    page = opened(browser, url, FILM)
    reel = Film(page)
    reel.take(900)
    page.mouse.move(*at(page, FLOWER))
    page.wait_for_function("realedit.stage.hover?.length > 0 && !realedit.pointing.wanted")
    page.wait_for_timeout(100)
    reel.take(900)
    choose(page)
    page.wait_for_timeout(100)
    reel.take(700)
    page.mouse.move(*at(page, FLOWER))
    page.mouse.down()
    for step in range(1, 13):
        moved(page, step / 12)
        reel.take(70)
    page.mouse.up()
    reel.take(700)
    page.click('[data-do="apply"]')
    page.wait_for_function("realedit.working")
    page.wait_for_timeout(300)
    reel.take(600)
    applied(page)
    reel.take(800)
    page.click('[data-do="compare"]')
    for step in (*range(50, 95, 5), *range(95, 5, -5), *range(5, 55, 5)):
        page.evaluate(f"realedit.compareAt({step / 100})")
        page.wait_for_timeout(30)
        reel.take(60)
    reel.take(1200)
    reel.save(folder / "edit.webp")


def save(shot: bytes, file: Path) -> None:
    """Writes a picture as WebP."""
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").save(file, quality=_QUALITY + 8, method=6)


def main() -> None:
    """Makes all of them."""
    from playwright.sync_api import sync_playwright

    from realedit.ui.server import Address, Service, in_background

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    service = Service(RealEditPipeline.from_pretrained(cache=False))
    service.editor.warm_up()
    with in_background(service, Address.of("127.0.0.1", 0)) as url, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for make in (wide, phone, film):
            make(browser, url, folder)
        browser.close()


if __name__ == "__main__":
    main()
