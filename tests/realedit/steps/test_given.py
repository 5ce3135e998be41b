"""What a caller hands to an edit: numbers, pictures, and the object that it shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realedit.edits.kinds import Background, Edit, Like, LookOf, Move, Paste, Remove, Reshape, Retouch
from realedit.errors import ObjectNotFoundError, PhotoError, UsageError

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"
H, W = 96, 144
BLUE = (40, 70, 200)
PIXELS = np.zeros((32, 32, 3), np.uint8)

Near = Callable[[np.ndarray, tuple[int, int, int]], np.ndarray]
Scene = Any
"""Of conftest."""


def test_numbers_of_numpy_do_as_plain_ones_do(scene: Scene, tmp_path: Path) -> None:
    dx: Any = np.float32(0.25)
    seed: Any = np.int64(3)
    strength: Any = np.float32(0.0)
    result = scene.pipeline.edit(
        scene.inverted, Move(None, dx), mask=scene.masks["mug"], seed=seed, strength=strength
    )
    plain = scene.pipeline.edit(scene.inverted, Move(None, 0.25), mask=scene.masks["mug"], strength=0)
    assert np.array_equal(result.photo.rgb, plain.photo.rgb)
    result.save(tmp_path / "moved.png")
    recipe = json.loads((tmp_path / "moved.png.realedit.json").read_text())["recipe"]
    assert recipe["edits"] == [{"move": None, "dx": 0.25, "dy": 0.0, "perspective": "auto"}]
    assert (recipe["seed"], recipe["settings"]["strength"]) == (3, 0.0)


def test_what_is_shown_stays_shown_while_something_is_pasted(scene: Scene, shows: Near) -> None:
    donor = Image.open(PHOTOS / "mug.jpg").convert("RGB").crop((190, 230, 450, 490)).resize((160, 160))
    edits = [Move("bowl", dx=-0.1), Paste("mug", donor, 0.2, 0.2, 0.2), Move("bowl", dx=0.05)]
    result = scene.pipeline.edit(scene.inverted, edits, mask=scene.masks["bowl"], strength=0, steps=4)
    columns = np.mgrid[:H, :W][1]
    was, now = (columns[shows(rgb, BLUE)].mean() for rgb in (scene.rgb, result.photo.rgb))
    assert now == pytest.approx(was - 0.05 * W, abs=0.5)


@pytest.mark.parametrize("shown", [{"box": (0.2, 0.3, 0.4, 0.6)}, {"point": (0.3, 0.5)}])
@pytest.mark.parametrize("edit", [Paste("mug", PIXELS), LookOf(PIXELS)])
def test_what_is_shown_is_not_ignored(scene: Scene, shown: dict[str, Any], edit: Edit) -> None:
    with pytest.raises(UsageError, match=r"^a mask, box or point shows an object .* nothing here edits one"):
        scene.pipeline.edit(scene.inverted, edit, **shown)


def test_a_missing_file_is_told_before_any_work(scene: Scene, tmp_path: Path) -> None:
    none, before = tmp_path / "none.png", scene.pipeline.backbone.evaluations
    late: list[Edit] = [Paste("mug", none), LookOf(none), Like("mug", none), Reshape("mug", none)]
    for edit in late:
        with pytest.raises(PhotoError, match="no such file"):
            scene.pipeline.edit(scene.rgb, [Remove("bowl"), edit], steps=5)
    assert scene.pipeline.backbone.evaluations == before


def test_what_is_not_in_another_photo_is_told_by_that_photos_name(scene: Scene, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    for source, name in ((tmp_path / "noise.png", "noise.png"), (noise, "the other photo")):
        with pytest.raises(ObjectNotFoundError, match=rf"^{name}: no 'zebra' found .*; use another word$"):
            scene.pipeline.edit(scene.inverted, Paste("zebra", source), strength=0)


def test_a_photo_in_which_nothing_can_be_told_apart_is_refused(scene: Scene) -> None:
    speck = np.zeros((20, 15, 3), np.uint8)
    calls: list[Callable[[], object]] = [
        lambda: scene.pipeline.edit(speck, Remove("mug")),
        lambda: scene.pipeline.edit(scene.inverted, Paste("mug", speck)),
        lambda: scene.pipeline.locate(speck, "mug"),
        lambda: scene.pipeline.invert(speck),
    ]
    for call in calls:
        with pytest.raises(PhotoError, match=r"^the photo is 15 x 20 pixels, too small .* 16 x 16 or more$"):
            call()


def test_nothing_shown_is_told_before_any_work(scene: Scene) -> None:
    before = scene.pipeline.backbone.evaluations
    for edit in (Move(None, 0.1), Retouch("a can"), Background(None, "marble")):
        with pytest.raises(UsageError, match="what is to be edited"):
            scene.pipeline.edit(scene.rgb, edit, steps=5)
    with pytest.raises(UsageError, match="taken away before it is edited"):
        scene.pipeline.edit(scene.rgb, [Remove(None), Move(None, 0.1)], box=(0.2, 0.3, 0.4, 0.6))
    assert scene.pipeline.backbone.evaluations == before


def test_what_was_shown_and_removed_may_be_painted_into(scene: Scene) -> None:
    edits = [Remove(None), Retouch("a can")]
    result = scene.pipeline.edit(scene.inverted, edits, mask=scene.masks["mug"], steps=4)
    assert result.region[scene.masks["mug"]].mean() > 0.9
