"""Tests of realedit.external.segmenter: heat by word, masks by box, and where both lie in the photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realedit.external.load import Loaded
from realedit.external.segmenter import BoxSegmenter, WordSegmenter, best_mask, load_segmenter

SAMS = ("sam", "sam_hq", "sam2")
LANDSCAPE, PORTRAIT = (40, 64), (64, 40)
BOX = (8, 8, 32, 32)
SIZES = ("original_sizes", "reshaped_input_sizes")

Get = Callable[[str], Loaded]
Draw = Callable[[tuple[int, int], tuple[int, int, int, int]], np.ndarray]


@dataclass
class Raw:
    """SAM's output."""

    pred_masks: torch.Tensor
    iou_scores: torch.Tensor


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def boxed(size: tuple[int, int], box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def shown(loaded: Loaded, photo: np.ndarray, **more: object) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The picture that a model is given, [h, w] of which the photo's bright places are positive."""
    inputs = loaded.inputs(photo, **more)
    picture = inputs["pixel_values"][0].mean(0)
    padded = picture == 0  # after normalisation: black is negative
    picture = picture - (picture.min() + picture.max()) / 2
    picture[padded] = -1
    return picture, [inputs[key] for key in SIZES if key in inputs]


@pytest.mark.parametrize("model_type", SAMS)
@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_what_sam_is_shown_is_where_its_mask_comes_back(
    loaded_of: Get, draw: Draw, model_type: str, size: tuple[int, int]
) -> None:
    loaded = loaded_of(model_type)
    picture, sizes = shown(loaded, draw(size, BOX))
    small = torch.nn.functional.interpolate(picture[None, None], (16, 16), mode="area")
    output = Raw(pred_masks=small[None], iou_scores=torch.ones(1, 1, 1))
    mask = best_mask(loaded, output, sizes)
    assert mask.dtype == bool
    assert mask.shape == size
    assert iou(mask, boxed(size, BOX)) > 0.75


@pytest.mark.parametrize("model_type", SAMS)
@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_a_box_in_the_photo_is_about_the_same_thing_in_what_sam_is_shown(
    loaded_of: Get, draw: Draw, model_type: str, size: tuple[int, int]
) -> None:
    loaded = loaded_of(model_type)
    photo = draw(size, BOX)
    inputs = loaded.inputs(photo, input_boxes=[[[float(side) for side in BOX]]])
    assert inputs["input_boxes"].dtype == torch.float32
    picture, _ = shown(loaded, photo)
    rows, columns = torch.where(picture > 0)
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = [float(edge) for edge in edges]
    assert inputs["input_boxes"].flatten().tolist() == pytest.approx(found, abs=1.5)


def test_the_box_that_sam_gets_is_in_pixels(
    loaded_of: Get, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = loaded_of("sam2")
    given: list[torch.Tensor] = []
    handle = loaded.model.prompt_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: given.append(kwargs["input_boxes"]), with_kwargs=True
    )
    h, w = LANDSCAPE
    BoxSegmenter(loaded).mask(draw(LANDSCAPE, BOX), (8 / w, 8 / h, 32 / w, 32 / h))
    handle.remove()
    # SAM 2 sees the photo stretched to its square of 64
    assert given[0].flatten().tolist() == pytest.approx([8, 8 * 64 / 40, 32, 32 * 64 / 40], abs=1e-3)


def test_of_several_masks_the_one_that_is_trusted_most_is_taken(loaded_of: Get, draw: Draw) -> None:
    loaded = loaded_of("sam")
    _, sizes = shown(loaded, draw((64, 64), BOX))
    masks = torch.full((1, 1, 3, 16, 16), -5.0)
    masks[0, 0, 0, :8], masks[0, 0, 1, 8:], masks[0, 0, 2] = 5.0, 5.0, 5.0
    output = Raw(pred_masks=masks, iou_scores=torch.tensor([[[0.2, 0.9, 0.5]]]))
    mask = best_mask(loaded, output, sizes)
    assert mask[40:].all()
    assert not mask[:24].any()


@pytest.mark.parametrize("model_type", SAMS)
def test_a_photo_and_a_box_go_in_and_one_mask_comes_out(
    folder_of: Callable[[str], Path], model_type: str
) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (*LANDSCAPE, 3), dtype=np.uint8)
    segmenter = load_segmenter(folder_of(model_type), offline=True)
    assert isinstance(segmenter, BoxSegmenter)
    mask = segmenter.mask(photo, (0.2, 0.3, 0.6, 0.8))
    assert mask.shape == LANDSCAPE
    assert mask.dtype == bool
    assert np.array_equal(mask, segmenter.mask(photo, (0.2, 0.3, 0.6, 0.8)))


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_clipseg_sees_the_whole_photo_stretched(loaded_of: Get, draw: Draw, size: tuple[int, int]) -> None:
    picture, _ = shown(loaded_of("clipseg"), draw(size, BOX), text=["mug"])
    assert picture.shape == (32, 32)
    wide = cv2.resize(picture.numpy(), size[::-1], interpolation=cv2.INTER_CUBIC)  # as from_heat does
    assert iou(wide > 0, boxed(size, BOX)) > 0.85


def test_heat_is_a_probability_for_each_place(folder_of: Callable[[str], Path]) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (*LANDSCAPE, 3), dtype=np.uint8)
    segmenter = load_segmenter(folder_of("clipseg"), offline=True)
    assert isinstance(segmenter, WordSegmenter)
    heat = segmenter.heat(photo, "mug")
    assert heat.shape == (32, 32)
    assert heat.dtype == np.float32
    assert 0 <= heat.min() < heat.max() <= 1
    with torch.inference_mode():
        inputs = segmenter.loaded.inputs(photo, text=["a photo of a mug"])
        logits = segmenter.loaded.model(**inputs).logits.numpy()
    assert np.allclose(heat, 1 / (1 + np.exp(-logits.reshape(32, 32))), atol=1e-6)
    assert not np.allclose(heat, segmenter.heat(photo, "bowl"), atol=1e-6)


def test_a_photo_of_three_rows_is_no_photo_of_three_channels(loaded_of: Get) -> None:
    photo = np.zeros((3, 50, 3), np.uint8)
    assert WordSegmenter(loaded_of("clipseg")).heat(photo, "mug").shape == (32, 32)
    assert BoxSegmenter(loaded_of("sam2")).mask(photo, (0.0, 0.0, 1.0, 1.0)).shape == (3, 50)
