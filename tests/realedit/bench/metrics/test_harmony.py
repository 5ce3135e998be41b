"""Seams and colour contrasts of known size."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import lab2rgb

from realedit.bench.metrics.harmony import harmony, seam

REGION = np.zeros((128, 128), bool)
REGION[32:96, 32:96] = True
GROUND = np.full((128, 128, 3), 100, np.uint8)


def test_a_seam_is_a_step_at_the_border_that_the_truth_lacks() -> None:
    stepped = GROUND.copy()
    stepped[REGION] += 51  # 0.2 of the luma
    # the band is a pixel to either side of a picture of this size: one of two holds the step
    assert seam(stepped, GROUND, REGION) == pytest.approx(0.2 / 2, rel=0.1)
    assert seam(stepped, stepped, REGION) == 0


def test_what_is_brighter_everywhere_has_no_seam() -> None:
    assert seam(GROUND + 40, GROUND, REGION) == pytest.approx(0, abs=1e-12)


def test_harmony_is_the_difference_of_the_contrasts_in_lab() -> None:
    def picture(inside: float, outside: float) -> np.ndarray:
        lab = np.zeros((128, 128, 3))
        lab[..., 0] = np.where(REGION, inside, outside)
        return (lab2rgb(lab) * 255).round().astype(np.uint8)

    truth = picture(60, 50)
    assert harmony(truth, truth, REGION) == 0
    assert harmony(picture(70, 60), truth, REGION) == pytest.approx(0, abs=0.4)  # brighter as a whole
    assert harmony(picture(75, 50), truth, REGION) == pytest.approx(15, abs=0.4)
