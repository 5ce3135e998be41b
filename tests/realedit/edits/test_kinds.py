from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from realedit import Move, Resize
from realedit.edits.edit import Similarity
from realedit.edits.kinds import (
    Background,
    Edit,
    Like,
    Paste,
    Remove,
    Replace,
    Restyle,
    Retouch,
    Rotate,
    Swap,
)
from realedit.edits.plan import EditStep, plan, steps_of
from realedit.errors import UsageError


def test_moves_add_scales_multiply_and_angles_add() -> None:
    edits = [
        Move("mug", dx=0.2, dy=-0.1),
        Resize("mug", 2.0),
        Rotate("mug", 30),
        Move("mug", dx=-0.05),
        Resize("mug", 0.75),
        Rotate("mug", -50),
    ]
    (total,) = steps_of(edits)
    assert isinstance(total, Similarity)
    assert total.target == "mug"
    assert total.dx == pytest.approx(0.15)
    assert total.dy == pytest.approx(-0.1)
    assert total.scale == pytest.approx(1.5)
    assert total.angle == pytest.approx(-20)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Move("mug", dy=0.3), Similarity("mug", 0, 0.3, 1)),
        (Resize(None, 0.5), Similarity(None, 0, 0, 0.5)),
        (Rotate("book", -90), Similarity("book", angle=-90)),
        (Remove("mug"), Remove("mug")),
    ],
)
def test_one_edit_is_a_step_by_itself(edit: Edit, expected: EditStep) -> None:
    assert plan(edit, shown=True).steps == (expected,)
    assert plan([edit], shown=True).steps == (expected,)


def test_only_neighbours_that_move_one_object_are_one_step() -> None:
    edits = [
        Move("mug", dx=0.1),
        Rotate("mug", 10),
        Resize("bowl", 2.0),
        Resize("mug", 0.5),
        Remove("can"),
        Rotate("mug", 5),
    ]
    assert steps_of(edits) == (
        Similarity("mug", dx=0.1, angle=10),
        Similarity("bowl", scale=2.0),
        Similarity("mug", scale=0.5),
        Remove("can"),
        Similarity("mug", angle=5),
    )


def test_the_order_of_steps_is_that_of_the_edits() -> None:
    edits = [Swap("mug", "bowl"), Remove("can"), Swap("mug", "bowl"), Retouch("a book")]
    assert steps_of(edits) == tuple(edits)


@pytest.mark.parametrize("value", [1.01, -1.5, math.nan, math.inf])
def test_a_shift_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^dx must lie in \[-1, 1\] widths, got {value}$"):
        Move("mug", dx=value)
    with pytest.raises(UsageError, match=r"^dy must lie in \[-1, 1\] heights"):
        Move("mug", dy=value)


@pytest.mark.parametrize("value", [0.0, -2.0, 0.09, 10.1, math.nan, math.inf])
def test_a_scale_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^scale must lie in \[0\.1, 10\], got {value}$"):
        Resize("mug", value)
    with pytest.raises(UsageError, match=rf"^scale must lie in \[0\.1, 10\], got {value}$"):
        Paste("mug", "other.jpg", scale=value)


@pytest.mark.parametrize("value", [360.5, -361, math.nan, math.inf])
def test_an_angle_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^angle must lie in \[-360, 360\] degrees, got {value}$"):
        Rotate("mug", value)


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_a_place_outside_the_photo_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^x must lie in \[0, 1\], got {value}$"):
        Paste("mug", "other.jpg", x=value)
    with pytest.raises(UsageError, match=rf"^y must lie in \[0, 1\], got {value}$"):
        Paste("mug", "other.jpg", y=value)


@pytest.mark.parametrize(
    "make",
    [
        lambda text: Restyle("mug", text),
        lambda text: Replace("mug", text),
        lambda text: Background("mug", text),
        lambda text: Retouch(text),
    ],
    ids=["restyle", "replace", "background", "retouch"],
)
def test_a_text_that_says_nothing_is_refused(make: Callable[[str], Edit]) -> None:
    assert make("a blue mug")
    for text in ("", " \t"):
        with pytest.raises(UsageError, match="is empty; say what it is to look like"):
            make(text)


def test_a_look_is_not_taken_from_itself() -> None:
    for own in (Like, lambda target: Like(target, None, target)):
        with pytest.raises(UsageError, match=r"^an object already looks like itself; name another photo"):
            own("mug")
    assert Like("mug", None, "bowl").other == "bowl"
    assert Like("mug", np.zeros((4, 4, 3), np.uint8)).other is None


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([], "there is nothing to do; give an edit, for example Move('mug', dx=0.2)"),
        ([Move("mug")], "the edit changes nothing; give a dx, dy, scale or angle"),
        ([Resize("mug", 2.0), Resize("mug", 0.5)], "the edit changes nothing; give a dx, dy, scale or angle"),
        (
            [Rotate("mug", 180), Rotate("mug", 180)],
            "the edit changes nothing; give a dx, dy, scale or angle",
        ),
        ([Remove("bowl"), Move("mug")], "the edit changes nothing; give a dx, dy, scale or angle"),
    ],
)
def test_edits_that_make_no_plan_say_why(edits: list[Edit], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(edits, shown=False)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2
