"""Steps that carry a look from one object to another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.color import rgb2lab

from realedit.edits.kinds import Like, LookOf, SwapLooks
from realedit.errors import UsageError
from realedit.settings import Settings

Scene = Any
"""Of conftest."""


def _mean(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return rgb2lab(rgb)[mask].mean(0)


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_the_mean_colour_goes_towards_the_others(scene: Scene, strength: float) -> None:
    mug, bowl = scene.masks["mug"], scene.masks["bowl"]
    (outcome,) = scene.run(Like("mug", None, "bowl"), Settings(strength=strength))
    wanted = _mean(scene.rgb, bowl)
    before, after = (np.linalg.norm(_mean(rgb, mug) - wanted) for rgb in (scene.rgb, outcome.photo.rgb))
    assert after < 0.5 * before
    assert np.array_equal(outcome.photo.rgb[~outcome.region], scene.rgb[~outcome.region])
    assert np.array_equal(outcome.photo.rgb[bowl], scene.rgb[bowl])
    assert (outcome.mask_after > 0.5)[mug].mean() > 0.95


def test_in_pixels_alone_only_the_object_changes(scene: Scene) -> None:
    (outcome,) = scene.run(Like("mug", None, "bowl"))
    changed = (outcome.photo.rgb != scene.rgb).any(-1)
    assert not changed[outcome.mask_after == 0].any()
    assert changed[scene.masks["mug"]].all()


def test_a_label_of_another_colour_keeps_it(scene: Scene) -> None:
    mug = scene.masks["mug"]
    label = np.zeros_like(mug)
    label[46:54, 36:48] = True
    rgb = scene.rgb.copy()
    rgb[label] = (230, 230, 226)
    result = scene.pipeline.edit(rgb, Like(None, None, "bowl"), mask=mug, strength=0, steps=4)
    assert np.abs(result.photo.rgb[48:52, 38:46].astype(int) - 228).max() < 10
    paint = mug & ~label
    wanted = _mean(scene.rgb, scene.masks["bowl"])
    assert np.linalg.norm(_mean(result.photo.rgb, paint) - wanted) < 0.3 * np.linalg.norm(
        _mean(rgb, paint) - wanted
    )


def test_two_objects_exchange_their_colours(scene: Scene) -> None:
    mug, bowl = scene.masks["mug"], scene.masks["bowl"]
    (outcome,) = scene.run(SwapLooks("mug", "bowl"))
    for one, other in ((mug, bowl), (bowl, mug)):
        wanted = _mean(scene.rgb, other)
        near, far = (np.linalg.norm(_mean(rgb, one) - wanted) for rgb in (outcome.photo.rgb, scene.rgb))
        assert near < 0.3 * far
    assert np.array_equal(outcome.photo.rgb[~outcome.region], scene.rgb[~outcome.region])
    assert set(outcome.mattes) == {"mug", "bowl"}


def test_the_whole_photo_takes_another_ones_look(scene: Scene) -> None:
    rng = np.random.default_rng(2)
    other = (np.array([170, 140, 70]) + rng.normal(0, 15, (80, 100, 3))).clip(0, 255).astype(np.uint8)
    result = scene.pipeline.edit(scene.inverted, LookOf(other), steps=4)
    everywhere = np.ones(scene.rgb.shape[:2], bool)
    wanted = _mean(other, np.ones(other.shape[:2], bool))
    before, after = (np.linalg.norm(_mean(rgb, everywhere) - wanted) for rgb in (scene.rgb, result.photo.rgb))
    assert after < 0.5 * before
    assert result.region.all()
    # the layout stays: the discs stand out from the table where they did
    light = rgb2lab(result.photo.rgb)
    for mask in scene.masks.values():
        beside = ~(scene.masks["mug"] | scene.masks["bowl"])
        assert np.linalg.norm(light[mask].mean(0) - light[beside].mean(0)) > 5


def test_the_other_photo_is_inverted_as_the_photo_was(scene: Scene) -> None:
    """Keys and values are lent level by level, so that the levels must be the same."""
    result = scene.pipeline.edit(scene.inverted, LookOf(scene.rgb[:48, :64]))
    assert result.recipe["steps"] == 4
    kept = [entry.metadata["steps"] for entry in scene.pipeline.cache.entries()]
    assert set(kept) == {"4"}


def test_a_look_from_another_photo_needs_a_name_there(scene: Scene) -> None:
    with pytest.raises(UsageError, match=r"photo"):
        scene.pipeline.edit(
            scene.inverted, Like(None, scene.rgb[:48, :64]), mask=scene.masks["mug"], strength=0, steps=4
        )
