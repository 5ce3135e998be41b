"""Gradient checkpointing of a UNet under windows: activations are computed twice instead of kept.

A gradient through the UNet keeps every layer's activations, in SDXL at 1024 px about as many bytes as its
weights have. Checkpointed, a block keeps its input alone and runs again when the backward pass reaches it, so
that a guided step takes a third more time. The second run has to be the first one over again: the block's
attention windows are put back to what they were set to, and what they record is not recorded twice.

Reference: Chen et al. 2016, *Training Deep Nets with Sublinear Memory Cost*, arXiv 1604.06174.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils import checkpoint as recomputing

from guidance.processors import CrossAttentionWindow, SelfAttentionWindow

_Window = CrossAttentionWindow | SelfAttentionWindow


class Checkpointed(Protocol):
    """The part of diffusers' models that is used here."""

    def enable_gradient_checkpointing(self, gradient_checkpointing_func: Callable[..., Any]) -> None:
        """Runs every block by a function of the block and its arguments while gradients are enabled."""
        ...


def checkpoint_gradients(unet: Checkpointed) -> None:
    """Lets a UNet keep no activations for gradients; passes without gradients are as before.

    Args:
        unet: a model of diffusers; it stays like this until its ``disable_gradient_checkpointing``.
    """
    unet.enable_gradient_checkpointing(_run)


def _run(block: nn.Module, *args: object) -> Tensor:
    """Runs a block of the UNet so that its activations are computed again for the gradient."""
    found = (getattr(module, "processor", None) for module in block.modules())
    windows = [one for one in found if isinstance(one, _Window)]

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _AsItWas(windows)

    run: Any = getattr(recomputing, "checkpoint")  # noqa: B009 - its type is partly unknown
    return run(block, *args, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)


class _AsItWas(AbstractContextManager[None]):
    """Sets windows as they were when it was made, but lets them hand nothing on; for any number of uses."""

    def __init__(self, windows: Iterable[_Window]) -> None:
        self._then = [(window, _settings(window)) for window in windows]
        self._now: list[tuple[_Window, dict[str, object]]] = []

    def __enter__(self) -> None:
        self._now = [(window, _settings(window)) for window, _ in self._then]
        for window, was in self._then:
            _set(window, {name: _deaf(value) for name, value in was.items()})

    def __exit__(self, *_: object) -> None:
        for window, values in self._now:
            _set(window, values)


def _settings(window: _Window) -> dict[str, object]:
    return {field.name: getattr(window, field.name) for field in fields(window) if field.name != "inner"}


def _set(window: _Window, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(window, name, value)


def _deaf(value: object) -> object:
    """Returns a sink that takes the same and keeps nothing; anything else as it is."""
    return _forget if callable(value) and not isinstance(value, Tensor) else value


def _forget(*_: object) -> None:
    pass
