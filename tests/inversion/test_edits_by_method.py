"""Every method as the pipeline uses it: inverted, observed, kept, read back and edited from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from inversion import METHODS
from realedit import Move, RealEditPipeline
from realedit.cli.options import InversionName, InversionOptions
from realedit.engine import Engine
from realedit.inverted.cache import Cache
from realedit.inverted.inversion import capture_for, invert_photo
from realedit.inverted.levels import all_levels
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.models.profile import general
from realedit.result import EditResult

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "mug.jpg"
PROMPT = "a photo of a red mug and a white bowl on a wooden table"
DX = 0.2
STEPS = 4
STRENGTH = 0.4
EVALUATIONS = {"ddim": 2, "negative_prompt": 2, "direct": 2, "fixed_point": 7, "ddpm": 1, "noised": 1}
"""For each step, at scale 1 and with what the observing takes."""


def test_the_command_knows_every_method() -> None:
    assert set(get_args(InversionName)) == set(METHODS)
    assert InversionOptions().inversion == "direct"


@pytest.mark.parametrize("method", list(EVALUATIONS))
def test_the_model_is_observed_at_the_trajectory_s_own_states(backbone: Backbone, method: str) -> None:
    capture, size = capture_for(backbone.unet), (64, 96)
    width_height = (size[1], size[0])
    prompt = backbone.prompt(PROMPT, size)
    x_0 = backbone.encode(np.array(Image.open(PHOTO).convert("RGB").resize(width_height)))
    with capture:
        found = invert_photo(
            backbone,
            capture,
            x_0,
            prompt,
            size=size,
            method=method,
            schedule=backbone.schedule(STEPS),
            levels=all_levels(STEPS, general()),
            scale=1.0,
        )
        assert found.evaluations == EVALUATIONS[method] * STEPS
        assert sorted(found.observations) == list(range(1, STEPS + 1))
        for level, seen in found.observations.items():
            t, x = found.result.schedule.timestep(level), found.result.trajectory[level]
            with torch.no_grad(), capture.record((x.shape[-2], x.shape[-1]), tokens=prompt.tokens) as again:
                backbone(x, t, prompt.conditioning)
            assert seen.attention.keys() == again.attention.keys()
            for name, attention in seen.attention.items():
                torch.testing.assert_close(attention.float(), again.attention[name], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("method", list(METHODS))
def test_an_inversion_read_back_from_the_cache_is_the_same(
    backbone: Backbone, method: str, tmp_path: Path
) -> None:
    pipeline = RealEditPipeline(
        Engine(backbone, resolve_model("tabletop"), cache=Cache(tmp_path), working_side=64)
    )
    fresh, kept = (pipeline.invert(PHOTO, PROMPT, method=method, steps=2) for _ in range(2))
    assert (fresh.cached, kept.cached) == (False, True)
    assert (kept.inversion.result.method, kept.inversion.result.eta) == (method, fresh.inversion.result.eta)
    written, read = fresh.inversion.tensors(), kept.inversion.tensors()
    assert written.keys() == read.keys()
    assert all(torch.equal(written[name], read[name]) for name in written)
    assert np.array_equal(pipeline.reconstruct(fresh), pipeline.reconstruct(kept))


@pytest.fixture(scope="module")
def small() -> Image.Image:
    """The photo at the model's own size: filling the hole takes most of an edit."""
    return Image.open(PHOTO).convert("RGB").resize((320, 224), Image.Resampling.LANCZOS)


@pytest.fixture(scope="module")
def pipeline(backbone: Backbone) -> RealEditPipeline:
    return RealEditPipeline(Engine(backbone, resolve_model("tabletop")))


@pytest.fixture(scope="module")
def default(pipeline: RealEditPipeline, small: Image.Image) -> EditResult:
    return pipeline.edit(small, Move("mug", dx=DX), prompt=PROMPT, steps=8, strength=STRENGTH)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["null_text", "negative_prompt"])
def test_an_edit_is_guided_away_from_the_null_text_of_its_inversion(
    pipeline: RealEditPipeline, small: Image.Image, default: EditResult, method: str
) -> None:
    """The states that they hold are the default's own: the null text is all that tells them apart."""
    result = pipeline.edit(
        small, Move("mug", dx=DX), prompt=PROMPT, method=method, steps=8, strength=STRENGTH
    )
    assert result.before_composite is not None
    assert default.before_composite is not None
    assert np.array_equal(result.mask_before, default.mask_before)
    assert np.abs(result.before_composite - default.before_composite).max() > 1
    assert _psnr(result.photo.rgb, default.photo.rgb) > 28


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fixed_point", "ddpm", "noised"])
def test_an_edit_from_it_is_near_the_default_s_and_keeps_the_rest(
    pipeline: RealEditPipeline, small: Image.Image, default: EditResult, method: str
) -> None:
    before = np.array(small)
    result = pipeline.edit(
        small, Move("mug", dx=DX), prompt=PROMPT, method=method, steps=8, strength=STRENGTH
    )
    moved = result.photo.rgb
    assert result.metrics["changed_outside_region"] == 0
    assert np.array_equal(moved[~result.region], before[~result.region])
    x, y = default.location.centroid
    # two pixels of a book that touches the mug belong to it by one method's attention and not by another's
    assert result.location.centroid == pytest.approx((x, y), abs=0.02)
    again = pipeline.locate(Image.fromarray(moved), "mug", prompt=PROMPT, steps=8)
    assert again.centroid == pytest.approx((x + DX, y), abs=0.02)
    # what the model settles differs a little, the move itself a lot
    assert _psnr(moved, default.photo.rgb) > 28
    assert _psnr(moved, before) < 24


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * math.log10(255**2 / np.square(a.astype(np.float64) - b).mean())
