"""Noise levels of the schedulers that SDXL's descendants are saved with, as diffusers configures them."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any

import pytest
import torch
from diffusers import schedulers
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_edm_euler import EDMEulerScheduler

from realedit.errors import ModelUnavailableError
from realedit.generate.self_guidance_pipeline import SelfGuidanceStableDiffusionXLPipeline
from realedit.models.backbone import Backbone

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
ZERO_SNR = {
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "prediction_type": "v_prediction",
}


@pytest.fixture
def own(backbone: Backbone) -> Any:
    """The embedded pipeline, whose scheduler a test may replace."""
    before = backbone.pipeline.scheduler
    yield backbone.pipeline
    backbone.pipeline.scheduler = before


# diffusers' own
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("EulerDiscreteScheduler", {"timestep_spacing": "leading", "steps_offset": 1}),  # SDXL's own
        ("EulerDiscreteScheduler", {}),
        ("EulerAncestralDiscreteScheduler", {}),
        ("DPMSolverMultistepScheduler", {}),
        ("DDIMScheduler", {}),
        ("DDIMScheduler", ZERO_SNR),
        ("EulerDiscreteScheduler", ZERO_SNR),
    ],
)
def test_levels_descend_and_keep_a_trace_of_the_photo(
    backbone: Backbone,
    own: Any,
    kind: str,
    options: dict[str, Any],
) -> None:
    own.scheduler = getattr(schedulers, kind)(**BETAS, **options)
    schedule = backbone.schedule(8)
    assert schedule.steps == 8
    assert all(b < a for a, b in pairwise(schedule.alphas_cumprod))
    assert schedule.alphas_cumprod[-1] > 0
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    for level in range(1, 9):
        again = schedule.predict_x0(schedule.add_noise(x, noise, level), noise, level)
        assert torch.allclose(again, x, atol=2e-3)


def test_what_is_not_sdxls_noise_is_refused(backbone: Backbone, own: Any) -> None:
    own.scheduler = EDMEulerScheduler()
    with pytest.raises(ModelUnavailableError, match="EDMEulerScheduler"):
        backbone.schedule(8)
    own.scheduler = DDIMScheduler(prediction_type="sample")
    with pytest.raises(ModelUnavailableError, match="predictions of sample"):
        backbone.schedule(8)


def test_the_last_level_of_zero_terminal_snr_is_finite_when_guided(own: Any) -> None:
    guided = SelfGuidanceStableDiffusionXLPipeline(**own.components)
    guided.scheduler = DDIMScheduler(**BETAS, **ZERO_SNR)
    alpha, sigma = guided._level(999)
    assert 0 < alpha < 1e-3
    assert sigma == pytest.approx(1)


def test_a_prompt_that_is_too_long_is_read_as_far_as_it_goes_without_the_libraries_warnings(
    backbone: Backbone,
) -> None:
    much = "and a very large red wooden table with many things on it " * 8
    prompt = f"a mug {much}and a kiwi"
    told: list[str] = []
    hears = logging.Handler()
    hears.emit = lambda record: told.append(record.getMessage())
    for name in ("transformers", "diffusers"):
        logging.getLogger(name).addHandler(hears)
    try:
        for tokenizer in (backbone.pipeline.tokenizer, backbone.pipeline.tokenizer_2):
            tokenizer.deprecation_warnings.clear()  # it would warn once a process only
        backbone.prompt(prompt, (64, 64))
        assert backbone.tokens(prompt, "mug") == [2]
        assert backbone.tokens(prompt, "kiwi") == []
        assert backbone.tokens("a mug", much) == []
    finally:
        for name in ("transformers", "diffusers"):
            logging.getLogger(name).removeHandler(hears)
    assert told == []
