r"""The model as an inversion sees it: a noise prediction, and classifier-free guidance over it.

.. math:: \hat\epsilon = \epsilon_\varnothing + g\,(\epsilon_{text} - \epsilon_\varnothing)

``g`` is diffusers' guidance scale (Ho & Salimans 2022, arXiv 2207.12598, write ``1 + w``); ``g = 1`` is the
conditional prediction alone and costs one evaluation instead of two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """A model's input besides the noisy latent and the time.

    Args:
        embedding: token embeddings ``[B, L, D]``; for SDXL the concatenation of both text encoders.
        extra: any other tensors by name, batched alike (SDXL: pooled embedding, time ids); handed on without
            a look into them.
    """

    embedding: Tensor
    extra: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def with_embedding(self, embedding: Tensor) -> Conditioning:
        """Returns the same conditioning with other token embeddings."""
        return replace(self, embedding=embedding)

    def expand(self, batch: int) -> Conditioning:
        """Repeats a batch of one to ``batch``; a conditioning of that batch stays as it is."""
        return Conditioning(
            self.embedding.expand(batch, *self.embedding.shape[1:]),
            {name: value.expand(batch, *value.shape[1:]) for name, value in self.extra.items()},
        )

    @staticmethod
    def cat(first: Conditioning, second: Conditioning) -> Conditioning:
        """Stacks two conditionings along the batch.

        Raises:
            ValueError: they do not have the same extras.
        """
        if first.extra.keys() != second.extra.keys():
            raise ValueError(
                f"conditionings have different extras: {sorted(first.extra)} and {sorted(second.extra)}"
            )
        return Conditioning(
            torch.cat([first.embedding, second.embedding]),
            {name: torch.cat([value, second.extra[name]]) for name, value in first.extra.items()},
        )


class Denoiser(Protocol):
    """A model that predicts noise."""

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        """Predicts the noise in ``x_t [B, C, h, w]`` at the model's time ``t``; shapes as ``x_t``."""
        ...


@dataclass(frozen=True)
class Guidance:
    """Conditions and scale of classifier-free guidance.

    Args:
        text: the prompt's conditioning.
        null: the empty prompt's.
        scale: ``g`` of the equation above; at 1 the text branch alone is evaluated.
    """

    text: Conditioning
    null: Conditioning
    scale: float = 1.0


def predict(
    denoiser: Denoiser, x_t: Tensor, t: int, guidance: Guidance, *, known: Tensor | None = None
) -> Tensor:
    """Predicts the noise under classifier-free guidance, both branches in one batch; shapes as ``x_t``.

    Args:
        denoiser: the model.
        x_t: the state ``[B, C, h, w]``.
        t: the model's time.
        guidance: conditions and scale.
        known: the text branch's prediction, where it is known; it is not evaluated again.

    Raises:
        FloatingPointError: the model returned a value that is not finite.
    """
    batch = x_t.shape[0]
    text = guidance.text.expand(batch)
    if guidance.scale == 1:
        eps = denoiser(x_t, t, text) if known is None else known
    elif known is not None:
        null_eps = denoiser(x_t, t, guidance.null.expand(batch))
        eps = null_eps + guidance.scale * (known - null_eps)
    else:
        both = Conditioning.cat(guidance.null.expand(batch), text)
        null_eps, text_eps = denoiser(torch.cat([x_t, x_t]), t, both).chunk(2)
        eps = null_eps + guidance.scale * (text_eps - null_eps)
    if not torch.isfinite(eps).all():
        raise FloatingPointError(f"the model's noise prediction at t = {t} is not finite")
    return eps
