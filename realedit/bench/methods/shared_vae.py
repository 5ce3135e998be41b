"""The model's own VAE, lent to diffusers' pipelines so that none of them can change it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, overload

import torch
from torch import nn

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny


class SharedVAE(nn.Module):
    """A VAE that computes in its own precision for callers of any, and keeps that precision.

    realedit keeps the VAE in float32 beside a UNet of 16 bits. diffusers' pipelines expect one precision of
    all parts: they hand a VAE 16-bit pictures, or, where its config says ``force_upcast``, cast it to the
    UNet's precision after encoding, for everybody who shares it. Here latents and pictures come back in the
    caller's precision, ``to`` does nothing, and the config asks for no upcast.

    ``encode`` always gives a posterior, of the one latent if the VAE has none (``AutoencoderTiny``). All
    other attributes are the VAE's own.

    Args:
        vae: any of diffusers' autoencoders.
        side: the picture size in pixels that the config names; LEDITS++ asks every VAE for one.
    """

    def __init__(self, vae: AutoencoderKL | AutoencoderTiny, side: int) -> None:
        super().__init__()
        from diffusers.configuration_utils import FrozenDict

        self.inner = vae
        self.config = FrozenDict({**vae.config, "sample_size": side, "force_upcast": False})

    def __getattr__(self, name: str) -> object:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def to(self, *_: Any, **__: Any) -> SharedVAE:
        """Stays as it is: the VAE is not the caller's alone."""
        return self

    def encode(self, x: torch.Tensor) -> SimpleNamespace:
        """Returns a picture's posterior, ``latent_dist``: ``mode``, ``sample`` have the picture's dtype."""
        output: Any = self.inner.encode(x.to(self.inner.dtype))  # one of four types
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

    @overload
    def decode(
        self, z: torch.Tensor, return_dict: Literal[True] = ..., generator: torch.Generator | None = ...
    ) -> SimpleNamespace: ...

    @overload
    def decode(
        self, z: torch.Tensor, return_dict: Literal[False], generator: torch.Generator | None = ...
    ) -> tuple[torch.Tensor]: ...

    def decode(
        self, z: torch.Tensor, return_dict: bool = True, generator: torch.Generator | None = None
    ) -> SimpleNamespace | tuple[torch.Tensor]:
        """Decodes a latent to a picture in the latent's dtype."""
        inner: Any = self.inner  # typed as if it took torch.FloatTensor alone
        (picture,) = inner.decode(z.to(inner.dtype), return_dict=False, generator=generator)
        picture = picture.to(z.dtype)
        return SimpleNamespace(sample=picture) if return_dict else (picture,)
