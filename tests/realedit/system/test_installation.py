"""Tests of realedit.system.installation and memory on real installations and real failures."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from realedit.errors import MemoryLimitError
from realedit.system.installation import check_packages
from realedit.system.memory import out_of_memory

ROOT = Path(__file__).resolve().parents[3]
WAY_OUT = "install realedit in an environment of its own: python -m venv realedit-env"
CHECK = """
import sys
from realedit import environment
from realedit.errors import ForeignPackageError
try:
    environment.check_packages()
    print("ours")
except ForeignPackageError as error:
    print(error)
print(sorted({"guidance", "inversion", "torch"} & set(sys.modules)))
"""


def install_ours(site: Path, *, record: bool = False) -> None:
    """Lay realedit and its two packages out below `site`, with a wheel's RECORD where asked."""
    (site / "realedit").mkdir(parents=True)
    for name in ("environment.py", "errors.py"):
        shutil.copy(ROOT / "realedit" / name, site / "realedit" / name)
    for name in ("realedit", "guidance", "inversion"):
        (site / name).mkdir(exist_ok=True)
        (site / name / "__init__.py").write_text(f'"""realedit\'s own {name}."""\n')
        (site / name / "py.typed").touch()
    if record:
        write_record(site, "realedit", "0.1.0", ["realedit", "guidance", "inversion"])


def install_foreign(site: Path, name: str, distribution: str, version: str = "0.3.1") -> None:
    """Lay a namesake out as pip would: over whatever is there, and with a RECORD of its own."""
    (site / name).mkdir(parents=True, exist_ok=True)
    (site / name / "__init__.py").write_text('raise SystemExit("the foreign package was imported")\n')
    (site / name / "py.typed").touch()
    write_record(site, distribution, version, [name])


def write_record(site: Path, distribution: str, version: str, packages: list[str]) -> None:
    info = site / f"{distribution}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    lines = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
    for path in sorted(path for package in packages for path in (site / package).rglob("*.py")):
        digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
        lines.append(f"{path.relative_to(site).as_posix()},sha256={digest},{path.stat().st_size}")
    (info / "RECORD").write_text("\n".join(lines) + "\n")


def check(*path: Path, cwd: Path | None = None, before: str = "") -> str:
    """Run the check in a process whose import path begins with `path`; return its line."""
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", before + CHECK],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONSAFEPATH": "" if cwd else "1",
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    line, imported = done.stdout.splitlines()
    assert imported == "[]"
    return line


def test_this_checkout_is_ours() -> None:
    check_packages()


def test_a_checkout_and_a_wheel_are_ours(tmp_path: Path) -> None:
    install_ours(tmp_path / "checkout")
    assert check(tmp_path / "checkout") == "ours"
    install_ours(tmp_path / "site", record=True)
    assert check(tmp_path / "site") == "ours"


def test_a_linked_checkout_is_ours(tmp_path: Path) -> None:
    install_ours(tmp_path / "checkout")
    (tmp_path / "link").symlink_to(tmp_path / "checkout")
    assert check(tmp_path / "link") == "ours"


def test_a_checkout_in_use_is_ours_whatever_wheel_is_installed_behind_it(tmp_path: Path) -> None:
    install_ours(tmp_path / "checkout")
    install_ours(tmp_path / "site", record=True)
    (tmp_path / "checkout" / "guidance" / "__init__.py").write_text("# edited since\n")
    assert check(tmp_path / "checkout", tmp_path / "site") == "ours"


@pytest.mark.parametrize(
    ("name", "distribution"),
    [("guidance", "guidance"), ("inversion", "inversion"), ("guidance", "llm-tools")],
)
def test_a_namesake_earlier_on_the_path_is_named(tmp_path: Path, name: str, distribution: str) -> None:
    # An editable install's folder comes after site-packages, so a namesake there wins.
    install_ours(tmp_path / "checkout")
    install_foreign(tmp_path / "site", name, distribution)
    assert check(tmp_path / "site", tmp_path / "checkout") == (
        f"the package '{name}' on this machine is not realedit's but that of the "
        f"distribution '{distribution}' "
        f"0.3.1; {WAY_OUT}"
    )
    assert check(tmp_path / "checkout", tmp_path / "site") == "ours"


def test_a_namesake_installed_over_ours_is_named(tmp_path: Path) -> None:
    install_ours(tmp_path, record=True)
    install_foreign(tmp_path, "guidance", "guidance")
    assert check(tmp_path) == (
        "the package 'guidance' on this machine is not realedit's but that of the "
        "distribution 'guidance' 0.3.1; " + WAY_OUT
    )


def test_ours_installed_over_a_namesake_works(tmp_path: Path) -> None:
    install_foreign(tmp_path, "inversion", "inversion")
    install_ours(tmp_path, record=True)
    assert check(tmp_path) == "ours"


def test_a_file_of_that_name_beside_the_photo_is_named(tmp_path: Path) -> None:
    install_ours(tmp_path / "checkout")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "guidance.py").write_text("raise SystemExit('imported')\n")
    assert check(tmp_path / "checkout", cwd=tmp_path / "photos") == (
        f"the package 'guidance' on this machine is not realedit's but the one at "
        f"{tmp_path / 'photos' / 'guidance.py'}; {WAY_OUT}"
    )


def test_a_folder_of_that_name_beside_the_photo_does_no_harm(tmp_path: Path) -> None:
    install_ours(tmp_path / "checkout")
    (tmp_path / "photos" / "guidance").mkdir(parents=True)
    assert check(tmp_path / "checkout", cwd=tmp_path / "photos") == "ours"


def test_a_missing_package_is_told(tmp_path: Path) -> None:
    install_ours(tmp_path)
    shutil.rmtree(tmp_path / "inversion")
    assert check(tmp_path) == "realedit's own package 'inversion' is missing beside it; reinstall realedit"


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
