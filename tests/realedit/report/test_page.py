"""The report: what its pictures show, and a page that needs nothing else and escapes everything."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from realedit.report.page import Report
from realedit.report.panel import Tile, fit, overlay, panel


def picture(width: int, height: int, colour: tuple[int, int, int] = (200, 120, 40)) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


class Page(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


def test_the_page_escapes_every_text() -> None:
    evil = "<script>alert('&')</script>"
    report = Report(evil, [Tile(evil, picture(8, 8))] * 4, {evil: [(evil, evil)]}, evil)
    page = parsed(report.html())
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(evil) >= 8
    assert all("on" != name[:2] for _, attributes in page.tags for name in attributes)


def test_the_page_holds_its_pictures_and_asks_for_nothing_else() -> None:
    tiles = [Tile("before", picture(40, 30)), Tile("large", picture(900, 600, (10, 200, 30)))]
    page = parsed(Report("t", tiles, {}, "").html())
    sources = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 2
    for source, tile in zip(sources, tiles, strict=True):
        head, data = source.split(",")
        assert re.fullmatch(r"data:image/(png|jpeg);base64", head)
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.size == tile.image.size
            difference = np.abs(np.asarray(image, dtype=int) - np.asarray(tile.image, dtype=int))
            assert difference.max() <= 3
    assert not [attributes for tag, attributes in page.tags if tag in ("link", "iframe", "script")]


@pytest.mark.parametrize(
    ("size", "expected"), [((3200, 1600), (1600, 800)), ((100, 1601), (100, 1600)), ((5, 5), (5, 5))]
)
def test_large_pictures_are_scaled_down(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fit(picture(*size)).size == expected


def test_the_overlay_outlines_the_mask_and_its_new_place() -> None:
    before, after = np.zeros((100, 200), np.float32), np.zeros((100, 200), np.float32)
    before[40:60, 20:50] = 1
    after[40:60, 120:150] = 1
    drawn = np.asarray(overlay(picture(200, 100), None, before, after)).astype(int)
    white, green = (drawn == 255).all(axis=2), (drawn == (52, 211, 153)).all(axis=2)
    # One pixel around each mask, and nowhere else.
    for outline, left in ((white, 20), (green, 120)):
        ring = np.zeros((100, 200), bool)
        ring[39:61, left - 1 : left + 31] = True
        ring[40:60, left : left + 30] = False
        np.testing.assert_array_equal(outline, ring)


def test_the_overlay_shows_attention_where_it_is() -> None:
    heat = np.zeros((4, 8), np.float32)
    heat[1:3, 1] = 1
    drawn = np.asarray(overlay(picture(160, 80, (60, 60, 60)), heat, np.zeros((80, 160)), None)).astype(int)
    colour = drawn.max(axis=2) - drawn.min(axis=2)
    y, x = np.unravel_index(colour.argmax(), colour.shape)
    assert 20 <= x < 40
    assert 20 <= y < 60
    assert colour[:, 100:].max() == 0


@pytest.mark.parametrize("size", [(256, 256), (640, 320), (200, 500), (4000, 3000)])
def test_the_panel_shows_every_tile_whole(size: tuple[int, int]) -> None:
    colours = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10)]
    tiles = [Tile("caption", picture(*size, colour)) for colour in colours]
    sheet = np.asarray(panel(tiles, "a title", ["a line " * 80])).astype(int)
    areas = []
    for colour in colours:
        where: np.ndarray = (np.abs(sheet - np.array(colour)) <= 2).min(axis=2)
        rows, columns = np.flatnonzero(where.max(axis=1)), np.flatnonzero(where.max(axis=0))
        shown = (columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        assert shown[0] / shown[1] == pytest.approx(size[0] / size[1], rel=0.02)
        assert where.sum() == shown[0] * shown[1]
        areas.append(where.sum())
    assert min(areas) == max(areas)
    assert max(sheet.shape) <= 4 * 640 + 5 * 16
