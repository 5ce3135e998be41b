"""Whether an edit did what was asked, by its picture: the truth passes, the photo and half an edit do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from bench_data import SIDE, asking, moved, scene
from realedit.bench.case import LoadedCase
from realedit.bench.datasets import load_dataset
from realedit.bench.edit_spec import EditSpec
from realedit.bench.metrics.measure import Meter
from realedit.bench.metrics.missing import MetricUnavailableError
from realedit.bench.metrics.settings import MetricSettings
from realedit.bench.metrics.target import REACHED, Target
from realedit.bench.outcome import Outcome

CASES = Path(__file__).resolve().parents[4] / "examples" / "cases"
ASSESSED = {
    "move": "005",
    "resize": "006",
    "rotate": "015",
    "remove": "021",
    "replace": "027",
    "recolour": "032",
}


def removal(folder: Path) -> LoadedCase:
    loaded = asking(moved(folder), EditSpec("remove"))
    return replace(loaded, truth=scene(None)[0], truth_mask=None)


def painted(folder: Path, colour: tuple[int, int, int]) -> LoadedCase:
    """The square in another colour."""
    loaded = asking(moved(folder), EditSpec("recolour", new_colour="green"))
    assert loaded.mask is not None
    truth = np.where(loaded.mask[..., None], colour, loaded.photo).astype(np.uint8)
    return replace(loaded, truth=truth, truth_mask=loaded.mask)


def test_a_square_off_by_a_known_shift(tmp_path: Path) -> None:
    loaded = moved(tmp_path, dx=0.25)
    target = Target.of(loaded)
    for off in (0, 1, 6):
        figures = target.check(scene(12 + SIDE // 4 + off)[0])
        assert figures["target_centroid"] == pytest.approx(off / SIDE, abs=0.004)
        assert figures[REACHED] == float(off / SIDE <= 0.02)


def test_a_square_too_small_is_at_its_place_but_not_as_asked(tmp_path: Path) -> None:
    figures = Target.of(moved(tmp_path)).check(scene(12 + SIDE // 4 + 2, 26, side=12)[0])
    assert figures["target_size"] == pytest.approx(0.25, abs=0.04)
    assert figures["target_centroid"] < 0.02
    assert figures[REACHED] == 0


def test_what_grows_may_stand_where_it_stood_or_grow_about_its_centre(tmp_path: Path) -> None:
    """The truth grows upwards from its foot; the edit is asked for about the centroid."""
    loaded = asking(moved(tmp_path), EditSpec("resize", scale=1.5))
    truth, there = scene(8, 16, side=24)
    target = Target.of(replace(loaded, truth=truth, truth_mask=there))
    assert target.check(truth)[REACHED] == 1
    assert target.check(scene(8, 20, side=24)[0])[REACHED] == 1
    assert target.check(scene(30, 20, side=24)[0])[REACHED] == 0
    assert target.check(scene(10, 22, side=20)[0])[REACHED] == 0


def test_the_untouched_photo_misses_by_all_of_the_shift(tmp_path: Path) -> None:
    loaded = moved(tmp_path, dx=0.25)
    figures = Target.of(loaded).check(loaded.photo)
    assert figures["target_centroid"] == pytest.approx(0.25, abs=0.004)
    assert figures[REACHED] == 0


def test_removed_is_gone_and_like_the_truth(tmp_path: Path) -> None:
    loaded = removal(tmp_path)
    target = Target.of(loaded)
    assert target.check(scene(None)[0])[REACHED] == 1
    assert target.check(loaded.photo)["target_remains"] == pytest.approx(1)
    assert target.check(loaded.photo)["target_hole"] == pytest.approx(1)
    assert loaded.mask is not None
    smear = np.where(loaded.mask[..., None], (10, 200, 10), loaded.photo).astype(np.uint8)
    assert target.check(smear)[REACHED] == 0


def test_half_of_the_way_to_a_colour_is_half_of_the_difference(tmp_path: Path) -> None:
    loaded = painted(tmp_path, (40, 160, 60))
    target, truth = Target.of(loaded), loaded.truth
    assert truth is not None
    assert target.check(truth)["target_colour"] == pytest.approx(0, abs=1e-9)
    mixed = lab2rgb((rgb2lab(loaded.photo) + 3 * rgb2lab(truth)) / 4)
    assert target.check((mixed * 255).round().astype(np.uint8))[REACHED] == 1
    assert target.check(loaded.photo)[REACHED] == 0


def test_what_the_check_cannot_tell_is_missing_not_reached(tmp_path: Path) -> None:
    much_the_same = painted(tmp_path, (202, 42, 31))
    with pytest.raises(MetricUnavailableError, match="cannot tell"):
        Target.of(much_the_same)
    still = moved(tmp_path, dx=0.0)
    figures = Meter(MetricSettings(("target",))).measure(still, Outcome(still.photo))
    assert "cannot tell" in figures.missing[REACHED]
    assert not figures.values
    with pytest.raises(MetricUnavailableError, match="no truth"):
        Target.of(replace(still, truth=None))


@pytest.mark.parametrize("kind", ASSESSED)
def test_rendered_cases_of_every_kind_can_be_judged(kind: str) -> None:
    case = next(case for case in load_dataset(CASES) if case.id == ASSESSED[kind])
    loaded = LoadedCase.of(case)
    assert loaded.truth is not None
    target = Target.of(loaded)
    assert target.check(loaded.truth)[REACHED] == 1
    assert target.check(loaded.photo)[REACHED] == 0


def test_a_meter_asks_each_case_for_its_own_target(tmp_path: Path) -> None:
    meter = Meter(MetricSettings(("target",)))

    def checked(loaded: LoadedCase, picture: np.ndarray) -> dict[str, float]:
        return meter.measure(loaded, Outcome(picture)).values

    first = moved(tmp_path, dx=0.25)
    other = moved(tmp_path / "other", dx=0.4)
    other = replace(other, case=replace(other.case, id="b"))
    assert first.truth is not None
    assert other.truth is not None
    assert checked(first, first.truth)[REACHED] == checked(other, other.truth)[REACHED] == 1
    assert checked(first, other.truth)[REACHED] == checked(other, first.truth)[REACHED] == 0
