"""Which of several cut-outs a word means, and how sure that is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit.cutout.cutout import Rough
from realedit.cutout.hints import Hint
from realedit.find.by_cutout import Cutter
from realedit.find.by_name import Chosen, alike, choose, confidence, hints, peaks, soft_iou

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


def test_the_word_chooses_what_its_heat_covers_and_most_hints_find() -> None:
    meant, part, other = box(10, 10, 30, 30), box(18, 12, 22, 16), box(40, 5, 58, 35)
    heat = meant.astype(np.float32)
    answers = [rough(part, 1.0), rough(other, 1.0), rough(meant, 0.5), rough(box(10, 10, 30, 29), 0.4)]
    chosen = choose(answers, heat)
    assert chosen is not None
    assert chosen.rough is answers[2]
    assert (chosen.held, chosen.shared) == (1, 0.5)


def test_crumbs_and_surroundings_are_nothing() -> None:
    heat = bump(12, 10, 1.0)
    assert choose([rough(box(0, 0, 60, 40), 3.0), rough(box(12, 10, 14, 12), 3.0)], heat) is None


def test_confidence_rises_with_every_fact() -> None:
    def of(presence: float, held: float, shared: float, recognised: float = 0.0) -> float:
        return confidence(presence, Chosen(rough(box(0, 0, 9, 9)), held, shared), recognised)

    base = of(0.6, 0.3, 0.3)
    assert 0 < base < min(of(0.9, 0.3, 0.3), of(0.6, 0.4, 0.3), of(0.6, 0.3, 0.4), of(0.6, 0.3, 0.3, 0.2)) < 1
    assert of(0.6, 0.3, 0.3, 0.01) == base  # what the recogniser does not see it says nothing of
    assert of(0.0, 0.3, 0.3) < base < of(1.0, 0.3, 0.3)


@pytest.mark.slow
def test_known_things_are_cut_out_by_their_names_alone() -> None:
    cutter, found = Cutter(), {}
    for case, word in {"000": "vase", "001": "pitcher", "005": "bottle"}.items():
        rgb = np.asarray(Image.open(CASES / f"{case}_photo.webp").convert("RGB"))
        true = np.asarray(Image.open(CASES / f"{case}_mask.webp").convert("L")) > 127
        location = cutter.by_name(rgb, word)
        assert location.source == "word"
        assert 0 < location.confidence < 1
        found[word] = float((location.hard & true).sum() / (location.hard | true).sum())
    assert min(found.values()) > 0.5, found
