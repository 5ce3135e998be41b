from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from realedit.errors import ModelUnavailableError
from realedit.models.backbone import Backbone
from realedit.models.choice import ModelRef, embedded_folder, resolve_model
from realedit.models.description import Description, Unloaded
from realedit.models.folder import read_layout
from realedit.models.frugality import SETTINGS
from realedit.models.loading import open_model

CPU = torch.device("cpu")


def test_the_configs_say_what_the_loaded_model_says(backbone: Backbone) -> None:
    layout = read_layout(embedded_folder(), "tabletop", half=False)
    assert Description.read(layout, CPU, torch.float32) == Description.of(backbone.pipeline)


def test_a_model_that_is_not_loaded_has_the_same_sizes_and_tokens(backbone: Backbone) -> None:
    opened = Backbone(open_model(resolve_model("tabletop"), device="cpu", dtype=torch.float32, offline=True))
    for size in ((1276, 1700), (480, 640), (100, 400)):
        assert opened.working_size(*size) == backbone.working_size(*size)
    text = "a photo of a red mug on a wooden table"
    assert opened.tokens(text, "red mug") == backbone.tokens(text, "red mug") != []
    assert opened.seen_words("moka pot") == backbone.seen_words("moka pot")
    assert (opened.device, opened.dtype) == (backbone.device, backbone.dtype)
    assert not opened.loaded


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_a_model_whose_configs_leave_sizes_open_is_loaded_at_once(part: str, tmp_path: Path) -> None:
    folder = shutil.copytree(embedded_folder(), tmp_path / "model")
    config = folder / part / "config.json"
    said = json.loads(config.read_text())
    layout = read_layout(folder, "mine", half=False)
    config.write_text(json.dumps({key: value for key, value in said.items() if "block_out" not in key}))
    assert Description.read(layout, CPU, torch.float32) is None


def test_what_only_the_weights_show_is_told_when_they_are_loaded(tmp_path: Path) -> None:
    folder = shutil.copytree(embedded_folder(), tmp_path / "model")
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"layers_per_block": 2}))
    opened = open_model(ModelRef("mine", "folder", str(folder), "flag"), device="cpu", offline=True)
    assert isinstance(opened, Unloaded)
    with pytest.raises(ModelUnavailableError, match=r"^mine: unet (lacks|cannot be loaded) "):
        opened.load(SETTINGS[0])
