"""Tiny models of every supported architecture, built once where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realedit.external.kinds import KINDS
from realedit.external.load import Loaded, load


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    # huggingface_hub reads the environment when it is first imported; its constants are what counts here.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model type; not to be written to."""
    root = tmp_path_factory.mktemp("outside")

    def build(model_type: str) -> Path:
        from tiny_outside import BUILD

        folder = root / model_type
        if not folder.exists():
            try:
                BUILD[model_type](folder)
            except (AttributeError, ImportError) as error:
                pytest.skip(f"this transformers builds no tiny {model_type}: {error}")
        return folder

    return build


@pytest.fixture(scope="session")
def loaded_of(folder_of: Callable[[str], Path]) -> Callable[[str], Loaded]:
    """The model of a type, loaded once; not to be changed."""
    kept: dict[str, Loaded] = {}

    def get(model_type: str) -> Loaded:
        if model_type not in kept:
            kept[model_type] = load(folder_of(model_type), KINDS[model_type].role, offline=True)
        return kept[model_type]

    return get


def bright(size: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    """A black photo, uint8 [H, W, 3], with a white box (x0, y0, x1, y1) in pixels."""
    rgb = np.zeros((*size, 3), np.uint8)
    x0, y0, x1, y1 = box
    rgb[y0:y1, x0:x1] = 255
    return rgb


@pytest.fixture(scope="session")
def draw() -> Callable[[tuple[int, int], tuple[int, int, int, int]], np.ndarray]:
    return bright
