"""The check of the installation, on real installations."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realedit.system.installation import check_packages

ROOT = Path(__file__).resolve().parents[3]
WAY_OUT = "install realedit in an environment of its own: python -m venv realedit-env"
CHECK = """
import sys
from realedit.system import installation
from realedit.errors import ForeignPackageError
try:
    installation.check_packages()
    print("ours")
except ForeignPackageError as error:
    print(error)
print(sorted({"guidance", "inversion", "torch"} & set(sys.modules)))
"""


def install_ours(site: Path, *, record: bool = False) -> None:
    """Lay realedit and its two packages out below `site`, with a wheel's RECORD where asked."""
    (site / "realedit" / "system").mkdir(parents=True)
    for name in ("errors.py", "system/__init__.py", "system/installation.py"):
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
