"""A model that is known exactly: the noise prediction for Gaussian data.

For x_0 ~ N(m, s^2) the best prediction is eps = sigma (x_t - alpha m) / v with v = alpha^2 s^2 + sigma^2, and
a DDIM step from t to r multiplies x_t - alpha_t m by (alpha_r alpha_t s^2 + sigma_r sigma_t) / v_t, about
alpha_r m.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inversion import Conditioning, Guidance, Schedule

SPREAD = 0.7


class GaussianModel:
    """The exact noise prediction for data N(m, s^2), m per channel in the conditioning's embedding."""

    def __init__(self, schedule: Schedule, spread: float | Tensor = SPREAD) -> None:
        self.levels = {t: k for k, t in enumerate(schedule.timesteps, 1)}
        self.schedule = schedule
        self.spread = spread
        self.evaluations = 0

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        self.evaluations += x_t.shape[0]
        alpha, sigma = self.schedule.alpha(self.levels[t]), self.schedule.sigma(self.levels[t])
        mean = conditioning.embedding[:, 0, :, None, None]
        return sigma * (x_t - alpha * mean) / (alpha**2 * self.spread**2 + sigma**2)


def told(text: float, null: float, scale: float) -> Guidance:
    """Guidance for means of four channels, in float64."""
    text_mean, null_mean = (
        Conditioning(torch.full((1, 1, 4), mean, dtype=torch.float64)) for mean in (text, null)
    )
    return Guidance(text_mean, null_mean, scale)


def drawn(batch: int = 1, h: int = 3, w: int = 5, mean: float = 0.4) -> Tensor:
    """A latent from the model's own distribution."""
    return mean + SPREAD * torch.randn(batch, 4, h, w, dtype=torch.float64)


def variance(schedule: Schedule, level: int) -> float:
    """That of x_t at a level."""
    return schedule.alpha(level) ** 2 * SPREAD**2 + schedule.sigma(level) ** 2


def gain(schedule: Schedule, level: int, to: int) -> float:
    """What a DDIM step multiplies x - alpha m by."""
    product = schedule.alpha(level) * schedule.alpha(to) * SPREAD**2
    return (product + schedule.sigma(level) * schedule.sigma(to)) / variance(schedule, level)
