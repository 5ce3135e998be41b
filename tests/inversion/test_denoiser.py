from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from inversion import Conditioning, Guidance, predict
from realedit.models.backbone import Backbone, Prompt


@dataclass
class Affine:
    """eps = the mean of the embedding, plus the pooled extra, plus t x: every input has its share."""

    batches: list[int] = field(default_factory=list)

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        self.batches.append(x_t.shape[0])
        told = conditioning.embedding.mean((1, 2)) + conditioning.extra["pooled"].sum(1)
        return told[:, None, None, None] + t * x_t


def _conditioning(value: float, pooled: float, batch: int = 1) -> Conditioning:
    return Conditioning(
        torch.full((batch, 3, 2), float(value)), {"pooled": torch.full((batch, 1), float(pooled))}
    )


@pytest.mark.parametrize("scale", [0.0, 0.5, 3.0, 7.5])
def test_guidance_extrapolates_from_the_null_to_the_text_branch(scale: float) -> None:
    x = torch.randn(1, 4, 2, 3)
    guidance = Guidance(_conditioning(2.0, 0.5), _conditioning(-1.0, 0.25), scale)
    text, null = 2.5 + 7 * x, -0.75 + 7 * x
    torch.testing.assert_close(predict(Affine(), x, 7, guidance), null + scale * (text - null))


def test_scale_1_is_the_text_branch_for_one_evaluation() -> None:
    x = torch.randn(2, 4, 2, 3)
    model = Affine()
    eps = predict(model, x, 7, Guidance(_conditioning(2.0, 0.5), _conditioning(-1.0, 0.25), 1.0))
    torch.testing.assert_close(eps, 2.5 + 7 * x)
    assert model.batches == [2]


def test_any_other_scale_evaluates_both_branches_in_one_batch() -> None:
    model = Affine()
    predict(model, torch.randn(2, 4, 2, 3), 7, Guidance(_conditioning(2, 0), _conditioning(1, 0), 3.0))
    assert model.batches == [4]


def test_the_real_models_guided_prediction_is_that_of_its_branches(
    backbone: Backbone, prompt: Prompt, latent: Tensor
) -> None:
    x = latent + 0.5 * torch.randn_like(latent)
    text, null = (backbone(x, 501, c) for c in (prompt.conditioning, prompt.null))
    before = backbone.evaluations
    guided = predict(backbone, x, 501, Guidance(prompt.conditioning, prompt.null, 5.0))
    assert backbone.evaluations - before == 2
    torch.testing.assert_close(guided, null + 5 * (text - null), rtol=1e-4, atol=1e-4)
    assert (text - null).abs().max() > 1e-3
    before = backbone.evaluations
    alone = predict(backbone, x, 501, Guidance(prompt.conditioning, prompt.null, 1.0))
    assert backbone.evaluations - before == 1
    assert torch.equal(alone, text)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_prediction_that_is_not_finite_is_named(bad: float) -> None:
    guidance = Guidance(_conditioning(bad, 0.0), _conditioning(0.0, 0.0), 1.0)
    with pytest.raises(FloatingPointError, match=r"^the model's noise prediction at t = 41 is not finite$"):
        predict(Affine(), torch.zeros(1, 4, 2, 2), 41, guidance)


def test_cat_stacks_everything_along_the_batch() -> None:
    both = Conditioning.cat(_conditioning(1, 2), _conditioning(3, 4, batch=2))
    assert both.embedding[:, 0, 0].tolist() == [1, 3, 3]
    assert both.extra["pooled"][:, 0].tolist() == [2, 4, 4]


def test_cat_refuses_conditionings_of_different_kinds() -> None:
    other = Conditioning(torch.zeros(1, 3, 2), {"time_ids": torch.zeros(1, 6)})
    with pytest.raises(
        ValueError, match=r"^conditionings have different extras: \['pooled'\] and \['time_ids'\]$"
    ):
        Conditioning.cat(_conditioning(1, 2), other)


def test_expand_repeats_a_batch_of_one() -> None:
    grown = _conditioning(1, 2).expand(3)
    assert grown.embedding.shape == (3, 3, 2)
    assert grown.extra["pooled"].tolist() == [[2], [2], [2]]


def test_expand_leaves_a_batch_as_it_is_but_repeats_the_extras_that_still_are_single() -> None:
    mixed = _conditioning(1, 2).with_embedding(torch.arange(12.0).view(2, 3, 2))
    grown = mixed.expand(2)
    assert torch.equal(grown.embedding, mixed.embedding)
    assert grown.extra["pooled"].shape == (2, 1)


def test_expand_refuses_a_batch_that_does_not_fit() -> None:
    with pytest.raises(RuntimeError):
        _conditioning(1, 2, batch=2).expand(3)


def test_with_embedding_keeps_the_extras() -> None:
    changed = _conditioning(1, 2).with_embedding(torch.zeros(1, 3, 2))
    assert changed.embedding.abs().max() == 0
    assert changed.extra["pooled"].item() == 2
