"""The result of every inversion method, and the replay that reads it.

A replay runs the schedule from ``x_N`` down to ``x_0`` under the result's own guidance scale, with the null
embedding and the offset that the method stored for each step, if any. Without either it is plain DDIM
sampling; with ``eta`` above 0 each step is the mean of the stochastic step, and the offset is its noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inversion.denoiser import Conditioning, Denoiser, Guidance, predict
from inversion.schedule import Schedule

Callback = Callable[[int, int], None]
"""Called after each step with (steps done, steps in all)."""

_EXTRA = "null_extra."


@dataclass(frozen=True)
class InversionResult:
    """A photo's trajectory, and the inputs of its replay.

    Args:
        method: name of the method that made it.
        schedule: the noise levels.
        trajectory: ``[M + 1, B, C, h, w]``, level 0 (the photo's latent) first, up to the level M <= N that
            the photo was inverted to.
        guidance_scale: guidance scale of the replay.
        null_embeddings: ``[N, B, L, D]`` for levels 1..N; None uses the plain null embedding.
        offsets: ``[N, B, C, h, w]`` for levels 1..N, added after the step from that level; None adds nothing.
        null_extra: ``[B, ...]`` each, by name: replace the null conditioning's extras, if there are
            ``null_embeddings``.
        eta: eta of the replay's steps: 0 for DDIM's, 1 for the mean of DDPM's.
    """

    method: str
    schedule: Schedule
    trajectory: Tensor
    guidance_scale: float = 1.0
    null_embeddings: Tensor | None = None
    offsets: Tensor | None = None
    null_extra: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    eta: float = 0.0

    @property
    def top(self) -> int:
        """The noisiest level that the photo was inverted to."""
        return len(self.trajectory) - 1

    @property
    def x_0(self) -> Tensor:
        """The photo's latent ``[B, C, h, w]``."""
        return self.trajectory[0]

    def noise(self, level: int) -> Tensor:
        """Returns the noise in the photo's state at a level in 1..N; ``[B, C, h, w]``."""
        return (self.trajectory[level] - self.schedule.alpha(level) * self.x_0) / self.schedule.sigma(level)

    def tensors(self) -> dict[str, Tensor]:
        """Returns the tensors by name, for a file; :meth:`from_tensors` reads them back."""
        named = {
            "trajectory": self.trajectory,
            "null_embeddings": self.null_embeddings,
            "offsets": self.offsets,
            # left out at 0, as in files of older versions, which had no eta
            "eta": torch.tensor(self.eta) if self.eta else None,
        }
        named |= {_EXTRA + name: value for name, value in self.null_extra.items()}
        return {name: value for name, value in named.items() if value is not None}

    @classmethod
    def from_tensors(
        cls, method: str, schedule: Schedule, guidance_scale: float, tensors: Mapping[str, Tensor]
    ) -> InversionResult:
        """Makes a result of the tensors that :meth:`tensors` returned.

        Raises:
            KeyError: there is no trajectory among them.
        """
        return cls(
            method,
            schedule,
            tensors["trajectory"],
            guidance_scale,
            null_embeddings=tensors.get("null_embeddings"),
            offsets=tensors.get("offsets"),
            eta=float(tensors["eta"]) if "eta" in tensors else 0.0,
            null_extra={
                name.removeprefix(_EXTRA): value for name, value in tensors.items() if name.startswith(_EXTRA)
            },
        )

    def guidance(self, plain: Guidance, level: int) -> Guidance:
        """Returns the guidance of the replay's step from a level in 1..N.

        Args:
            plain: the prompt's and the null conditioning; its scale is replaced by the result's.
            level: where the step starts.
        """
        return Guidance(plain.text, self.null(plain.null, level), self.guidance_scale)

    def null(self, plain: Conditioning, level: int) -> Conditioning:
        """Returns the null conditioning of the replay's step from level 1..N, the plain one by default."""
        if self.null_embeddings is None:
            return plain
        return Conditioning(self.null_embeddings[level - 1], {**plain.extra, **self.null_extra})


@torch.no_grad()
def replay(
    denoiser: Denoiser, result: InversionResult, guidance: Guidance, callback: Callback | None = None
) -> Tensor:
    """Resamples the photo from its noisiest state under the result's own guidance scale.

    Args:
        denoiser: the model that the result was made with.
        result: the result of any method.
        guidance: the prompt's and the null conditioning; its scale is replaced by the result's.
        callback: called after each step.

    Returns:
        The reconstructed latent ``[B, C, h, w]``.

    Raises:
        FloatingPointError: the model returned a value that is not finite.
    """
    schedule = result.schedule
    x = result.trajectory[-1]
    for level in range(result.top, 0, -1):
        eps = predict(denoiser, x, schedule.timestep(level), result.guidance(guidance, level))
        x = schedule.step(x, eps, level, level - 1, eta=result.eta)
        if result.offsets is not None:
            x = x + result.offsets[level - 1]
        if callback is not None:
            callback(result.top - level + 1, result.top)
    return x
