from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realedit import Like, Move, RealEditPipeline, Resize
from realedit.engine import Engine
from realedit.errors import OutOfFrameError, OutputExistsError, UsageError
from realedit.inverted.cache import Cache
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.photo.inputs import as_photo
from realedit.pipeline import InvertedPhoto
from realedit.result import EditResult
from realedit.settings import Settings

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "mug.jpg"
PROMPT = "a photo of a red mug on a wooden table"
DX = 0.2


@pytest.fixture(scope="module")
def inverted(pipeline: RealEditPipeline) -> InvertedPhoto:
    return pipeline.invert(PHOTO, PROMPT)


@pytest.fixture(scope="module")
def moved(pipeline: RealEditPipeline, inverted: InvertedPhoto) -> EditResult:
    return pipeline.edit(inverted, Move("mug", dx=DX), seed=3)


@pytest.fixture(scope="module")
def small() -> Image.Image:
    """The photo at the model's working size: filling the hole takes most of an edit."""
    return Image.open(PHOTO).convert("RGB").resize((320, 224), Image.Resampling.LANCZOS)


def _digest(result: EditResult) -> str:
    return hashlib.sha256(result.photo.rgb.tobytes()).hexdigest()


@pytest.mark.slow
def test_outside_the_region_it_is_the_photo_to_the_bit(moved: EditResult) -> None:
    assert moved.metrics["changed_outside_region"] == 0
    assert np.array_equal(moved.photo.rgb[~moved.region], np.array(Image.open(PHOTO))[~moved.region])
    assert 0.02 < moved.region.mean() < 0.25
    assert moved.metrics["region_share"] == pytest.approx(moved.region.mean())


@pytest.mark.slow
def test_the_model_itself_finds_the_object_where_it_was_to_go(
    pipeline: RealEditPipeline, moved: EditResult
) -> None:
    again = pipeline.locate(moved.photo, "mug", prompt=PROMPT)
    x, y = moved.location.centroid
    assert again.centroid == pytest.approx((x + DX, y), abs=0.02)
    assert moved.metrics["centroid_error"] < 0.005
    assert again.mask[moved.mask_before > 0.5].mean() < 0.02


@pytest.mark.slow
def test_the_report_and_the_photo_are_written(moved: EditResult, tmp_path: Path) -> None:
    saved = moved.save(tmp_path / "moved.png")
    with Image.open(saved) as written:
        assert np.array_equal(np.array(written.convert("RGB")), moved.photo.rgb)
    with pytest.raises(OutputExistsError):
        moved.save(saved)
    page = moved.show_report(tmp_path / "report.html")
    assert "<html" in page.read_text()
    with Image.open(tmp_path / "report.png") as panel:
        assert panel.width > 100


@pytest.mark.slow
def _redness(rgb: np.ndarray) -> np.ndarray:
    wide = rgb.astype(int)
    return wide[..., 0] - wide[..., 1:].max(-1)


def test_a_resized_object_covers_the_square_of_the_scale(
    pipeline: RealEditPipeline, inverted: InvertedPhoto
) -> None:
    result = pipeline.edit(inverted, Resize("mug", 1.3))
    assert result.mask_after.sum() / result.mask_before.sum() == pytest.approx(1.69, rel=0.02)
    # the mug is the only red thing: its area, without a mask of ours
    before, after = (_redness(photo.rgb) > 90 for photo in (result.source, result.photo))
    assert after.sum() / before.sum() == pytest.approx(1.69, rel=0.05)


def test_the_default_replay_is_the_vaes_round_trip(
    pipeline: RealEditPipeline, inverted: InvertedPhoto
) -> None:
    replayed = pipeline.reconstruct(inverted)
    round_trip = pipeline.backbone.decode(inverted.inversion.result.x_0)
    # a PSNR of 50 dB, as a mean square: the two may be equal
    assert np.square(round_trip - replayed).mean() <= 255**2 / 1e5
    assert replayed.shape == (*inverted.inversion.size, 3)


@pytest.mark.slow
def test_a_kept_inversion_edits_to_the_same_bits_for_less(
    backbone: Backbone, small: Image.Image, tmp_path: Path
) -> None:
    pipe = RealEditPipeline(Engine(backbone, resolve_model("tabletop"), cache=Cache(tmp_path)))
    first, second = (
        pipe.edit(small, Move("mug", dx=DX), prompt=PROMPT, seed=3, strength=0.4) for _ in range(2)
    )
    assert _digest(first) == _digest(second)
    assert np.array_equal(first.mask_after, second.mask_after)
    assert second.metrics["model_evaluations"] <= 0.5 * first.metrics["model_evaluations"]
    assert pipe.invert(small, PROMPT).cached
    assert not pipe.invert(small, PROMPT + " indoors").cached


@pytest.mark.slow
def test_the_seed_decides_the_bytes(pipeline: RealEditPipeline, small: Image.Image) -> None:
    inverted = pipeline.invert(small, PROMPT)
    same, again, other = (
        pipeline.edit(inverted, Move("mug", dx=DX), seed=seed, strength=0.4) for seed in (5, 5, 6)
    )
    assert _digest(same) == _digest(again)
    assert _digest(same) != _digest(other)
    assert same.seed == same.recipe["seed"] == 5


@pytest.mark.parametrize(
    "asked",
    [
        {"prompt": "a photo of a mug beside a book"},
        {"method": "noised"},
        {"steps": 6},
        {"inversion_scale": 1.5},
        {"method": "null_text", "steps": 2},
    ],
)
def test_what_is_asked_of_an_inverted_photo_is_not_dropped(
    pipeline: RealEditPipeline, small: Image.Image, asked: dict[str, Any]
) -> None:
    inverted = pipeline.invert(small, PROMPT, steps=4)
    box = (0.2, 0.4, 0.45, 0.8)
    told = pipeline.edit(inverted, Move("mug", dx=0.05), box=box, strength=0, **asked).recipe
    names = {"method": "inversion"}
    assert {name: told[names.get(name, name)] for name in asked} == asked
    plain = pipeline.edit(inverted, Move("mug", dx=0.05), box=box, strength=0).recipe
    assert (plain["prompt"], plain["inversion"], plain["steps"]) == (PROMPT, "direct", 4)


def test_an_object_may_not_leave_the_frame_unasked(pipeline: RealEditPipeline, small: Image.Image) -> None:
    inverted = pipeline.invert(small, PROMPT)
    location = pipeline.locate(inverted, "mug")
    out = 0.095
    dx = 1 - location.box[2] + out
    with pytest.raises(OutOfFrameError) as caught:
        pipeline.edit(inverted, Move("mug", dx=dx))
    assert str(caught.value).startswith(
        "'mug' would leave the frame by 10 % of its width at the right; use a"
    )
    result = pipeline.edit(inverted, Move("mug", dx=dx), allow_crop=True, strength=0)
    assert (result.mask_after[:, -1] > 0.5).any()
    assert result.mask_after.sum() < 0.95 * result.mask_before.sum()
    assert (result.mask_after[:, :100] == 0).all()


@pytest.mark.parametrize("box", [(0, 120, 320, 280), (60, 0, 220, 320)], ids=["2:1", "1:2"])
def test_other_aspect_ratios_work(pipeline: RealEditPipeline, box: tuple[int, int, int, int]) -> None:
    crop = Image.open(PHOTO).convert("RGB").resize((480, 320), Image.Resampling.LANCZOS).crop(box)
    result = pipeline.edit(crop, Move("mug", dx=0.1), prompt=PROMPT)
    assert result.photo.rgb.shape == (crop.height, crop.width, 3)
    assert result.reconstruction.width / result.reconstruction.height == pytest.approx(
        crop.width / crop.height, rel=0.2
    )
    assert result.metrics["changed_outside_region"] == 0
    assert result.metrics["centroid_error"] < 0.01


def test_without_resampling_it_is_the_anchor(pipeline: RealEditPipeline, small: Image.Image) -> None:
    inverted = pipeline.invert(small, PROMPT)
    before = pipeline.backbone.evaluations
    result = pipeline.edit(inverted, Move("mug", dx=DX), settings=Settings(strength=0))
    assert pipeline.backbone.evaluations == before
    assert result.metrics["changed_outside_region"] == 0


@pytest.mark.parametrize("strength", [-0.1, 0.8])
def test_a_strength_out_of_range_is_refused(
    pipeline: RealEditPipeline, small: Image.Image, strength: float
) -> None:
    with pytest.raises(UsageError, match=r"^strength must lie in \[0, 0\.7\], got "):
        pipeline.edit(small, Move("mug", dx=DX), strength=strength)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repaint", 2.0),
        ("repaint", 0.0),
        ("window", 1.5),
        ("pin", 5.0),
        ("resample", -1.0),
        ("smooth", -3.0),
        ("self_guidance", float("nan")),
    ],
)
def test_a_knob_out_of_range_is_refused(name: str, value: float) -> None:
    knob: dict[str, Any] = {name: value}
    with pytest.raises(UsageError, match=f"^{name} must "):
        Settings(**knob)
    with pytest.raises(UsageError):
        replace(Settings(), **knob)


def test_every_evaluation_is_told_and_the_reconstruction_costs_none_before_it_is_asked_for(
    pipeline: RealEditPipeline, small: Image.Image
) -> None:
    before = pipeline.backbone.evaluations
    how = {"method": "noised", "steps": 4, "strength": 0.0}
    result = pipeline.edit(small, Move("mug", dx=DX), prompt=PROMPT, **how)
    made = pipeline.backbone.evaluations - before
    assert made == result.metrics["model_evaluations"] == 4 + 3  # and a closer look
    seen = result.reconstruction
    assert pipeline.backbone.evaluations - before == 4 + 3 + 4
    assert result.reconstruction is seen


def test_an_edit_in_pixels_of_what_is_shown_inverts_nothing(
    pipeline: RealEditPipeline, small: Image.Image
) -> None:
    before = pipeline.backbone.evaluations
    result = pipeline.edit(small, Move("mug", dx=0.05), box=(0.2, 0.4, 0.45, 0.8))
    assert pipeline.backbone.evaluations == before
    assert "invert" not in result.timings
    assert (result.recipe["prompt"], result.recipe["inversion"]) == ("a photo of a mug", None)
    assert pipeline.edit(small, Move("mug", dx=0.05), box=(0.2, 0.4, 0.45, 0.8), strength=0.4).metrics[
        "model_evaluations"
    ]


def test_by_default_this_model_moves_pixels_alone_and_makes_looks(
    pipeline: RealEditPipeline, small: Image.Image
) -> None:
    box = (0.2, 0.4, 0.45, 0.8)
    moved = pipeline.edit(small, Move("mug", dx=0.05), box=box)
    assert (moved.before_composite, moved.recipe["settings"]["strength"]) == (None, None)
    other = pipeline.edit(small, Like("mug", small, "mug"), box=box, steps=4)
    assert other.before_composite is not None


@pytest.mark.slow
def test_the_model_is_not_loaded_for_what_does_without(small: Image.Image, tmp_path: Path) -> None:
    pipe = RealEditPipeline.from_pretrained("tabletop", device="cpu", cache=tmp_path)
    shown = pipe.edit(small, Move("mug", dx=0.05), box=(0.2, 0.4, 0.45, 0.8))
    assert shown.metrics["model_evaluations"] == 0
    assert not pipe.backbone.loaded
    found = pipe.locate(small, "mug")
    again = RealEditPipeline.from_pretrained("tabletop", device="cpu", cache=tmp_path)
    moved = again.edit(small, Move("mug", dx=DX))
    assert np.array_equal(moved.mask_before, found.mask)
    assert not again.backbone.loaded


def test_an_unknown_method_is_refused(pipeline: RealEditPipeline, small: Image.Image) -> None:
    with pytest.raises(UsageError, match=r"^no inversion method 'magic'; use one of "):
        pipeline.invert(small, PROMPT, method="magic")


def test_progress_is_told_stage_by_stage(pipeline: RealEditPipeline, small: Image.Image) -> None:
    told: list[tuple[str, int, int]] = []
    tell = lambda *step: told.append(step)  # noqa: E731 - a name for one line
    pipeline.edit(small, Move("mug", dx=DX), prompt=PROMPT, strength=0.4, progress=tell)
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["looking", "anchor", "invert", "resample"]
    for stage in ("invert", "resample"):
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps[-1][0] == steps[-1][1]
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_word_that_a_long_prompt_hides_is_read_all_the_same(
    pipeline: RealEditPipeline, photo: np.ndarray
) -> None:
    long = "a photo of " + ", ".join(["a zigzagging xylophonist"] * 12) + " and a mug"
    assert not pipeline.backbone.tokens(long, "mug")
    inverted = pipeline.engine.inverted_for(as_photo(photo), long, ["mug"], {"steps": 2})
    assert pipeline.backbone.tokens(inverted.inversion.prompt, "mug")
