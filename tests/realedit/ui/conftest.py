"""The page on a server of the tests' own, and visitors of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from page import CHROMIUM, SOON
from realedit import RealEditPipeline

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"


@pytest.fixture(scope="session")
def url(pipeline: RealEditPipeline) -> Iterator[str]:
    """A server, on a free port."""
    pytest.importorskip("gradio", reason="the extra ui is not here")
    from realedit.ui.limits import Limits
    from realedit.ui.server import Address, Service, in_background

    service = Service(pipeline, Limits(file_bytes=5 * 2**20))
    service.editor.warm_up()
    with in_background(service, Address.of("127.0.0.1", 0)) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser, without a page."""
    playwright: Any = pytest.importorskip("playwright.sync_api", reason="Playwright is not here")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Callable[..., Any]]:
    """Opens the page as another visitor each time; nothing foreign is fetched, and nothing is refused."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def told(message: Any) -> None:
        # a status is the answer to what a test does wrong on purpose
        if message.type == "error" and "status of 4" not in message.text:
            wrong.append(message.text)

    def open_page(**options: Any) -> Any:
        context = browser.new_context(
            **{"viewport": {"width": 1200, "height": 760}, "locale": "en-US", **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", told)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: foreign(request.url))
        page.goto(url)
        page.wait_for_selector('[data-ready="yes"]', timeout=SOON)
        return page

    def foreign(address: str) -> None:
        if not address.startswith((url, "blob:", "data:")):
            wrong.append(f"fetches {address}")

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def dahlia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph, small, with metadata."""
    file = tmp_path_factory.mktemp("photos") / "dahlia.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a dahlia"
    with Image.open(PHOTOS / "dahlia.jpg") as image:
        image.resize((384, 256), Image.Resampling.LANCZOS).save(file, quality=95, exif=exif)
    return file
