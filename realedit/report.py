"""A report on an edit: one HTML page that needs no other file, and one PNG panel."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from realedit.atomic_write import write_files
from realedit.provenance import recipe_json
from realedit.report_panel import Tile, fit, overlay, panel

if TYPE_CHECKING:
    import numpy as np

    from realedit.locate import Location
    from realedit.photo import Photo
    from realedit.result import EditResult

_LOSSLESS_SIDE = 640
_TEMPLATE = "assets/report.html.jinja"


def write_report(result: EditResult, html: Path, png: Path, *, force: bool = False) -> None:
    """Write what an edit did: before, mask and attention, reconstruction, after, figures, recipe.

    Args:
        result: the edit.
        html: page to write; pictures are inside it, scaled down to 1600 pixels.
        png: panel to write.
        force: whether files that are there may be replaced.

    Raises:
        FileExistsError: one of them is there already.
        OSError: the disk refused; neither file is left behind.
    """
    _write(edit_report(result), html, png, force=force)


def write_location_report(
    photo: Photo, location: Location, html: Path, png: Path, *, force: bool = False
) -> None:
    """Write what was found and would be edited: before, mask and attention. As `write_report` otherwise."""
    _write(location_report(photo, location), html, png, force=force)


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


def edit_report(result: EditResult) -> Report:
    """Return the report on an edit."""
    before = fit(Image.fromarray(result.source.rgb))
    location = result.location
    tiles = [
        Tile("before", before),
        Tile(
            _caption(location), overlay(before, _attention(location), result.mask_before, result.mask_after)
        ),
        Tile(
            "reconstruction by the model", result.reconstruction.resize(before.size, Image.Resampling.BICUBIC)
        ),
        Tile("after", fit(Image.fromarray(result.photo.rgb))),
    ]
    timings = [(name, f"{value:.2f} s") for name, value in result.timings.items()]
    tables = {
        "metrics": [(_words(name), _figure(value)) for name, value in result.metrics.items()],
        "times": timings,
        "object": _location_rows(location),
        "warnings": [("", warning) for warning in result.warnings],
    }
    recipe = json.dumps(json.loads(recipe_json(result.recipe)), indent=2, ensure_ascii=False)
    return Report(f"realedit: {location.word or 'object'}", tiles, tables, recipe)


def location_report(photo: Photo, location: Location) -> Report:
    """Return the report on an object that was found."""
    before = fit(Image.fromarray(photo.rgb))
    drawn = overlay(before, _attention(location), location.mask, None)
    tiles = [Tile("before", before), Tile(_caption(location), drawn)]
    return Report(f"found: {location.word or 'object'}", tiles, {"object": _location_rows(location)}, "")


def _write(report: Report, html: Path, png: Path, *, force: bool) -> None:
    file = io.BytesIO()
    report.panel().save(file, "PNG", optimize=True)
    write_files({html: report.html().encode(), png: file.getvalue()}, force=force)


def _caption(location: Location) -> str:
    return "mask and attention" if location.source == "word" else f"mask (by {location.source})"


def _attention(location: Location) -> np.ndarray | None:
    # Where the user showed the object, the heat is what was shown.
    return location.heat if location.source == "word" else None


def _location_rows(location: Location) -> list[tuple[str, str]]:
    return [
        ("found by", location.source),
        ("box", ", ".join(f"{value:.3f}" for value in location.box)),
        ("centroid", ", ".join(f"{value:.3f}" for value in location.centroid)),
        ("score", _figure(location.score)),
    ]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _figure(value: float) -> str:
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return "not known" if math.isnan(value) else f"{value:.4g}"


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    # PNG shows every pixel; of a large photo it would make a page of many megabytes.
    kind, options = (
        ("PNG", {}) if max(image.size) <= _LOSSLESS_SIDE else ("JPEG", {"quality": 90, "subsampling": 0})
    )
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
