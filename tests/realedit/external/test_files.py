"""Tests of realedit.external.files: the local cache, and a hub on this machine.

huggingface_hub reads its address when it is first imported, so what asks the hub is a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from realedit.errors import ModelUnavailableError, RealEditError, UsageError
from realedit.external.files import fetch_hint, located
from realedit.external.kinds import Role
from realedit.external.load import load
from tiny_hub import COMMIT, serving

ROOT = Path(__file__).resolve().parents[3]
OWN = 'hf download own/model --include "*.json" --include "*.txt" --include "*.safetensors"'

Folder = Callable[[str], Path]


def refused(name: str, role: Role, kind: type[RealEditError], offline: bool = True) -> str:
    with pytest.raises(kind) as caught:
        load(name, role, offline=offline)
    return str(caught.value)


def cached(files: Path, cache: Path) -> Path:
    """Lay a model out as huggingface_hub keeps it."""
    home = cache / "models--own--model"
    snapshot = Path(shutil.copytree(files, home / "snapshots" / COMMIT))
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    return snapshot


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_offline_says_how_to_get_the_model(monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", by == "environment")
    assert refused("own/model", "detector", ModelUnavailableError, offline=by == "argument") == (
        "own/model is no folder here and not in the local Hugging Face cache, and realedit is offline; "
        f"get it with: {OWN}"
    )
    assert fetch_hint("own/model") == f"get it with: {OWN}"


def test_a_cached_model_is_used_with_no_look_at_the_network(
    folder_of: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", None)
    snapshot = cached(folder_of("clipseg"), tmp_path)
    assert load("own/model", "segmenter", offline=False).label == "own/model"
    (snapshot / "tokenizer.json").unlink()
    assert refused("own/model", "segmenter", ModelUnavailableError).startswith(
        "own/model is only partly in the local Hugging Face cache (missing tokenizer.json or vocab.json or "
        "vocab.txt), and realedit is offline; get it with: hf download own/model "
    )
    # of another kind: not worth completing
    assert "give it as --segmenter" in refused("own/model", "captioner", UsageError)


LOCATE = """
import sys
from realedit.errors import RealEditError
from realedit.external.files import located
try:
    root, label, kind = located(sys.argv[1], sys.argv[2])
    print(label, kind.model_type, "torch" in sys.modules, "transformers" in sys.modules)
except RealEditError as error:
    print(error)
"""


def locate(home: Path, endpoint: str, name: str, role: str) -> str:
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "REALEDIT_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOCATE, name, role],
        env={**keep, "HF_HOME": str(home), "HF_ENDPOINT": endpoint},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_network_is_one_line(tmp_path: Path) -> None:
    line = locate(tmp_path, "http://127.0.0.1:9", "own/model", "detector")
    assert line.startswith(
        "own/model is no folder here and not in the local Hugging Face cache, and the hub cannot be reached ("
    )
    assert line.endswith(f"); with a network, get it with: {OWN}")


def test_a_download_takes_what_is_needed_and_no_more(folder_of: Folder, tmp_path: Path) -> None:
    served = Path(shutil.copytree(folder_of("clipseg"), tmp_path / "served"))
    for name in ("pytorch_model.bin", "own.py", "tf_model.h5", "other.safetensors"):
        (served / name).write_bytes(b"not wanted")
    with serving(served) as url:
        # of another kind: its config is all that is fetched
        assert "give it as --segmenter" in locate(tmp_path / "home", url, "own/model", "detector")
        fetched = {path.name for path in (tmp_path / "home").rglob("snapshots/*/*")}
        assert fetched == {"config.json"}
        assert locate(tmp_path / "home", url, "own/model", "segmenter") == "own/model clipseg False False"
    fetched = {path.name for path in (tmp_path / "home").rglob("snapshots/*/*")}
    assert fetched == {path.name for path in folder_of("clipseg").iterdir()}
    # and from now on without the hub
    assert locate(tmp_path / "home", url, "own/model", "segmenter") == "own/model clipseg False False"


def test_pickles_on_the_hub_stay_there(folder_of: Folder, tmp_path: Path) -> None:
    served = Path(shutil.copytree(folder_of("sam"), tmp_path / "served"))
    (served / "model.safetensors").rename(served / "pytorch_model.bin")
    with serving(served) as url:
        line = locate(tmp_path / "home", url, "own/model", "segmenter")
    assert line.startswith(
        "own/model has no safetensors weights, only pytorch_model.bin, which realedit refuses"
    )
    assert not list((tmp_path / "home").rglob("*.bin"))


def test_importing_it_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, realedit, realedit.external, realedit.external.files; "
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_is_found_before_a_hub_id(
    folder_of: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder_of("sam"), tmp_path / "own" / "model")
    monkeypatch.chdir(tmp_path)
    root, label, kind = located("own/model", "segmenter", offline=True)
    assert (root.resolve(), label, kind.model_type) == (tmp_path / "own" / "model", "model", "sam")
