"""Tests of realedit.find.by_sam: what SAM is asked for a hint, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from realedit.cutout.hints import Hint
from realedit.errors import UsageError
from realedit.external.load import Loaded
from realedit.external.prompted import Outline, PromptSegmenter
from realedit.find.by_sam import SamCutOut, asked, outlined

SIZE = (200, 300)


def disc(x: float, y: float, radius: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    ys, xs = np.mgrid[: size[0], : size[1]]
    return ((xs + 0.5 - x) ** 2 + (ys + 0.5 - y) ** 2 < radius**2).astype(np.float32)


def test_a_point_is_asked_alone_and_several_with_their_signs() -> None:
    prompt, single = asked(Hint(positive=((0.5, 0.25),)), SIZE)
    assert (prompt.points, prompt.on, prompt.box, prompt.mask) == (((150, 50),), (True,), None, None)
    assert single
    hint = Hint(positive=((0.5, 0.25),), negative=((0.1, 0.9),), box=(0.2, 0.1, 0.8, 0.9))
    prompt, single = asked(hint, SIZE)
    assert np.allclose(prompt.points, ((150, 50), (30, 180)))
    assert prompt.on == (True, False)
    assert prompt.box == pytest.approx((60, 20, 240, 180))
    assert not single


def test_a_mask_is_asked_with_its_box_and_its_deepest_place() -> None:
    mask = disc(120, 90, 40)
    prompt, single = asked(Hint(mask=mask), SIZE)
    assert prompt.mask is not None
    assert (prompt.mask == mask).all()
    assert prompt.points[0] == pytest.approx((120, 90), abs=1.5)
    assert prompt.box is not None
    left, top, right, bottom = prompt.box
    assert 60 < left < 80 < 160 < right < 180
    assert 30 < top < 50 < 130 < bottom < 150
    assert not single


def test_a_heat_is_asked_by_its_peak_and_the_hot_place_about_it() -> None:
    heat = disc(90, 120, 50) * 0.7 + disc(95, 125, 4) * 0.3 + disc(250, 40, 30) * 0.6
    prompt, single = asked(Hint(heat=heat), SIZE)
    assert prompt.points[0] == pytest.approx((95, 125), abs=5)
    assert prompt.on == (True,)
    assert prompt.box is not None
    assert prompt.box[2] < 200  # the other hot place is another thing
    assert prompt.box == pytest.approx((30, 60, 150, 180), abs=2)
    assert not single
    coarse, _ = asked(Hint(heat=cv2.resize(heat, (30, 20), interpolation=cv2.INTER_AREA)), SIZE)
    assert coarse.points[0] == pytest.approx((95, 125), abs=15)


def test_an_outline_keeps_its_place_and_takes_the_photos_edge() -> None:
    drawn = disc(140.0, 100.0, 60.0)
    photo = np.where(drawn[..., None] > 0, (220, 60, 40), (40, 90, 60)).astype(np.uint8)
    # what a mask of cells of 8 pixels knows of it
    cells = cv2.resize(drawn, (SIZE[1] // 8, SIZE[0] // 8), interpolation=cv2.INTER_AREA)
    rough = cv2.resize(cells, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    logits = np.log(rough.clip(1e-4, 1 - 1e-4) / (1 - rough.clip(1e-4, 1 - 1e-4))).astype(np.float32)
    alpha = outlined(photo, Outline(logits, 0.9))
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    both, either = ((alpha > 0.5) & (drawn > 0)).sum(), ((alpha > 0.5) | (drawn > 0)).sum()
    assert both / either > 0.985
    empty = outlined(photo, Outline(np.full(SIZE, -1, np.float32), 0.9))
    assert not empty.any()


@pytest.mark.parametrize("model_type", ["sam", "sam2"])
def test_a_hint_goes_in_and_answers_come_out(loaded_of: Callable[[str], Loaded], model_type: str) -> None:
    cut = SamCutOut(PromptSegmenter(loaded_of(model_type)))
    photo = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    point = Hint(positive=((0.4, 0.5),))
    answers = cut.answers(photo, point)
    assert len(answers) == 3
    assert [one.confidence for one in answers] == sorted((one.confidence for one in answers), reverse=True)
    assert all(one.alpha.shape == (48, 64) and one.alpha.dtype == np.float32 for one in answers)
    assert all(0 <= one.alpha.min() and one.alpha.max() <= 1 for one in answers)
    assert len(cut.answers(photo, point, most=1)) == 1
    mask = disc(30, 20, 10, (48, 64))
    for hint in (
        Hint(box=(0.1, 0.1, 0.6, 0.6)),
        Hint(mask=mask),
        Hint(heat=mask),
        Hint((), ((0.9, 0.9),), mask=mask),
    ):
        assert len(cut.answers(photo, hint)) == 1
    with pytest.raises(UsageError, match="nothing says where"):
        cut.answers(photo, Hint())


def test_a_point_is_as_sure_as_a_second_cut_out_agrees(loaded_of: Callable[[str], Loaded]) -> None:
    segmenter = PromptSegmenter(loaded_of("sam2"))
    photo = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    point, box = Hint(positive=((0.4, 0.5),)), Hint(box=(0.1, 0.1, 0.6, 0.6))
    alone = SamCutOut(segmenter)
    agreeing = SamCutOut(segmenter, alone)
    first, *others = alone.answers(photo, point)
    same = agreeing.answers(photo, point)
    assert same[0].confidence == pytest.approx(first.confidence)
    drawn = first.alpha > 0.5
    for one, told in zip(others, same[1:], strict=True):
        shared = ((one.alpha > 0.5) & drawn).sum() / ((one.alpha > 0.5) | drawn).sum()
        assert told.confidence == pytest.approx(one.confidence * shared, abs=1e-6)
    assert agreeing.answers(photo, box)[0].confidence == alone.answers(photo, box)[0].confidence
