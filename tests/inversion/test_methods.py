"""The methods on the embedded model and a photo: how well each replays it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion import (
    METHODS,
    Conditioning,
    Guidance,
    InversionResult,
    ddim,
    direct,
    invert,
    negative_prompt,
    null_text,
    replay,
)
from realedit.models.backbone import Backbone, Prompt

STEPS = 5


def psnr(x: Tensor, reference: Tensor) -> float:
    """Decibels over the reference's own range."""
    span = (reference.amax() - reference.amin()).item()
    return 10 * math.log10(span**2 / max((x - reference).square().mean().item(), 1e-30))


Figure = Callable[..., float]


@pytest.fixture(scope="module")
def figure(backbone: Backbone, prompt: Prompt, latent: Tensor) -> Figure:
    """Replay PSNR of a method at a guidance scale."""

    def measure(
        method: Callable[..., InversionResult], scale: float, steps: int = STEPS, **options: float
    ) -> float:
        guidance = Guidance(prompt.conditioning, prompt.null, scale)
        result = method(backbone, latent, guidance, backbone.schedule(steps), **options)
        return psnr(replay(backbone, result, guidance), latent)

    return measure


@pytest.mark.parametrize("method", [ddim, negative_prompt])
def test_replay_without_guidance(method: Callable[..., InversionResult], figure: Figure) -> None:
    assert figure(method, 1.0) > 23.5
    assert figure(method, 1.0, 10) > 26.5


@pytest.mark.parametrize("scale", [5.0, 7.5])
def test_guidance_spoils_plain_ddim_but_not_negative_prompt(figure: Figure, scale: float) -> None:
    assert figure(ddim, scale, 10) < figure(ddim, 1.0, 10) - 2
    assert figure(negative_prompt, scale, 10) == pytest.approx(figure(ddim, 1.0, 10), abs=0.1)


def test_the_published_order_of_the_methods(figure: Figure) -> None:
    """Mokady 2023, Miyake 2023 and Ju 2024 at guidance 5; null-text with a budget that suits so few steps."""
    optimised = figure(null_text, 5.0, 10, inner_steps=8, learning_rate=0.1)
    assert figure(ddim, 5.0, 10) + 2 < figure(negative_prompt, 5.0, 10)
    assert figure(negative_prompt, 5.0, 10) + 0.2 < optimised
    assert optimised + 50 < figure(direct, 5.0, 10)


def test_null_text_improves_on_ddim_with_its_defaults(figure: Figure) -> None:
    assert figure(null_text, 5.0) > figure(ddim, 5.0) + 0.5


@pytest.mark.parametrize("scale", [1.0, 5.0, 15.0])
def test_direct_replays_to_rounding(backbone: Backbone, prompt: Prompt, latent: Tensor, scale: float) -> None:
    guidance = Guidance(prompt.conditioning, prompt.null, scale)
    result = direct(backbone, latent, guidance, backbone.schedule(STEPS))
    replayed = replay(backbone, result, guidance)
    assert (replayed - latent).abs().max() < 1e-4 * latent.abs().max()


def test_null_text_leaves_no_gradient_on_the_weights(
    backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    weight = backbone.unet.conv_in.weight
    try:
        weight.requires_grad_()
        guidance = Guidance(prompt.conditioning, prompt.null, 5.0)
        null_text(backbone, latent, guidance, backbone.schedule(2), inner_steps=1)
        assert weight.grad is None
    finally:
        weight.requires_grad_(False)
        weight.grad = None


def test_negative_prompt_replaces_the_pooled_embedding_too(
    backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    guidance = Guidance(prompt.conditioning, prompt.null, 5.0)
    result = negative_prompt(backbone, latent, guidance, backbone.schedule(2))
    null = result.guidance(guidance, 1).null
    assert not torch.equal(prompt.null.extra["text_embeds"], prompt.conditioning.extra["text_embeds"])
    assert torch.equal(null.extra["text_embeds"], prompt.conditioning.extra["text_embeds"])
    assert torch.equal(null.embedding, prompt.conditioning.embedding)


def test_negative_prompt_keeps_the_source_prompt_when_the_edit_has_another(
    backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    result = negative_prompt(
        backbone, latent, Guidance(prompt.conditioning, prompt.null, 5.0), backbone.schedule(2)
    )
    other = backbone.prompt("a bowl", (128, 192))
    null = result.guidance(Guidance(other.conditioning, other.null, 3.0), 2).null
    assert torch.equal(null.embedding, prompt.conditioning.embedding)
    assert torch.equal(null.extra["text_embeds"], prompt.conditioning.extra["text_embeds"])


@pytest.mark.parametrize("method", list(METHODS))
def test_a_result_survives_as_tensors(
    backbone: Backbone, prompt: Prompt, latent: Tensor, method: str
) -> None:
    guidance, schedule = Guidance(prompt.conditioning, prompt.null, 3.0), backbone.schedule(2)
    result = invert(method, backbone, latent[..., :16, :24], guidance, schedule=schedule)
    again = InversionResult.from_tensors(method, schedule, 3.0, result.tensors())
    assert torch.equal(replay(backbone, again, guidance), replay(backbone, result, guidance))


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("size", [(16, 32), (32, 16)])
def test_a_batch_of_two_in_portrait_and_landscape(
    backbone: Backbone, prompt: Prompt, latent: Tensor, method: str, size: tuple[int, int]
) -> None:
    guidance, schedule = Guidance(prompt.conditioning, prompt.null, 3.0), backbone.schedule(2)
    x_0 = torch.nn.functional.interpolate(latent, size=size, mode="bilinear")
    pair = torch.cat([x_0, x_0.flip(-1)])
    result = invert(method, backbone, pair, guidance, schedule=schedule)
    replayed = replay(backbone, result, guidance)
    assert replayed.shape == pair.shape
    alone = invert(method, backbone, x_0, guidance, schedule=schedule)
    torch.testing.assert_close(result.trajectory[:, :1], alone.trajectory, rtol=1e-3, atol=1e-3)
    if method == "direct":
        assert (replayed - pair).abs().max() < 1e-4 * pair.abs().max()


def test_a_broken_model_is_named(backbone: Backbone, prompt: Prompt, latent: Tensor) -> None:
    broken = Conditioning(torch.full_like(prompt.null.embedding, float("nan")), prompt.null.extra)
    with pytest.raises(FloatingPointError, match=r"^the model's noise prediction at t = \d+ is not finite$"):
        direct(backbone, latent, Guidance(prompt.conditioning, broken, 5.0), backbone.schedule(2))
