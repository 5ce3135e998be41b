"""Tiny models of every supported architecture, built once where they are asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from external_fixtures import folder_of, loaded_of

__all__ = ["draw", "folder_of", "loaded_of"]


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    # huggingface_hub reads the environment when it is first imported; its constants are what counts here.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))


def bright(size: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    """A black photo, uint8 [H, W, 3], with a white box (x0, y0, x1, y1) in pixels."""
    rgb = np.zeros((*size, 3), np.uint8)
    x0, y0, x1, y1 = box
    rgb[y0:y1, x0:x1] = 255
    return rgb


@pytest.fixture(scope="session")
def draw() -> Callable[[tuple[int, int], tuple[int, int, int, int]], np.ndarray]:
    return bright
