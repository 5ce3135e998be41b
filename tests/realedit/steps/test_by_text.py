"""Steps that paint by text: where they may change the photo, and where they must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from guidance.guide import MET
from realedit.edits.kinds import Background, Move, Replace, Restyle, Retouch
from realedit.errors import UsageError
from realedit.result import EditResult
from realedit.steps.by_text import _MISSED, _thin

Scene = Any
"""Of conftest."""
BOX = (0.55, 0.05, 0.95, 0.35)


def _changed(scene: Scene, result: EditResult) -> np.ndarray:
    return (result.photo.rgb != scene.rgb).any(-1)


def test_a_retouch_changes_nothing_outside_its_box(scene: Scene) -> None:
    result = scene.pipeline.edit(scene.inverted, Retouch("a red can"), box=BOX)
    h, w = scene.rgb.shape[:2]
    inside = np.zeros((h, w), bool)
    inside[round(0.05 * h) - 2 : round(0.35 * h) + 2, round(0.55 * w) - 2 : round(0.95 * w) + 2] = True
    changed = _changed(scene, result)
    assert changed.sum() > 50
    assert not (changed & ~inside).any()
    assert not (result.region & ~inside).any()
    assert result.metrics["changed_outside_region"] == 0
    assert result.metrics["model_evaluations"] > 0


def test_a_restyle_changes_nothing_outside_the_object(scene: Scene) -> None:
    mask = scene.masks["mug"]
    result = scene.pipeline.edit(scene.inverted, Restyle(None, "a green mug"), mask=mask)
    changed = _changed(scene, result)
    assert changed[mask].mean() > 0.5
    assert not (changed & (result.mask_before == 0)).any()
    assert np.array_equal(result.mask_after, result.mask_before)
    assert np.array_equal(result.region, result.mask_before > 0)


def test_a_replacement_changes_the_place_and_no_more(scene: Scene) -> None:
    mask = scene.masks["mug"]
    result = scene.pipeline.edit(scene.inverted, Replace(None, "a bowl"), mask=mask)
    changed = _changed(scene, result)
    assert changed[mask].mean() > 0.9
    assert not (changed & ~result.region).any()
    assert result.region.mean() < 0.3
    assert not changed[:, 100:].any()


def test_a_background_leaves_the_objects_core_to_the_bit(scene: Scene) -> None:
    mask = scene.masks["mug"]
    result = scene.pipeline.edit(scene.inverted, Background(None, "a marble table"), mask=mask)
    core = result.mask_before == 1
    assert core.sum() > 300
    assert np.array_equal(result.photo.rgb[core & ~result.region], scene.rgb[core & ~result.region])
    assert not _changed(scene, result)[core].any()
    assert _changed(scene, result)[result.mask_before == 0].mean() > 0.8
    assert result.metrics["changed_outside_region"] == 0


@pytest.mark.parametrize("edit", [Retouch("a can"), Restyle(None, "a green mug")])
def test_the_seed_and_the_text_decide_the_bytes(scene: Scene, edit: Retouch | Restyle) -> None:
    mask = scene.masks["bowl"]
    one, again = (scene.pipeline.edit(scene.inverted, edit, mask=mask, seed=3).photo.rgb for _ in range(2))
    other = scene.pipeline.edit(scene.inverted, replace(edit, text="a yellow box"), mask=mask, seed=3)
    assert np.array_equal(one, again)
    assert (one != other.photo.rgb).any()


def test_the_prompt_says_what_the_photo_then_shows(scene: Scene) -> None:
    (styled,) = scene.run(Restyle("mug", "a green mug"))
    assert styled.prompt == "a photo of a green mug and a bowl on a table"
    (replaced,) = scene.run(Replace("bowl", "an old can"))
    assert replaced.prompt == "a photo of a mug and an old can on a table"
    (behind,) = scene.run(Background("mug", "marble"))
    assert behind.prompt == "a photo of a mug on marble"


def test_a_text_with_a_backslash_is_a_text(scene: Scene) -> None:
    (styled,) = scene.run(Restyle("mug", r"a C:\new mug"))
    assert styled.prompt == r"a photo of a C:\new mug and a bowl on a table"


def test_a_restyled_object_can_be_moved_by_its_word(scene: Scene) -> None:
    styled, moved = scene.run([Restyle("mug", "a green mug"), Move("mug", dy=-0.2)])
    x, y = styled.location.centroid
    assert moved.location.centroid == pytest.approx((x, y), abs=0.005)
    assert moved.metrics["centroid_error"] < 0.005


def test_what_nobody_shows_or_names_cannot_be_painted(scene: Scene) -> None:
    with pytest.raises(UsageError, match=r"^what is to be edited\?; give a word, a mask, a box or a point"):
        scene.pipeline.edit(scene.inverted, Retouch("a can"))


def test_of_the_embedded_model_no_painting_is_promised(scene: Scene) -> None:
    result = scene.pipeline.edit(scene.inverted, Retouch("an apple"), box=(0.5, 0.5, 0.7, 0.7))
    assert any("too small to paint" in warning for warning in result.warnings)
    moved = scene.pipeline.edit(scene.inverted, Move("mug", dx=0.05), box=(0.2, 0.4, 0.5, 0.8), strength=0)
    assert not moved.warnings


def test_an_outline_that_was_not_held_is_told_in_words_of_photos(scene: Scene) -> None:
    result = scene.pipeline.edit(scene.inverted, Restyle(None, "a green mug"), mask=scene.masks["mug"])
    told = [warning for warning in result.warnings if "outline" in warning]
    missed = result.metrics["reached_shape"] < MET
    assert told == ([_MISSED] if missed else [])
    assert "reached" not in _MISSED
    assert not any("%" in warning for warning in result.warnings)


def test_several_steps_do_not_warn_of_the_same_twice(scene: Scene) -> None:
    edits = [Retouch("an apple"), Retouch("a can")]
    result = scene.pipeline.edit(scene.inverted, edits, box=(0.5, 0.5, 0.7, 0.7))
    assert len(set(result.warnings)) == len(result.warnings)


def test_a_scratch_is_painted_over_and_a_wide_region_is_left_to_its_own_fading() -> None:
    region = np.zeros((300, 400), bool)
    region[100, 20:380] = True  # a pixel wide
    region[200:280, 100:300] = True
    alpha = _thin(region, 8)
    assert (alpha[100, 20:380] > 0.9).all()
    assert alpha[~region].max() == 0
    assert alpha[150:].max() == 0
