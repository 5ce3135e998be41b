"""Inverts a photo once, to be edited many times: its trajectory and what the model saw along it.

The observations are made at the trajectory's own states (x*_k, t_k), where an edit of the same photo asks for
them: cross-attention at every level, to find words; activations and self-attention keys and values at the
levels that an edit can start from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from guidance import Capture, LayerSelection, Observation
from guidance.layers import EVERYWHERE
from inversion import Conditioning, Guidance, InversionResult, Schedule, invert
from realedit.inverted.kept import KeptLevels
from realedit.inverted.levels import Levels
from realedit.models.backbone import Backbone, Prompt
from realedit.models.profile import Profile, general
from realedit.system.progress import Progress, silent

_ENLARGED = "enlarged/attention"


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
        for level, seen in KeptLevels.at_rest(self.observations):
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
        on_host: bool = False,
    ) -> Inversion:
        """Reverses :meth:`tensors`.

        Args:
            named: what it returned.
            prompt: see :class:`Inversion`.
            size: see :class:`Inversion`.
            method: its name.
            scale: guidance scale of the replay.
            schedule: the noise levels.
            device: where the tensors are read.
            inversion_scale: see :class:`Inversion`.
            on_host: whether the observations wait in the host's memory.

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
                seen.attention[name] = stored
            elif kind == "features":
                seen.features[name] = stored
            elif kind == "key":
                seen.memory[name] = (stored, named[f"value/{rest}"])
        own = {name: value.to(device) for name, value in named.items() if "/" not in name}
        result = InversionResult.from_tensors(method, schedule, scale, own)
        enlarged = named[_ENLARGED].to(device) if _ENLARGED in named else None
        kept = KeptLevels.of(observations, device, on_host=on_host)
        return cls(prompt, size, result, kept, inversion_scale=inversion_scale, enlarged=enlarged)


def capture_for(unet: torch.nn.Module, profile: Profile | None = None) -> Capture:
    """Captures for inversion and edit what a model's profile says; the general one's by default.

    Where words are found by the decoder's attention, all of that is captured, else what energies look at.
    """
    profile = profile or general()
    guided = LayerSelection(profile.guided.parts, profile.guided.ranks)
    return Capture(
        unet,
        attention=guided if profile.find == "goca" else LayerSelection(("up",)),
        features=guided,
        memory=LayerSelection(profile.shared.parts, profile.shared.ranks),
        hiding=EVERYWHERE if profile.mask_keys else None,
    )


def invert_photo(
    backbone: Backbone,
    capture: Capture,
    x_0: Tensor,
    prompt: Prompt,
    *,
    size: tuple[int, int],
    method: str,
    schedule: Schedule,
    levels: Levels,
    scale: float,
    inversion_scale: float = 1.0,
    progress: Progress = silent,
) -> Inversion:
    """Inverts a photo's latent and records what the model sees at the states of its trajectory.

    Args:
        backbone: the model.
        capture: the model's capture, injected.
        x_0: the photo's latent, ``[1, C, h, w]``.
        prompt: what the photo shows.
        size: (height, width) in pixels that the model works at.
        method: one of ``inversion.METHODS``.
        schedule: the noise levels.
        levels: those that are inverted and observed; the trajectory ends at their top.
        scale: guidance scale that the replay is made for.
        inversion_scale: guidance scale on the way up.
        progress: told of every step of the stages "invert" and "observe".
    """
    before = backbone.evaluations
    guidance = Guidance(prompt.conditioning, prompt.null, scale)
    observer = _Observer(
        backbone, capture, schedule, prompt.tokens, levels, second=method == "direct" and not levels.upward
    )
    # at scale 1 these evaluate the states to observe: direct inversion on its second visit, ddpm on its first
    observed = method in ("direct", "ddpm") and scale == 1
    # the noise on the way up is predicted at the level to come, from the state before
    observed |= levels.upward and method == "ddim" and inversion_scale == 1
    result = invert(
        method,
        observer if observed else backbone,
        x_0,
        guidance,
        schedule=schedule.below(levels.top),
        inversion_scale=inversion_scale,
        callback=partial(progress, "invert"),
    )
    if not observed:
        with torch.no_grad():
            for count, level in enumerate(levels.observed, 1):
                observer.observe(result.trajectory[level], level, prompt.conditioning, partial=True)
                progress("observe", count, len(levels.observed))
    took = backbone.evaluations - before
    whole = replace(result, schedule=schedule)
    return Inversion(prompt.text, size, whole, observer.observations, took, inversion_scale)


class _Observer:
    """A denoiser that records what the model sees, each time it is at a level for the last time.

    Args:
        backbone: the model.
        capture: the windows, injected.
        schedule: the noise levels.
        tokens: how many of the prompt's tokens carry text.
        levels: what is kept of which.
        second: whether each level is visited twice, and kept the second time.
    """

    def __init__(
        self,
        backbone: Backbone,
        capture: Capture,
        schedule: Schedule,
        tokens: int,
        levels: Levels,
        *,
        second: bool,
    ) -> None:
        self._backbone, self._capture, self._schedule, self._tokens = backbone, capture, schedule, tokens
        self._at = {t: level for level, t in enumerate(schedule.timesteps, 1)}
        self._levels = levels
        self._first = set(self._at) if second else set[int]()
        self.observations = KeptLevels(backbone.device, on_host=backbone.frugality.on_host)

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        """Predicts the noise and records it, but for a first visit, and levels of which nothing is kept."""
        if t in self._first:
            self._first.remove(t)
            return self._backbone(x_t, t, conditioning)
        if self._at[t] not in self._levels.observed:
            return self._backbone(x_t, t, conditioning)
        eps = self.observe(x_t, self._at[t], conditioning)
        if eps is None:  # only a partial pass returns none
            raise RuntimeError("the forward pass ended before its prediction")
        return eps

    def observe(
        self, x_t: Tensor, level: int, conditioning: Conditioning, *, partial: bool = False
    ) -> Tensor | None:
        """Records one forward pass; a partial one ends after the last recorded layer and predicts nothing."""
        memory = level in self._levels.memory
        eps = None
        with self._capture.record(
            (x_t.shape[-2], x_t.shape[-1]), tokens=self._tokens, memory=memory, partial=partial
        ) as seen:
            eps = self._backbone(x_t, self._schedule.timestep(level), conditioning)
        attention, features = level in self._levels.attention, level in self._levels.features
        kept = Observation(
            seen.attention if attention else {}, seen.features if features else {}, seen.memory
        )
        self.observations.put(level, _halved(kept))
        return eps


def _halved(seen: Observation) -> Observation:
    """Rounds at once to half precision, so that a cached inversion edits to the same bits as a fresh one."""
    return Observation(
        {name: value.half() for name, value in seen.attention.items()},
        {name: value.half() for name, value in seen.features.items()},
        {name: (key.half(), value.half()) for name, (key, value) in seen.memory.items()},
    )
