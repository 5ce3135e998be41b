"""Layouts over the memory: the same edit by each, and what is done when one is too much."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realedit import Move, RealEditPipeline
from realedit.engine import Engine
from realedit.errors import MemoryLimitError
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model
from realedit.models.frugality import SETTINGS, Frugality, arrange, settings_with
from realedit.models.loading import load_pipeline
from small_sdxl import small_sdxl

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    small_sdxl().save_pretrained(folder)
    return folder


def edited(folder: Path, setting: Frugality) -> np.ndarray:
    pipeline = load_pipeline(resolve_model(folder), device="cpu")
    arrange(pipeline, setting, CPU)
    pipe = RealEditPipeline(Engine(Backbone(pipeline, [setting]), resolve_model(folder)))
    photo = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    mask = np.zeros((128, 128), np.uint8)
    mask[40:90, 30:70] = 255
    how: Any = {"mask": mask, "prompt": "a red mug", "steps": 4, "strength": 0.5}
    result = pipe.edit(photo, Move("mug", dx=0.2), **how)
    assert result.metrics["changed_outside_region"] == 0
    return result.photo.rgb


def test_each_makes_the_same_edit(folder: Path) -> None:
    """The VAE's tiles are larger than this picture; single layers cannot be offloaded to the CPU."""
    plain = edited(folder, SETTINGS[0]).astype(int)
    for setting in SETTINGS[1:4]:
        assert np.abs(edited(folder, setting) - plain).max() <= 1, setting


def test_tiles_are_smaller_than_sdxls_picture() -> None:
    pipeline = small_sdxl()
    vae: Any = pipeline.vae
    vae.tile_sample_min_size, vae.tile_latent_min_size = 1024, 128  # as SDXL's are
    arrange(pipeline, SETTINGS[2], CPU)
    assert (vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size) == (True, 512, 64)


def test_the_users_choice_of_offloading_is_kept() -> None:
    assert settings_with(None) == SETTINGS
    assert {one.offload for one in settings_with("none")} == {"none"}
    assert settings_with("model") == SETTINGS[3:4]
    assert settings_with("sequential") == SETTINGS[4:]


def test_too_little_memory_goes_on_with_the_next(caplog: pytest.LogCaptureFixture) -> None:
    backbone, tries = Backbone(small_sdxl(), SETTINGS), []

    def work() -> str:
        tries.append(backbone.frugality)
        if len(tries) < 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return "done"

    with caplog.at_level(logging.WARNING, "realedit"):
        assert backbone.within_memory(work) == "done"
    assert tries == list(SETTINGS[:3])
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"the GPU has too little memory for this edit; going on with {one}" for one in tries[1:]]
    assert backbone.vae.use_tiling


def test_with_nothing_left_it_is_told() -> None:
    backbone = Backbone(small_sdxl(), SETTINGS[-1:])

    def work() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(MemoryLimitError, match="try a smaller --working-size"):
        backbone.within_memory(work)
