"""The model's own VAE, lent to diffusers' pipelines so that none of them can change it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import nn


class SharedVAE(nn.Module):
    """A VAE that computes in its own precision for callers of any, and keeps that precision.

    realedit keeps the VAE in float32 beside a UNet of 16 bits. diffusers' pipelines expect one precision of
    all parts: they hand a VAE 16-bit pictures, or, where its config says ``force_upcast``, cast it to the
    UNet's precision once they have encoded, for everybody who shares it. Here latents and pictures come
    back in the caller's precision, ``to`` does nothing, and the config asks for no upcast.

    ``encode`` always gives a posterior; of a VAE that has none (``AutoencoderTiny``), its one latent. What
    is not here is the VAE's own.

    Args:
        vae: any of diffusers' autoencoders.
        side: the picture size that the config tells, in pixels; LEDITS++ asks every VAE for one.
    """

    def __init__(self, vae: Any, side: int) -> None:  # noqa: ANN401 - any of diffusers' autoencoders
        super().__init__()
        from diffusers.configuration_utils import FrozenDict

        self.inner = vae
        self.config = FrozenDict({**vae.config, "sample_size": side, "force_upcast": False})

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the VAE's
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def to(self, *_: Any, **__: Any) -> SharedVAE:
        """Stay as it is: the VAE is not the caller's alone."""
        return self

    def encode(self, x: torch.Tensor) -> SimpleNamespace:
        """A picture's posterior, ``latent_dist``, whose ``mode`` and ``sample`` have the picture's dtype."""
        output = self.inner.encode(x.to(self.inner.dtype))
        if hasattr(output, "latent_dist"):
            found = output.latent_dist
            posterior = SimpleNamespace(
                mode=lambda: found.mode().to(x.dtype),
                sample=lambda generator=None: found.sample(generator).to(x.dtype),
            )
        else:
            latent = output.latents.to(x.dtype)
            posterior = SimpleNamespace(mode=lambda: latent, sample=lambda generator=None: latent)
        return SimpleNamespace(latent_dist=posterior)

    def decode(
        self, z: torch.Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> Any:  # noqa: ANN401 - a tuple or an output, as diffusers has it
        """A latent's picture, in the latent's dtype."""
        (picture,) = self.inner.decode(z.to(self.inner.dtype), return_dict=False, generator=generator)
        picture = picture.to(z.dtype)
        return SimpleNamespace(sample=picture) if return_dict else (picture,)
