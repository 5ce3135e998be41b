"""Turns what a model's libraries raise into errors that a user can act on."""

from __future__ import annotations

import errno
import sys
from collections.abc import Generator
from contextlib import contextmanager

from realedit.errors import MemoryLimitError, NumericalError


@contextmanager
def translated() -> Generator[None]:
    """Translates what is raised inside the block.

    Raises:
        MemoryLimitError: the machine's memory is used up.
        NumericalError: a number is not finite.
    """
    try:
        yield
    except FloatingPointError as error:
        raise NumericalError(str(error), "try --dtype float32, or another model") from error
    except (MemoryError, RuntimeError) as error:
        memory = out_of_memory(error)
        if memory is None:
            raise
        raise memory from error


_CHEAPER = "try a smaller --working-size, fewer --steps, --dtype {dtype}, {where}or --model tabletop"
_CPU_ALLOCATOR = (
    "defaultcpuallocator",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
)
_GPU_ALLOCATOR = (
    "cuda out of memory",
    "cuda error: out of memory",
    "mps backend out of memory",
    "alloc_failed",
)


def out_of_memory(error: BaseException) -> MemoryLimitError | None:
    """Translates "out of memory" as Python, torch and the system say it; None for any other error.

    It recognises MemoryError (numpy's included), torch.OutOfMemoryError (CUDA, XPU), the RuntimeError of
    torch's CPU and MPS allocators and of cuBLAS/cuDNN, and OSError ENOMEM. The caller raises the result
    `from` the original.
    """
    # not imported here: torch can have raised nothing that nobody has imported
    torch_error = getattr(sys.modules.get("torch"), "OutOfMemoryError", ())
    text = str(error).lower()
    on_gpu = isinstance(error, torch_error) or any(mark in text for mark in _GPU_ALLOCATOR)
    if isinstance(error, RuntimeError) and on_gpu:
        cheaper = _CHEAPER.format(dtype="float16", where="--device cpu, ")
        return MemoryLimitError("the GPU has too little memory for this edit", cheaper)
    refused = isinstance(error, OSError) and error.errno == errno.ENOMEM
    refused |= isinstance(error, RuntimeError) and any(mark in text for mark in _CPU_ALLOCATOR)
    if isinstance(error, MemoryError) or refused:
        return MemoryLimitError(
            "this machine has too little memory for this edit", _CHEAPER.format(dtype="bfloat16", where="")
        )
    return None
