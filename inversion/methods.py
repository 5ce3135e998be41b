"""The inversion methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from torch import Tensor

from inversion.ddim import ddim
from inversion.ddpm import ddpm
from inversion.denoiser import Denoiser, Guidance
from inversion.direct import direct
from inversion.fixed_point import fixed_point
from inversion.negative_prompt import negative_prompt
from inversion.noised import noised
from inversion.null_text import null_text
from inversion.result import Callback, InversionResult
from inversion.schedule import Schedule


class InversionMethod(Protocol):
    """The call that all methods share; :func:`inversion.ddim.ddim` describes its arguments."""

    def __call__(
        self,
        denoiser: Denoiser,
        x_0: Tensor,
        guidance: Guidance,
        schedule: Schedule,
        *,
        inversion_scale: float = 1.0,
        callback: Callback | None = None,
    ) -> InversionResult:
        """Inverts a photo's latent."""
        ...


METHODS: Mapping[str, InversionMethod] = MappingProxyType(
    {
        "ddim": ddim,
        "null_text": null_text,
        "negative_prompt": negative_prompt,
        "direct": direct,
        "fixed_point": fixed_point,
        "ddpm": ddpm,
        "noised": noised,
    }
)


def invert(
    method: str,
    denoiser: Denoiser,
    x_0: Tensor,
    guidance: Guidance,
    *,
    schedule: Schedule,
    inversion_scale: float = 1.0,
    callback: Callback | None = None,
) -> InversionResult:
    """Inverts by the method of that name; the other arguments are :func:`inversion.ddim.ddim`'s.

    Raises:
        ValueError: there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"no inversion method {method!r}: expected one of {', '.join(METHODS)}")
    return METHODS[method](
        denoiser, x_0, guidance, schedule, inversion_scale=inversion_scale, callback=callback
    )
