"""What flags of a batch come to before anything is loaded: tasks, masks, edits, contradictions."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.batch import JOURNAL
from realedit.cli.batch_plan import Asked, plan_batch
from realedit.cli.edit_options import EditOptions
from realedit.cli.main import main
from realedit.cli.options import EditSampling, FileOptions, ModelOptions, ObjectOptions

BOX = ("--box", "0.24,0.42,0.42,0.7", "--dx", "0.1", "--no-cache", "--strength", "0")


@pytest.fixture
def photos(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three small photos, one of which is none, with a mask for one."""
    monkeypatch.chdir(tmp_path)
    small = Image.open(sample).convert("RGB").resize((144, 96), Image.Resampling.LANCZOS)
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("one.png", "two.png"):
        small.save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no photo")
    mask = np.zeros((96, 144), np.uint8)
    mask[40:67, 35:60] = 255
    Image.fromarray(mask).save(tmp_path / "masks" / "one.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "which photos?"),
        (("photos", "--manifest", "m.csv"), "photos on the command line contradict each other"),
        (("--manifest", "m.csv", "--remove", "mug"), "flags that edit contradict each other"),
        (("--manifest", "m.csv", "--box", "0,0,1,1"), "--box contradict each other"),
        (("--manifest", "m.csv", "--mask-dir", "masks"), "--mask-dir contradict each other"),
        (("--manifest", "none.csv"), "cannot read none.csv"),
        (("photos", "--mask-dir", "masks", "--point", "0.5,0.5", "--dx", "0.1"), "contradict each other"),
        (("photos", "--mask-dir", "nowhere", "--dx", "0.1"), "no such folder: nowhere"),
    ],
)
def test_flags_that_contradict_each_other_are_told_before_any_work(
    photos: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    Path("m.csv").write_text("photo,remove\nphotos/one.png,mug\n")
    assert main(["batch", *words, "-o", "edited"]) == 2
    assert says in capsys.readouterr().err
    assert not Path("edited").exists()


def test_a_manifest_and_masks_edit_each_photo_as_asked_and_a_rerun_loads_nothing(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"photo": "photos/one.png", "move": None, "dx": 0.1, "mask": "masks/one.png"},
        {
            "photo": "photos/two.png",
            "move": None,
            "dx": -0.1,
            "box": [0.24, 0.42, 0.42, 0.7],
            "output": "2.png",
        },
        {"photo": "photos/broken.jpg", "remove": "mug"},
        {"photo": "photos/none.png", "remove": "mug"},
    ]
    Path("m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = ["batch", "--manifest", "m.jsonl", "-o", "edited", "--json", "--no-cache", "--strength", "0"]
    assert main(words) == 12
    *records, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert {record["photo"]: record["exit_code"] for record in records} == {
        "photos/one.png": 0,
        "photos/two.png": 0,
        "photos/broken.jpg": 3,
        "photos/none.png": 3,
    }
    counts = {"done_before": 0, "done": 2, "refused": 0, "failed": 2, "photos": 4}
    assert counts.items() <= last["summary"].items()
    before = np.array(Image.open(photos / "one.png"))
    right, left = (np.array(Image.open(Path("edited") / name)) for name in ("one.png", "2.png"))
    # the mask's object went to the right, the box's to the left
    assert (right[:, 62:] != before[:, 62:]).any()
    assert (left[:, :34] != before[:, :34]).any()
    assert (left[:, 90:] == before[:, 90:]).all()

    def load(*_: object, **__: object) -> None:
        raise AssertionError("a model is loaded")

    monkeypatch.setattr("realedit.cli.batch._editor", load)
    Path("m.jsonl").write_text("\n".join(map(json.dumps, rows[:2])))
    assert main(words) == 0
    (last,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert {"done_before": 2, "done": 0, "photos": 2}.items() <= last["summary"].items()


def test_each_photo_is_edited_by_its_mask_and_one_without_is_told(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "broken.jpg").unlink()
    words = ["batch", "photos", "--mask-dir", "masks", "--dx", "0.1", "-o", "edited", "--no-cache"]
    assert main([*words, "--strength", "0"]) == 12
    told = capsys.readouterr()
    assert told.out.splitlines() == [str(Path("edited") / "one.png")]
    assert "no mask for photos/two.png" in told.err
    assert sorted(os.listdir("edited")) == ["one.png", "one.png.realedit.json", JOURNAL]


def test_a_second_run_in_the_same_folder_is_told(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from realedit.system import folder_lock

    monkeypatch.setattr(folder_lock, "_WAIT_SECONDS", 0)
    Path("edited").mkdir()
    with folder_lock.only_one(Path("edited")):
        assert main(["batch", "photos", "-o", "edited", *BOX]) == 8
    assert "another run is at work in edited" in capsys.readouterr().err
    assert os.listdir("edited") == []


def test_a_lora_is_known_by_its_content_and_an_inpainting_model_by_its_files(
    photos: Path, tmp_path: Path
) -> None:
    lora, painter = tmp_path / "style.safetensors", tmp_path / "painter"
    painter.mkdir()

    def keys(content: bytes, config: str) -> list[str]:
        lora.write_bytes(content)
        (painter / "config.json").write_text(config)
        asked = Asked(
            [photos],
            EditOptions(remove=("mug",), order=("--remove",)),
            ObjectOptions(),
            EditSampling(),
            ModelOptions(lora=(str(lora),), inpainter=painter),
            tmp_path / "edited",
            mask_dir=None,
            manifest=None,
            file=FileOptions(),
            report=False,
            quiet=True,
        )
        return [task.key for task in plan_batch(asked).tasks]

    first, other, painted = keys(b"a", "{}"), keys(b"b", "{}"), keys(b"b", "[]")
    assert keys(b"a", "{}") == first
    assert not set(first) & set(other)
    assert not set(other) & set(painted)
