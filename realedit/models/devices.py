"""Where a model runs: the devices of this machine, their free memory, the precision that suits them.

Apple's GPUs (``mps``) take float16 for large models; adaptive pooling to sizes that do not divide is missing
there (PyTorch issues 96056 and 190064), so that masks are pooled on the host
(:mod:`guidance.pooling`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from realedit.errors import UsageError

if TYPE_CHECKING:
    import torch

KINDS = ("cuda", "xpu", "mps")
"""Kinds of cards, the one that is chosen first where a machine has several."""


def best_device() -> str:
    """Returns the fastest kind of device here."""
    return next((kind for kind in KINDS if is_here(kind)), "cpu")


def is_here(kind: str) -> bool:
    """Whether torch sees a device of a kind."""
    import torch

    module = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
    return module is not None and bool(module.is_available())


def usable_device(device: str | torch.device) -> torch.device:
    """Returns the device of that name.

    Raises:
        UsageError: this machine has no such device.
    """
    import torch

    try:
        target = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"no such device: '{device}'", "use cpu, cuda, xpu or mps") from error
    if target.type in KINDS and not is_here(target.type):
        raise UsageError(
            f"device '{device}' was asked for, but torch sees none on this machine", "use --device cpu"
        )
    return target


def runs_in_half(device: str | torch.device | None, *, small: bool) -> bool:
    """Whether a model runs in half precision where nobody says: on cards; small ones on Apple's in full.

    Args:
        device: where it runs; None for :func:`best_device`.
        small: whether it is the embedded model, which gains nothing by it.
    """
    kind = (best_device() if device is None else str(device)).partition(":")[0]
    return kind in ("cuda", "xpu") or (kind == "mps" and not small)


def free_memory(device: torch.device) -> int | None:
    """Returns the bytes that are free on a card; None for the CPU, and where that cannot be told."""
    import torch

    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    module = getattr(torch, device.type, None) if device.type in KINDS else None
    asked = getattr(module, "mem_get_info", None)
    return None if asked is None else int(asked(device)[0])


def give_back() -> None:
    """Gives memory that torch keeps for later back to the card."""
    import gc

    import torch

    gc.collect()
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()
