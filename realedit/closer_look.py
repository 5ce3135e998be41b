"""Where a prompt's words are, seen from nearer: attention to an enlarged photo, or to a part of one.

What is small in the photo is nearer to the size at which the model knows its things when the photo is larger.
The photo is not inverted at that size: it is noised to a few of the levels at which words are found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from guidance import Capture
from realedit.attention_heat import finest
from realedit.backbone import Backbone
from realedit.inputs import at_size

LARGER = 1.5
"""Side of a whole photo that is looked at closer, in sides that the model works at."""
_STEPS, LEVELS, NEARER_LEVELS = 20, (2, 3, 5), (3,)
"""Of so many noise levels, those that it is noised to, and a part of it; an inversion of fewer has none
between."""


@torch.no_grad()
def closer_look(
    backbone: Backbone, capture: Capture, rgb: np.ndarray, prompt: str, size: tuple[int, int],
    levels: Sequence[int] = LEVELS,
) -> Tensor:  # fmt: skip
    """Mean cross-attention to a prompt's words, from a picture at another size than its own.

    Args:
        backbone: the model.
        capture: its windows, injected.
        rgb: the photo, or a part of it, uint8 ``[H, W, 3]``.
        prompt: what it shows.
        size: (h, w) in pixels to look at it, brought to what the model takes.
        levels: noise levels, of ``_STEPS``.

    Returns:
        half precision ``[h', w', K]``: of the finest recorded layers.
    """
    height, width = (round(side / backbone.multiple) * backbone.multiple for side in size)
    x_0 = backbone.encode(at_size(rgb, (height, width)))
    # always the same noise, and a CPU's, so that a photo's words are found in the same places again
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(0)).to(x_0)
    words = backbone.prompt(prompt, (height, width))
    schedule = backbone.schedule(_STEPS)
    maps: list[Tensor] = []
    for level in levels:
        x_t = schedule.add_noise(x_0, eps, level)
        grid = (x_t.shape[-2], x_t.shape[-1])
        with capture.record(grid, tokens=words.tokens, partial=True) as seen:
            backbone(x_t, schedule.timestep(level), words.conditioning)
        maps += finest(seen.attention)
    return torch.stack(maps).mean(0).half()
