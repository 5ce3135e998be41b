"""Looks for a prompt's words in an enlarged photo, whose attention maps have a finer grid.

In a larger photo, small things are nearer to the size at which the model knows them. The photo is not
inverted at that size: it is noised to a few of the levels at which words are found.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from guidance import Capture
from realedit.models.backbone import Backbone
from realedit.pixels.resizing import at_size

ENLARGEMENT = 1.5
"""Side of the enlarged photo, in sides that the model works at: more shows smaller things and takes longer,
less is faster. Not measured."""
_STEPS, _LEVELS = 20, (2, 3, 5)
"""The photo is noised to these levels of a 20-step schedule: higher ones show coarser things, lower ones
finer; coarser schedules lack the levels in between. Not measured."""


@torch.no_grad()
def enlarged_attention(
    backbone: Backbone, capture: Capture, rgb: np.ndarray, prompt: str, *, size: tuple[int, int]
) -> Tensor:
    """Averages cross-attention to a prompt's words over a few noise levels of an enlarged photo.

    Args:
        backbone: the model.
        capture: the model's capture, injected.
        rgb: the photo, uint8 ``[H, W, 3]``.
        prompt: what it shows.
        size: (h, w) in pixels that the model works at; the photo is seen at ``ENLARGEMENT`` times that.

    Returns:
        float16 ``[h', w', K]`` for K tokens, of the finest recorded layers.
    """
    height, width = (round(ENLARGEMENT * side / backbone.multiple) * backbone.multiple for side in size)
    x_0 = backbone.encode(at_size(rgb, (height, width)))
    # always the same noise, and a CPU's, so that a photo's words are found in the same places again
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0)).to(x_0)
    words = backbone.prompt(prompt, (height, width))
    schedule = backbone.schedule(_STEPS)
    maps: list[Tensor] = []
    for level in _LEVELS:
        x_t = schedule.add_noise(x_0, eps, level)
        grid = (x_t.shape[-2], x_t.shape[-1])
        with capture.record(grid, tokens=words.tokens, partial=True) as seen:
            backbone(x_t, schedule.timestep(level), words.conditioning)
        maps += finest(seen.attention)
    return torch.stack(maps).mean(0).half()


def finest(attention: Mapping[str, Tensor]) -> list[Tensor]:
    """Returns the maps of the layers with most places: float32 ``[h, w, K]`` each, of ``[1, h, w, K]``."""
    places = max(a.shape[1] * a.shape[2] for a in attention.values())
    return [a[0].float() for a in attention.values() if a.shape[1] * a.shape[2] == places]
