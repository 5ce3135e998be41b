from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from examples.tabletop.evaluate_recogniser import mean_log, recogniser
from realedit.models.choice import resolve_model

PHOTO = Path(__file__).parents[3] / "examples" / "photos" / "mug.jpg"


def test_the_mean_is_of_logarithms_by_the_share_of_each_place() -> None:
    seen = np.array([[[0.5, 0.5], [0.1, 0.9]]])
    assert mean_log(seen, np.array([[1.0, 0.0]])) == pytest.approx(np.log([0.5, 0.5]))
    assert mean_log(seen, np.array([[0.25, 0.75]])) == pytest.approx(
        0.25 * np.log([0.5, 0.5]) + 0.75 * np.log([0.1, 0.9])
    )


def test_a_photos_things_are_named_and_told_apart(
    tmp_path: Path, new_scenes: Callable[[Path, Any, int], Path]
) -> None:
    objects = [{"noun": "mug", "colour": "red"}, {"noun": "bowl", "colour": "white"}]
    folder = new_scenes(tmp_path / "scenes", [{"objects": objects, "surface": "wooden"}], 0)
    # the photo, squeezed into a square, and boxes about its mug and its bowl
    photo = np.array(Image.open(PHOTO).convert("RGB").resize((256, 256)))
    instances = np.zeros((1, 256, 256), np.uint8)
    instances[0, 110:175, 62:105] = 1
    instances[0, 108:145, 190:230] = 2
    np.save(folder / "images.npy", photo[None])
    np.save(folder / "instances.npy", instances)
    model = Path(resolve_model("tabletop").location)
    figures = recogniser(model, [folder], 10)
    assert (figures["objects"], figures["among_others"]) == (2, 2)
    assert figures["told_apart"] == 1
    assert figures["present_found"] == 1
    assert 0 < figures["absent_found"] < 1
    json.dumps({name: value for name, value in figures.items() if not name.endswith("_95")}, allow_nan=False)

    bare = tmp_path / "bare"
    shutil.copytree(model, bare, ignore=shutil.ignore_patterns("recogniser", "*.safetensors"))
    with pytest.raises(SystemExit, match="has no recogniser"):
        recogniser(bare, [folder], 10)
