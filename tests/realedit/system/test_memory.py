"""Errors of memory and of numbers, as Python, numpy and torch raise them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realedit.errors import MemoryLimitError, NumericalError, PhotoError
from realedit.system.memory import out_of_memory, translated

ROOT = Path(__file__).resolve().parents[3]


def test_what_is_raised_inside_is_translated_and_the_rest_stays() -> None:
    with pytest.raises(MemoryLimitError), translated():
        raise MemoryError
    with pytest.raises(NumericalError, match="not finite; try --dtype float32"), translated():
        raise FloatingPointError("the latent is not finite")
    with pytest.raises(RuntimeError, match="shapes"), translated():
        raise RuntimeError("shapes")


def test_memory_that_torch_cannot_allocate_is_translated() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    limit = out_of_memory(caught.value)
    assert type(limit) is MemoryLimitError
    assert str(limit) == (
        "this machine has too little memory for this edit; try a smaller --working-size, fewer --steps, "
        "--dtype bfloat16, or --model tabletop"
    )


def test_memory_that_python_or_numpy_cannot_allocate_is_translated() -> None:
    with pytest.raises(MemoryError) as ours:
        bytearray(2**62)
    with pytest.raises(MemoryError) as theirs:
        np.empty(2**60, dtype=np.uint8)
    for error in (ours.value, theirs.value, OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))):
        assert str(out_of_memory(error)).startswith("this machine has too little memory for this edit; ")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 8 GiB"
        ),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1.00 GB)"),
    ],
)
def test_memory_of_a_gpu_is_told_apart(error: RuntimeError) -> None:
    assert str(out_of_memory(error)) == (
        "the GPU has too little memory for this edit; try a smaller --working-size, "
        "fewer --steps, --dtype float16, "
        "--device cpu, or --model tabletop"
    )


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("CUDA out of memory"),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyboardInterrupt(),
    ],
)
def test_other_errors_are_not_about_memory(error: BaseException) -> None:
    assert out_of_memory(error) is None


def test_memory_errors_are_recognised_without_torch() -> None:
    code = (
        "import sys; from realedit.system.memory import out_of_memory\n"
        "print(out_of_memory(MemoryError()) is not None, out_of_memory(ValueError()), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True None False\n", "")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        cv2.error("OpenCV(4.13.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_library_says_it_in_its_own_way(error: Exception) -> None:
    assert isinstance(out_of_memory(error), MemoryLimitError)
    wrapped = ValueError("cannot be loaded")
    wrapped.__cause__ = error
    assert isinstance(out_of_memory(wrapped), MemoryLimitError)


@pytest.mark.parametrize(
    "error",
    [
        PhotoError("not enough memory.jpg is no photo"),
        FileNotFoundError(2, "bad_alloc.jpg"),
        ValueError("bad_alloc"),
    ],
)
def test_a_file_may_be_called_like_an_error(error: Exception) -> None:
    assert out_of_memory(error) is None
