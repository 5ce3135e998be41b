"""An edit that differs by region: the hole is painted from noise, the rest only touched.

* **Starts.** A cell is sampled from its own noise level down: the hole's from near the top, all others' from
  the object's. Above it a cell is the anchor, noised (Levin & Fried 2023, *Differential Diffusion*,
  arXiv 2306.00950). So what fills the hole in pixels is where the model starts, not its answer.
* **Keys.** In every self-attention layer the hole's own keys are hidden from all queries in most of the
  steps, so that the hole is made of its surroundings and no object grows back in it (Jia et al. 2024,
  *DesignEdit*, arXiv 2403.14487).
* **Pin.** The object's low frequencies are held less firmly than its high ones: light may change, detail may
  not.
* **Prompt.** While the hole alone is sampled, the prompt does not name what was taken out of it.
  Classifier-free guidance acts at middling noise alone, where it improves pictures (Kynkäänniemi et al. 2024,
  arXiv 2404.07724).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from guidance import Capture, ClassifierFree, Condition, Window
from guidance.layers import map_size
from guidance.pooling import pooled_mean
from inversion import Guidance, Schedule
from realedit.compose.anchor import Anchor
from realedit.models.backbone import Prompt
from realedit.models.profile import Profile
from realedit.pixels.masks import grow
from realedit.sample.regions import CLOSED_SHARE, OBJECT_SHARE
from realedit.settings import FullSettings

_HOLE_SHARE = 0.15
"""A cell of the latent is the hole's where more than this share of it is hole and less than half is object;
otherwise it is touched alone. Low, so that no rim of the filling is left. Not measured."""
_TINY_SHARE = 1e-3
"""Share of a blur's weight that lies in the core, below which low frequencies count as unknown; above, they
are its mean there. Set far below what a cell of the core itself weighs."""


@dataclass(frozen=True)
class Steps:
    """The steps of a sampling in parts: of all of them, and of the object's alone.

    Args:
        top: the level that the sampling starts at, and the number of its steps.
        own: the level that the object and its surroundings start at.
    """

    top: int
    own: int

    @classmethod
    def of(cls, settings: FullSettings, schedule: Schedule, *, hole: bool) -> Steps:
        """Returns the steps of an edit; one without a hole is the object's alone."""
        own = max(0, round(settings.strength * schedule.steps))
        top = max(own, round(settings.hole_strength * schedule.steps)) if hole else own
        # a strength that is not 0 takes one step at least
        return cls(max(1, top), own if top > own else max(1, own))

    @property
    def apart(self) -> bool:
        """Whether the hole starts above all else."""
        return self.top > self.own

    def window(self, share: float) -> Window | None:
        """Returns the first steps of all, as many as a share of them; None where that is none."""
        return None if share == 0 else Window(0.0, share)

    def own_window(self, share: float) -> Window | None:
        """Returns the object's first steps, as many as a share of its own and one at least."""
        if share == 0 or self.own == 0:
            return None
        if not self.apart:
            return Window(0.0, share)
        begins = self.top - self.own
        return Window(begins / self.top, (begins + max(1, math.floor(share * self.own))) / self.top)


def painted_hole(anchor: Anchor, old: Sequence[np.ndarray], margin: float) -> np.ndarray:
    """Returns what the model paints from noise: where objects and their shadows were, and a margin.

    What was only given light is not part of it: the photo itself is there. Nor is where an object or its
    shadow now is: the anchor has them.

    Args:
        anchor: the edit in pixels.
        old: the objects' masks in the photo, bool ``[H, W]`` each.
        margin: in longer sides.

    Returns:
        bool ``[H, W]``, part of the anchor's hole.
    """
    was = anchor.shadow_before.copy()
    for mask in old:
        was |= mask
    stands = (anchor.matte > 0.5) | anchor.shadow_after
    return grow(was, margin * max(was.shape)) & anchor.hole & ~stands


def starts(hole: Tensor, target: Tensor, steps: Steps) -> Tensor:
    """Returns the level that each cell starts at, ``[1, 1, h, w]``.

    Args:
        hole: the share of each cell that is painted, ``[1, 1, h, w]``.
        target: the share that the object covers at its new place.
        steps: where hole and object start.
    """
    return torch.where((hole > _HOLE_SHARE) & (target < 0.5), float(steps.top), float(steps.own))


def seen_keys(capture: Capture, hole: Tensor, target: Tensor, latent: tuple[int, int]) -> dict[int, Tensor]:
    """Returns which query sees which of a sampling's own keys, by the UNet's level; bool ``[1 or L, L]``.

    None sees the hole's, and the hole does not see the object at its new place, which it would continue. A
    level at which there is no hole, or nothing else to see, is left out.

    Args:
        capture: the windows.
        hole: the share of each cell of the latent that is painted, ``[1, 1, h, w]``.
        target: the share that the object covers at its new place.
        latent: (h, w).
    """
    found: dict[int, Tensor] = {}
    for level in capture.hiding_levels:
        size = map_size(latent, level)
        left, taken = (pooled_mean(one, size).flatten() for one in (hole, target))
        is_target = taken > OBJECT_SHARE
        is_hole = (left > CLOSED_SHARE) & ~is_target
        background = ~is_hole & ~is_target
        if not is_hole.any() or not background.any():
            continue
        seen = ~is_hole[None]
        found[level] = torch.where(is_hole[:, None], background[None], seen) if is_target.any() else seen
    return found


def pinned(x_0: Tensor, z: Tensor, core: Tensor, *, pin: float, low: float, blur: float) -> Tensor:
    r"""Holds a predicted latent to the anchor's, its low frequencies less or more than its high ones.

    .. math:: \hat x_0 + m\,(p\,d + (p_{low} - p)\, L d), \qquad d = z - \hat x_0

    with the core m and its low-pass L, a Gaussian normalised over the core.

    Args:
        x_0: the predicted latent ``[B, C, h, w]``.
        z: the anchor's.
        core: 1 in the objects' core, else 0, ``[1, 1, h, w]``.
        pin: p, in [0, 1].
        low: p_low, in [0, 1].
        blur: standard deviation of the Gaussian, in cells.
    """
    if low == pin:
        return torch.lerp(x_0, z, pin * core)
    missed = z - x_0
    known = blurred(core, blur)
    slow = torch.where(known > _TINY_SHARE, blurred(missed * core, blur) / known.clamp_min(_TINY_SHARE), 0)
    return x_0 + core * (pin * missed + (low - pin) * slow)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Blurs maps ``[B, C, h, w]`` by a Gaussian of so many cells; what lies beyond the border counts as 0."""
    radius = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    row = torch.exp(-0.5 * (offsets / sigma) ** 2)
    row = (row / row.sum()).expand(x.shape[1], 1, 1, -1)
    across = conv2d(x, row, padding=(0, radius), groups=x.shape[1])
    return conv2d(across, row.transpose(-1, -2), padding=(radius, 0), groups=x.shape[1])


def guidance_of(
    prompt: Prompt,
    plain: Prompt | None,
    steps: Steps,
    *,
    schedule: Schedule,
    settings: FullSettings,
    profile: Profile,
) -> Guidance | ClassifierFree:
    """Returns what the model is told at each step.

    Args:
        prompt: what the edited picture shows.
        plain: the same without the objects that leave a hole; None where it is the same.
        steps: where hole and object start.
        schedule: the noise levels.
        settings: the knobs.
        profile: the model's.
    """
    scale = settings.guidance_scale
    acts = _acts(profile.guidance_noise, schedule, steps)
    if acts == Window() and (plain is None or not steps.apart):
        return Guidance(prompt.conditioning, prompt.null, scale)
    parts = [(Window(), prompt.conditioning)]
    if plain is not None and steps.apart:
        guided = _whole_steps(settings.window if settings.self_guidance > 0 else 0.0, steps.top)
        begins = (steps.top - steps.own) / steps.top
        edges = [(0.0, guided, prompt), (guided, begins, plain), (max(guided, begins), 1.0, prompt)]
        parts = [(Window(a, b), told.conditioning) for a, b, told in edges if a < b]
    conditions = [Condition(told, 1.0, window) for window, told in parts]
    for window, told in parts:
        both = None if acts is None else _overlap(window, acts)
        if both is not None and scale != 1:
            conditions.append(Condition(told, scale - 1, both))
    return ClassifierFree(prompt.null, tuple(conditions))


def _whole_steps(share: float, steps: int) -> float:
    """Returns a share rounded up to whole steps, as a window counts them."""
    return min(1.0, math.ceil(share * steps - 1e-9) / steps)


def _acts(noise: tuple[float, float] | None, schedule: Schedule, steps: Steps) -> Window | None:
    """Returns the steps at which a scale acts whose noise over signal lies in an interval; None is never."""
    if noise is None:
        return Window()
    low, high = noise
    levels = range(steps.top, 0, -1)
    inside = [
        done
        for done, level in enumerate(levels)
        if low < schedule.sigma(level) / schedule.alpha(level) <= high
    ]
    return Window(inside[0] / steps.top, (inside[-1] + 1) / steps.top) if inside else None


def _overlap(one: Window, other: Window) -> Window | None:
    start, stop = max(one.start, other.start), min(one.stop, other.stop)
    return Window(start, stop) if start < stop else None
