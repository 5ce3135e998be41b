"""A cache entry is believed only if it is the user's own plain file, no larger than the cache may be."""

import logging
import os
import stat
from pathlib import Path
from time import process_time

import pytest
import torch
from safetensors.torch import save

from realedit.inverted.cache import GIB, Cache, cache_key

KEY = cache_key(photo="a")
pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners of POSIX")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", max_bytes=GIB)


@pytest.fixture
def entry(cache: Cache) -> Path:
    return cache.put(KEY, {"x": torch.arange(100.0)}, {"prompt": "a mug"})


def test_the_folder_and_its_entries_are_the_owners_alone(entry: Path) -> None:
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_entry_that_others_may_write_to_is_not_believed(cache: Cache, entry: Path, mode: int) -> None:
    entry.chmod(mode)
    assert cache.get(KEY) is None
    assert not entry.exists()


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root gives files away")
def test_an_entry_of_another_user_is_not_believed(cache: Cache, entry: Path) -> None:
    os.chown(entry, 12345, -1)
    assert cache.get(KEY) is None


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_is_gone_without(
    cache: Cache, entry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.chown(entry.parent, 12345, -1)
    with caplog.at_level(logging.WARNING):
        assert cache.get(KEY) is None
    assert "it belongs to another user" in caplog.text
    assert entry.exists()


def test_a_folder_that_others_may_write_to_is_gone_without(
    cache: Cache, entry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry.parent.chmod(0o777)
    other = cache_key(photo="b")
    with caplog.at_level(logging.WARNING):
        assert cache.get(KEY) is None
        assert not cache.put(other, {"x": torch.ones(3)}).exists()
    assert caplog.text.count("chmod 700") == 1


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def _folder(path: Path) -> None:
    path.mkdir(0o700)


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _own_link(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(save({"x": torch.ones(3)}))
    path.symlink_to(path.with_name("elsewhere"))


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**42)
    path.chmod(0o600)


def _sparse_within_the_limit(path: Path) -> None:
    with path.open("wb") as file:
        file.write((2**30).to_bytes(8, "little"))
        file.truncate(GIB)
    path.chmod(0o600)


def _header_alone(path: Path) -> None:
    content = save({"x": torch.zeros(2**18)})
    with path.open("wb") as file:
        file.write(content[:200])
        file.truncate(GIB)
    path.chmod(0o600)


def _nested(path: Path) -> None:
    header = b"[" * 10**6
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    path.chmod(0o600)


@pytest.mark.parametrize(
    "kind", [_pipe, _folder, _link, _own_link, _sparse, _sparse_within_the_limit, _header_alone, _nested]
)
def test_what_is_no_plain_entry_is_neither_waited_for_nor_read(
    cache: Cache, entry: Path, kind: object
) -> None:
    entry.unlink()
    assert callable(kind)
    kind(entry)
    began = process_time()
    assert [one.metadata for one in cache.entries()] == [{}]
    assert cache.get(KEY) is None
    assert process_time() - began < 0.5
