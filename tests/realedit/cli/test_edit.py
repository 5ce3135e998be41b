"""Edits of every kind through the installed command: flags, a file of edits, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command import Command
from realedit.edits.kinds import Flip, Move, Remove, Retouch, Rotate
from realedit.edits.recipe import json_schema, read_file

QUICK = ("--steps", "4", "--working-size", "128", "--no-cache")


@pytest.fixture
def photo(realedit: Command, sample: Path) -> np.ndarray:
    """photo.png in the command's folder, and mask.png: a box about its mug."""
    small = Image.open(sample).convert("RGB").resize((144, 96), Image.Resampling.LANCZOS)
    small.save(realedit.folder / "photo.png")
    mask = np.zeros((96, 144), np.uint8)
    mask[40:67, 34:60] = 255
    Image.fromarray(mask).save(realedit.folder / "mask.png")
    return np.array(small)


def _rgb(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.array(image.convert("RGB"))


def test_the_schema_is_printed_as_json(realedit: Command) -> None:
    result = realedit("schema")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == json_schema()


@pytest.mark.slow
def test_an_object_is_removed_and_reported(realedit: Command, photo: np.ndarray) -> None:
    words = (
        "photo.png",
        "--remove",
        "mug",
        "--mask",
        "mask.png",
        *QUICK,
        "-o",
        "out.png",
        "--report",
        "--json",
    )
    result = realedit(*words)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["box_after"] is None
    assert told["metrics"]["changed_outside_region"] == 0
    out = _rgb(realedit.folder / "out.png")
    red = (photo[..., 0] > 120) & (photo[..., 1] < 70)
    assert red.sum() > 60
    assert ((out[..., 0] > 120) & (out[..., 1] < 70))[red].mean() < 0.1
    assert np.array_equal(out[:20], photo[:20])
    assert "<html" in (realedit.folder / "out.png.report.html").read_text()
    assert read_file(realedit.folder / "out.png.realedit.json").edits == [Remove("mug")]


@pytest.mark.slow
def test_two_edits_are_done_in_the_order_of_their_flags(realedit: Command, photo: np.ndarray) -> None:
    words = ("--dx", "0.3", "--retouch", "a can", "--mask", "mask.png", "-o", "out.png", "-q", *QUICK)
    result = realedit.here("photo.png", *words)
    assert (result.returncode, result.stdout, result.stderr) == (0, "out.png\n", "")
    assert read_file(realedit.folder / "out.png.realedit.json").edits == [Move(None, 0.3), Retouch("a can")]
    changed = (_rgb(realedit.folder / "out.png") != photo).any(-1)
    # the place that the mug left, and the place that it came to
    assert changed[45:62, 40:54].mean() > 0.5
    assert changed[45:62, 83:97].mean() > 0.5
    assert not changed[:, 128:].any()


@pytest.mark.slow
def test_a_file_of_edits_does_what_its_recipe_says(realedit: Command, photo: np.ndarray) -> None:
    edits = [{"move": None, "dx": 0.2}, {"rotate": None, "angle": 30}]
    (realedit.folder / "edits.json").write_text(json.dumps({"edits": edits}))
    words = ("photo.png", "--mask", "mask.png", "-q", *QUICK)
    first = realedit.here(*words, "--edits", "edits.json", "-o", "first.png")
    assert (first.returncode, first.stderr) == (0, "")
    recipe = realedit.folder / "first.png.realedit.json"
    assert read_file(recipe).edits == [Move(None, 0.2), Rotate(None, 30)]
    # the recipe is a file of edits itself, and makes the same picture
    again = realedit.here(*words, "--edits", recipe.name, "-o", "again.png")
    assert (again.returncode, again.stderr) == (0, "")
    assert np.array_equal(_rgb(realedit.folder / "first.png"), _rgb(realedit.folder / "again.png"))
    assert (_rgb(realedit.folder / "first.png") != photo).any()


@pytest.mark.slow
def test_a_recipe_makes_its_picture_again_without_a_flag(realedit: Command, photo: np.ndarray) -> None:
    words = ("--point", "0.32,0.56", "--dx", "0.5", "--allow-crop", "--reflection", "--prompt", "a red mug")
    knobs = ("--seed", "3", "--strength", "0.5", "--inversion", "ddim", *QUICK)
    first = realedit.here("photo.png", *words, *knobs, "-o", "first.png", "-q")
    assert (first.returncode, first.stderr) == (0, "")
    made = _rgb(realedit.folder / "first.png")
    assert (made != photo).any()
    again = realedit.here(
        "photo.png", "--edits", "first.png.realedit.json", "--no-cache", "-o", "again.png", "--json"
    )
    assert again.returncode == 0, again.stderr
    assert "warning: the recipe" not in again.stderr
    assert np.array_equal(_rgb(realedit.folder / "again.png"), made)
    told = [
        json.loads((realedit.folder / f"{name}.png.realedit.json").read_text())["recipe"]
        for name in ("first", "again")
    ]
    assert told[0] == told[1]
    assert told[0] | {"point": [0.32, 0.56], "allow_crop": True, "working_size": 128, "steps": 4} == told[0]
    assert told[0]["settings"]["reflection"]
    # the user's own flags say otherwise
    other = realedit.here(
        "photo.png",
        "--edits",
        "first.png.realedit.json",
        "--seed",
        "4",
        "--steps",
        "3",
        "--strength",
        "0.4",
        "--box",
        "0.2,0.4,0.45,0.7",
        "--prompt",
        "a mug",
        "--inversion",
        "direct",
        "--no-cache",
        "-o",
        "other.png",
        "-q",
    )
    assert (other.returncode, other.stderr) == (0, "")
    changed = json.loads((realedit.folder / "other.png.realedit.json").read_text())["recipe"]
    assert (changed["seed"], changed["steps"], changed["settings"]["strength"]) == (4, 3, 0.4)
    assert (changed["prompt"], changed["inversion"]) == ("a mug", "direct")
    assert changed["box"] == [0.2, 0.4, 0.45, 0.7]
    assert "point" not in changed


def test_what_a_recipe_cannot_hand_over_is_told(realedit: Command, photo: np.ndarray) -> None:
    recipe = {"edits": [{"move": None, "dx": 0.2}], "mask_sha256": "ab12"}
    (realedit.folder / "made.json").write_text(json.dumps({"recipe": recipe}))
    result = realedit.here("photo.png", "--edits", "made.json", "--dry-run", *QUICK)
    assert result.returncode == 2
    mask, error, hint = result.stderr.splitlines()
    assert mask == (
        "realedit: warning: the recipe was made with a mask, which it does not hold: add --mask FILE"
    )
    assert error == "realedit: error: what is to be edited?"
    assert hint == "realedit: hint: give a word, a mask, a box or a point"
    recipe |= {"model": "sdxl", "dtype": "float32", "detector": "owl", "segmenter": None}
    (realedit.folder / "made.json").write_text(json.dumps(recipe))
    result = realedit.here("photo.png", "--edits", "made.json", "--mask", "mask.png", "--dry-run", *QUICK)
    assert result.returncode == 0, result.stderr
    assert "which it does not hold" not in result.stderr
    assert (
        "realedit: warning: the recipe's picture was made with model sdxl (here tabletop), detector owl "
        "(here none); choose with --model, --detector for the same picture\n"
    ) in result.stderr


def test_an_edit_under_alpha_is_told(realedit: Command, photo: np.ndarray) -> None:
    """A mug cut out: where it is moved to, the photo is transparent, and stays so."""
    alpha = np.zeros(photo.shape[:2], np.uint8)
    alpha[38:69, 32:62] = 255
    Image.fromarray(np.dstack([photo, alpha])).save(realedit.folder / "cut.png")
    words = ("--dx", "0.3", "--mask", "mask.png", "--strength", "0", *QUICK)
    result = realedit.here("cut.png", *words, "-o", "out.png", "--json", "--debug")
    assert result.returncode == 0, result.stderr
    warnings = json.loads(result.stdout)["warnings"]
    (warning,) = [one for one in warnings if "transparent" in one]
    assert warning.startswith("the photo is partly transparent where it was edited")
    assert f"realedit: warning: {warning}\n" in result.stderr
    assert "realedit: debug: changed_outside_region 0, region_share 0." in result.stderr
    with Image.open(realedit.folder / "out.png") as image:
        assert np.array_equal(np.array(image)[..., 3], alpha)


@pytest.mark.slow
def test_a_dry_run_of_an_edit_that_looks_for_nothing_here(realedit: Command, photo: np.ndarray) -> None:
    """The object of a paste is in the other photo; the look of a whole photo is no object's."""
    result = realedit.here("photo.png", "--look-of", "photo.png", "--dry-run", *QUICK)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("would write photo-edited.png\n")
    # noise shows no mug: it is asked for in the photo that it comes from, not here
    noise = np.random.default_rng(0).integers(0, 256, (96, 144, 3), dtype=np.uint8)
    Image.fromarray(noise).save(realedit.folder / "noise.png")
    words = ("noise.png", "--paste", "mug", "--from", "photo.png", "--dry-run", "--steps", "4", "--no-cache")
    result = realedit.here(*words)
    assert "no 'mug' found" not in result.stderr
    assert set(realedit.listing()) == {"photo.png", "mask.png", "noise.png"}


def test_what_the_frame_cuts_is_refused_with_its_ways_out(realedit: Command, photo: np.ndarray) -> None:
    mask = np.zeros((96, 144), np.uint8)
    mask[30:70, :30] = 255
    Image.fromarray(mask).save(realedit.folder / "cut.png")
    words = ("photo.png", "--mask", "cut.png", "--dx", "0.2", "--dry-run", "--no-refine", *QUICK)
    refused = realedit.here(*words)
    assert refused.returncode == 5
    error, hint = refused.stderr.splitlines()[-2:]
    assert error.endswith("the object goes on beyond the frame at the left: its straight edge would show")
    assert hint == "realedit: hint: keep it at the left, or --allow-crop to let the edge show"
    assert realedit.here(*words, "--allow-crop").returncode == 0
    told = realedit.here(*words[:3], "--dy", "0.2", "--perspective", "0.1", *words[5:], "--json")
    (change,) = json.loads(told.stdout)["changes"]
    foot = 70 / 96
    assert change["perspective"] == pytest.approx((foot + 0.2 - 0.1) / (foot - 0.1))
    wrong = realedit.here(*words[:3], "--dy", "0.2", "--perspective", "level", *words[5:])
    assert wrong.returncode == 2
    assert "auto, off or a number from -10 to 1" in wrong.stderr


@pytest.mark.slow
def test_a_flipped_mugs_handle_is_on_the_other_side(realedit: Command, sample: Path) -> None:
    """Found by its word in the sample photo; its shadow stays on the side away from the light."""
    result = realedit.here(str(sample), "--flip", "mug", "--steps", "6", "-o", "out.png", "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["metrics"]["changed_outside_region"] == 0
    before, after = _rgb(sample).astype(int), _rgb(realedit.folder / "out.png").astype(int)
    spread = []
    for picture in (before, after):
        red = (picture[..., 0] > 100) & (picture[..., 1] < 50)
        across = np.flatnonzero(red[320:420].any(0))
        body = np.flatnonzero(red[425:435].any(0))  # below the handle
        spread.append((body[0] - across[0], across[-1] - body[-1]))
    (left, right), (new_left, new_right) = spread
    assert (new_left, new_right) == pytest.approx((right, left), abs=4)
    assert right > left + 15
    assert after[395:420, 400:440].mean() < 0.95 * after[395:420, 160:200].mean()
    assert (after[:, 560:] == before[:, 560:]).all()
    assert read_file(realedit.folder / "out.png.realedit.json").edits == [Flip("mug")]
