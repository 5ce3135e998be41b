"""PIE-Bench's masks."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.bench.run_lengths import RunLengths, with_border


def test_runs_are_rows_first_from_zero() -> None:
    mask = RunLengths((1, 2, 7, 3), (3, 4)).decode()
    assert mask.astype(int).tolist() == [[0, 1, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0]]


def test_a_run_over_the_end_is_cut_and_the_whole_picture_is_one_run() -> None:
    assert RunLengths((10, 99), (3, 4)).decode().sum() == 2
    assert RunLengths((0, 262144)).decode().all()


def test_the_border_counts_as_edited_where_asked() -> None:
    mask = RunLengths((), (4, 5)).decode(border=True)
    assert not mask[1:-1, 1:-1].any()
    assert mask.sum() == 4 * 5 - 2 * 3
    plain = np.zeros((4, 5), bool)
    with_border(plain)
    assert not plain.any()


@pytest.mark.parametrize("runs", [(1,), (-1, 3), (12, 1)])
def test_what_is_no_mask_is_refused(runs: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="run lengths"):
        RunLengths(runs, (3, 4))
