"""One entry of the cache as a file: how it is opened, and when it is believed.

A cache may lie where other users and programs write too. So a file is opened without following links and
without waiting (a pipe would never answer), and read only if it is a plain file of this user's that others
may not write to, no larger than the cache may be. Its marks and the sizes that its header states are compared
before its tensors are read.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from realedit.system.outside_json import parse_json

if TYPE_CHECKING:
    from torch import Tensor

SCHEMA = "1"
RESERVED = "realedit."
"""Begins the names of the cache's own metadata."""
_LENGTH_BYTES = 8
"""Bytes that say how long a safetensors header is. Set by the format."""
_MOST_HEADER_BYTES = 4 * 2**20
"""Bytes of an entry's header: a longer one is not believed, a shorter one is read. Those of 20 steps have
about 30,000."""


class ForeignEntryError(Exception):
    """What lies under an entry's name is not this user's plain file."""


def check_folder(folder: Path) -> None:
    """Makes sure that a cache's folder is this user's and that nobody else may write to it.

    Raises:
        OSError: it is not; the reason says what to do.
    """
    if not hasattr(os, "geteuid") or not folder.is_dir():
        return
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError(None, "it belongs to another user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(None, f"other users may write to it: chmod 700 {folder}")


def open_entry(path: Path, most: int) -> BinaryIO:
    """Opens an entry for reading.

    Args:
        path: the file.
        most: bytes; a larger file is not opened.

    Raises:
        FileNotFoundError: there is none.
        ForeignEntryError: it is no plain file, another user's, writable by others, or too large.
        OSError: it cannot be read.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # not every system has each of them
        flags |= getattr(os, name, 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise ForeignEntryError("no plain file") from error
        raise
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        os.close(handle)
        raise ForeignEntryError("no plain file")
    file = os.fdopen(handle, "rb")
    try:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ForeignEntryError("no plain file")
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise ForeignEntryError("another user's")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ForeignEntryError("writable by others")
        if status.st_size > most:
            raise ForeignEntryError("larger than the cache may be")
    except BaseException:
        file.close()
        raise
    return file


def read_header(path: Path, most: int) -> dict[str, str]:
    """Reads an entry's metadata; empty when it has none or is not to be believed."""
    try:
        with open_entry(path, most) as file:
            return _header(file)[1]
    except (ForeignEntryError, OSError, ValueError):
        return {}


def read_entry(path: Path, key: str, most: int) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Reads an entry's tensors and own metadata; None when any of its marks is wrong.

    Raises:
        OSError: it is absent, or cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    # read at once: safetensors' mapped reader opens the path twice, and another process may replace or remove
    # the entry in between
    try:
        with open_entry(path, most) as file:
            _, header = _header(file)
            if header.get(RESERVED + "schema") != SCHEMA or header.get(RESERVED + "key") != key:
                return None
            file.seek(0)
            content = file.read()
        tensors = load(content)
    except (ForeignEntryError, SafetensorError, ValueError, KeyError):
        return None
    own = {name: value for name, value in header.items() if not name.startswith(RESERVED)}
    if checksum(key, tensors, own) != header.get(RESERVED + "checksum"):
        return None
    return tensors, own


def _header(file: BinaryIO) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns what a safetensors header says of its tensors, and its metadata.

    Raises:
        ValueError: it is none, or the file is longer or shorter than it says.
    """
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if not 0 < length <= _MOST_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    fields = parse_json(file.read(length))
    if not isinstance(fields, dict):
        raise ValueError("a header that is no object")
    tensors = cast("dict[str, Any]", fields)
    metadata: object = tensors.pop("__metadata__", {})
    ends = [_end(tensor) for tensor in tensors.values()]
    if os.fstat(file.fileno()).st_size != _LENGTH_BYTES + length + max(ends, default=0):
        raise ValueError("a file of another length")
    if not isinstance(metadata, dict):
        raise ValueError("metadata that are no object")
    return tensors, {k: v for k, v in cast("dict[str, object]", metadata).items() if isinstance(v, str)}


def _end(tensor: object) -> int:
    """Returns where a tensor's bytes end, counted from the header's end."""
    fields = cast("dict[str, object]", tensor) if isinstance(tensor, dict) else {}
    offsets = fields.get("data_offsets")
    end: object = cast("list[object]", offsets)[-1] if isinstance(offsets, list) and offsets else None
    if not isinstance(end, int):
        raise ValueError("a tensor without a place")
    return end


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns contiguous CPU tensors that share no memory, as safetensors can store them."""
    seen: set[int] = set()
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        pointer = plain.untyped_storage().data_ptr()
        stored[name] = plain.clone() if pointer in seen else plain
        seen.add(pointer)
    return stored


def checksum(key: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Returns the sha256 of key, metadata and every tensor's name, dtype, shape and bytes."""
    import torch

    shapes = [[name, str(tensors[name].dtype), list(tensors[name].shape)] for name in sorted(tensors)]
    text = json.dumps([SCHEMA, key, sorted(metadata.items()), shapes])
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
