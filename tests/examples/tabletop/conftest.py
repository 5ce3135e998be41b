"""Small stand-ins for what the recipe works on: a tokenizer, an autoencoder, folders of scenes, a stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from transformers import CLIPTokenizer

from examples.tabletop.model import TOKENS, TabletopModel
from examples.tabletop.tokenizer import make_tokenizer

SIDE = 256
SCENES: list[dict[str, Any]] = [
    {
        "objects": [{"noun": "mug", "colour": "red"}, {"noun": "wine glass", "colour": None}],
        "surface": "wooden",
    },
    {"objects": [{"noun": "teddy bear", "colour": "brown"}], "surface": "plain"},
    {
        "objects": [
            {"noun": "pot", "colour": "orange"},
            {"noun": "moka pot", "colour": "silver"},
            {"noun": "apple", "colour": "green"},
        ],
        "surface": "checkered",
    },
]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer") / "new", TOKENS)


@pytest.fixture(scope="session")
def model(tokenizer: CLIPTokenizer) -> TabletopModel:
    """Random weights, not to be trained."""
    torch.manual_seed(5)
    return TabletopModel.new(tokenizer).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def vae_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained autoencoder of SDXL's kind, which makes a quarter of the side."""
    torch.manual_seed(6)
    folder = tmp_path_factory.mktemp("vae")
    # diffusers declares these tuples to be of length one
    blocks: dict[str, Any] = {
        "block_out_channels": (8, 8, 16),
        "down_block_types": ("DownEncoderBlock2D",) * 3,
        "up_block_types": ("UpDecoderBlock2D",) * 3,
    }
    vae = AutoencoderKL(
        **blocks,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=1.7,
    )
    vae.save_pretrained(folder)
    return folder


def write_scenes(folder: Path, scenes: Sequence[dict[str, Any]], seed: int) -> Path:
    """A folder as `render` writes it: noise, and each object a square of its own."""
    rng = np.random.default_rng(seed)
    instances = np.zeros((len(scenes), SIDE, SIDE), np.uint8)
    for k, scene in enumerate(scenes):
        for number in range(1, len(scene["objects"]) + 1):
            instances[k, 40 : 40 + 20 * number, 70 * number - 60 : 70 * number - 20] = number
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", rng.integers(0, 256, (len(scenes), SIDE, SIDE, 3), np.uint8))
    np.save(folder / "instances.npy", instances)
    (folder / "scenes.jsonl").write_text("".join(json.dumps(scene) + "\n" for scene in scenes))
    return folder


@pytest.fixture(scope="session")
def scene_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders of rendered scenes, of three and of two."""
    root = tmp_path_factory.mktemp("scenes")
    return write_scenes(root / "0", SCENES, 0), write_scenes(root / "1", SCENES[:2], 1)


@pytest.fixture(scope="session")
def new_scenes() -> Callable[[Path, Sequence[dict[str, Any]], int], Path]:
    return write_scenes


DRAW = "import mujoco; context = mujoco.GLContext(16, 16); context.make_current(); context.free()"


@pytest.fixture(scope="session")
def opengl() -> None:
    """MuJoCo can draw; what it needs in the environment is gone again when it has begun to."""
    kept = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUJOCO_GL", os.environ.get("MUJOCO_GL", "osmesa"))
        patch.setenv("LP_NUM_THREADS", os.environ.get("LP_NUM_THREADS", "1"))
        # In a process of its own: a driver that fails may take the process along.
        tried = subprocess.run(
            [sys.executable, "-W", "error", "-c", DRAW], capture_output=True, text=True, timeout=120
        )
        if tried.returncode:
            reason = (tried.stderr.strip().splitlines() or ["no word of why"])[-1]
            pytest.skip(f"MuJoCo finds no OpenGL to draw with: {reason}")
        context = pytest.importorskip("mujoco").GLContext(16, 16)
        context.make_current()
        context.free()
    for name in set(os.environ) - set(kept):
        del os.environ[name]
