"""Turns what a model's libraries raise into errors that a user can act on."""

from __future__ import annotations

import errno
import sys
from collections.abc import Generator
from contextlib import contextmanager

from realedit.errors import MemoryLimitError, NumericalError, RealEditError


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
    except Exception as error:
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
    "insufficient memory",
    "failed to allocate",
    "unable to allocate",
    "bad_alloc",
    "can't start new thread",
    "failed to map segment",
    "cannot enlarge memory",
)
"""What torch, OpenCV, the C++ library, the loader of shared libraries and the system say."""
_GPU_ALLOCATOR = (
    "cuda out of memory",
    "cuda error: out of memory",
    "mps backend out of memory",
    "alloc_failed",
)


def out_of_memory(error: BaseException) -> MemoryLimitError | None:
    """Translates "out of memory" as Python, torch and the system say it; None for any other error.

    It recognises MemoryError (numpy's included), torch.OutOfMemoryError (CUDA, XPU), the RuntimeError of
    torch's CPU and MPS allocators, of cuBLAS/cuDNN and of C++ (std::bad_alloc), OpenCV's own error, a library
    that cannot be loaded for want of room, and OSError ENOMEM; also where one of these is the cause of
    another error. The caller raises the result `from` the original.
    """
    # not imported here: torch can have raised nothing that nobody has imported
    torch_error = getattr(sys.modules.get("torch"), "OutOfMemoryError", ())
    text = str(error).lower()
    on_gpu = isinstance(error, torch_error) or any(mark in text for mark in _GPU_ALLOCATOR)
    if isinstance(error, RuntimeError) and on_gpu:
        cheaper = _CHEAPER.format(dtype="float16", where="--device cpu, ")
        return MemoryLimitError("the GPU has too little memory for this edit", cheaper)
    refused = isinstance(error, OSError) and error.errno == errno.ENOMEM
    # OpenCV's error is of a class of its own; a file's name may say anything
    says = not isinstance(error, OSError | ValueError | RealEditError) and any(
        mark in text for mark in _CPU_ALLOCATOR
    )
    refused |= says
    if isinstance(error, MemoryError) or refused:
        return MemoryLimitError(
            "this machine has too little memory for this edit", _CHEAPER.format(dtype="bfloat16", where="")
        )
    cause = error.__cause__ or error.__context__
    return None if cause is None or isinstance(error, RealEditError) else out_of_memory(cause)
