"""All figures of an outcome: which there are, against what, and what is missing and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench_data import moved, scene
from realedit.bench.edit_spec import EditSpec
from realedit.bench.metrics.measure import Meter
from realedit.bench.metrics.pixel import CAP, psnr
from realedit.bench.metrics.settings import MetricSettings
from realedit.bench.outcome import Outcome

SETTINGS = MetricSettings(("psnr", "ssim", "seam", "harmony", "changed_background", "geometry"))


def test_the_truth_itself_is_perfect(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    truth = loaded.truth
    assert truth is not None
    edited = loaded.mask | loaded.truth_mask  # pyright: ignore[reportOptionalOperand]
    outcome = Outcome(truth, found=loaded.mask, after=loaded.truth_mask, region=edited)
    figures = Meter(SETTINGS).measure(loaded, outcome)
    values = figures.values
    for region in ("whole", "object", "hole", "background"):
        assert values[f"psnr.{region}"] == CAP
        assert values[f"ssim.{region}"] == pytest.approx(1)
    perfect = {
        "seam": 0,
        "harmony": 0,
        "changed_background": 0,
        "changed_outside": 0,
        "centroid_error": 0,
        "centroid_near": 1,
        "size_ratio": 1,
        "mask_iou": 1,
    }
    assert {name: values[name] for name in perfect} == pytest.approx(perfect)
    assert not figures.missing


def test_regions_are_told_apart_and_the_picture_before_the_composite_too(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    truth = loaded.truth
    assert truth is not None
    assert loaded.truth_mask is not None
    wrong = np.where(loaded.truth_mask[..., None], 0, truth).astype(np.uint8)
    values = Meter(SETTINGS).measure(loaded, Outcome(wrong, before_composite=truth)).values
    assert values["psnr.object"] < 20
    assert values["psnr.background"] == values["psnr.hole"] == CAP
    assert values["before.psnr.object"] == CAP


def test_pixels_changed_outside_the_methods_own_region_are_counted(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    region = np.zeros(loaded.photo.shape[:2], bool)
    region[:, :10] = True
    picture = loaded.photo.copy()
    picture[5, 3:13] ^= 1
    values = Meter(MetricSettings(("geometry",))).measure(loaded, Outcome(picture, region=region)).values
    assert values["changed_outside"] == 3


def test_an_object_is_near_within_a_fiftieth_of_the_width(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    assert loaded.truth_mask is not None
    for off, near in ((0, 1), (1, 1), (2, 0)):
        after = np.roll(loaded.truth_mask, off, 1)
        values = (
            Meter(MetricSettings(("geometry",))).measure(loaded, Outcome(loaded.photo, after=after)).values
        )
        assert values["centroid_near"] == near


def test_without_a_truth_only_the_background_is_compared_with_the_photo(tmp_path: Path) -> None:
    loaded = replace(moved(tmp_path), truth=None, truth_mask=None)
    figures = Meter(SETTINGS).measure(loaded, Outcome(loaded.photo))
    assert figures.values == {
        "psnr.background": CAP,
        "ssim.background": pytest.approx(1),
        "changed_background": 0,
    }
    assert figures.missing["psnr.whole"] == figures.missing["seam"] == "the case has no truth"
    assert "method" in figures.missing["mask_iou"] or "told" in figures.missing["mask_iou"]


def test_pies_masking_blackens_the_rest_and_the_border(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    loaded = replace(loaded, truth=None, truth_mask=None, case=replace(loaded.case, edit=EditSpec("text")))
    picture = np.clip(loaded.photo.astype(int) + 9, 0, 255).astype(np.uint8)
    values = Meter(MetricSettings(("psnr",), "pie")).measure(loaded, Outcome(picture)).values
    kept = ~scene()[1]
    kept[[0, -1]] = kept[:, [0, -1]] = False
    error = 81 * kept.mean()  # over the whole picture
    assert values == {"psnr.background": pytest.approx(10 * np.log10(255**2 / error))}
    assert psnr(picture, loaded.photo) < values["psnr.background"]


def test_pies_ssim_and_psnr_are_torchmetrics(tmp_path: Path) -> None:
    """The reference code measures with torchmetrics on blackened pictures in [0, 1]."""
    image = pytest.importorskip("torchmetrics.image")
    import torch

    loaded = moved(tmp_path)
    loaded = replace(loaded, truth=None, truth_mask=None, case=replace(loaded.case, edit=EditSpec("text")))
    noise = np.random.default_rng(0).normal(0, 10, loaded.photo.shape)
    picture = np.clip(loaded.photo + noise, 0, 255).astype(np.uint8)
    kept = ~scene()[1]
    kept[[0, -1]] = kept[:, [0, -1]] = False
    a, b = (
        torch.from_numpy(rgb / 255 * kept[..., None]).float().permute(2, 0, 1)[None]
        for rgb in (picture, loaded.photo)
    )
    values = Meter(MetricSettings(("psnr", "ssim"), "pie")).measure(loaded, Outcome(picture)).values
    expected = {
        "psnr.background": float(image.PeakSignalNoiseRatio(data_range=1.0)(a, b)),
        "ssim.background": float(image.StructuralSimilarityIndexMeasure(data_range=1.0)(a, b)),
    }
    assert values == pytest.approx(expected, abs=5e-3)  # they mirror the edge otherwise


def test_weights_that_are_not_here_are_missing_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    loaded = moved(tmp_path)
    settings = MetricSettings(("lpips_alex", "structure", "clip"))
    figures = Meter(settings).measure(loaded, Outcome(loaded.photo))
    assert not figures.values
    assert set(figures.missing) == {"lpips_alex", "structure", "clip"}


def test_a_replay_is_compared_with_its_own_references(tmp_path: Path) -> None:
    loaded = moved(tmp_path)
    a = np.full((16, 16, 3), 100.0, np.float32)
    outcome = Outcome(a, references={"roundtrip": a + 0.1, "photo": a + 5})
    values = Meter(MetricSettings(("psnr", "seam"))).measure(loaded, outcome).values
    assert values == {
        "psnr.roundtrip": pytest.approx(20 * np.log10(255 / 0.1), abs=1e-3),
        "psnr.photo": pytest.approx(20 * np.log10(255 / 5)),
    }
