"""Tests of realedit.find.by_detector: which box, which pixels, which words in the answer.

What the models say is given here; that they say it in the photo's coordinates is tested beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realedit.errors import ObjectNotFoundError, UsageError
from realedit.external.detector import Detection, Detector
from realedit.external.segmenter import BoxSegmenter, WordSegmenter
from realedit.find.by_cutout import Cutter
from realedit.find.by_detector import LEAST_HEAT, DetectorFinder, inside_box, pick

SIZE = (120, 200)
LEFT, RIGHT = (20, 40, 60, 90), (120, 30, 180, 100)
"""Two mugs in pixels; the right one is larger."""


class Says(Detector):
    """A detector with a fixed answer, which remembers what it was asked."""

    def __init__(self, *found: tuple[tuple[int, int, int, int], float]) -> None:
        self.found = [Detection(fractions(box), score) for box, score in found]
        self.asked: list[str] = []

    def detect(self, rgb: np.ndarray, word: str) -> list[Detection]:
        self.asked.append(word)
        return self.found


class Heats(WordSegmenter):
    """CLIPSeg with a fixed answer, which remembers what it was asked."""

    answer: np.ndarray
    asked: str

    def heat(self, rgb: np.ndarray, word: str) -> np.ndarray:
        object.__setattr__(self, "asked", word)
        return self.answer


class Cuts(BoxSegmenter):
    """SAM with a fixed answer, which remembers what it was asked."""

    answer: np.ndarray
    asked: tuple[float, float, float, float]

    def mask(self, rgb: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
        object.__setattr__(self, "asked", box)
        return self.answer


def fractions(box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    h, w = SIZE
    return box[0] / w, box[1] / h, box[2] / w, box[3] / h


def boxed(box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def hot(peaks: dict[tuple[int, int, int, int], float]) -> np.ndarray:
    """Heat at half the photo's size: round blobs in boxes."""
    h, w = SIZE
    rows, columns = np.mgrid[: h // 2, : w // 2] * 2.0 + 1
    heat = np.zeros((h // 2, w // 2), np.float32)
    for (x0, y0, x1, y1), peak in peaks.items():
        radii = ((columns - (x0 + x1) / 2) * 2 / (x1 - x0)) ** 2 + (
            (rows - (y0 + y1) / 2) * 2 / (y1 - y0)
        ) ** 2
        heat = np.maximum(heat, peak * np.exp(-(radii**3) * 0.7))
    return heat.astype(np.float32)


@pytest.fixture
def photo() -> np.ndarray:
    """Two red mugs on a grey table with some grain, uint8 [120, 200, 3]."""
    rng = np.random.default_rng(0)
    rgb = np.full((*SIZE, 3), 150.0)
    for box in (LEFT, RIGHT):
        rgb[boxed(box)] = (200, 40, 40)
    return (rgb + rng.normal(0, 4, rgb.shape)).clip(0, 255).astype(np.uint8)


def finder(
    detector: Detector | None = None, segmenter: WordSegmenter | BoxSegmenter | None = None
) -> DetectorFinder:
    made = DetectorFinder.__new__(DetectorFinder)
    made.cutter = Cutter()
    made.detector, made.segmenter = detector, segmenter
    return made


@pytest.fixture
def clipseg(loaded_of: Callable) -> Callable[[np.ndarray], Heats]:
    def answering(heat: np.ndarray) -> Heats:
        made = Heats(loaded_of("clipseg"))
        object.__setattr__(made, "answer", heat)
        return made

    return answering


@pytest.fixture
def sam(loaded_of: Callable) -> Callable[[np.ndarray], Cuts]:
    def answering(mask: np.ndarray) -> Cuts:
        made = Cuts(loaded_of("sam"))
        object.__setattr__(made, "answer", mask)
        return made

    return answering


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


# a detector alone


def test_a_detector_s_box_is_cut_out_and_keeps_word_source_and_score(photo: np.ndarray) -> None:
    loose = (LEFT[0] - 8, LEFT[1] - 8, LEFT[2] + 8, LEFT[3] + 8)
    detector = Says((loose, 0.6))
    location = finder(detector).find(photo, "the mug")
    assert (location.word, location.source, location.score) == ("the mug", "word", 0.6)
    assert detector.asked == ["mug"]
    assert location.mask.shape == SIZE
    assert location.mask.dtype == np.float32
    assert iou(location.hard, boxed(LEFT)) > 0.9


@pytest.mark.parametrize(
    ("word", "box", "score"),
    [("mug", RIGHT, 0.8), ("left mug", LEFT, 0.5), ("right mug", RIGHT, 0.8), ("smallest mug", LEFT, 0.5)],
)
def test_a_qualifier_chooses_among_the_boxes(
    photo: np.ndarray, word: str, box: tuple[int, int, int, int], score: float
) -> None:
    detector = Says((RIGHT, 0.8), (LEFT, 0.5))
    location = finder(detector).find(photo, word)
    assert iou(location.hard, boxed(box)) > 0.9
    assert (location.word, location.score) == (word, score)
    assert detector.asked == ["mug"]


def test_overlapping_boxes_are_told_apart() -> None:
    found = [Detection((0.2, 0.2, 0.6, 0.6), 0.9), Detection((0.4, 0.3, 0.9, 0.9), 0.8)]
    assert [pick(found, which, SIZE) for which in ("left", "right", "top", "biggest", "smallest")] == [
        0,
        1,
        0,
        1,
        0,
    ]
    three = [*found, Detection((0.3, 0.25, 0.7, 0.7), 0.1)]
    assert pick(three, "middle", SIZE) == 2


# with SAM


def test_sam_cuts_the_detector_s_box(photo: np.ndarray, sam: Callable[[np.ndarray], Cuts]) -> None:
    handle = boxed((60, 55, 70, 75))
    speck = boxed((150, 5, 160, 10))
    segmenter = sam(boxed(LEFT) | handle | speck)
    location = finder(Says((LEFT, 0.7)), segmenter).find(photo, "left mug")
    assert segmenter.asked == fractions(LEFT)
    assert iou(location.hard, boxed(LEFT) | handle) > 0.97  # beyond the box, but never elsewhere
    assert (location.word, location.source, location.score) == ("left mug", "word", 0.7)
    assert ((location.mask > 0.02) & (location.mask < 0.98)).any()  # a matte


def test_of_what_sam_cuts_the_part_in_the_box_counts(
    photo: np.ndarray, sam: Callable[[np.ndarray], Cuts]
) -> None:
    location = finder(Says((LEFT, 0.7)), sam(boxed(LEFT) | boxed(RIGHT))).find(photo, "mug")
    assert iou(location.hard, boxed(LEFT)) > 0.97  # the smaller part


@pytest.mark.parametrize(
    ("mask", "what"),
    [
        (np.zeros(SIZE, bool), "nothing"),
        (boxed(RIGHT), "nothing"),
        (np.ones(SIZE, bool), "the whole photo"),
    ],
)
def test_sam_finding_no_object_is_told(
    photo: np.ndarray, sam: Callable[[np.ndarray], Cuts], mask: np.ndarray, what: str
) -> None:
    with pytest.raises(ObjectNotFoundError) as caught:
        finder(Says((LEFT, 0.7)), sam(mask)).find(photo, "mug")
    assert str(caught.value) == (
        f"'mug' is in the photo, but could not be cut out: sam outlined {what}; "
        "leave the --segmenter out, or show the object with --point, --box or --mask"
    )


# with CLIPSeg


def test_heat_alone_is_refined_on_the_pixels(
    photo: np.ndarray, clipseg: Callable[[np.ndarray], Heats]
) -> None:
    segmenter = clipseg(hot({LEFT: 0.5}))
    location = finder(None, segmenter).find(photo, "a mug")
    assert segmenter.asked == "mug"
    assert (location.word, location.source) == ("a mug", "word")
    assert location.score == pytest.approx(0.5, abs=0.02)
    assert location.heat.max() == pytest.approx(1.0)  # a share of the peak, as attention's
    assert iou(location.hard, boxed(LEFT)) > 0.85


@pytest.mark.parametrize(("word", "box"), [("left mug", LEFT), ("right mug", RIGHT), ("biggest mug", RIGHT)])
def test_a_qualifier_chooses_among_hot_places(
    photo: np.ndarray,
    clipseg: Callable[[np.ndarray], Heats],
    word: str,
    box: tuple[int, int, int, int],
) -> None:
    location = finder(None, clipseg(hot({LEFT: 0.5, RIGHT: 0.9}))).find(photo, word)
    assert iou(location.hard, boxed(box)) > 0.85
    assert location.heat.max() == pytest.approx(1.0)
    assert location.word == word


def test_heat_below_the_least_is_nothing_found(
    photo: np.ndarray, clipseg: Callable[[np.ndarray], Heats]
) -> None:
    cold = hot({LEFT: 1.0})
    cold *= 0.29 / cold.max()
    with pytest.raises(ObjectNotFoundError) as caught:
        finder(None, clipseg(cold)).find(photo, "left mug")
    assert str(caught.value) == (
        "no 'mug' found in the photo: clipseg saw none; "
        "use another word or --segmenter, or show the object with --point, --box or --mask"
    )
    assert caught.value.detail == f"heat 0.290, needs {LEAST_HEAT}"


def test_a_detector_says_which_hot_place(photo: np.ndarray, clipseg: Callable[[np.ndarray], Heats]) -> None:
    location = finder(Says((LEFT, 0.4)), clipseg(hot({LEFT: 0.5, RIGHT: 0.9}))).find(photo, "mug")
    assert iou(location.hard, boxed(LEFT)) > 0.85
    assert location.score == 0.4
    with pytest.raises(ObjectNotFoundError, match="clipseg saw none"):
        finder(Says((LEFT, 0.4)), clipseg(hot({RIGHT: 0.9}))).find(photo, "mug")


# the rest


def test_a_box_on_a_coarse_map_holds_at_least_one_place() -> None:
    heat = np.arange(12, dtype=np.float32).reshape(3, 4) + 1
    assert np.array_equal(inside_box(heat, (0.25, 1 / 3, 0.75, 1.0))[1:, 1:3], heat[1:, 1:3])
    assert (inside_box(heat, (0.25, 1 / 3, 0.75, 1.0)) > 0).sum() == 4
    corner = inside_box(heat, (0.99, 0.99, 1.0, 1.0))
    assert (corner > 0).sum() == 1
    assert corner[2, 3] == 12


def test_nothing_to_find_with_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        DetectorFinder()
    assert str(caught.value) == "nothing to find objects with; give a --detector, a --segmenter or both"


def test_sam_alone_knows_no_words(folder_of: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError) as caught:
        DetectorFinder(segmenter=folder_of("sam"), offline=True)
    assert str(caught.value) == (
        "sam cuts out what is in a box and does not know words; "
        "add a --detector, or use a CLIPSeg as --segmenter"
    )


def test_the_whole_way_with_real_architectures(folder_of: Callable[[str], Path], photo: np.ndarray) -> None:
    found = DetectorFinder(folder_of("owlv2"), offline=True)
    assert found.detector is not None
    found.detector.threshold = 0.0  # the weights are random
    location = found.find(photo, "left mug")
    assert location.mask.shape == SIZE
    assert location.hard.any()
    boxes = found.detector.detect(photo, "mug")
    assert location.score in [box.score for box in boxes]
    both = DetectorFinder(str(folder_of("grounding-dino")), str(folder_of("sam2")), "cpu", True)
    assert isinstance(both.segmenter, BoxSegmenter)
    assert both.detector is not None
    assert both.detector.loaded.label == "grounding-dino"
