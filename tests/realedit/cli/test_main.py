"""The command on the real embedded model: what it prints, what it writes, and how quickly it answers."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command import Command
from realedit.cli.output import plan_edit
from realedit.photo.photo import load_photo

HEAVY = ("torch", "diffusers", "transformers", "numpy", "PIL", "pydantic", "guidance", "inversion")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        [],
        ["locate", "--help"],
        ["cutout", "--help"],
        ["--version"],
        ["models", "--help"],
        ["schema", "--help"],
        ["cache", "path"],
    ],
)
def test_what_needs_no_model_loads_none(realedit: Command, arguments: list[str]) -> None:
    script = (
        "import sys; from realedit.cli import main; code = main(sys.argv[1:]);"
        f"print(code, sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    result = realedit.python(script, *arguments)
    assert result.stderr == "0 []\n"
    assert result.stdout.strip()


def _used() -> float:
    """Seconds of the processor that finished commands took."""
    times = os.times()
    return times.children_user + times.children_system


def test_help_is_quick(realedit: Command) -> None:
    seconds = []
    for _ in range(7):
        begin = _used()
        assert realedit("--help").returncode == 0
        seconds.append(_used() - begin)
    # The quickest: other work on the machine only ever adds to it, even to the processor's own seconds.
    assert min(seconds) < 0.6  # importing torch alone takes more than a second


def test_help_names_every_option_with_examples(realedit: Command) -> None:
    text = realedit("--help").stdout
    for group in ("Edit", "The object", "Output", "Sampling", "Model", "Commands", "Examples"):
        assert group in text
    edit = "move dx dy perspective copy resize scale anchor rotate angle flip direction reshape shape"
    looks = "remove swap replace with restyle as like object"
    more = "paste from x y background keep retouch swap-looks look-of edits allow-crop prompt"
    where = "mask box point not-point refine no-refine min-confidence shadow no-shadow reflection"
    told = "output force report dry-run preview json quiet"
    model = "debug inversion steps seed strength model device dtype working-size offline no-cache"
    for name in f"{edit} {looks} {more} {where} {told} {model}".split():
        assert f"--{name} " in text
    assert "realedit photo.jpg --move mug --dx 0.2" in text


def test_the_version_is_the_installed_one(realedit: Command) -> None:
    assert realedit("--version").stdout.strip()[0] in "0123456789u"


def test_models_tells_what_is_here(realedit: Command) -> None:
    lines = realedit.here("models").stdout.splitlines()
    assert lines[0].split() == ["name", "source", "size", "profile", "state"]
    assert lines[1].split()[:3] == ["*", "tabletop", "embedded"]
    assert lines[1].endswith("ready")
    assert lines[2].endswith("not downloaded")
    models = json.loads(realedit.here("models", "--json").stdout)["models"]
    assert {model["name"]: model["available"] for model in models} == {"tabletop": True, "sdxl": False}
    assert {model["name"]: model["profile"] for model in models} == {"tabletop": "tabletop", "sdxl": None}
    defaults = realedit.here("models", "tabletop").stdout
    assert defaults.startswith("tabletop: profile tabletop\n")
    assert json.loads(realedit.here("models", "tabletop", "--json").stdout)["steps"] == 20


def test_an_empty_cache_is_listed_cleared_and_pruned(realedit: Command) -> None:
    root = realedit.environment["REALEDIT_CACHE"]
    realedit.environment["REALEDIT_CACHE_GIB"] = "0.5"
    assert realedit.here("cache", "path").stdout == f"{root}\n"
    for words in (["cache"], ["cache", "list"]):
        assert realedit.here(*words).stdout == f"0 kept, 0.0 MB of 512.0 MB, in {root}\n"
    told = json.loads(realedit.here("cache", "--json").stdout)
    assert told == {"path": root, "bytes": 0, "limit": 2**29, "entries": []}
    for word in ("clear", "prune"):
        assert json.loads(realedit.here("cache", word, "--json").stdout) == {"path": root, "freed_bytes": 0}
    assert not Path(root).exists()


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [("a.b.JPG", None, "a.b-edited.JPG"), ("x.gif", None, "x-edited.jpg"), ("a.jpg", "b.tif", "b.tif")],
)
def test_the_output_lies_beside_the_photo(
    tmp_path: Path, sample: Path, name: str, output: str | None, expected: str
) -> None:
    wanted = None if output is None else tmp_path / output
    files = plan_edit(load_photo(sample), tmp_path / name, wanted, report=True, force=False)
    assert files.image == tmp_path / expected
    assert files.report == (tmp_path / f"{expected}.report.html", tmp_path / f"{expected}.report.png")


@pytest.mark.slow
def test_an_edit_is_written_reported_and_told(realedit: Command, sample: Path) -> None:
    shutil.copy(sample, realedit.folder / "photo.jpg")
    words = ("photo.jpg", "--move", "mug", "--dx", "0.2", "-o", "moved.png", "--json")
    result = realedit(*words, "--report", "--strength", "0.4", "--steps", "10")
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("realedit: using the embedded model tabletop")
    assert result.stderr.count("\n") == 1
    told = json.loads(result.stdout)
    assert sorted(path.name for path in realedit.folder.iterdir()) == [
        "moved.png",
        "moved.png.realedit.json",
        "moved.png.report.html",
        "moved.png.report.png",
        "photo.jpg",
    ]
    assert told["output"] == "moved.png"
    assert told["report"] == ["moved.png.report.html", "moved.png.report.png"]
    assert told["object"]["word"] == "mug"
    (left, top, *_), (new_left, new_top, *_) = told["box_before"], told["box_after"]
    assert new_left - left == pytest.approx(0.2, abs=0.01)
    assert new_top == pytest.approx(top, abs=0.01)
    assert set(told["timings"]) >= {"locate", "anchor"}
    photo, moved = (
        load_photo(realedit.folder / "photo.jpg").rgb,
        load_photo(realedit.folder / "moved.png").rgb,
    )
    assert photo.shape == moved.shape
    changed = (photo != moved).any(2)
    height, width = changed.shape
    assert changed[:, int((new_left + 0.02) * width) : int((new_left + 0.1) * width)].any()
    assert not changed[: height // 10].any()
    page = (realedit.folder / "moved.png.report.html").read_text()
    assert page.count("data:image/") == 5
    # The inversion was kept, and what names saw: a second edit of the photo starts from them.
    listed = json.loads(realedit.here("cache", "--json").stdout)
    made = {entry["metadata"]["method"]: entry["metadata"]["prompt"] for entry in listed["entries"]}
    assert made == {"direct": "a photo of a mug", "names": "-"}
    assert "direct" in (table := realedit.here("cache").stdout)
    assert "a photo of a mug" in table


@pytest.mark.slow
def test_quiet_prints_the_path_alone(realedit: Command, sample: Path) -> None:
    Image.open(sample).resize((96, 64)).save(realedit.folder / "a b.png")
    result = realedit.here(
        "a b.png", "--box", "0.2,0.4,0.5,0.8", "--dx", "0.1", "--steps", "4", "--no-cache", "-q"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "a b-edited.png\n", "")
    assert not Path(realedit.environment["REALEDIT_CACHE"]).exists()


@pytest.mark.slow
def test_a_dry_run_writes_the_report_alone(realedit: Command, sample: Path) -> None:
    shutil.copy(sample, realedit.folder / "photo.jpg")
    result = realedit.here("photo.jpg", "--box", "0.2,0.4,0.45,0.7", "--dx", "0.1", "--dry-run", "--report")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("would write photo-edited.jpg\n")
    assert set(realedit.listing()) == {
        "photo.jpg",
        "photo-edited.jpg.report.html",
        "photo-edited.jpg.report.png",
    }
    refused = realedit.here("photo.jpg", "--box", "0.2,0.4,0.45,0.7", "--dx", "0.9", "--dry-run")
    assert refused.returncode == 5


@pytest.mark.slow
def test_locate_writes_the_mask_that_it_tells(realedit: Command, sample: Path) -> None:
    shutil.copy(sample, realedit.folder / "photo.jpg")
    result = realedit.here("locate", "photo.jpg", "mug", "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["mask"] == "photo-mask.png"
    with Image.open(realedit.folder / "photo-mask.png") as image:
        assert image.mode == "L"
        mask = np.asarray(image) / 255
    rows, columns = np.nonzero(mask > 0.5)
    height, width = mask.shape
    box = [columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height]
    assert told["box"] == pytest.approx(box, abs=0.003)
    assert told["source"] == "word"


@pytest.mark.slow
def test_invert_fills_the_cache_and_tells_how_well_it_replays(realedit: Command, sample: Path) -> None:
    Image.open(sample).resize((96, 64)).save(realedit.folder / "photo.png")
    words = ("invert", "photo.png", "mug", "--steps", "6", "--json")
    first, second = json.loads(realedit.here(*words).stdout), json.loads(realedit.here(*words).stdout)
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["kept_bytes"] == second["kept_bytes"]
    assert first["prompt"] == "a photo of a mug"
    # Equal pictures have no PSNR: JSON has null for it.
    assert first["replay_psnr"] is None or first["replay_psnr"] > 50
    assert first["photo_psnr"] > 20
    # what an edit would use, which leaves out which of several mugs is meant
    which = json.loads(realedit.here("invert", "photo.png", "the left mug", "--steps", "6", "--json").stdout)
    assert (which["prompt"], which["cached"]) == ("a photo of a mug", True)
    assert json.loads(realedit.here("cache", "clear", "--json").stdout)["freed_bytes"] == first["kept_bytes"]
