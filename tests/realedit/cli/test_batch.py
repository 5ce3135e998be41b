"""`realedit batch` as it is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from command import Command
from realedit.batch import JOURNAL
from realedit.errors import ModelUnavailableError, SomePhotosFailedError
from realedit.models.choice import resolve_model
from tiny_hub import serving_pipeline

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
    result = realedit.here("batch", "photos/one.png", "-o", "edited", "--dry-run", "--json", *MOVE)
    assert result.returncode == 0, result.stderr
    told, summary = map(json.loads, result.stdout.splitlines())
    assert summary["dry_run"]
    assert summary["summary"]["done"] == 1
    assert (told["dry_run"], told["status"], told["output"]) == (True, "done", "edited/one.png")
    (change,) = told["changes"]
    assert change["box_after"][0] - change["box_before"][0] == pytest.approx(0.1, abs=1e-6)
    assert realedit.listing() == before


@pytest.mark.slow
def test_a_dry_run_tells_what_the_run_would_refuse_and_what_is_done(realedit: Command, photos: Path) -> None:
    words = ("batch", "photos/one.png", "-o", "edited", *MOVE)
    foreign = realedit.folder / "edited" / "one.png"
    foreign.parent.mkdir()
    foreign.write_bytes(b"another's")
    refused = realedit.here(*words, "--dry-run")
    assert refused.returncode != 0
    assert "one.png" in refused.stderr
    assert "would write" not in refused.stdout
    foreign.unlink()
    assert realedit.here(*words).returncode == 0
    again = realedit.here(*words, "--dry-run")
    assert (again.returncode, again.stdout) == (0, "")
    assert "1 done before" in again.stderr


@pytest.mark.slow
def test_a_recipe_is_followed_for_every_photo_as_for_one(realedit: Command, photos: Path) -> None:
    recipe = {
        "edits": [{"remove": None}],
        "box": [0.24, 0.42, 0.42, 0.7],
        "seed": 7,
        "steps": 3,
        "inversion": "noised",
        "prompt": "a red mug",
        "settings": {"strength": 0.6, "smooth": 0.0},
        "working_size": 128,
        "model": "another",
    }
    (realedit.folder / "recipe.json").write_text(json.dumps(recipe))
    alone = realedit.here("photos/one.png", "--edits", "recipe.json", "-o", "alone.png", "--no-cache")
    assert alone.returncode == 0, alone.stderr
    many = realedit.here("batch", "photos/one.png", "--edits", "recipe.json", "-o", "edited", "--no-cache")
    assert many.returncode == 0, many.stderr
    assert "another (here tabletop)" in many.stderr
    one, other = (np.array(Image.open(realedit.folder / file)) for file in ("alone.png", "edited/one.png"))
    np.testing.assert_array_equal(one, other)
    dry = ("batch", "photos/one.png", "--edits", "recipe.json", "-o", "edited", "--no-cache", "--dry-run")
    assert "1 done before" in realedit.here(*dry).stderr
    (realedit.folder / "recipe.json").write_text(json.dumps(recipe | {"settings": {"strength": 0.5}}))
    assert "1 done before" not in realedit.here(*dry, "--force").stderr
    assert "done before" not in realedit.here(*dry).stderr


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
    result = realedit.here("batch", *words)
    assert result.returncode in (2, 3)
    assert said in result.stderr
    assert result.stderr.count("\n") <= 2
    assert realedit.listing() == before


@pytest.mark.slow
def test_an_output_of_another_run_is_not_replaced(realedit: Command, photos: Path) -> None:
    edited = realedit.folder / "edited"
    edited.mkdir()
    (edited / "one.png").write_bytes(b"precious")
    result = realedit.here("batch", "photos/one.png", "-o", "edited", *MOVE)
    assert result.returncode == SomePhotosFailedError.exit_code
    assert "exists already" in result.stderr
    assert (edited / "one.png").read_bytes() == b"precious"
    forced = realedit.here("batch", "photos/one.png", "-o", "edited", "--force", "-q", *MOVE)
    assert (forced.returncode, forced.stdout, forced.stderr) == (0, "edited/one.png\n", "")
    assert sorted(path.name for path in edited.iterdir()) == ["one.png", "one.png.realedit.json", JOURNAL]


@pytest.mark.slow
def test_a_photo_without_its_record_is_edited_again(realedit: Command, photos: Path) -> None:
    words = ("batch", "photos/one.png", "-o", "edited", "--report", "-q", *MOVE)
    assert realedit.here(*words).returncode == 0
    edited = realedit.folder / "edited"
    names = sorted(path.name for path in edited.iterdir())
    assert names == ["one.png", "one.png.realedit.json", "one.png.report.html", "one.png.report.png", JOURNAL]
    picture = np.array(Image.open(edited / "one.png"))
    # as an interrupt leaves it: every file is there, and the journal says only that they were begun
    journal = edited / JOURNAL
    begun, _ = journal.read_text().splitlines(keepends=True)
    assert json.loads(begun)["status"] == "writing"
    journal.write_text(begun)
    again = realedit.here(*words)
    assert (again.returncode, again.stdout, again.stderr) == (0, "edited/one.png\n", "")
    assert np.array_equal(np.array(Image.open(edited / "one.png")), picture)
    assert sorted(path.name for path in edited.iterdir()) == names

    journal.write_text(begun)
    (edited / "one.png").write_bytes(b"precious")
    refused = realedit.here(*words)
    assert refused.returncode == SomePhotosFailedError.exit_code
    assert "exists already" in refused.stderr
    assert (edited / "one.png").read_bytes() == b"precious"


@pytest.mark.slow
def test_another_content_of_a_file_that_an_edit_names_is_another_edit(
    realedit: Command, photos: Path
) -> None:
    shape = np.zeros((96, 144), np.uint8)
    shape[40:70, 60:90] = 255
    outline = realedit.folder / "outline.png"
    Image.fromarray(shape).save(outline)
    words = ("batch", "photos/one.png", "-o", "edited", "--dry-run", "--json", "--box", "0.24,0.42,0.42,0.7")
    words = (*words, "--shape", "outline.png", *QUICK)
    keys = []
    for _ in range(2):
        result = realedit.here(*words)
        assert result.returncode == 0, result.stderr
        keys.append(json.loads(result.stdout.splitlines()[0])["key"])
        Image.fromarray(np.roll(shape, 10)).save(outline)
    assert keys[0] != keys[1]
    outline.unlink()
    result = realedit.here(*words)
    assert result.returncode == 3
    assert "outline.png cannot be read" in result.stderr


@pytest.fixture
def hub() -> Iterator[Any]:
    """A hub that serves the embedded model as own/model; it keeps what it was asked for."""
    with serving_pipeline(Path(resolve_model("tabletop").location)) as server:
        yield server


@pytest.mark.slow
def test_a_hub_model_is_downloaded_unless_offline(realedit: Command, photos: Path, hub: Any) -> None:
    online = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}"}
    words = ("-o", "edited", "--dry-run", "--model", "own/model", *MOVE)
    refused = realedit("batch", "photos/one.png", *words, "--offline", env=online)
    assert refused.returncode == ModelUnavailableError.exit_code
    assert "own/model is no folder here" in refused.stderr
    assert "realedit is offline" in refused.stderr
    nothing = realedit("batch", "nowhere.jpg", *words, env=online)
    assert "no such file: nowhere.jpg" in nothing.stderr
    assert hub.asked == []
    result = realedit("batch", "photos/one.png", *words, env=online)
    assert (result.returncode, result.stdout) == (0, "would write edited/one.png\n"), result.stderr
    assert any(path.endswith(".safetensors") for path in hub.asked)
    hub.asked.clear()
    assert realedit("batch", "photos/one.png", *words, "--offline", env=online).returncode == 0
    assert hub.asked == []


@pytest.mark.slow
def test_an_unsure_photo_is_listed_as_refused(realedit: Command, photos: Path) -> None:
    shown = ("--point", "0.33,0.56", "--dx", "0.1", *QUICK)
    result = realedit.here("batch", "photos/one.png", "-o", "edited", *shown, "--min-confidence", "1")
    assert result.returncode == SomePhotosFailedError.exit_code
    assert "realedit: refused: photos/one.png: it is not sure enough" in result.stderr
    assert "nothing done, 1 refused" in result.stderr
    lines = (realedit.folder / "edited" / JOURNAL).read_text().splitlines()
    record = json.loads(lines[-1])
    assert (record["status"], record["exit_code"]) == ("refused", 4)
    assert "confidence 0." in record["error"]
