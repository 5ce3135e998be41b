"""Measures `realedit ui` in a real browser: outlines, frames, and an edit, beside the command's own.

    python -m scripts.ui_speed [PHOTO ...] [--at 0.45,0.5] [--to 0.6,0.5]

Starts a server of its own, as a process. Of each photo it tells how long the page takes to be ready, how
long until the outline under the pointer is drawn, how long from a click until the thing can be dragged, how
many frames a second follow the pointer, and how long the first applied edit takes: from the click on
*Apply* to the edited photo on the screen. Beside it, the command that the page gives to copy, run by itself
a second time: all of it, and what it says its work took. Without photos it measures an example, and the
same at 12 megapixels.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scripts.ui_server import started

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "dahlia.jpg"
LARGE = (4240, 2830)
"""12 megapixels. Set by definition."""
WAIT = 300_000
"""Milliseconds until something counts as stuck. Not measured."""
PLACES = (
    (-0.12, 0),
    (0.1, 0.05),
    (0.03, -0.12),
    (0, 0.1),
    (-0.06, -0.06),
    (0.3, 0.2),
    (-0.3, -0.3),
    (0.02, 0.02),
)
"""Where the pointer goes, from the object on, in fractions of the photo. Set by eye."""
FOLLOW = """([x, y]) => new Promise((resolve) => {
  const { canvas, frames } = realedit.stage, began = performance.now();
  let count = 0;
  const step = () => {
    const place = { clientX: x + 2 * (count % 40), clientY: y, bubbles: true, pointerId: 1 };
    canvas.dispatchEvent(new PointerEvent('pointermove', place));
    if (++count < 90) requestAnimationFrame(step);
    else resolve((realedit.stage.frames - frames) / (performance.now() - began) * 1000);
  };
  requestAnimationFrame(step);
})"""
"""A drag, whose pointer events come from the page itself: Playwright's own come no faster than it is told of
each."""


class Timed:
    """A page with a photo, and what it took.

    Args:
        page: the page, as Playwright has it.
        photo: the photo's file.
        at: a place on the object, in fractions.
        to: where it goes.
    """

    def __init__(self, page: Any, photo: Path, at: tuple[float, float], to: tuple[float, float]) -> None:  # noqa: ANN401 - untyped
        self.page, self.photo, self.at, self.to = page, photo, at, to

    def bring(self) -> tuple[float, float]:
        """Brings the photo; returns the seconds until it is seen, and until it can be pointed at."""
        began = time.perf_counter()
        self.page.set_input_files("[data-file]", str(self.photo))
        self.page.wait_for_selector('.re[data-state="photo"]', timeout=WAIT)
        seen = time.perf_counter() - began
        self.page.wait_for_function("realedit.isPreparing === false", timeout=WAIT)
        return seen, time.perf_counter() - began

    def outlines(self) -> list[float]:
        """Returns the seconds from each move of the pointer until its own outline is drawn."""
        took: list[float] = []
        for dx, dy in PLACES:
            self.page.mouse.move(*self._pixel((0.01, 0.01)))
            self.page.wait_for_function("!realedit.pointing.wanted && !realedit.pointing.asked", timeout=WAIT)
            self.page.evaluate("realedit.pointing.known.length = 0")
            began = time.perf_counter()
            self.page.mouse.move(*self._pixel((self.at[0] + dx, self.at[1] + dy)))
            self.page.wait_for_function(
                "!realedit.pointing.wanted && !realedit.pointing.asked && realedit.pointing.known.length",
                timeout=WAIT,
                polling=5,
            )
            took.append(time.perf_counter() - began)
        return took

    def choose(self) -> float:
        """Clicks the object; returns the seconds until it can be dragged."""
        began = time.perf_counter()
        self.page.mouse.click(*self._pixel(self.at))
        self.page.wait_for_function("realedit.stage.thing?.sprite && !realedit.stage.locked", timeout=WAIT)
        return time.perf_counter() - began

    def drag(self) -> float:
        """Drags the object to and fro, then to its place; returns the frames a second."""
        self.page.wait_for_function("realedit.stage.cleared", timeout=WAIT)
        self.page.mouse.move(*self._pixel(self.at))
        self.page.mouse.down()
        frames = float(self.page.evaluate(FOLLOW, list(self._pixel(self.at))))
        self.page.mouse.move(*self._pixel(self.to))
        self.page.mouse.up()
        return frames

    def apply(self) -> tuple[float, float]:
        """Applies it; returns the seconds until the edited photo is seen, and what the work took of them."""
        began = time.perf_counter()
        self.page.click('[data-do="apply"]')
        self.page.wait_for_function("realedit.history.at === 1 && !realedit.loading", timeout=WAIT)
        seconds = time.perf_counter() - began
        return seconds, float(
            self.page.evaluate(
                "Object.values(realedit.history.steps[0].result.timings).reduce((a, b) => a + b)"
            )
        )

    def command(self) -> list[str]:
        """Returns the command to copy, without its first two words."""
        return shlex.split(self.page.text_content("[data-command]"))[2:]

    def _pixel(self, place: tuple[float, float]) -> tuple[float, float]:
        box = self.page.locator("[data-canvas]").bounding_box()
        x, y = (min(max(share, 0.01), 0.99) for share in place)
        return box["x"] + x * box["width"], box["y"] + y * box["height"]


def by_command(photo: Path, flags: list[str], folder: Path) -> tuple[float, float]:
    """Returns the seconds of a command that runs a second time, and what it says its work took."""
    own = [sys.executable, "-m", "realedit", str(photo), *flags, "--no-cache", "--json", "--force"]
    for _ in range(2):
        began = time.perf_counter()
        done = subprocess.run(
            [*own, "-o", str(folder / "own.png")], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
    return seconds, float(sum(json.loads(done.stdout)["timings"].values()))


def measure(browser: Any, url: str, photo: Path, at: tuple[float, float], to: tuple[float, float]) -> None:  # noqa: ANN401 - untyped
    """Measures one photo, and prints the figures."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector('[data-ready="yes"]', timeout=WAIT)
    timed = Timed(page, photo, at, to)
    with Image.open(photo) as image:
        print(f"{photo.name}: {image.width} x {image.height}")
    seen, ready = timed.bring()
    print(f"  seen after {seen:.2f} s, ready to be pointed at after {ready:.2f} s")
    took = timed.outlines()
    print(
        f"  outline under the pointer: median {1000 * np.median(took):.0f} ms, most {1000 * max(took):.0f} ms"
    )
    print(f"  from the click until it can be dragged: {timed.choose():.2f} s")
    print(f"  frames a second while it is dragged: {timed.drag():.0f}")
    seconds, work = timed.apply()
    print(f"  first edit applied: {seconds:.2f} s, of which work {work:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        whole, own = by_command(photo, timed.command(), Path(folder))
    print(f"  the same by the command, a second time: {whole:.2f} s, of which work {own:.2f} s", flush=True)
    context.close()


def main() -> None:
    """Measures each photo."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="*")
    parser.add_argument("--at", default="0.45,0.5")
    parser.add_argument("--to", default="0.6,0.5")
    options = parser.parse_args()
    (x, y), (to_x, to_y) = (map(float, text.split(",")) for text in (options.at, options.to))
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, started() as (url, _), sync_playwright() as running:
        photos: list[Path] = options.photos
        if not photos:
            large = Path(folder) / "dahlia-12mp.jpg"
            with Image.open(PHOTO) as image:
                image.resize(LARGE, Image.Resampling.LANCZOS).save(large, quality=92)
            photos = [PHOTO, large]
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for photo in photos:
            measure(browser, url, photo, (x, y), (to_x, to_y))
        browser.close()


if __name__ == "__main__":
    main()
