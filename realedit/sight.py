"""Where the model sees each word in a photo: its cross-attention while the photo is lightly noised.

    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps,  t / T in LEVELS

On the photo's own noised states the attention's maximum lies inside the object that a word names more often
than on the states of its inversion, whose noise is none that the model was trained on.
"""

from __future__ import annotations

import torch
from torch import Tensor

from guidance import Capture, Observation
from inversion.noised import noised_trajectory
from realedit.backbone import Backbone, Prompt

LEVELS = (0.12, 0.2, 0.28)
"""Shares of the training's noise levels: enough noise for the model to look for things, not to hide any."""


@torch.no_grad()
def look(backbone: Backbone, capture: Capture, x_0: Tensor, prompt: Prompt) -> Tensor:
    """Mean attention of the finest recorded layers to each of the prompt's tokens, fp16 ``[h, w, K]``.

    Args:
        backbone: the model.
        capture: its windows, injected.
        x_0: the photo's latent ``[1, C, H, W]``.
        prompt: what the photo shows.
    """
    schedule = backbone.schedule_at(LEVELS)
    states = noised_trajectory(x_0, schedule, independent=True)
    maps: list[Tensor] = []
    for level, t in enumerate(schedule.timesteps, 1):
        size = (x_0.shape[-2], x_0.shape[-1])
        with capture.record(size, tokens=prompt.tokens, partial=True) as seen:
            backbone(states[level], t, prompt.conditioning)
        maps += finest(seen)
    return torch.stack(maps).mean(0).half()


def finest(seen: Observation) -> list[Tensor]:
    """The cross-attention of the layers with the most places, each fp32 ``[h, w, K]``."""
    places = max(a.shape[1] * a.shape[2] for a in seen.attention.values())
    return [a[0].float() for a in seen.attention.values() if a.shape[1] * a.shape[2] == places]
