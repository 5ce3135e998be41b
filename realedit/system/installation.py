"""Checks the installation: that the packages beside realedit are its own, and which version it is.

`guidance` and `inversion`, the packages beside `realedit`, have namesakes on PyPI. Python imports the one
that comes first on its path, and pip lets one overwrite the other in site-packages. :func:`check_packages`
finds both cases without importing anything: it asks the import system where each name would be found
(`find_spec`, which runs no code for a top-level name) and requires the folder beside `realedit` itself. That
is the same for a source checkout, an editable install and a wheel. In a wheel a namesake shares that folder,
so there the package's `__init__.py` is also compared with the hash in realedit's own RECORD file.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import metadata, util
from pathlib import Path

from realedit.errors import ForeignPackageError

PACKAGES = ("guidance", "inversion")
_WAY_OUT = "install realedit in an environment of its own: python -m venv realedit-env"


def check_packages() -> None:
    """Makes sure that `guidance` and `inversion` are realedit's own, without importing either.

    Raises:
        ForeignPackageError: a package is missing or would be found elsewhere, or its files were overwritten.
            The message names the distribution that brought the foreign one, if there is one.
    """
    home = _home()
    for name in PACKAGES:
        origin = _origin(name)
        if origin is None:
            raise ForeignPackageError(
                f"realedit's own package '{name}' is missing beside it", "reinstall realedit"
            )
        if origin.parent != home / name or _overwritten(name, home):
            raise ForeignPackageError(
                f"the package '{name}' on this machine is not realedit's but {_owner(origin)}", _WAY_OUT
            )


def own_version() -> str:
    """Returns this installation's version; "unknown (not installed)" for a bare checkout."""
    return distribution_version("realedit") or "unknown (not installed)"


def distribution_version(name: str) -> str | None:
    """Returns the version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _home() -> Path:
    # this file lies in realedit/system/, the other packages beside realedit/
    return Path(__file__).resolve().parents[2]


def _origin(name: str) -> Path | None:
    """Returns the file that `import name` would run; for a namespace folder, the `__init__.py` it lacks."""
    try:
        spec = util.find_spec(name)
    except ValueError:
        # some code has put a module without a spec under this name: not ours
        return Path("<made at run time>")
    if spec is None:
        return None
    if spec.origin is not None:
        return Path(spec.origin).resolve()
    places = list(spec.submodule_search_locations or ())
    return Path(places[0]).resolve() / "__init__.py" if places else None


def _overwritten(name: str, home: Path) -> bool:
    """Tells whether realedit's wheel brought another `name/__init__.py` than the one on disk."""
    try:
        ours = metadata.distribution("realedit")
    except metadata.PackageNotFoundError:
        return False
    for file in ours.files or ():
        if file.as_posix() == f"{name}/__init__.py" and file.hash is not None and file.hash.mode == "sha256":
            path = Path(str(file.locate()))
            if path.resolve().parent != home / name or not path.is_file():
                return False
            found = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest())
            return found.rstrip(b"=").decode() != file.hash.value
    return False


def _owner(origin: Path) -> str:
    """Names the distribution that a file belongs to, or the file. Reads every RECORD: for errors only."""
    for distribution in metadata.distributions():
        if distribution.name == "realedit":
            continue
        for file in distribution.files or ():
            if file.name == origin.name and Path(str(file.locate())).resolve() == origin:
                return f"that of the distribution '{distribution.name}' {distribution.version}"
    return f"the one at {origin}"
