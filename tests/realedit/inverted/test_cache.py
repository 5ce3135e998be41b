"""Tests of realedit.inverted.cache on real folders, files and processes."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from realedit.errors import UsageError
from realedit.inverted.cache import Cache, CacheEntry, cache_key, default_root

ROOT = Path(__file__).resolve().parents[3]
KEY = cache_key(photo="a", prompt="a mug")
OTHER = cache_key(photo="b", prompt="a mug")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def content(seed: int = 0, size: int = 1000) -> dict[str, torch.Tensor]:
    return {"x": torch.randn(size, generator=torch.Generator().manual_seed(seed))}


def store(cache: Cache, key: str = KEY, *, age: float = 0.0, seed: int = 0) -> Path:
    path = cache.put(key, content(seed), {"prompt": "a mug"})
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_a_key_depends_on_every_part_and_not_on_their_order() -> None:
    assert cache_key(a="1", b="2") == cache_key(b="2", a="1")
    # From coreutils: printf '{"a":"1","b":"2"}' | sha256sum
    assert cache_key(a="1", b="2") == "21f76dfbfe6dfe21f762080ef484112cf2952974cef30741fd1931e1c6d92112"
    keys = {
        cache_key(),
        cache_key(a="1"),
        cache_key(a="2"),
        cache_key(b="1"),
        cache_key(a="1", b=""),
        cache_key(ab="1"),
    }
    assert len(keys) == 6
    with pytest.raises(TypeError, match="cache_key part 'steps' must be a str, not int"):
        cache_key(steps=20)  # pyright: ignore[reportArgumentType]


def test_every_kind_of_tensor_comes_back_as_it_was(cache: Cache) -> None:
    base = torch.randn(4, 6)
    tensors = {
        "base": base,
        "row of base": base[1],
        "same again": base,
        "turned": base.t(),
        "every second": base[:, ::2],
        "needs gradient": base.clone().requires_grad_(),
        "scalar": torch.tensor(3),
        "empty": torch.empty(0, 4),
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "double": base.double(),
        "flags": base > 0,
        "nan": torch.tensor([float("nan"), float("inf"), -0.0]),
    }
    path = cache.put(KEY, tensors, {"prompt": "eine Tässe ☕", "": "nameless"})
    found = cache.get(KEY)
    assert found is not None
    loaded, metadata = found
    assert metadata == {"prompt": "eine Tässe ☕", "": "nameless"}
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype, name
        torch.testing.assert_close(loaded[name], tensor.detach(), rtol=0, atol=0, equal_nan=True)
    assert path == cache.root / f"{KEY}.safetensors"
    assert sorted(file.name for file in cache.root.iterdir()) == [path.name]


def test_changing_what_was_read_does_not_change_the_entry(cache: Cache) -> None:
    store(cache)
    first = cache.get(KEY)
    assert first is not None
    first[0]["x"].zero_()
    second = cache.get(KEY)
    assert second is not None
    assert torch.equal(second[0]["x"], content()["x"])


def test_an_absent_entry_and_an_absent_folder_are_misses(cache: Cache) -> None:
    assert cache.get(KEY) is None
    assert (cache.entries(), cache.size(), cache.clear(), cache.prune()) == ([], 0, 0, 0)
    assert not cache.root.exists()
    store(cache)
    assert cache.get(OTHER) is None


def test_a_second_put_replaces_the_first(cache: Cache) -> None:
    store(cache, seed=1)
    store(cache, seed=2)
    found = cache.get(KEY)
    assert found is not None
    assert torch.equal(found[0]["x"], content(2)["x"])
    assert len(cache.entries()) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_only_the_owner_can_read_what_a_photo_can_be_made_from(cache: Cache) -> None:
    path = store(cache)
    assert stat.S_IMODE(cache.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "abc", KEY.upper(), KEY + "0", "../" + KEY[3:], KEY[:-1] + "\n"])
def test_what_is_not_a_key_reaches_no_file(cache: Cache, key: str) -> None:
    with pytest.raises(ValueError, match="not a cache key: "):
        cache.get(key)
    with pytest.raises(ValueError, match="not a cache key: "):
        cache.put(key, content())


def test_metadata_cannot_imitate_the_marks(cache: Cache) -> None:
    with pytest.raises(ValueError, match=r"metadata names beginning with 'realedit\.' are the cache's own"):
        cache.put(KEY, content(), {"realedit.key": OTHER})


# --- damage
# ----------------------------------------------------------------------------------------------------


def flip_a_weight(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([byte ^ 1]))


def flip_the_metadata(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"a mug", b"a jug"))


def rename_a_tensor(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"x":', b'"y":'))


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def scribble(path: Path) -> None:
    path.write_bytes(b"\x80\x04" + b"a pickle, say" * 20)


def rewrite(path: Path, **marks: str) -> None:
    with safe_open(path, framework="pt") as file:
        header = {**file.metadata(), **{f"realedit.{name}": value for name, value in marks.items()}}
    save_file({name: tensor.clone() for name, tensor in load_file(path).items()}, path, header)


def another_schema(path: Path) -> None:
    rewrite(path, schema="0")


def another_key(path: Path) -> None:
    rewrite(path, key=OTHER)


def foreign(path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_weight,
        flip_the_metadata,
        rename_a_tensor,
        cut_short,
        empty,
        lengthen,
        scribble,
        another_schema,
        another_key,
        foreign,
    ],
)
def test_an_unsound_entry_is_removed_and_never_trusted(cache: Cache, damage: Callable[[Path], None]) -> None:
    path = store(cache)
    before = path.read_bytes()
    damage(path)
    assert path.read_bytes() != before
    assert cache.get(KEY) is None
    assert not path.exists()
    store(cache)
    assert cache.get(KEY) is not None


def test_an_entry_moved_to_another_key_is_a_miss(cache: Cache) -> None:
    path = store(cache)
    path.rename(path.with_name(f"{OTHER}.safetensors"))
    assert cache.get(OTHER) is None
    assert list(cache.root.iterdir()) == []


def test_rewriting_an_entry_unchanged_keeps_it_sound(cache: Cache) -> None:
    # The control for the tests above: it is the changed mark that is refused, not the rewriting.
    path = store(cache)
    rewrite(path)
    assert cache.get(KEY) is not None


# --- size and age
# ------------------------------------------------------------------------------------------------


def test_entries_and_size_tell_what_is_on_disk(cache: Cache) -> None:
    old, new = store(cache, KEY, age=100), store(cache, OTHER, age=10)
    entries = cache.entries()
    assert entries == [
        CacheEntry(OTHER, new.stat().st_size, new.stat().st_mtime, {"prompt": "a mug"}),
        CacheEntry(KEY, old.stat().st_size, old.stat().st_mtime, {"prompt": "a mug"}),
    ]
    assert cache.size() == sum(entry.bytes for entry in entries) > 8000
    scribble(old)
    assert {entry.key: entry.metadata for entry in cache.entries()} == {OTHER: {"prompt": "a mug"}, KEY: {}}
    assert cache.clear() == len(b"\x80\x04" + b"a pickle, say" * 20) + entries[0].bytes
    assert cache.size() == 0


def test_the_least_recently_used_goes_first_and_reading_is_using(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=3 * 4500)
    keys = [cache_key(n=str(n)) for n in range(4)]
    for age, key in zip((30, 20, 10), keys, strict=False):
        store(cache, key, age=age)
    assert cache.get(keys[0]) is not None
    store(cache, keys[3])
    assert {entry.key for entry in cache.entries()} == {keys[0], keys[2], keys[3]}
    assert cache.size() <= cache.max_bytes


def test_prune_brings_an_overfull_folder_within_the_limit(tmp_path: Path) -> None:
    roomy = Cache(tmp_path)
    paths = [store(roomy, cache_key(n=str(n)), age=100 - n) for n in range(5)]
    size = paths[0].stat().st_size
    assert Cache(tmp_path, max_bytes=2 * size).prune() == 3 * size
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    assert Cache(tmp_path, max_bytes=0).prune() == 2 * size


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=5000)
    store(cache)
    assert not cache.put(OTHER, content(size=2000)).exists()
    assert cache.get(KEY) is not None
    with pytest.raises(ValueError, match="max_bytes must not be negative, not -1"):
        Cache(tmp_path, max_bytes=-1)


def test_what_is_not_kept_is_said_with_the_way_to_keep_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Cache(tmp_path, max_bytes=10).put(KEY, content())
    (record,) = caplog.records
    assert "is not kept" in record.message
    assert "REALEDIT_CACHE_GIB" in record.message


def test_the_variable_says_how_much_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALEDIT_CACHE_GIB", "0.5")
    assert Cache(tmp_path).max_bytes == 2**29
    for wrong in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv("REALEDIT_CACHE_GIB", wrong)
        with pytest.raises(UsageError, match="REALEDIT_CACHE_GIB is"):
            Cache(tmp_path)


def test_without_it_an_almost_full_disk_keeps_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cache holds counts as free, so that filling it does not lower the limit."""
    free = 100 * 2**30

    def usage(place: Path) -> SimpleNamespace:
        assert place == tmp_path
        return SimpleNamespace(free=free)

    monkeypatch.setattr("realedit.inverted.cache.shutil.disk_usage", usage)
    there = tmp_path / "cache" / "of" / "mine"
    assert Cache(there).max_bytes == 8 * 2**30
    free = 2**30
    assert Cache(there).max_bytes == 2**28
    assert not there.exists()
    (tmp_path / f"{KEY}.safetensors").write_bytes(bytes(4000))
    (tmp_path / "another.safetensors").write_bytes(bytes(4000))
    assert Cache(tmp_path).max_bytes == 2**28 + 1000


def test_files_that_are_not_entries_are_never_touched(tmp_path: Path) -> None:
    kept = ["photo.jpg", "model.safetensors", KEY, f".realedit-{'0' * 16}.tmp", "0" * 64 + ".safetensors.bak"]
    for name in kept:
        (tmp_path / name).write_bytes(b"mine")
    cache = Cache(tmp_path, max_bytes=0)
    (tmp_path / f"{KEY}.safetensors").write_bytes(b"12345")
    assert cache.size() == 5
    assert cache.clear() == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_temporary_files_of_killed_processes_are_swept_when_old(cache: Cache) -> None:
    store(cache)
    old, new = (cache.root / f".realedit-{KEY}-{name}.tmp" for name in ("abandon", "writing"))
    for path in (old, new):
        path.write_bytes(b"123")
    os.utime(old, (time.time() - 700, time.time() - 700))
    assert cache.prune() == 3
    assert (old.exists(), new.exists()) == (False, True)
    # Another process may be writing the young one: taking it away would lose that process its entry.
    cache.clear()
    assert list(cache.root.iterdir()) == [new]


# --- where it is
# -------------------------------------------------------------------------------------------------


def test_the_folder_is_the_users_own_unless_the_variable_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "named"))
    assert Cache().root == default_root() == tmp_path / "named"
    assert Cache(tmp_path / "given").root == tmp_path / "given"
    monkeypatch.setenv("REALEDIT_CACHE", "~/somewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / "somewhere"
    monkeypatch.setenv("REALEDIT_CACHE", " ")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert default_root() == tmp_path / "xdg" / "realedit"


def test_no_pickle_is_ever_written(cache: Cache) -> None:
    path = store(cache)
    header = path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")]
    assert header.lstrip().startswith(b"{")
    assert path.stat().st_size == 8 + len(header) + 4000
