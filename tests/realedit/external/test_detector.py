"""Tests of realedit.external.detector: from a detector's raw output to boxes in the photo."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from realedit.errors import NumericalError, ObjectNotFoundError
from realedit.external.detector import THRESHOLDS, Detector, detections, query
from realedit.external.load import Loaded

TYPES = ("owlvit", "owlv2", "grounding-dino", "mm-grounding-dino")
LANDSCAPE, PORTRAIT = (40, 64), (64, 40)
TOKENS = torch.tensor([[101, 5, 102]])

Get = Callable[[str], Loaded]
Draw = Callable[[tuple[int, int], tuple[int, int, int, int]], np.ndarray]


@dataclass
class Raw:
    """A detector's output."""

    logits: torch.Tensor
    pred_boxes: torch.Tensor


def raw(boxes: list[tuple[float, float, float, float]], scores: list[float], width: int = 3) -> Raw:
    """A detector's output: corners in fractions of what it saw, and scores in [0, 1]."""
    corners = torch.tensor(boxes, dtype=torch.float32)
    centres = torch.cat([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1)
    logits = torch.full((1, len(boxes), width), -torch.inf)
    logits[0, :, 0] = torch.tensor(scores).logit()
    return Raw(logits=logits, pred_boxes=centres[None])


def seen(model_type: str, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of what a detector's fractions are of: OWLv2 pads the photo to a square."""
    h, w = size
    return (max(h, w), max(h, w)) if model_type == "owlv2" else (w, h)


def close(got: tuple[float, ...], expected: tuple[float, ...], within: float = 1e-5) -> bool:
    return all(abs(a - b) <= within for a, b in zip(got, expected, strict=True))


@pytest.mark.parametrize("model_type", TYPES)
@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_a_box_in_pixels_becomes_fractions_of_the_photo(
    loaded_of: Get, model_type: str, size: tuple[int, int]
) -> None:
    h, w = size
    width, height = seen(model_type, size)
    pixels = (8, 4, 20, 28)
    output = raw([(8 / width, 4 / height, 20 / width, 28 / height)], [0.7])
    (found,) = detections(loaded_of(model_type), output, TOKENS, size, threshold=0.1)
    assert close(found.box, (pixels[0] / w, pixels[1] / h, pixels[2] / w, pixels[3] / h))
    assert found.score == pytest.approx(0.7, abs=1e-5)


@pytest.mark.parametrize("model_type", TYPES)
@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT])
def test_what_a_processor_shows_where_its_answers_bring_back(
    loaded_of: Get, draw: Draw, model_type: str, size: tuple[int, int]
) -> None:
    # The photo's one bright box, found in the picture that the model is given, and sent back as its answer.
    loaded = loaded_of(model_type)
    box = (8, 8, 32, 32)
    shown = loaded.inputs(draw(size, box), text=[["mug"]])["pixel_values"][0].mean(0)
    height, width = shown.shape
    rows, columns = torch.where(shown > (shown.min() + shown.max()) / 2)
    corners = (
        float(columns.min()) / width,
        float(rows.min()) / height,
        float(columns.max() + 1) / width,
        float(rows.max() + 1) / height,
    )
    (found,) = detections(loaded, raw([corners], [0.7]), TOKENS, size, threshold=0.1)
    h, w = size
    assert close(found.box, (box[0] / w, box[1] / h, box[2] / w, box[3] / h), within=0.06)


@pytest.mark.parametrize("model_type", TYPES)
def test_the_surest_comes_first_and_the_doubtful_not_at_all(loaded_of: Get, model_type: str) -> None:
    boxes = [(0.0, 0.0, 0.2, 0.2), (0.3, 0.3, 0.5, 0.5), (0.6, 0.1, 0.8, 0.3)]
    found = detections(loaded_of(model_type), raw(boxes, [0.3, 0.19, 0.9]), TOKENS, (50, 50), threshold=0.2)
    assert [round(one.score, 3) for one in found] == [0.9, 0.3]
    assert close(found[0].box, boxes[2])
    assert close(found[1].box, boxes[0])


@pytest.mark.parametrize("model_type", TYPES)
def test_two_boxes_of_one_object_count_once(loaded_of: Get, model_type: str) -> None:
    boxes = [(0.1, 0.1, 0.5, 0.5), (0.15, 0.1, 0.55, 0.5), (0.45, 0.1, 0.85, 0.5)]
    found = detections(loaded_of(model_type), raw(boxes, [0.5, 0.6, 0.4]), TOKENS, (50, 50), threshold=0.2)
    assert [round(one.score, 3) for one in found] == [0.6, 0.4]
    assert close(found[0].box, boxes[1])


def test_what_lies_beyond_the_photo_is_cut_off(loaded_of: Get) -> None:
    # Of a photo of 64 x 32, OWLv2 sees a square whose lower half is padding.
    boxes = [(0.5, 0.25, 0.75, 0.75), (0.1, 0.6, 0.3, 0.9), (-0.1, 0.1, 0.25, 0.2)]
    found = detections(loaded_of("owlv2"), raw(boxes, [0.9, 0.8, 0.7]), TOKENS, (32, 64), threshold=0.1)
    assert len(found) == 2
    assert close(found[0].box, (0.5, 0.5, 0.75, 1.0))
    assert close(found[1].box, (0.0, 0.2, 0.25, 0.4))


def test_what_is_too_thin_to_cut_out_is_no_object(loaded_of: Get) -> None:
    boxes = [(0.1, 0.1, 0.11, 0.9), (0.9995, 0.2, 1.2, 0.4), (0.3, 0.3, 0.33, 0.33)]
    found = detections(loaded_of("owlvit"), raw(boxes, [0.9, 0.8, 0.7]), TOKENS, (100, 100), threshold=0.1)
    assert [round(one.score, 3) for one in found] == [0.7]


def test_grounding_dino_scores_a_box_by_its_best_token(loaded_of: Get) -> None:
    output = raw([(0.1, 0.1, 0.5, 0.5)], [0.3])
    output.logits[0, 0, 2] = torch.tensor(0.8).logit()
    (found,) = detections(loaded_of("grounding-dino"), output, TOKENS, (50, 50), threshold=0.5)
    assert found.score == pytest.approx(0.8, abs=1e-5)


def test_each_detector_is_asked_in_the_words_it_was_trained_with(loaded_of: Get, draw: Draw) -> None:
    assert query("Red  Mug.", "owlv2") == "a photo of a red mug"
    assert query("Red  Mug.", "mm-grounding-dino") == "red mug"
    photo = draw(LANDSCAPE, (0, 0, 8, 8))
    loaded = loaded_of("grounding-dino")
    tokens = loaded.inputs(photo, text=[[query("red mug", "grounding-dino")]])["input_ids"]
    assert loaded.processor.batch_decode(tokens) == ["[CLS] red mug. [SEP]"]


@pytest.mark.parametrize("model_type", TYPES)
def test_a_photo_goes_in_and_boxes_come_out(folder_of: Callable[[str], Path], model_type: str) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (*LANDSCAPE, 3), dtype=np.uint8)
    detector = Detector(folder_of(model_type), offline=True, threshold=0.0)
    found = detector.detect(photo, "mug")
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        x0, y0, x1, y1 = one.box
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1
        assert 0 <= one.score <= 1
    assert detector.detect(photo, "mug") == found


def test_a_word_that_is_not_there_is_told_with_the_best_score(folder_of: Callable[[str], Path]) -> None:
    photo = np.zeros((*LANDSCAPE, 3), np.uint8)
    detector = Detector(folder_of("owlv2"), offline=True, threshold=1.0)
    with pytest.raises(ObjectNotFoundError) as caught:
        detector.detect(photo, "mug")
    assert str(caught.value) == (
        "no 'mug' found in the photo: owlv2 saw none; "
        "use another word or --detector, or show the object with --point, --box or --mask"
    )
    assert caught.value.detail.startswith("best score 0.")
    assert caught.value.detail.endswith(", needs 1.0")


def test_the_threshold_is_the_model_s_own_unless_given(folder_of: Callable[[str], Path]) -> None:
    assert Detector(folder_of("owlvit")).threshold == THRESHOLDS["owlvit"] == 0.1
    assert Detector(folder_of("owlvit"), threshold=0.0).threshold == 0.0


def test_a_phrase_longer_than_the_model_reads_is_cut(folder_of: Callable[[str], Path]) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (*LANDSCAPE, 3), dtype=np.uint8)
    detector = Detector(folder_of("owlvit"), threshold=0.0)  # reads 16 tokens, here letters
    assert detector.detect(photo, "mug" * 20)


def test_nan_is_told_and_not_taken_for_nothing_found(
    folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folder_of("owlvit"), tmp_path / "broken"))
    weights = load_file(folder / "model.safetensors")
    weights["class_head.dense0.weight"][:] = torch.nan
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(NumericalError, match="broken produced NaN"):
        Detector(folder).detect(np.zeros((*LANDSCAPE, 3), np.uint8), "mug")
