"""The sheet of a real run: what stands where, and how many pages there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench_data import moved_case
from realedit.bench.methods import MethodSpec
from realedit.bench.metrics.settings import MetricSettings
from realedit.bench.records import Record
from realedit.bench.run import run
from realedit.bench.sheet import write_sheet
from realedit.bench.workbench import ModelSettings
from realedit.bench.worker import RunSettings
from realedit.photo.photo import load_photo

PANEL, GAP, TITLE, CAPTION = 360, 16, 40, 28  # of pictures this small


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    case = moved_case(tmp_path / "cases")
    model = ModelSettings("tabletop", "cpu", offline=True)
    settings = RunSettings(tmp_path / "run", model, MetricSettings(("psnr",)))
    return run([case], [MethodSpec("no-edit"), MethodSpec("paste-telea")], settings)


def test_a_row_is_before_mask_after_by_each_method_and_truth(records: list[Record], tmp_path: Path) -> None:
    (file,) = write_sheet(tmp_path / "sheet.png", tmp_path / "run", records)
    sheet = load_photo(file).rgb.astype(int)
    assert sheet.shape == (GAP + TITLE + PANEL + CAPTION + GAP, 5 * (PANEL + GAP) + GAP, 3)
    top = GAP + TITLE
    panels = [sheet[top : top + PANEL, GAP + k * (PANEL + GAP) :][:, :PANEL] for k in range(5)]
    before, marked, untouched, pasted, truth = panels
    assert (untouched == before).all()
    # the square is in red at its old place, and in the truth at its new one
    y, old, new = (round(PANEL * place / 64) for place in (32, 20, 36))
    for picture, x in ((before, old), (pasted, new), (truth, new)):
        assert picture[y, x, 0] > 150 > 80 > picture[y, x, 1]
    assert truth[y, old, 1] > 100
    changed = np.abs(marked - before).max(-1) > 60
    assert 0 < changed.mean() < 0.1  # a line about the square, and nothing else
    rows, columns = np.nonzero(changed)
    for places, first, last in ((rows, 24, 40), (columns, 12, 28)):
        assert abs(places.min() - PANEL * first / 64) < 12
        assert abs(places.max() - PANEL * last / 64) < 12


def test_many_cases_take_several_pages_in_files_or_a_folder(records: list[Record], tmp_path: Path) -> None:
    many = [replace(record, case=f"case {k}") for k in range(7) for record in records]
    files = write_sheet(tmp_path / "all.jpg", tmp_path / "run", many)
    assert [file.name for file in files] == ["all-1.jpg", "all-2.jpg"]
    pages = write_sheet(tmp_path / "pages", tmp_path / "run", many)
    assert [file.relative_to(tmp_path).as_posix() for file in pages] == ["pages/1.jpg", "pages/2.jpg"]
    heights = [load_photo(file).height for file in pages]
    assert heights[0] * 2 == heights[1] * 5
