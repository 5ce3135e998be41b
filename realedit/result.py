"""What an edit returns: the edited photo, how it came about, and its report."""

from __future__ import annotations

import json
import tempfile
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from realedit.change import Change
from realedit.location import Location
from realedit.photo import Photo
from realedit.photo.encode import Compression
from realedit.photo.measured import Kept
from realedit.photo.provenance import recipe_json
from realedit.photo.save import Saved, encode_measured, save_measured
from realedit.report.contents import figure, location_rows, location_tile
from realedit.report.page import Report, write_report
from realedit.report.panel import Tile, fit


@dataclass(frozen=True)
class EditResult:
    """An edited photo, and what is known about the edit.

    Args:
        photo: the edited photo, ready to be saved.
        source: the photo as it was.
        location: the object as it was found; with several edits, the first edit's.
        mask_before: the edited objects' matte in the photo, float32 ``[H, W]`` in [0, 1].
        mask_after: their matte in the edited photo.
        region: where the edited photo may differ from the photo, bool ``[H, W]``.
        replay: makes :attr:`reconstruction`.
        metrics: figures by name; positions are fractions of the frame.
        seed: seed of the noise.
        timings: seconds by stage.
        recipe: what it takes to make the edit again; written beside the saved photo.
        warnings: what the user should know.
        before_composite: the model's own picture in the last step, before the photo's pixels were put back,
            float32 ``[h, w, 3]`` in 0..255 at the model's working size; None if the model did not run.
        changes: what each step did to each of its objects, in their order.
    """

    photo: Photo
    source: Photo
    location: Location
    mask_before: np.ndarray
    mask_after: np.ndarray
    region: np.ndarray
    replay: Callable[[], Image.Image]
    metrics: dict[str, float]
    seed: int
    timings: dict[str, float]
    recipe: dict[str, Any] = field(default_factory=dict[str, Any])
    warnings: tuple[str, ...] = ()
    before_composite: np.ndarray | None = None
    changes: tuple[Change, ...] = ()

    @property
    def image(self) -> Image.Image:
        """The edited photo as a Pillow image in the photo's own mode."""
        return self.photo.to_pillow()

    @cached_property
    def reconstruction(self) -> Image.Image:
        """The inversion's replay of the photo at the model's working size, sampled when first asked for."""
        return self.replay()

    def followed_by(self, later: EditResult) -> EditResult:
        """Returns what this edit and one of its photo amount to together.

        The later one's figures are its own; the recipe makes both again.

        Args:
            later: an edit of :attr:`photo`.
        """
        times = {name: self.timings.get(name, 0.0) + seconds for name, seconds in later.timings.items()}
        recipe = {**self.recipe, "then": [*self.recipe.get("then", []), later.recipe]}
        return replace(
            later,
            source=self.source,
            location=self.location,
            mask_before=self.mask_before,
            region=self.region | later.region,
            seed=self.seed,
            timings=self.timings | times,
            recipe=recipe,
            warnings=tuple(dict.fromkeys((*self.warnings, *later.warnings))),
            changes=(*self.changes, *later.changes),
        )

    def save(
        self,
        path: str | Path,
        *,
        force: bool = False,
        quality: int | None = None,
        lossless: bool = False,
    ) -> Path:
        """Writes the edited photo with its provenance, and its recipe beside it.

        Args:
            path: the file; its suffix chooses the format.
            force: replace files that exist.
            quality: of 100, with loss; by default the photo's own kind of compression, and of a JPEG its own
                blocks.
            lossless: without loss.

        Returns:
            The file that was written.

        Raises:
            OutputExistsError: a file exists already, and ``force`` is not set.
            PhotoError: the disk refused.
            UsageError: the format cannot hold the photo, or the folder is missing.
        """
        return self.save_measured(path, force=force, compression=Compression(quality, lossless)).path

    def save_measured(
        self, path: str | Path, *, force: bool = False, compression: Compression = Compression()
    ) -> Saved:
        """Writes the edited photo as :meth:`save` does, and says what the file keeps of the photo.

        Args:
            path: see :meth:`save`.
            force: see :meth:`save`.
            compression: a quality, or without loss.

        Raises:
            RealEditError: as of :meth:`save`.
        """
        return save_measured(
            self.photo, path, self.region, force=force, recipe=self.recipe, compression=compression
        )

    def encoded(self, kind: str, compression: Compression = Compression()) -> tuple[bytes, Kept]:
        """Returns the edited photo's file and what it keeps of the photo, without writing it.

        Args:
            kind: the format, as Pillow names it.
            compression: a quality, or without loss.

        Raises:
            RealEditError: as of :meth:`save`.
        """
        return encode_measured(self.photo, kind, self.region, compression)

    def report(self) -> Report:
        """Returns what the edit did as pictures and tables: before, mask, reconstruction, after, figures.

        The reconstruction is left out where the model made nothing of the picture.
        """
        before = fit(Image.fromarray(self.source.rgb))
        tiles = [
            Tile("before", before),
            location_tile(before, self.location, self.mask_before, self.mask_after),
            Tile("after", fit(Image.fromarray(self.photo.rgb))),
        ]
        if self.before_composite is not None:
            replayed = self.reconstruction.resize(before.size, Image.Resampling.BICUBIC)
            tiles.insert(2, Tile("reconstruction by the model", replayed))
        tables = {
            "metrics": [(name.replace("_", " "), figure(value)) for name, value in self.metrics.items()],
            "times": [(name, f"{value:.2f} s") for name, value in self.timings.items()],
            "object": location_rows(self.location),
            "warnings": [("", warning) for warning in self.warnings],
        }
        recipe = json.dumps(json.loads(recipe_json(self.recipe)), indent=2, ensure_ascii=False)
        return Report(f"realedit: {self.location.word or 'object'}", tiles, tables, recipe)

    def show_report(self, path: str | Path | None = None, *, force: bool = False) -> Path:
        """Writes the report as an HTML page, with its panel beside it as PNG.

        Args:
            path: the page; by default one in a temporary folder, which is then opened in the browser.
            force: replace files that exist.

        Returns:
            The page's path.
        """
        if path is not None:
            html = Path(path)
            write_report(self.report(), html, html.with_suffix(".png"), force=force)
            return html
        html = Path(tempfile.mkdtemp(prefix="realedit-")) / "report.html"
        write_report(self.report(), html, html.with_suffix(".png"))
        webbrowser.open(html.as_uri())
        return html
