from __future__ import annotations

import math

import pytest

from realedit import Move, Resize
from realedit.edits import Edit, Plan, plan
from realedit.errors import UsageError


def test_moves_add_and_scales_multiply() -> None:
    edits = [Move("mug", dx=0.2, dy=-0.1), Resize("mug", 2.0), Move("mug", dx=-0.05), Resize("mug", 0.75)]
    total = plan(edits)
    assert total.target == "mug"
    assert total.dx == pytest.approx(0.15)
    assert total.dy == pytest.approx(-0.1)
    assert total.scale == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [(Move("mug", dy=0.3), Plan("mug", 0, 0.3, 1)), (Resize(None, 0.5), Plan(None, 0, 0, 0.5))],
)
def test_one_edit_is_a_plan_by_itself(edit: Edit, expected: Plan) -> None:
    assert plan(edit) == expected
    assert plan([edit]) == expected


@pytest.mark.parametrize("value", [1.01, -1.5, math.nan, math.inf])
def test_a_shift_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^dx must be a fraction of the photo in \[-1, 1\], got {value}$"):
        Move("mug", dx=value)
    with pytest.raises(UsageError, match=r"^dy must be a fraction"):
        Move("mug", dy=value)


@pytest.mark.parametrize("value", [0.0, -2.0, 0.09, 10.1, math.nan, math.inf])
def test_a_scale_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^scale must lie in \[0\.1, 10\], got {value}$"):
        Resize("mug", value)


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([], "there is nothing to do; give an edit, for example Move('mug', dx=0.2)"),
        (
            [Move("mug", dx=0.1), Move("bowl", dx=0.1)],
            "one run edits one object, got bowl, mug; edit them one after the other",
        ),
        ([Move("mug")], "the edit changes nothing; give a dx, dy or scale"),
        ([Resize("mug", 2.0), Resize("mug", 0.5)], "the edit changes nothing; give a dx, dy or scale"),
    ],
)
def test_edits_that_make_no_plan_say_why(edits: list[Edit], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(edits)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2
