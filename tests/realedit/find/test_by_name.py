"""Which of several cut-outs a word means, and how sure that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.cutout.cutout import Rough
from realedit.cutout.hints import Hint
from realedit.errors import ObjectNotFoundError
from realedit.find.by_cutout import Cutter
from realedit.find.by_name import (
    DOUBTFUL,
    Sought,
    alike,
    confidence,
    framed,
    hints,
    iou,
    likelier,
    one_piece,
    peaks,
    soft_iou,
    told,
    wholeness,
)
from realedit.find.names import Named
from realedit.location import Location

CASES = Path(__file__).parents[3] / "examples" / "cases"
SHAPE = (40, 60)


def bump(x: float, y: float, height: float, wide: float = 3.0) -> np.ndarray:
    ys, xs = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (height * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * wide**2))).astype(np.float32)


def rough(mask: np.ndarray, sure: float = 0.0) -> Rough:
    """An answer that is exactly a mask."""
    logits = np.where(mask, 9.0, -9.0).astype(np.float32)
    return Rough(Hint(heat=mask.astype(np.float32)), np.stack([logits] * 3), 0, sure)


def box(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_peaks_are_the_tops_of_the_bumps_the_highest_first() -> None:
    heat = bump(12, 10, 0.8) + bump(45, 30, 1.0) + bump(48, 8, 0.1)
    (x0, y0), (x1, y1) = peaks(heat)  # the third is below a quarter of the highest
    assert (x0, y0) == pytest.approx((45.5 / 60, 30.5 / 40), abs=0.01)
    assert (x1, y1) == pytest.approx((12.5 / 60, 10.5 / 40), abs=0.01)


def test_no_heat_has_no_peaks() -> None:
    assert peaks(np.zeros(SHAPE, np.float32)) == []


def test_there_are_a_point_and_a_heat_for_each_peak_and_one_for_all() -> None:
    given = hints(bump(12, 10, 0.8) + bump(45, 30, 1.0))
    assert [(len(hint.positive), hint.heat is not None) for hint in given] == [
        (0, True),
        (1, False),
        (0, True),
        (1, False),
        (0, True),
    ]
    (near,) = (hint.heat for hint in given[4:])
    assert near is not None
    assert near.max() == pytest.approx(1)
    assert near[30, 45] < 0.05 < near[10, 12]


def test_soft_iou_of_a_mask_with_itself_and_with_half_of_it() -> None:
    mask = box(10, 10, 30, 20)
    assert soft_iou(mask, mask.astype(np.float32)) == 1
    assert soft_iou(mask, mask * np.float32(0.5)) == pytest.approx(0.5)
    assert soft_iou(mask, box(40, 10, 50, 20).astype(np.float32)) == 0


def test_likeness_is_iou() -> None:
    one, half = box(0, 0, 20, 20), box(0, 0, 20, 10)
    np.testing.assert_allclose(alike([one, half]), [[1, 0.5], [0.5, 1]])


def sought(heat: np.ndarray, *answers: Rough, presence: float = 0.9) -> Sought:
    return Sought(Named("thing", heat, np.zeros_like(heat), presence, False), answers)


def test_the_word_chooses_what_its_heat_covers_and_most_hints_find() -> None:
    meant, part, other = box(10, 10, 30, 30), box(18, 12, 22, 16), box(40, 5, 58, 35)
    answers = [rough(part, 1.0), rough(other, 1.0), rough(meant, 0.5), rough(box(10, 10, 30, 29), 0.4)]
    heat = meant.astype(np.float32)
    found = sought(heat, *answers)
    assert found.chosen is answers[2]
    assert found.confidence(meant) == pytest.approx(confidence(0.9, 1.0, 0.5, sure=0.5))
    assert found.confidence(meant) > found.confidence(part) > found.confidence(other)
    assert sought(heat, *answers, presence=0.1).chosen is None


def test_the_recogniser_has_a_say_of_the_mask_that_it_sees_the_noun_in() -> None:
    meant, other = box(10, 10, 30, 30), box(40, 5, 58, 35)
    heat = np.full(SHAPE, 0.5, np.float32)
    found = sought(heat, rough(meant), rough(other))
    seen = replace(found, named=replace(found.named, recognised=0.3 * other.astype(np.float32)))
    assert seen.confidence(other) > found.confidence(other)
    assert seen.confidence(meant) == found.confidence(meant)


def test_crumbs_and_surroundings_are_nothing() -> None:
    heat = bump(12, 10, 1.0)
    assert sought(heat, rough(box(0, 0, 60, 40), 3.0), rough(box(12, 10, 14, 12), 3.0)).chosen is None
    assert sought(heat).chosen is None
    assert 0 < sought(heat).confidence(box(0, 0, 9, 9)) < 1


def test_one_thing_is_meant_rather_than_two_of_a_name() -> None:
    left, right = box(5, 10, 20, 30), box(35, 10, 50, 30)
    heat = left + np.float32(0.5) * right
    both, one = rough(left | right, 1.0), rough(left, 1.0)
    assert wholeness(left | right) == 0.5
    assert wholeness(left) == 1
    assert wholeness(np.zeros(SHAPE, bool)) == 0
    assert sought(heat, both, one).chosen is one


def test_what_the_words_leave_out_is_not_taken_along() -> None:
    left, right = box(5, 10, 25, 30), box(25, 10, 45, 30)
    heat = left.astype(np.float32)
    both, one = rough(left | right, 4.0), rough(left, 1.0)
    one_of_a_kind = sought(heat, both, one)
    assert one_of_a_kind.chosen is both
    named = replace(one_of_a_kind.named, others=right.astype(np.float32))
    assert replace(one_of_a_kind, named=named).chosen is one


def test_the_colour_that_is_named_chooses() -> None:
    left, right = box(5, 10, 20, 30), box(35, 10, 50, 30)
    heat = (left + np.float32(0.6) * right).astype(np.float32)
    found = sought(heat, rough(left, 1.0), rough(right, 0.8))
    assert found.chosen is found.answers[0]
    assert replace(found, colour=right.astype(np.float32)).chosen is found.answers[1]


def test_the_others_of_a_name_are_points_against_every_hint() -> None:
    given = hints(bump(12, 10, 1.0), bump(45, 30, 1.0))
    assert len(given) == 3
    for hint in given:
        ((x, y),) = hint.negative
        assert (x, y) == pytest.approx((45.5 / 60, 30.5 / 40), abs=0.01)
    assert all(not hint.negative for hint in hints(bump(12, 10, 1.0), np.zeros(SHAPE, np.float32)))


def test_a_thing_is_the_piece_that_its_word_is_most_on() -> None:
    small, large = box(5, 10, 15, 20), box(25, 5, 50, 35)
    alpha = np.maximum(0.9 * small, large).astype(np.float32)
    alpha[10:20, 15] = 0.3  # its soft edge stays
    np.testing.assert_array_equal(one_piece(alpha, bump(10, 15, 1.0)), np.where(large, 0, alpha))
    np.testing.assert_array_equal(one_piece(alpha, bump(40, 15, 1.0)) > 0.5, large)
    np.testing.assert_array_equal(one_piece(large.astype(np.float32), bump(10, 15, 1.0)), large)
    np.testing.assert_array_equal(one_piece(0 * alpha, bump(10, 15, 1.0)), 0 * alpha)


def test_iou_in_closed_form() -> None:
    assert iou(box(0, 0, 20, 20), box(0, 10, 20, 30)) == pytest.approx(1 / 3)
    assert iou(box(0, 0, 0, 0), box(0, 0, 0, 0)) == 0


def test_confidence_rises_with_every_fact() -> None:
    base = confidence(0.6, 0.3, 0.3)
    more = (
        confidence(0.9, 0.3, 0.3),
        confidence(0.6, 0.4, 0.3),
        confidence(0.6, 0.3, 0.4),
        confidence(0.6, 0.3, 0.3, 0.2),
        confidence(0.6, 0.3, 0.3, sure=0.5),
    )
    assert 0 < base < min(more) < 1
    assert confidence(0.6, 0.3, 0.3, framed=0.05) < base  # surroundings go out of the frame
    assert confidence(0.6, 0.3, 0.3, 0.01) == base  # what the recogniser does not see it says nothing of
    assert confidence(0.0, 0.3, 0.3) < base < confidence(1.0, 0.3, 0.3)


def test_how_much_of_the_frame_a_mask_touches() -> None:
    height, width = SHAPE
    around = 2 * (height + width) - 4
    assert framed(box(10, 10, 30, 30)) == 0
    assert framed(box(0, 0, width, height)) == 1
    assert framed(box(0, 10, 30, 30)) == pytest.approx(20 / around)
    assert framed(box(0, 0, 30, 30)) == pytest.approx(59 / around)


def test_doubt_is_told() -> None:
    one = np.ones(SHAPE, np.float32)
    unsure = told(Location("mug", one, one, 0.5, "word", confidence=DOUBTFUL - 0.01), "mug")
    assert unsure.warning is not None
    assert "it is not certain that what was found is the 'mug'" in unsure.warning
    assert told(Location("mug", one, one, 0.5, "word", confidence=DOUBTFUL), "mug").warning is None


def photo_of(case: str) -> np.ndarray:
    return np.asarray(Image.open(CASES / f"{case}_photo.webp").convert("RGB"))


@pytest.mark.slow
def test_another_way_is_asked_where_names_are_unsure_and_taken_if_it_is_likelier() -> None:
    cutter, rgb = Cutter(), photo_of("000")
    asked: list[str] = []

    def everything() -> Location:
        asked.append("everything")
        mask = np.ones(rgb.shape[:2], np.float32)
        return Location("banana", mask, mask, 1.0, "word")

    cutter.by_name(rgb, "vase", everything)
    assert not asked  # names are sure of it
    with pytest.raises(ObjectNotFoundError, match="no 'zebra' found"):
        cutter.by_name(rgb, "zebra", everything)
    assert not asked  # the recogniser does not know it, so that its model does not either
    found = cutter.by_name(rgb, "banana", everything)
    assert asked == ["everything"]
    assert found.mask.min() == 1
    assert found.confidence < DOUBTFUL
    assert found.warning is not None


def test_another_way_names_another_thing_or_leaves_the_finer_outline() -> None:
    def thing(columns: slice, confidence: float) -> Location:
        mask = np.zeros((20, 40), np.float32)
        mask[5:15, columns] = 1
        return Location("can", mask, mask, confidence, "word", confidence=confidence)

    found, rough, other = thing(slice(0, 10), 0.7), thing(slice(0, 12), 0.9), thing(slice(20, 30), 0.9)
    assert likelier(found, rough) is found
    assert likelier(found, other) is other
    assert likelier(other, found) is other


@pytest.mark.slow
def test_known_things_are_cut_out_by_their_names_alone() -> None:
    cutter, found = Cutter(), {}
    for case, word in {"000": "vase", "001": "pitcher", "005": "bottle"}.items():
        rgb = photo_of(case)
        true = np.asarray(Image.open(CASES / f"{case}_mask.webp").convert("L")) > 127
        location = cutter.by_name(rgb, word)
        assert location.source == "word"
        assert 0 < location.confidence < 1
        found[word] = float((location.hard & true).sum() / (location.hard | true).sum())
    assert min(found.values()) > 0.5, found
