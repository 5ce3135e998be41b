"""`realedit batch` as it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command import Command
from realedit.batch import JOURNAL
from realedit.errors import SomePhotosFailedError

QUICK = ("--steps", "2", "--working-size", "128", "--no-cache")
MOVE = ("--box", "0.24,0.42,0.42,0.7", "--dx", "0.1", *QUICK)


@pytest.fixture
def photos(realedit: Command, sample: Path) -> Path:
    """A folder with two photos, one of them deeper, and a file that is none."""
    folder = realedit.folder / "photos"
    (folder / "deep").mkdir(parents=True)
    small = Image.open(sample).convert("RGB").resize((144, 96), Image.Resampling.LANCZOS)
    small.save(folder / "one.png")
    small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "deep" / "two.png")
    (folder / "broken.jpg").write_bytes(b"no photo")
    return folder


@pytest.mark.slow
def test_a_folder_is_edited_and_the_rest_told_and_a_rerun_does_only_what_is_left(
    realedit: Command, photos: Path
) -> None:
    words = ("batch", "photos", "--output", "edited", "--jobs", "2", *MOVE)
    first = realedit(*words)
    assert first.returncode == SomePhotosFailedError.exit_code
    assert sorted(first.stdout.splitlines()) == ["edited/deep/two.png", "edited/one.png"]
    assert "photos/broken.jpg: broken.jpg is not an image" in first.stderr
    assert "1 of 3 photos could not be edited" in first.stderr
    for name in ("one.png", "deep/two.png"):
        before, after = (
            np.array(Image.open(folder / name)) for folder in (photos, realedit.folder / "edited")
        )
        assert (before != after).any()
        assert np.array_equal(before[:20], after[:20])

    kept = realedit.listing()
    photos.joinpath("broken.jpg").unlink()
    again = realedit(*words)
    assert (again.returncode, again.stdout) == (0, "")
    assert "2 done before" in again.stderr
    assert {name: data for name, data in kept.items() if "broken" not in name} == realedit.listing()


@pytest.mark.slow
def test_a_dry_run_says_what_would_be_done_and_writes_nothing(realedit: Command, photos: Path) -> None:
    before = realedit.listing()
    result = realedit("batch", "photos/one.png", "-o", "edited", "--dry-run", "--json", *MOVE)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["dry_run"], told["status"], told["output"]) == (True, "done", "edited/one.png")
    (change,) = told["changes"]
    assert change["box_after"][0] - change["box_before"][0] == pytest.approx(0.1, abs=1e-6)
    assert realedit.listing() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("photos", "--move", "mug", "--dx", "0.1"), "--output"),
        (("photos", "-o", "edited"), "no edit was asked for"),
        (("photos", "-o", "photos", "--move", "mug", "--dx", "0.1"), "holds the photos themselves"),
        (("nowhere.jpg", "-o", "edited", "--move", "mug", "--dx", "0.1"), "no such file: nowhere.jpg"),
    ],
)
def test_what_cannot_be_done_is_told_before_any_work(
    realedit: Command, photos: Path, words: tuple[str, ...], said: str
) -> None:
    before = realedit.listing()
    result = realedit("batch", *words)
    assert result.returncode in (2, 3)
    assert said in result.stderr
    assert result.stderr.count("\n") <= 2
    assert realedit.listing() == before


@pytest.mark.slow
def test_an_output_of_another_run_is_not_replaced(realedit: Command, photos: Path) -> None:
    edited = realedit.folder / "edited"
    edited.mkdir()
    (edited / "one.png").write_bytes(b"precious")
    result = realedit("batch", "photos/one.png", "-o", "edited", *MOVE)
    assert result.returncode == SomePhotosFailedError.exit_code
    assert "exists already" in result.stderr
    assert (edited / "one.png").read_bytes() == b"precious"
    forced = realedit("batch", "photos/one.png", "-o", "edited", "--force", "-q", *MOVE)
    assert (forced.returncode, forced.stdout, forced.stderr) == (0, "edited/one.png\n", "")
    assert sorted(path.name for path in edited.iterdir()) == ["one.png", "one.png.realedit.json", JOURNAL]
