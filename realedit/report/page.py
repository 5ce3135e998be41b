"""Writes a report: one HTML page that needs no other file, and one PNG panel."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from PIL import Image

from realedit.report.panel import Tile, panel
from realedit.system.whole_files import write_files

_LOSSLESS_SIDE = 640
"""Longest side, in pixels, of pictures that the page holds as PNG, to the bit; above it they are JPEG,
because the PNG of a large photo takes megabytes. Set by eye."""
_TEMPLATE = "assets/report.html.jinja"


def write_report(report: Report, html: Path, png: Path, *, force: bool = False) -> None:
    """Writes a report as a page and as a panel.

    Args:
        report: what they show.
        html: the page's file; the pictures are inside it.
        png: the panel's file.
        force: whether files that exist may be replaced.

    Raises:
        FileExistsError: one of them exists already.
        OSError: the disk refused; neither file is left behind.
    """
    file = io.BytesIO()
    report.panel().save(file, "PNG", optimize=True)
    write_files({html: report.html().encode(), png: file.getvalue()}, force=force)


@dataclass(frozen=True)
class Report:
    """What a report shows, before it is laid out as a page or a panel.

    Attributes:
        title: one line.
        tiles: captioned pictures, the photo first.
        tables: rows of name and value, by heading.
        recipe: JSON text; "" for none.
    """

    title: str
    tiles: Sequence[Tile]
    tables: Mapping[str, Sequence[tuple[str, str]]]
    recipe: str

    def html(self) -> str:
        """Returns the page; every text in it is escaped."""
        from jinja2 import Environment, StrictUndefined

        template = (resources.files("realedit") / _TEMPLATE).read_text(encoding="utf-8")
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        pictures = [(tile.caption, _data_url(tile.image), tile.image.size) for tile in self.tiles]
        return environment.from_string(template).render(
            title=self.title, pictures=pictures, tables=self.tables, recipe=self.recipe
        )

    def panel(self) -> Image.Image:
        """Returns the pictures side by side, with the figures below them."""
        lines = [
            f"{heading}: " + ", ".join(f"{name} {value}" for name, value in rows)
            for heading, rows in self.tables.items()
            if rows
        ]
        return panel(self.tiles, self.title, lines)


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    kind, options = (
        ("PNG", {}) if max(image.size) <= _LOSSLESS_SIDE else ("JPEG", {"quality": 90, "subsampling": 0})
    )
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
