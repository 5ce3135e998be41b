"""Counts what a method costs: the UNet's evaluations, and the memory at its peak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from realedit.models.backbone import BACKWARD


@dataclass
class Count:
    """Passes so far, one per picture of a batch; a forward pass that ends early counts too."""

    forwards: int = 0
    backwards: int = 0

    @property
    def evaluations(self) -> int:
        """Both together, in forward passes."""
        return self.forwards + BACKWARD * self.backwards


@contextmanager
def counted(unet: nn.Module) -> Iterator[Count]:
    """Counts a UNet's passes inside the block, whoever makes them."""
    count = Count()

    def hook(_: nn.Module, positional: tuple[object, ...], named: dict[str, object]) -> None:
        sample = positional[0] if positional else named.get("sample")
        pictures = sample.shape[0] if isinstance(sample, torch.Tensor) else 1
        count.forwards += pictures

        def came_back(_: torch.Tensor) -> None:
            count.backwards += pictures

        for given in (sample, *positional[2:3], named.get("encoder_hidden_states")):
            if isinstance(given, torch.Tensor) and given.requires_grad:
                given.register_hook(came_back)
                break

    handle = unet.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield count
    finally:
        handle.remove()


class PeakMemory:
    """The most memory in use since the last reset: the GPU's where torch has one, else this process's.

    The process's peak is Linux's high-water mark of resident memory, model and libraries included; it is not
    known where the system cannot reset it.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._known = False

    def reset(self) -> None:
        """Starts again from what is in use now."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            self._known = True
            return
        try:
            Path("/proc/self/clear_refs").write_text("5")
            self._known = True
        except OSError:
            self._known = False

    def bytes(self) -> int | None:
        """Returns the peak in bytes, or None where it is not known."""
        if not self._known:
            return None
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None
