from __future__ import annotations

import numpy as np
import pytest

from realedit.calibrate.finding import threshold


def test_the_threshold_lies_between_what_is_there_and_what_is_not() -> None:
    assert threshold([3.0, 4.0, 5.0], [0.0, 1.0]) == (2.0, 1.0)


def test_where_they_overlap_it_tells_the_most_rightly_with_both_kinds_alike() -> None:
    rng = np.random.default_rng(0)
    here, gone = rng.normal(2, 1, 4000), rng.normal(0, 1, 1000)
    at, share = threshold(here.tolist(), gone.tolist())
    # two Gaussians of one width: half way, whatever their number
    assert at == pytest.approx(1, abs=0.2)
    assert share == pytest.approx(0.841, abs=0.02)


def test_where_nothing_tells_them_apart_nothing_is_refused() -> None:
    assert threshold([1.0, 1.0], [1.0]) == (1.0, 0.5)
