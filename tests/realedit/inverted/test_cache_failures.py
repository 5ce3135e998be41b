"""Tests of realedit.inverted.cache on disks that refuse, and under processes that interfere."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from realedit.errors import CacheError
from realedit.inverted.cache import Cache, cache_key

ROOT = Path(__file__).resolve().parents[3]
KEY = cache_key(photo="a", prompt="a mug")
OTHER = cache_key(photo="b", prompt="a mug")


def content() -> dict[str, torch.Tensor]:
    return {"x": torch.ones(1000)}


def test_a_folder_that_cannot_be_made_is_told_once_and_gone_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "cache")
    with caplog.at_level(logging.WARNING):
        assert not cache.put(KEY, content()).exists()
        assert not cache.put(OTHER, content()).exists()
        assert cache.get(KEY) is None
    assert [record.getMessage() for record in caplog.records] == [
        f"the cache at {cache.root} cannot be written (Not a directory); going on without "
        f"it; set REALEDIT_CACHE to "
        "another folder"
    ]
    for verb, action in (
        ("read", cache.entries),
        ("read", cache.size),
        ("cleared", cache.clear),
        ("pruned", cache.prune),
    ):
        with pytest.raises(CacheError) as caught:
            action()
        assert str(caught.value) == (
            f"the cache at {cache.root} cannot be {verb} (Not a directory); set "
            f"REALEDIT_CACHE to another folder"
        )


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    # A limit on file sizes makes the kernel refuse the write halfway through, as a full disk does.
    code = (
        "import resource, sys, torch; from pathlib import Path\n"
        "from realedit.inverted.cache import Cache, cache_key\n"
        "cache, key = Cache(Path(sys.argv[1])), cache_key(a='1')\n"
        "cache.put(key, {'x': torch.ones(100)})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "print(cache.put(cache_key(a='2'), {'x': torch.zeros(10**6)}).exists())\n"
        "cache.put(key, {'x': torch.zeros(10**6)})\n"
        "print(cache.get(key)[0]['x'].sum().item(), len(list(Path(sys.argv[1]).iterdir())))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "False\n100.0 1\n"
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"the cache at {tmp_path} cannot be written (")


HAMMER = """
import random, sys, torch
from pathlib import Path
from realedit.inverted.cache import Cache, cache_key
root, seed = Path(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
torch.set_num_threads(1)
# Room for three of five entries: every process also evicts what the others use.
cache = Cache(root, max_bytes=3 * 41_000)
keys = [cache_key(n=str(n)) for n in range(5)]
hits = 0
for turn in range(400):
    n = random.randrange(5)
    roll = random.random()
    if roll < 0.45:
        fill = float(random.randrange(1000))
        cache.put(keys[n], {"x": torch.full((5000,), fill), "y": torch.full((5000,), -fill)}, {"n": str(n)})
    elif roll < 0.95:
        found = cache.get(keys[n])
        if found is not None:
            hits += 1
            x, y = found[0]["x"], found[0]["y"]
            if found[1] != {"n": str(n)} or not (x == x[0]).all() or not (y == -x[0]).all():
                raise SystemExit("a torn or foreign entry was believed")
    elif roll < 0.97:
        path = root / f"{keys[n]}.safetensors"
        try:
            content = bytearray(path.read_bytes())
            content[-1] ^= 255
            damaged = root / f"damage-{seed}"
            damaged.write_bytes(content)
            damaged.replace(path)
        except (FileNotFoundError, IndexError):
            pass
    else:
        random.choice([cache.prune, cache.entries, cache.size, cache.clear])()
print(hits)
"""


def test_processes_that_share_a_cache_never_see_half_an_entry(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", HAMMER, str(tmp_path), str(seed)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(4)
    ]
    outputs = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert [errors for _, errors in outputs] == [""] * 4
    assert all(int(hits) > 20 for hits, _ in outputs)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
    assert Cache(tmp_path, max_bytes=3 * 41_000).prune() >= 0
    assert Cache(tmp_path).size() <= 3 * 41_000
