"""Folders as tar files of a size that can be brought back."""

import tarfile
from pathlib import Path

MOST = 15_000_000
"""Bytes of a file: below 16 MB and below 16 MiB."""


def tar_in_parts(folder: Path, target: Path, most: int = MOST) -> list[Path]:
    """Write ``target``, or where it would be larger, ``target.00``, ``target.01``...

    ``cat target.* | tar x`` is the folder again, under its own name.

    Args:
        folder: What is packed.
        target: A name that ends in ``.tar``.
        most: Bytes of a file.
    """
    with tarfile.open(target, "w") as archive:
        archive.add(folder, folder.name)
    if target.stat().st_size <= most:
        return [target]
    files = []
    with target.open("rb") as whole:
        while part := whole.read(most):
            files.append(target.with_name(f"{target.name}.{len(files):02d}"))
            files[-1].write_bytes(part)
    target.unlink()
    return files
