"""A report on an edit: one HTML page that needs no other file, and one PNG panel."""

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
_TEMPLATE = "assets/report.html.jinja"


def write_report(report: Report, html: Path, png: Path, *, force: bool = False) -> None:
    """Write a report as a page and as a panel.

    Args:
        report: what they show.
        html: page to write; pictures are inside it, scaled down to 1600 pixels.
        png: panel to write.
        force: whether files that are there may be replaced.

    Raises:
        FileExistsError: one of them is there already.
        OSError: the disk refused; neither file is left behind.
    """
    file = io.BytesIO()
    report.panel().save(file, "PNG", optimize=True)
    write_files({html: report.html().encode(), png: file.getvalue()}, force=force)


@dataclass(frozen=True)
class Report:
    """What a report shows, before it is laid out.

    Attributes:
        title: one line.
        tiles: pictures, the photo first.
        tables: rows of name and value, by heading.
        recipe: JSON text, or "".
    """

    title: str
    tiles: Sequence[Tile]
    tables: Mapping[str, Sequence[tuple[str, str]]]
    recipe: str

    def html(self) -> str:
        """Return the page; every text in it is escaped."""
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
        """Return the pictures side by side with the figures below."""
        lines = [
            f"{heading}: " + ", ".join(f"{name} {value}" for name, value in rows)
            for heading, rows in self.tables.items()
            if rows
        ]
        return panel(self.tiles, self.title, lines)


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    # PNG shows every pixel; of a large photo it would make a page of many megabytes.
    kind, options = (
        ("PNG", {}) if max(image.size) <= _LOSSLESS_SIDE else ("JPEG", {"quality": 90, "subsampling": 0})
    )
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
