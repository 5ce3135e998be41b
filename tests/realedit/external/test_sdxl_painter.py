"""Inpainting models of SDXL's shape as painters of holes, on small random ones; none of them edits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from original_format import original
from realedit import RealEditPipeline, Remove
from realedit.errors import ModelUnavailableError
from realedit.external.inpainter import Inpainter
from realedit.models.folder import read_layout
from small_sdxl import small_sdxl


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models") / "painter"
    small_sdxl(in_channels=9).save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in one file; the configs beside it are an editor's, as those that ship are."""
    made = tmp_path_factory.mktemp("files") / "painter.safetensors"
    save_file({name: weight.clone() for name, weight in original(small_sdxl(in_channels=9))}, made)
    small_sdxl().save_pretrained(made.with_suffix(""))
    return made


@pytest.fixture(scope="module")
def photo() -> tuple[np.ndarray, np.ndarray]:
    rgb = np.random.default_rng(0).integers(90, 140, (150, 210, 3), dtype=np.uint8)
    hole = np.zeros((150, 210), bool)
    hole[60:90, 80:120] = True
    return rgb, hole


def test_it_paints_the_hole_and_nothing_else(folder: Path, photo: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, hole = photo
    painter = Inpainter(folder)
    painted = painter.paint(rgb, hole)
    assert (painted[~hole] == rgb[~hole]).all()
    assert (painted[hole] != rgb[hole]).any(-1).mean() > 0.9
    inside = np.where(hole[..., None], 255 - rgb, rgb)  # what was there plays no part
    assert (painter.paint(inside, hole) == painted).all()
    around = rgb.copy()
    around[:50] = 0
    assert (painter.paint(around, hole)[hole] != painted[hole]).any()


def test_an_edit_takes_it_for_its_hole(folder: Path, photo: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, hole = photo
    pipe = RealEditPipeline.from_pretrained(device="cpu", cache=False, inpainter=folder)
    result = pipe.edit(rgb, Remove("mug"), mask=hole.astype(np.uint8) * 255, strength=0)
    changed = (result.photo.rgb != rgb).any(-1)
    assert changed[hole].mean() > 0.9
    assert not changed[~result.region].any()
    assert result.recipe["inpainter"] == "painter"


def test_one_file_paints_as_its_folder_does(
    folder: Path, file: Path, photo: tuple[np.ndarray, np.ndarray]
) -> None:
    one, other = (Inpainter(place).paint(*photo) for place in (folder, file))
    assert np.abs(one.astype(int) - other).max() <= 1


def test_it_cannot_edit_and_another_cannot_paint(folder: Path, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"paints holes: give it as --inpainter"):
        read_layout(folder, "painter", half=False)
    with pytest.raises(ModelUnavailableError, match=r"paints holes; give it as --inpainter painter"):
        RealEditPipeline.from_pretrained(file, device="cpu")
    with pytest.raises(ModelUnavailableError) as caught:
        Inpainter(file.with_suffix(""))
    assert str(caught.value).startswith("painter: its UNet takes no mask: it is no inpainting model; pass")
    weights = {name: weight.clone() for name, weight in original(small_sdxl())}
    save_file(weights, tmp_path / "editor.safetensors")
    with pytest.raises(ModelUnavailableError, match=r"editor\.safetensors takes no mask"):
        Inpainter(tmp_path / "editor.safetensors")
