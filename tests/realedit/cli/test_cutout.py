"""`realedit cutout`, `locate` into a folder and previews, as installed: without the model where it can be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command import Command

BOX = ("--box", "0.2,0.34,0.43,0.72")


@pytest.fixture
def photo(realedit: Command, sample: Path) -> np.ndarray:
    """photo.png, half the sample's size, in the command's folder."""
    small = Image.open(sample).convert("RGB").resize((480, 320), Image.Resampling.LANCZOS)
    small.save(realedit.folder / "photo.png")
    return np.array(small)


def _array(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.array(image)


def test_an_object_is_cut_out_without_the_model(realedit: Command, photo: np.ndarray) -> None:
    result = realedit("cutout", "photo.png", "mug", *BOX, "--crop", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert (told["output"], told["source"], told["word"]) == ("photo-cutout.png", "box", "mug")
    assert 0.5 < told["confidence"] <= 1
    out = _array(realedit.folder / "photo-cutout.png")
    left, top, right, bottom = (
        round(side * size) for side, size in zip(told["box"], (480, 320, 480, 320), strict=True)
    )
    assert out.shape == (bottom - top, right - left, 4)
    solid = out[..., 3] == 255
    assert solid.mean() > 0.5
    assert np.array_equal(out[solid][:, :3], photo[top:bottom, left:right][solid])
    assert not out[out[..., 3] == 0].any()


def test_a_word_is_cut_out_by_its_name_without_the_model(realedit: Command, photo: np.ndarray) -> None:
    result = realedit.here("cutout", "photo.png", "mug", "--mask-only", "-o", "mask.png", "-q")
    assert (result.returncode, result.stdout, result.stderr) == (0, "mask.png\n", "")
    mask = _array(realedit.folder / "mask.png")
    red = (photo[..., 0] > 120) & (photo[..., 1] < 80)
    assert (mask > 127)[red].mean() > 0.8
    assert (mask > 127).mean() < 0.1


def test_a_folder_is_cut_out_and_what_fails_is_told(realedit: Command, photo: np.ndarray) -> None:
    folder = realedit.folder / "photos"
    (folder / "deep").mkdir(parents=True)
    Image.fromarray(photo).save(folder / "deep" / "one.jpg")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno photo")
    (folder / "notes.png").write_text("no photo")
    words = ("cutout", "photos", "--point", "0.3,0.5", "--background", "#ff0080", "-o", "cut")
    result = realedit.here(*words)
    assert result.returncode == 12
    assert result.stdout == "cut/deep/one.png\n"
    assert "realedit: error: photos/broken.png: broken.png is " in result.stderr
    assert "realedit: error: photos/notes.png: notes.png is not an image" in result.stderr
    assert "2 of 3 photos were not cut out" in result.stderr
    out = _array(realedit.folder / "cut" / "deep" / "one.png")
    assert out.shape == photo.shape
    assert (out[0, 0] == (255, 0, 128)).all()
    assert [name for name in realedit.listing() if name.startswith("cut")] == ["cut/deep/one.png"]


def test_locate_fills_a_folder_with_mask_cut_out_and_overlay(realedit: Command, photo: np.ndarray) -> None:
    points = ("--point", "0.3,0.5", "--point", "0.3,0.62", "--not-point", "0.7,0.6")
    result = realedit.here("locate", "photo.png", *points, "-o", "found", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    names = {name: f"found/photo-{name}.png" for name in ("mask", "cutout", "overlay")}
    assert {name: told[name] for name in names} == names
    mask, cut, over = (_array(realedit.folder / name) for name in names.values())
    assert np.array_equal(cut[..., 3], mask)
    assert mask[160, 144] == mask[198, 144] == 255
    assert over.shape == photo.shape


def test_a_dry_run_is_drawn_without_the_model(realedit: Command, photo: np.ndarray) -> None:
    words = (*BOX, "--dx", "0.3", "--dry-run", "--preview", "p.jpg", "--json")
    result = realedit.here("photo.png", *words)
    assert (result.returncode, result.stderr) == (0, "")
    told = json.loads(result.stdout)
    assert told["preview"] == "p.jpg"
    picture = _array(realedit.folder / "p.jpg").astype(int)
    assert picture.shape == photo.shape
    x0, y0, x1, y1 = told["box_after"]
    red = picture[..., 0] - picture[..., 1] > 60
    assert red[round(y0 * 320) : round(y1 * 320), round(x0 * 480) : round(x1 * 480)].mean() > 0.3
    assert set(realedit.listing()) == {"photo.png", "p.jpg"}
    refused = realedit.here("photo.png", *words, "--force", "--min-confidence", "1")
    assert refused.returncode == 4
    assert "confidence 0." in refused.stderr
    assert "at least 1 is asked for" in refused.stderr
