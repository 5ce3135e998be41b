"""Inverts a photo once, to be edited many times: its trajectory and what the model saw along it.

The observations are made at the trajectory's own states (x*_k, t_k), where an edit of the same photo asks for
them: cross-attention at every level, to find words; activations and self-attention keys and values at the
levels that an edit can start from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from guidance import Capture, LayerSelection, Observation
from inversion import Conditioning, Guidance, InversionResult, Schedule, invert
from realedit.models.backbone import Backbone, Prompt
from realedit.models.profile import Profile, general
from realedit.settings import LARGEST_STRENGTH
from realedit.system.progress import Progress, silent

_ENLARGED = "enlarged/attention"
_FIRST_LEVEL_SHARE, _LAST_LEVEL_SHARE = 0.1, 0.5
"""Words are looked for at the noise levels between these shares of the schedule; attention below and above
them is ignored. Not measured."""


@dataclass(frozen=True)
class Inversion:
    """An inverted photo.

    Args:
        prompt: what the photo was said to show.
        size: (height, width) in pixels that the model worked at.
        result: the trajectory, and what a replay needs.
        observations: what the model saw, by level; 0 is the photo.
        evaluations: noise predictions that it took, one per picture; 0 when it came from the cache.
        inversion_scale: guidance scale on the way up.
        enlarged: attention to the prompt's words in an enlarged photo, ``[h', w', K]``, or None; see
            :mod:`realedit.inverted.enlarged_attention`.
    """

    prompt: str
    size: tuple[int, int]
    result: InversionResult
    observations: Mapping[int, Observation]
    evaluations: int = 0
    inversion_scale: float = 1.0
    enlarged: Tensor | None = None

    def tensors(self) -> dict[str, Tensor]:
        """Returns everything as named tensors, for a file."""
        named = dict(self.result.tensors())
        if self.enlarged is not None:
            named[_ENLARGED] = self.enlarged
        for level, seen in self.observations.items():
            for name, value in seen.attention.items():
                named[f"attention/{level}/{name}"] = value
            for name, value in seen.features.items():
                named[f"features/{level}/{name}"] = value
            for name, (key, value) in seen.memory.items():
                named[f"key/{level}/{name}"], named[f"value/{level}/{name}"] = key, value
        return named

    @classmethod
    def from_tensors(
        cls,
        named: Mapping[str, Tensor],
        *,
        prompt: str,
        size: tuple[int, int],
        method: str,
        scale: float,
        schedule: Schedule,
        device: torch.device,
        inversion_scale: float = 1.0,
    ) -> Inversion:
        """Reverses :meth:`tensors`.

        Raises:
            KeyError: the trajectory is missing.
        """
        observations: dict[int, Observation] = {}
        for full, stored in named.items():
            kind, _, rest = full.partition("/")
            if not rest or full == _ENLARGED:
                continue
            number, _, name = rest.partition("/")
            seen = observations.setdefault(int(number), Observation())
            if kind == "attention":
                seen.attention[name] = stored.to(device)
            elif kind == "features":
                seen.features[name] = stored.to(device)
            elif kind == "key":
                seen.memory[name] = (stored.to(device), named[f"value/{rest}"].to(device))
        own = {name: value.to(device) for name, value in named.items() if "/" not in name}
        result = InversionResult.from_tensors(method, schedule, scale, own)
        enlarged = named[_ENLARGED].to(device) if _ENLARGED in named else None
        return cls(prompt, size, result, observations, inversion_scale=inversion_scale, enlarged=enlarged)


def capture_for(backbone: Backbone, profile: Profile | None = None) -> Capture:
    """Captures for inversion and edit what a model's profile says; the general one's by default.

    Where words are found by the decoder's attention, all of that is captured, else what energies look at.
    """
    profile = profile or general()
    guided = LayerSelection(profile.guided.parts, profile.guided.ranks)
    return Capture(
        backbone.unet,
        attention=guided if profile.find == "goca" else LayerSelection(("up",)),
        features=guided,
        memory=LayerSelection(profile.shared.parts, profile.shared.ranks),
    )


def invert_photo(
    backbone: Backbone,
    capture: Capture,
    x_0: Tensor,
    prompt: Prompt,
    *,
    size: tuple[int, int],
    method: str,
    steps: int,
    scale: float,
    inversion_scale: float = 1.0,
    glance: bool = False,
    progress: Progress = silent,
) -> Inversion:
    """Inverts a photo's latent and records what the model sees at every state of its trajectory.

    Args:
        backbone: the model.
        capture: the model's capture, injected.
        x_0: the photo's latent, ``[1, C, h, w]``.
        prompt: what the photo shows.
        size: (height, width) in pixels that the model works at.
        method: one of ``inversion.METHODS``.
        steps: noise levels.
        scale: guidance scale that the replay is made for.
        inversion_scale: guidance scale on the way up.
        glance: record only where words are looked for, and attention alone.
        progress: told of every step of the stages "invert" and "observe".
    """
    before = backbone.evaluations
    guidance = Guidance(prompt.conditioning, prompt.null, scale)
    schedule = backbone.schedule(steps)
    most = 0 if glance else round(LARGEST_STRENGTH * steps)
    observer = _Observer(backbone, capture, schedule, prompt.tokens, upward=method == "direct", most=most)
    # at scale 1 these evaluate the states to observe: direct inversion on its second visit, ddpm on its first
    observed = method in ("direct", "ddpm") and scale == 1 and not glance
    denoiser = observer if observed else backbone
    result = invert(
        method,
        denoiser,
        x_0,
        guidance,
        schedule=schedule,
        inversion_scale=inversion_scale,
        callback=partial(progress, "invert"),
    )
    if not observed:
        with torch.no_grad():
            levels = word_levels(steps) if glance else range(1, steps + 1)
            for count, level in enumerate(levels, 1):
                observer.observe(result.trajectory[level], level, prompt.conditioning, partial=True)
                progress("observe", count, len(levels))
    took = backbone.evaluations - before
    return Inversion(prompt.text, size, result, observer.observations, took, inversion_scale)


def word_levels(steps: int) -> range:
    """Returns the noise levels, of so many, whose attention shows where words are."""
    first = max(1, round(_FIRST_LEVEL_SHARE * steps))
    return range(first, max(2, round(_LAST_LEVEL_SHARE * steps)) + 1)


class _Observer:
    """A denoiser that records what the model sees, each time it is at a level for the last time.

    Up to the level ``most`` it records activations, keys and values too, for edits that start there.
    """

    def __init__(
        self,
        backbone: Backbone,
        capture: Capture,
        schedule: Schedule,
        tokens: int,
        *,
        upward: bool,
        most: int,
    ) -> None:
        self._backbone, self._capture, self._schedule, self._tokens = backbone, capture, schedule, tokens
        self._levels = {t: level for level, t in enumerate(schedule.timesteps, 1)}
        self._upward = set(self._levels) if upward else set[int]()
        self._most = most
        self.observations: dict[int, Observation] = {}

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        """Predicts the noise and records it, but for the first visit to a level on the way up."""
        if t in self._upward:
            self._upward.remove(t)
            return self._backbone(x_t, t, conditioning)
        eps = self.observe(x_t, self._levels[t], conditioning)
        if eps is None:  # only a partial pass returns none
            raise RuntimeError("the forward pass ended before its prediction")
        return eps

    def observe(
        self, x_t: Tensor, level: int, conditioning: Conditioning, *, partial: bool = False
    ) -> Tensor | None:
        """Records one forward pass; a partial one ends after the last recorded layer and predicts nothing."""
        kept = level <= self._most
        eps = None
        with self._capture.record(
            (x_t.shape[-2], x_t.shape[-1]), tokens=self._tokens, memory=kept, partial=partial
        ) as seen:
            eps = self._backbone(x_t, self._schedule.timestep(level), conditioning)
        self.observations[level] = _halved(seen, kept)
        return eps


def _halved(seen: Observation, kept: bool) -> Observation:
    """Rounds at once to half precision, so that a cached inversion edits to the same bits as a fresh one."""
    attention = {name: value.half() for name, value in seen.attention.items()}
    if not kept:
        return Observation(attention)
    features = {name: value.half() for name, value in seen.features.items()}
    memory = {name: (key.half(), value.half()) for name, (key, value) in seen.memory.items()}
    return Observation(attention, features, memory)
