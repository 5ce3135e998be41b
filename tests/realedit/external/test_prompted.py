"""Tests of realedit.external.prompted: where points, boxes and masks lie in what SAM is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from realedit.external.load import Loaded
from realedit.external.prompted import Outline, Prompt, PromptSegmenter

SAMS = ("sam", "sam_hq", "sam2")
LANDSCAPE, PORTRAIT = (40, 64), (64, 40)
BOX = (8, 8, 32, 32)

Get = Callable[[str], Loaded]
Draw = Callable[[tuple[int, int], tuple[int, int, int, int]], np.ndarray]


def told(loaded: Loaded, photo: np.ndarray, prompt: Prompt, *, several: bool) -> tuple[dict[str, Any], Any]:
    """What SAM's prompt encoder and its picture encoder are given."""
    given: list[dict[str, Any]] = []
    pictures: list[torch.Tensor] = []
    asked = loaded.model.prompt_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: given.append(kwargs), with_kwargs=True
    )
    seen = loaded.model.vision_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: pictures.append(args[0] if args else kwargs["pixel_values"]),
        with_kwargs=True,
    )
    outlines = PromptSegmenter(loaded).outlines(photo, prompt, several=several)
    asked.remove()
    seen.remove()
    check(outlines, photo)
    picture = pictures[0][0].mean(0)
    return given[0], picture > (picture.max() + picture.min()) / 2


def check(outlines: list[Outline], photo: np.ndarray) -> None:
    assert all(one.logits.shape == photo.shape[:2] and one.logits.dtype == np.float32 for one in outlines)
    assert [one.sure for one in outlines] == sorted((one.sure for one in outlines), reverse=True)
    assert all(0 <= one.sure <= 1 for one in outlines)


@pytest.mark.parametrize("model_type", SAMS)
@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_a_mask_lies_where_the_thing_is_shown(
    loaded_of: Get, draw: Draw, model_type: str, size: tuple[int, int]
) -> None:
    photo = draw(size, BOX)
    prompt = Prompt(box=BOX, mask=(photo[..., 0] > 0).astype(np.float32))
    given, bright = told(loaded_of(model_type), photo, prompt, several=False)
    mask = given["input_masks"][0, 0]
    assert mask.shape == (16, 16)
    small = torch.nn.functional.interpolate(bright[None, None].float(), (16, 16), mode="area")[0, 0]
    clear = (small < 0.05) | (small > 0.95)
    assert ((mask > 0) == (small > 0.5))[clear].all()
    assert float(mask.min()) == -float(mask.max())


@pytest.mark.parametrize("model_type", SAMS)
def test_points_and_a_box_lie_where_they_are_shown(loaded_of: Get, draw: Draw, model_type: str) -> None:
    photo = draw(PORTRAIT, BOX)
    prompt = Prompt(((20, 20), (36, 50)), (True, False), BOX)
    given, bright = told(loaded_of(model_type), photo, prompt, several=True)
    rows, columns = torch.where(bright)
    middle = [float(columns.float().mean()), float(rows.float().mean())]
    assert given["input_points"][0, 0, 0].tolist() == pytest.approx(middle, abs=1)
    assert given["input_labels"].flatten().tolist() == [1, 0]
    edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert given["input_boxes"].flatten().tolist() == pytest.approx([float(e) for e in edges], abs=1.5)


@pytest.mark.parametrize("model_type", SAMS)
def test_a_point_has_three_readings_and_what_is_clear_has_one(
    loaded_of: Get, draw: Draw, model_type: str
) -> None:
    segmenter, photo = PromptSegmenter(loaded_of(model_type)), draw(LANDSCAPE, BOX)
    point = Prompt(((20, 20),), (True,))
    assert len(segmenter.outlines(photo, point, several=True)) == 3
    assert len(segmenter.outlines(photo, Prompt(box=BOX), several=False)) == 1
