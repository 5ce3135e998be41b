"""Steps that take objects up and put them down, on the real model; where things are is given, not found."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from realedit import RealEditPipeline
from realedit.edits.entries import read_entries
from realedit.edits.kinds import Copy, Flip, LookOf, Move, Paste, Remove, Reshape, Resize, Rotate, Swap
from realedit.edits.recipe import read_file
from realedit.errors import OutOfFrameError, UsageError
from realedit.external.inpainter import Inpainter
from realedit.external.lama import Lama
from realedit.result import EditResult
from realedit.settings import Settings
from realedit.steps import do
from realedit.steps.sequence import after
from realedit.steps.work import Outcome

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"
H, W = 96, 144
RED, BLUE = (205, 45, 35), (40, 70, 200)

Near = Callable[[np.ndarray, tuple[int, int, int]], np.ndarray]
Scene = Any
"""Of conftest."""


def _centroid(weight: np.ndarray) -> tuple[float, float]:
    """(x, y) in pixels."""
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


def _axis(weight: np.ndarray) -> float:
    """Direction of the long axis by second moments, degrees clockwise on screen from the x axis, mod 180."""
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    x, y = _centroid(weight)
    dx, dy = columns - x, rows - y
    xx, yy, xy = ((weight * product).sum() for product in (dx * dx, dy * dy, dx * dy))
    return math.degrees(0.5 * math.atan2(2 * xy, xx - yy)) % 180


@pytest.fixture(scope="module")
def removed(scene: Scene) -> EditResult:
    return scene.pipeline.edit(scene.inverted, Remove(None), mask=scene.masks["mug"], seed=1)


def test_of_a_removed_object_nothing_is_left(scene: Scene, removed: EditResult, shows: Near) -> None:
    mug, bowl = scene.masks["mug"], scene.masks["bowl"]
    assert shows(scene.rgb, RED).sum() > 400
    assert shows(removed.photo.rgb, RED).sum() == 0
    assert np.abs(removed.photo.rgb[mug].astype(float) - 140).mean() < 25
    assert removed.region[mug].all()
    assert not removed.mask_after.any()
    assert (shows(removed.photo.rgb, BLUE) & bowl).sum() == bowl.sum()


def test_outside_the_region_a_removal_leaves_the_photo_to_the_bit(scene: Scene, removed: EditResult) -> None:
    assert removed.metrics["changed_outside_region"] == 0
    assert np.array_equal(removed.photo.rgb[~removed.region], scene.rgb[~removed.region])
    assert 0.03 < removed.region.mean() < 0.35
    assert removed.metrics["model_evaluations"] == 0  # the embedded model does not resample by default


def test_a_removed_objects_words_leave_the_prompt(scene: Scene) -> None:
    (outcome,) = scene.run(Remove("mug"))
    assert outcome.prompt == "a photo of a bowl on a table"
    assert not outcome.mattes


def test_the_recipe_of_a_run_is_read_back(scene: Scene, removed: EditResult, tmp_path: Path) -> None:
    assert read_entries(removed.recipe["edits"]) == [Remove(None)]
    removed.save(tmp_path / "removed.png")
    assert read_file(tmp_path / "removed.png.realedit.json").edits == [Remove(None)]
    edits = [Move(None, 0.1, -0.05), Rotate(None, 20.0), Resize(None, 1.25)]
    result = scene.pipeline.edit(scene.inverted, edits, mask=scene.masks["mug"], strength=0)
    assert read_entries(result.recipe["edits"]) == edits


@pytest.mark.parametrize("angle", [30.0, -75.0, 140.0])
def test_a_turned_objects_second_moments_turn_by_the_angle(scene: Scene, angle: float) -> None:
    """Clockwise on screen, and round although the frame is not square."""
    rows, columns = np.mgrid[:H, :W] + 0.5
    bar = (np.abs(columns - 70) < 22) & (np.abs(rows - 48) < 6)
    # the bar is not in the picture, so that there is no edge to refine it by
    result = scene.pipeline.edit(scene.inverted, Rotate(None, angle), mask=bar, refine=False, strength=0)
    assert _axis(result.mask_before) == pytest.approx(0, abs=0.01) or _axis(
        result.mask_before
    ) == pytest.approx(180, abs=0.01)
    turned = (_axis(result.mask_after) - angle + 90) % 180 - 90
    assert turned == pytest.approx(0, abs=1)
    assert _centroid(result.mask_after) == pytest.approx((70, 48), abs=0.5)
    assert result.metrics["size_ratio"] == pytest.approx(1, rel=0.02)
    assert result.metrics["centroid_error"] < 0.005


def test_a_turn_and_a_move_are_one_step(scene: Scene) -> None:
    both = [Rotate(None, 40), Move(None, dx=0.2), Resize(None, 1.3)]
    result = scene.pipeline.edit(scene.inverted, both, mask=scene.masks["mug"])
    x, y = _centroid(result.mask_before)
    # the foot of the disc, 13 pixels below its middle, stays at its height
    assert _centroid(result.mask_after) == pytest.approx((x + 0.2 * W, y - 0.3 * 13), abs=0.5)
    assert result.metrics["size_ratio"] == pytest.approx(1.69, rel=0.03)
    assert result.metrics["changed_outside_region"] == 0
    assert not any(name.startswith("step_") for name in result.metrics)


def test_a_resized_object_keeps_standing_where_it_stood(scene: Scene, shows: Near) -> None:
    result = scene.pipeline.edit(scene.inverted, Resize(None, 1.5), mask=scene.masks["mug"], strength=0)
    rows, columns = np.nonzero(shows(result.photo.rgb, RED))
    foot = np.flatnonzero(scene.masks["mug"].any(1))[-1]
    assert rows.max() == pytest.approx(foot, abs=1)
    assert rows.max() - rows.min() == pytest.approx(1.5 * 26, abs=2)
    assert columns.mean() == pytest.approx(42, abs=1)
    centred = scene.pipeline.edit(
        scene.inverted, Resize(None, 1.5, "centre"), mask=scene.masks["mug"], strength=0
    )
    assert _centroid(centred.mask_after) == pytest.approx((42, 52), abs=0.5)


def test_a_copy_is_the_object_again_and_the_first_stays_to_the_bit(scene: Scene, shows: Near) -> None:
    edits = Copy("mug", 0.0, -0.28, scale=0.5, perspective="off")
    (outcome,) = scene.run(edits)
    mug = scene.masks["mug"]
    assert (outcome.photo.rgb[mug] == scene.rgb[mug]).all()
    assert (outcome.photo.rgb[~outcome.region] == scene.rgb[~outcome.region]).all()
    second = shows(outcome.photo.rgb, RED) & ~mug
    rows, columns = np.nonzero(second)
    assert rows.max() + 1 == pytest.approx(65 - 0.28 * H, abs=1)
    assert (columns.mean(), second.sum()) == pytest.approx((42, mug.sum() / 4), rel=0.15)
    assert outcome.metrics["size_ratio"] == pytest.approx(0.25, rel=0.05)
    assert outcome.warnings == ()


def test_a_copy_through_the_model_keeps_the_first_and_changes_no_other_pixel(scene: Scene) -> None:
    (outcome,) = scene.run(Copy("mug", 0.0, -0.28, scale=0.5), Settings(strength=0.5))
    assert outcome.metrics["changed_outside_region"] == 0
    assert (outcome.photo.rgb[scene.masks["mug"]] == scene.rgb[scene.masks["mug"]]).mean() > 0.8
    off = np.abs(outcome.photo.rgb[outcome.mask_after > 0.99].astype(int) - RED)
    assert off.mean() < 12


def test_what_lies_on_another_thing_is_warned_of(scene: Scene) -> None:
    (over,) = scene.run(Copy("mug", 0.05, perspective="off"))
    assert over.warnings == ("at its new place the object covers another thing that was there",)


def test_an_object_that_comes_nearer_becomes_larger_by_the_horizon_that_is_told(scene: Scene) -> None:
    (outcome,) = scene.run(Move("mug", dy=0.2, perspective=0.3))
    foot = 65 / H
    times = (foot + 0.2 - 0.3) / (foot - 0.3)
    assert outcome.metrics["perspective_scale"] == pytest.approx(times)
    assert outcome.metrics["size_ratio"] == pytest.approx(times**2, rel=0.03)
    assert np.flatnonzero((outcome.mask_after > 0.5).any(1))[-1] + 1 == pytest.approx(65 + 0.2 * H, abs=1)
    (plain,) = scene.run(Move("mug", dy=0.2))  # the discs' photo has no lines
    assert "perspective_scale" not in plain.metrics
    assert plain.metrics["size_ratio"] == pytest.approx(1, rel=0.01)


def test_a_cut_objects_edge_is_kept_out_of_the_photo_unless_allowed(scene: Scene) -> None:
    mask = np.zeros((H, W), bool)
    mask[30:70, :20] = True
    edit = scene.pipeline.edit
    with pytest.raises(
        OutOfFrameError, match=r"^the object goes on beyond the frame at the left.*allow-crop"
    ):
        edit(scene.rgb, Move(None, dx=0.2), mask=mask, strength=0, steps=4)
    shown = edit(scene.rgb, Move(None, dx=0.2), mask=mask, strength=0, steps=4, allow_crop=True)
    assert any("its straight edge now shows" in warning for warning in shown.warnings)
    # smaller, and still at the border where it goes on
    smaller = edit(scene.rgb, Resize(None, 0.5), mask=mask, strength=0, steps=4)
    left, _, right, low = smaller.changes[0].after
    assert (left, right * W, low * H) == pytest.approx((0, 10, 70), abs=1)


_BODY, _HANDLE = (slice(40, 70), slice(40, 60)), (slice(40, 52), slice(60, 70))
_TWICE_CENTROID = (105, 107)
"""Of both together, (x, y) in pixels: whole numbers, so that every pixel is mirrored onto a pixel."""


def _jug(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """A red body with a green handle at its upper right on the scene's table, and the mask of both."""
    rgb = np.broadcast_to(np.uint8(140), (H, W, 3)) + np.random.default_rng(1).integers(-4, 5, (H, W, 1))
    mask = np.zeros((H, W), bool)
    rgb[_BODY], rgb[_HANDLE] = RED, (40, 160, 60)
    mask[_BODY] = mask[_HANDLE] = True
    rgb[scene.masks["bowl"]] = BLUE
    return rgb.astype(np.uint8), mask


def _mirrored(array: np.ndarray, direction: str) -> np.ndarray:
    """An array ``[H, W, ...]`` mirrored about the jug's centroid; what comes in from outside is 0."""
    axis, twice = (1, _TWICE_CENTROID[0]) if direction == "horizontal" else (0, _TWICE_CENTROID[1])
    source = twice - 1 - np.arange(array.shape[axis])
    inside = (source >= 0) & (source < array.shape[axis])
    taken = np.take(array, np.where(inside, source, 0), axis)
    return taken * inside.reshape([-1 if k == axis else 1 for k in range(array.ndim)])


@pytest.mark.parametrize("strength", [0.0, 0.5])
@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_a_flipped_object_is_its_mirror_image_and_all_else_is_as_it_was(
    scene: Scene, shows: Near, direction: Literal["horizontal", "vertical"], strength: float
) -> None:
    rgb, mask = _jug(scene)
    result = scene.pipeline.edit(rgb, Flip(None, direction), mask=mask, strength=strength, steps=4)
    np.testing.assert_allclose(result.mask_after, _mirrored(result.mask_before, direction), atol=1e-3)
    assert result.metrics["centroid_error"] < 1e-4
    assert result.metrics["size_ratio"] == pytest.approx(1, abs=1e-4)
    inner = (result.mask_after > 0.99) & _mirrored(mask, direction)
    off = np.abs(result.photo.rgb.astype(int) - _mirrored(rgb, direction))[inner]
    assert off.max() <= (1 if strength == 0 else 40)
    assert off.mean() < (0.1 if strength == 0 else 4)
    assert np.array_equal(result.photo.rgb[~result.region], rgb[~result.region])
    left = mask & (result.mask_after == 0)  # of the old outline nothing is left
    assert left.sum() > 100
    for colour in (RED, (40, 160, 60)):
        assert not shows(result.photo.rgb, colour)[left].any()
    assert np.abs(result.photo.rgb[left].astype(float) - 140).mean() < 10
    assert read_entries(result.recipe["edits"]) == [Flip(None, direction)]


def test_flipping_twice_with_an_edit_between_gives_the_object_back(scene: Scene) -> None:
    rgb, mask = _jug(scene)
    edits = [Flip(None), LookOf(rgb), Flip(None)]
    result = scene.pipeline.edit(rgb, edits, mask=mask, strength=0, steps=4)
    np.testing.assert_allclose(result.mask_after, result.mask_before, atol=0.05)


def test_a_flip_and_a_move_are_one_step(scene: Scene) -> None:
    rgb, mask = _jug(scene)
    result = scene.pipeline.edit(rgb, [Flip(None), Move(None, dx=0.25)], mask=mask, strength=0, steps=4)
    flipped = _mirrored(result.mask_before, "horizontal")
    np.testing.assert_allclose(result.mask_after, np.roll(flipped, round(0.25 * W), 1), atol=1e-3)
    assert not any(name.startswith("step_") for name in result.metrics)


def test_an_object_that_a_flip_carries_over_the_border_is_refused(scene: Scene) -> None:
    rgb = scene.rgb.copy()
    mask = np.zeros((H, W), bool)
    mask[30:60, 2:12] = mask[30:36, 12:60] = True
    with pytest.raises(OutOfFrameError, match="at the left"):
        scene.pipeline.edit(rgb, Flip(None), mask=mask, strength=0, steps=4)


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_swapped_objects_stand_on_each_others_spots(scene: Scene, shows: Near, strength: float) -> None:
    (outcome,) = scene.run(Swap("mug", "bowl"), Settings(strength=strength))
    feet = {}
    for word, matte in (*scene.masks.items(), *((f"new {w}", m > 0.5) for w, m in outcome.mattes.items())):
        rows, columns = np.flatnonzero(matte.any(1)), np.flatnonzero(matte.any(0))
        feet[word] = (columns[0] + columns[-1]) / 2, rows[-1]
    assert feet["new mug"] == pytest.approx(feet["bowl"], abs=1.01)
    assert feet["new bowl"] == pytest.approx(feet["mug"], abs=1.01)
    for word, colour in (("mug", RED), ("bowl", BLUE)):
        there = outcome.mattes[word] > 0.99
        assert shows(outcome.photo.rgb, colour)[there].mean() > 0.95
        assert outcome.mattes[word].sum() == pytest.approx(scene.masks[word].sum(), rel=0.03)
    assert np.array_equal(outcome.photo.rgb[~outcome.region], scene.rgb[~outcome.region])
    assert outcome.region[scene.masks["mug"] | scene.masks["bowl"]].all()


def test_a_swap_that_would_leave_the_frame_is_refused(scene: Scene) -> None:
    """The higher object's foot comes to where the lower one's is, and its sides over the border."""
    wide, near = np.zeros((2, H, W), bool)
    wide[40:50, 40:110], near[50:70, 4:14] = True, True
    known = {"mug": wide.astype(np.float32), "bowl": near.astype(np.float32)}
    work = scene.work()
    work = replace(work, state=replace(work.state, known=known))
    with pytest.raises(OutOfFrameError, match=r"at the left; use a smaller change"):
        do(Swap("mug", "bowl"), work)
    cut = replace(work, request=replace(work.request, allow_crop=True))
    outcome = do(Swap("mug", "bowl"), cut)
    assert (outcome.mattes["mug"][:, 0] > 0.5).any()


def test_after_a_swap_what_was_shown_is_still_one_object(scene: Scene) -> None:
    work = scene.work("mug")
    step = Swap("mug", "bowl")
    outcome = do(step, work)
    shown = after(work.state, outcome, step).shown
    assert shown is not None
    assert _centroid(shown.mask) == pytest.approx(_centroid(outcome.mattes["mug"]), abs=0.5)
    assert shown.mask.sum() == pytest.approx(scene.masks["mug"].sum(), rel=0.05)


def test_what_was_removed_is_nowhere_afterwards(scene: Scene) -> None:
    work, step = scene.work("mug"), Remove("mug")
    left = after(work.state, do(step, work), step)
    assert left.shown is None
    assert set(left.known) == {"bowl"}


def test_two_objects_move_in_one_run(scene: Scene, shows: Near) -> None:
    edits = [Move("mug", dy=-0.2), Move("bowl", dx=0.1, dy=0.1)]
    outcomes: list[Outcome] = scene.run(edits, Settings(strength=0.5))
    first, second = outcomes
    out = second.photo.rgb
    for word, colour, (dx, dy) in (("mug", RED, (0, -0.2)), ("bowl", BLUE, (0.1, 0.1))):
        x, y = _centroid(scene.masks[word])
        assert _centroid(shows(out, colour)) == pytest.approx((x + dx * W, y + dy * H), abs=1)
        assert shows(out, colour).sum() == pytest.approx(scene.masks[word].sum(), rel=0.1)
    union = first.region | second.region
    assert np.array_equal(out[~union], scene.rgb[~union])
    assert 0.05 < union.mean() < 0.8


def test_a_step_takes_an_object_up_where_the_one_before_put_it_down(scene: Scene) -> None:
    """Not neighbours, so not one step; both find the mug where it is."""
    edits = [Move("mug", dy=-0.2), Move("bowl", dx=0.05), Move("mug", dx=0.1, dy=0.1), Resize("bowl", 0.8)]
    outcomes = scene.run(edits)
    assert len(outcomes) == 4
    x, y = _centroid(scene.masks["mug"])
    assert _centroid(outcomes[0].mask_after) == pytest.approx((x, y - 0.2 * H), abs=0.5)
    assert outcomes[2].location.centroid == pytest.approx((x / W, y / H - 0.2), abs=0.01)
    assert _centroid(outcomes[2].mask_after) == pytest.approx((x + 0.1 * W, y - 0.1 * H), abs=0.5)
    assert outcomes[3].mask_after.sum() == pytest.approx(0.64 * scene.masks["bowl"].sum(), rel=0.05)


def test_the_figures_of_several_steps_go_by_their_numbers(scene: Scene) -> None:
    goal = np.zeros((H, W), np.uint8)
    goal[20:50, 60:100] = 255
    edits = [Move(None, dx=0.1), Reshape(None, goal)]
    result = scene.pipeline.edit(scene.inverted, edits, mask=scene.masks["mug"], strength=0, steps=4)
    assert {"step_1_centroid_error", "step_1_changed_outside_region", "step_2_shape_iou"} <= set(
        result.metrics
    )
    assert result.metrics["step_1_changed_outside_region"] == 0
    assert result.metrics["step_2_changed_outside_region"] == 0
    assert np.array_equal(result.photo.rgb[~result.region], scene.rgb[~result.region])
    assert result.region[scene.masks["mug"]].all()


def test_a_reshaped_object_fills_its_outline(scene: Scene, shows: Near) -> None:
    goal = np.zeros((H, W), np.uint8)
    goal[22:52, 30:80] = 255
    edit = Reshape(None, goal)
    result = scene.pipeline.edit(scene.inverted, edit, mask=scene.masks["mug"], strength=0)
    assert result.metrics["shape_iou"] > 0.97
    inner = np.zeros((H, W), bool)
    inner[24:50, 32:78] = True
    assert shows(result.photo.rgb, RED)[inner].all()
    beyond = scene.masks["mug"].copy()
    beyond[20:54, 28:82] = False
    assert beyond.sum() > 50
    assert not shows(result.photo.rgb, RED)[beyond].any()
    assert result.metrics["changed_outside_region"] == 0
    with pytest.raises(UsageError, match=r"^the outline is 10 x 8 but the photo is 144 x 96"):
        scene.pipeline.edit(
            scene.inverted, Reshape(None, np.ones((8, 10))), mask=scene.masks["mug"], strength=0
        )


def test_a_reshaped_objects_own_shading_is_no_shadow(scene: Scene) -> None:
    """About its outline the stretched picture repeats the object's rim, which says nothing of the table."""
    rgb = scene.rgb.copy()
    rows = np.mgrid[:H, :W][0]
    ball = scene.masks["mug"]
    shade = np.interp(rows, [39, 60, 65], [1.0, 0.75, 0.2])[..., None]
    rgb[ball] = (rgb * shade)[ball].astype(np.uint8)
    goal = np.zeros((H, W), np.uint8)
    goal[30:60, 60:96] = 255
    result = scene.pipeline.edit(rgb, Reshape(None, goal), mask=ball, strength=0, steps=4)
    below = result.photo.rgb[63:70, 62:94].astype(float)
    assert np.abs(below - scene.rgb[63:70, 62:94]).mean() < 3


def test_edits_of_one_shown_object_may_follow_one_of_the_whole_photo(scene: Scene) -> None:
    edits = [LookOf(scene.rgb[:, ::-1].copy()), Move(None, dx=0.2)]
    result = scene.pipeline.edit(scene.inverted, edits, mask=scene.masks["mug"], strength=0, steps=4)
    x, y = _centroid(scene.masks["mug"])
    assert _centroid(result.mask_after) == pytest.approx((x + 0.2 * W, y), abs=0.5)


def test_a_region_shows_one_object_and_not_several(scene: Scene) -> None:
    edits = [Move("mug", dx=0.1), Remove("bowl")]
    with pytest.raises(UsageError, match=r"^a mask, box or point shows one object, the edits name several"):
        scene.pipeline.edit(scene.inverted, edits, box=(0.2, 0.3, 0.4, 0.6))


@pytest.fixture(scope="module")
def donor() -> Image.Image:
    """A mug and little else."""
    return Image.open(PHOTOS / "mug.jpg").convert("RGB").crop((190, 230, 450, 490)).resize((160, 160))


def test_a_pasted_object_lies_where_it_is_wanted(
    quick: RealEditPipeline, scene: Scene, donor: Image.Image
) -> None:
    x, y = 0.5, 0.4
    result = quick.edit(scene.inverted, Paste("mug", donor, x, y, 0.5), steps=4, seed=2)
    assert _centroid(result.mask_after) == pytest.approx((x * W, y * H), abs=0.5)
    assert result.metrics["changed_outside_region"] == 0
    assert np.array_equal(result.photo.rgb[~result.region], scene.rgb[~result.region])
    core = result.mask_after > 0.99
    assert core.sum() > 20
    assert np.abs(result.photo.rgb[core].astype(float) - scene.rgb[core]).mean() > 10
    half = quick.edit(scene.inverted, Paste("mug", donor, x, y, 0.25), strength=0, steps=4)
    assert result.mask_after.sum() == pytest.approx(4 * half.mask_after.sum(), rel=0.1)


def test_a_point_shows_which_thing_of_another_photo_is_pasted(scene: Scene) -> None:
    dahlia = Image.open(PHOTOS / "dahlia.jpg")
    edit = Paste("object", dahlia, 0.5, 0.5, 0.4, from_point="0.45,0.5")
    result = scene.pipeline.edit(scene.rgb, edit, strength=0, steps=4)
    pasted = result.photo.rgb[result.mask_after > 0.9].mean(0)
    assert pasted[0] > 150 > pasted[2] + 20, "the flower is orange, and nothing else there is"
    ys, xs = np.nonzero(result.mask_after > 0.5)
    assert xs.mean() / result.photo.width == pytest.approx(0.5, abs=0.02)
    assert ys.mean() / result.photo.height == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("x", "y", "side"), [(0.01, 0.5, "left"), (0.5, 0.99, "bottom")])
def test_a_paste_over_the_border_is_refused(
    quick: RealEditPipeline, scene: Scene, donor: Image.Image, x: float, y: float, side: str
) -> None:
    edit = Paste("mug", donor, x, y, 0.5)
    with pytest.raises(OutOfFrameError, match=rf"at the {side}"):
        quick.edit(scene.inverted, edit, strength=0, steps=4)
    result = quick.edit(scene.inverted, edit, strength=0, steps=4, allow_crop=True)
    assert (result.mask_after > 0.5).any()


@pytest.mark.slow
def test_two_named_objects_change_in_one_run(pipeline: RealEditPipeline) -> None:
    """Found by their words in the sample photo, as a user would name them."""
    photo = Image.open(PHOTOS / "mug.jpg").convert("RGB").resize((320, 214), Image.Resampling.LANCZOS)
    rgb = np.array(photo)
    prompt = "a photo of a red mug on a wooden table"
    result = pipeline.edit(photo, [Move("mug", dx=0.15, dy=0.05), Remove("bowl")], prompt=prompt, steps=10)
    assert np.array_equal(result.photo.rgb[~result.region], rgb[~result.region])
    assert result.metrics["step_1_centroid_error"] < 0.01
    red = (result.photo.rgb[..., 0] > 120) & (result.photo.rgb[..., 1] < 70)
    was = (rgb[..., 0] > 120) & (rgb[..., 1] < 70)
    (x0, y0), (x1, y1) = _centroid(was), _centroid(red)
    assert x1 - x0 == pytest.approx(0.15 * 320, abs=4)
    assert y1 - y0 == pytest.approx(0.05 * 214, abs=4)
    assert result.metrics["step_2_changed_outside_region"] == 0
    x, y = _centroid(result.location.mask)  # of the two, the mug is left
    assert _centroid(result.mask_after) == pytest.approx((x + 0.15 * 320, y + 0.05 * 214), abs=1)
    assert result.mask_before[result.location.hard].mean() > 0.9
    assert read_entries(result.recipe["edits"]) == [Move("mug", dx=0.15, dy=0.05), Remove("bowl")]


def test_an_inpainter_fills_the_hole_and_the_recipe_names_it(scene: Scene, tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(dict(Lama(4, 1).state_dict()), tmp_path / "tiny-lama.safetensors")
    engine = copy(scene.pipeline.engine)
    engine.inpainter = Inpainter(tmp_path / "tiny-lama.safetensors")
    given = {"mask": scene.masks["mug"], "strength": 0, "steps": 4}
    filled = RealEditPipeline(engine).edit(scene.inverted, Remove("mug"), **given)
    ours = scene.pipeline.edit(scene.inverted, Remove("mug"), **given)
    there = scene.masks["mug"]
    assert (filled.photo.rgb[there] != ours.photo.rgb[there]).any(-1).mean() > 0.8
    # the light about the hole is kept; random weights paint no grain
    assert np.abs(filled.photo.rgb[there].mean(0) - ours.photo.rgb[there].mean(0)).max() < 3
    assert filled.photo.rgb[there].std(0).max() < ours.photo.rgb[there].std(0).min()
    assert np.array_equal(filled.photo.rgb[~filled.region], scene.rgb[~filled.region])
    assert (filled.recipe["inpainter"], ours.recipe["inpainter"]) == ("tiny-lama.safetensors", None)
    assert ours.recipe["cutout"] == "ours"
