"""Classifier guidance against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from guidance import Classifier, NoisyClassifier, Observation, State

CENTRES = torch.randn(3, 4, 6, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _state(x_t: Tensor, x_0: Tensor | None = None, level: int = 4) -> State:
    return State(x_t, level, Observation(), x_0=x_0)


def _latent(batch: int = 1) -> Tensor:
    z = torch.randn(batch, 4, 6, 10, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return z.requires_grad_()


def _gaussians(z: Tensor) -> Tensor:
    """Log-probabilities of three Gaussian classes of unit variance and equal priors."""
    return log_softmax(-0.5 * (z[:, None] - CENTRES).square().sum((2, 3, 4)), -1)


def test_a_quadratic_log_probability_has_its_own_gradient() -> None:
    z, centre = _latent(), CENTRES[0]
    energy = Classifier(lambda x: -0.5 * (x - centre).square().sum((1, 2, 3)))
    (gradient,) = torch.autograd.grad(energy(_state(z, z)), z)
    torch.testing.assert_close(gradient, z - centre)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_gaussian_classes_pull_from_their_mean_to_the_labels_centre(label: int) -> None:
    """grad -log p(y | z) = sum_k p_k mu_k - mu_y."""
    z = _latent()
    (gradient,) = torch.autograd.grad(Classifier(_gaussians, label)(_state(z, z)), z)
    mean = (_gaussians(z).exp().view(3, 1, 1, 1) * CENTRES).sum(0)
    torch.testing.assert_close(gradient[0], mean - CENTRES[label])


def test_the_noisy_classifier_reads_the_state_and_its_level() -> None:
    z, asked = _latent(), []

    def log_probabilities(x_t: Tensor, level: int) -> Tensor:
        asked.append(level)
        return _gaussians(x_t)

    energy = NoisyClassifier(log_probabilities, 2)
    torch.testing.assert_close(energy(_state(z, level=7)), -_gaussians(z)[0, 2])
    assert asked == [7]


def test_a_batch_is_averaged() -> None:
    z = _latent(3)
    expected = -_gaussians(z)[:, 1].mean()
    torch.testing.assert_close(Classifier(_gaussians, 1)(_state(z, z)), expected)


def test_log_probabilities_of_another_shape_are_refused() -> None:
    z = _latent()
    with pytest.raises(ValueError, match=r"log-probabilities \[B\], got \[1, 3\]"):
        Classifier(_gaussians)(_state(z, z))
    with pytest.raises(ValueError, match=r"log-probabilities \[B, classes\], got \[1\]"):
        Classifier(lambda x: _gaussians(x)[:, 0], 1)(_state(z, z))
    with pytest.raises(ValueError, match="needs_x_0=True"):
        Classifier(_gaussians, 1)(_state(z))
