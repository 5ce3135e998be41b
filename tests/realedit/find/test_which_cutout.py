"""Tests of realedit.find.which_cutout: what is asked for, what has been fetched, what ships."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realedit.cutout.cutout import CutOut
from realedit.errors import ModelUnavailableError, UsageError
from realedit.external.kinds import SAM
from realedit.find.by_cutout import Cutter
from realedit.find.by_sam import SamCutOut
from realedit.find.which_cutout import VARIABLE, choose_cutout, load_cutout
from tiny_hub import COMMIT

Folder = Callable[[str], Path]


def fetched(files: Path, cache: Path) -> Path:
    """Lay SAM out as huggingface_hub keeps it."""
    home = cache / f"models--{SAM.replace('/', '--')}"
    snapshot = Path(shutil.copytree(files, home / "snapshots" / COMMIT))
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    return snapshot


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def test_ours_cuts_out_until_sam_has_been_fetched_whole(folder_of: Folder, cache: Path) -> None:
    assert choose_cutout().name == "ours"
    snapshot = fetched(folder_of("sam2"), cache)
    choice = choose_cutout()
    assert (choice.name, choice.folder, choice.chosen_by) == (SAM, snapshot, "default")
    assert isinstance(load_cutout(choice), SamCutOut)
    (snapshot / "model.safetensors").unlink()
    assert choose_cutout().name == "ours"


def test_the_argument_wins_over_the_environment_and_that_over_what_is_here(
    folder_of: Folder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched(folder_of("sam2"), cache)
    monkeypatch.setenv(VARIABLE, "ours")
    assert choose_cutout().name == "ours"
    assert isinstance(load_cutout(choose_cutout()), CutOut)
    assert choose_cutout("sam").name == SAM
    assert choose_cutout(folder_of("sam")).name == "sam"
    monkeypatch.setenv(VARIABLE, str(folder_of("sam_hq")))
    assert choose_cutout().name == "sam_hq"


def test_what_is_not_here_or_cuts_nothing_out_is_refused(folder_of: Folder) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        choose_cutout("sam")
    assert caught.value.hint == "get it once: realedit fetch sam; or use --cutout ours"
    with pytest.raises(UsageError, match="finds words and cuts nothing out"):
        choose_cutout(folder_of("clipseg"))
    with pytest.raises(UsageError, match="give it as --detector"):
        choose_cutout(folder_of("owlv2"))
    with pytest.raises(ModelUnavailableError, match="no such folder"):
        choose_cutout("sma")


def test_the_cutter_cuts_out_by_what_was_chosen(folder_of: Folder) -> None:
    cutter = Cutter(choose_cutout(folder_of("sam2")))
    photo = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    assert isinstance(cutter.cutout, SamCutOut)
    found = cutter.by_box(photo, (0.2, 0.2, 0.7, 0.8))
    assert found.mask.shape == (48, 64)
    assert found.source == "box"
