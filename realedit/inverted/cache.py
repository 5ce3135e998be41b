"""Keeps inversions on disk, so that a second edit of the same photo starts where the first one did.

One entry is one safetensors file named by its key, a sha256 of everything that the content depends on. Files
are written under a temporary name and renamed, so that another process sees a whole entry or none. Each
carries a sha256 of its tensors and metadata, its own key and the schema version, and is believed only when
all of them agree: anything else under an entry's name is removed and counts as absent. When the size limit is
reached, the least recently used entries go first; "used" is the file's modification time, renewed by every
read. (diskcache and the like keep no checksums and need a lock.)

Entries can be turned back into the photo they came from, so they are readable by their owner only, and only
their owner's are believed (:mod:`realedit.inverted.entry_file`). Files with
any other kind of name are never touched, whatever folder the cache is put in.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from realedit.errors import CacheError, UsageError
from realedit.inverted.entry_file import (
    RESERVED,
    SCHEMA,
    check_folder,
    checksum,
    read_entry,
    read_header,
    storable,
)
from realedit.system.whole_files import ABANDONED_SECONDS

if TYPE_CHECKING:
    from torch import Tensor

VARIABLE = "REALEDIT_CACHE"
LIMIT_VARIABLE = "REALEDIT_CACHE_GIB"
GIB = 2**30
"""Bytes of a GiB."""
_MOST_GIB = 8
"""Size of a cache in GiB where none is asked for, at most: above it old inversions are dropped, below it all
are kept. Set so that two of SDXL's at 1024 pixels and its profile's 18 steps fit, 3.5 GiB each."""
_FREE_SHARE = 0.25
"""Share of the disk's free space, what the cache holds counted as free, that a cache takes at most where no
size is asked for: above it an almost full disk is filled up, below it less is kept. Not measured."""

_KEY = re.compile(r"[0-9a-f]{64}")
_ENTRY = re.compile(r"(?P<key>[0-9a-f]{64})\.safetensors")
_TEMPORARY = re.compile(r"\.realedit-[0-9a-f]{64}-\w+\.tmp")
_LOG = logging.getLogger(__name__)
Returned = TypeVar("Returned")


@dataclass(frozen=True)
class CacheEntry:
    """One entry on disk.

    Attributes:
        key: Its sha256 key.
        bytes: Size of the file.
        last_used: Seconds since the epoch.
        metadata: What `put` was given; empty for a file whose header cannot be read.
    """

    key: str
    bytes: int
    last_used: float
    metadata: dict[str, str]


def cache_key(**parts: str) -> str:
    """Returns the sha256 (64 hexadecimal digits) of the parts as sorted canonical JSON.

    Raises:
        TypeError: A part is not a string: numbers have several spellings, and each would be a key of its own.
    """
    for name, value in cast("Mapping[str, object]", parts).items():
        if not isinstance(value, str):
            raise TypeError(f"cache_key part '{name}' must be a str, not {type(value).__name__}")
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def default_root() -> Path:
    """Returns the folder that REALEDIT_CACHE names, else the user's own cache folder for realedit."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Path(os.path.expanduser(named)).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("realedit", appauthor=False)


def default_limit(root: Path) -> int:
    """Returns how many bytes a cache takes: REALEDIT_CACHE_GIB, else 8 GiB or a quarter of the free space.

    Args:
        root: the cache's folder, which need not exist.

    Raises:
        UsageError: The variable is set to something else than a number of 0 or more.
    """
    said = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not said:
        return int(min(_MOST_GIB * GIB, _FREE_SHARE * _free(root)))
    try:
        gib = float(said)
    except ValueError:
        gib = -1.0
    if not 0 <= gib < math.inf:
        raise UsageError(f"{LIMIT_VARIABLE} is {said!r}", f"set it to a number of GiB: {LIMIT_VARIABLE}=8")
    return int(gib * GIB)


def _free(root: Path) -> float:
    """Returns the bytes that are free where a folder is or would be, with the entries in it; all if unknown.

    Entries count as free: a limit that fell while they are written would drop them again.
    """
    with contextlib.suppress(OSError):
        place = next(folder for folder in (root, *root.parents) if folder.exists())
        entries = (path for path in root.glob("*.safetensors") if _ENTRY.fullmatch(path.name))
        return shutil.disk_usage(place).free + sum(path.lstat().st_size for path in entries)
    return math.inf


class Cache:
    """A folder of tensors by key, limited in size, safe to share between processes without a lock.

    `get` and `put` never fail over the disk: a folder that cannot be read or written, or a full disk, is
    logged once as a warning and the cache is then as good as absent. `clear` and `prune`, which a user asks
    for, say so.
    """

    def __init__(self, root: Path | None = None, max_bytes: int | None = None) -> None:
        """Uses `root`, or `default_root()`; nothing is created before the first `put`.

        Args:
            root: Folder of the cache.
            max_bytes: Size above which `put` drops the least recently used entries; None for
                `default_limit(root)`.

        Raises:
            UsageError: REALEDIT_CACHE_GIB is no size.
        """
        self.root = default_root() if root is None else Path(root)
        self.max_bytes = default_limit(self.root) if max_bytes is None else max_bytes
        if self.max_bytes < 0:
            raise ValueError(f"max_bytes must not be negative, not {self.max_bytes}")
        self._warned = False

    def get(self, key: str) -> tuple[dict[str, Tensor], dict[str, str]] | None:
        """Returns an entry's tensors (on the CPU) and metadata, or None when it is absent or not sound.

        An unsound entry (damaged, cut short, of another schema, stored under another key, no plain file of
        this user's, larger than the cache may be) is removed.

        Raises:
            ValueError: The key is not one that `cache_key` makes.
        """
        path = self._path(key)
        try:
            check_folder(self.root)
            found = read_entry(path, key, self.max_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn("read", error)
            return None
        if found is None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            # A read-only cache still serves; another process may just have removed the file.
            os.utime(path)
        return found

    def put(self, key: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Path:
        """Writes an entry, replacing the one under this key, then drops old ones above the size limit.

        Args:
            key: From `cache_key`.
            tensors: Any device, layout or sharing; stored as contiguous CPU copies of the same dtype.
            metadata: Strings to keep beside them.

        Returns:
            The entry's path. There is no file there when the disk refused it, or when the entry alone is
            above the size limit.

        Raises:
            ValueError: Not a key, or a metadata name that begins with "realedit.".
        """
        path = self._path(key)
        own = dict(metadata or {})
        reserved = [name for name in own if name.startswith(RESERVED)]
        if reserved:
            raise ValueError(f"metadata names beginning with '{RESERVED}' are the cache's own: {reserved}")
        content = storable(tensors)
        size = sum(tensor.nbytes for tensor in content.values())
        if size > self.max_bytes:
            _LOG.warning(
                "an inversion of %.1f GiB is not kept: the cache takes %.1f GiB, set %s to more",
                size / GIB,
                self.max_bytes / GIB,
                LIMIT_VARIABLE,
            )
            return path
        marks = {"schema": SCHEMA, "key": key, "checksum": checksum(key, content, own)}
        header = {**own, **{RESERVED + name: value for name, value in marks.items()}}
        try:
            self._write(path, content, header)
            self._shrink(keep=path)
        except OSError as error:
            self._warn("written", error)
        return path

    def entries(self) -> list[CacheEntry]:
        """Lists all entries, the most recently used first. Contents are not verified.

        Raises:
            CacheError: The folder cannot be read.
        """
        found: list[CacheEntry] = []
        for path, size, used in self._guard("read", self._files):
            header = read_header(path, self.max_bytes)
            own = {name: value for name, value in header.items() if not name.startswith(RESERVED)}
            found.append(CacheEntry(path.stem, size, used, own))
        return sorted(found, key=lambda entry: entry.last_used, reverse=True)

    def size(self) -> int:
        """Returns the bytes that all entries take.

        Raises:
            CacheError: The folder cannot be read.
        """
        return sum(size for _, size, _ in self._guard("read", self._files))

    def clear(self) -> int:
        """Removes every entry and every abandoned temporary file; returns the bytes freed.

        Raises:
            CacheError: The folder cannot be read, or a file in it cannot be removed.
        """
        return self._guard("cleared", lambda: self._remove(self._files()) + self._sweep())

    def prune(self) -> int:
        """Drops the least recently used entries until the cache is within its limit; returns the bytes freed.

        Temporary files that a killed process left ten minutes ago or more are removed as well.

        Raises:
            CacheError: The folder cannot be read, or a file in it cannot be removed.
        """
        return self._guard("pruned", lambda: self._shrink(keep=None))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a cache key: {key!r}")
        return self.root / f"{key}.safetensors"

    def _write(self, path: Path, content: dict[str, Tensor], header: dict[str, str]) -> None:
        from safetensors import SafetensorError
        from safetensors import torch as safetensors_torch

        files: Any = safetensors_torch
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(self.root)
        handle, name = tempfile.mkstemp(prefix=f".realedit-{path.stem}-", suffix=".tmp", dir=self.root)
        os.close(handle)
        temporary = Path(name)
        try:
            files.save_file(content, temporary, metadata=header)
            # some versions of safetensors rename a file of their own into place, with the umask's mode.
            temporary.chmod(0o600)
            os.replace(temporary, path)
        except SafetensorError as error:
            # what a full disk looks like from inside safetensors.
            raise OSError(str(error)) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _files(self) -> list[tuple[Path, int, float]]:
        """Lists path, bytes and last use of every entry."""
        found: list[tuple[Path, int, float]] = []
        for path, status in self._listing():
            if _ENTRY.fullmatch(path.name):
                found.append((path, status.st_size, status.st_mtime))
        return found

    def _listing(self) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            paths = list(self.root.iterdir())
        except FileNotFoundError:
            return
        for path in paths:
            try:
                yield path, path.lstat()
            except FileNotFoundError:
                # Removed by another process since it was listed.
                continue

    def _shrink(self, keep: Path | None) -> int:
        files = sorted(self._files(), key=lambda file: file[2])
        excess = sum(size for _, size, _ in files) - self.max_bytes
        doomed: list[tuple[Path, int, float]] = []
        for file in files:
            if excess <= 0:
                break
            if file[0] != keep:
                doomed.append(file)
                excess -= file[1]
        return self._remove(doomed) + self._sweep()

    def _sweep(self) -> int:
        old = time.time() - ABANDONED_SECONDS
        listed = [(path, status.st_size, status.st_mtime) for path, status in self._listing()]
        return self._remove(
            [file for file in listed if _TEMPORARY.fullmatch(file[0].name) and file[2] <= old]
        )

    def _remove(self, files: list[tuple[Path, int, float]]) -> int:
        freed = 0
        for path, size, _ in files:
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            freed += size
        return freed

    def _guard(self, verb: str, action: Callable[[], Returned]) -> Returned:
        """Runs an action on the folder; an error of the disk becomes one that the user can read."""
        try:
            return action()
        except OSError as error:
            reason = error.strerror or error
            raise CacheError(f"the cache at {self.root} cannot be {verb} ({reason})", _elsewhere()) from error

    def _warn(self, verb: str, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            reason = error.strerror or error
            _LOG.warning(
                "the cache at %s cannot be %s (%s); going on without it; %s",
                self.root,
                verb,
                reason,
                _elsewhere(),
            )


def _elsewhere() -> str:
    return f"set {VARIABLE} to another folder"
