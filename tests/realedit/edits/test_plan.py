"""How a list of edits is planned: its steps, its order, and the object that is shown."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from guidance import Transform
from realedit.edits.edit import Edit, Similarity
from realedit.edits.kinds import (
    Background,
    Flip,
    Move,
    Paste,
    Remove,
    Replace,
    Resize,
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


def _linear(edits: list[Edit]) -> np.ndarray:
    """The 2 x 2 part of what neighbouring edits of one object come to, in a square frame."""
    (total,) = steps_of(edits)
    assert isinstance(total, Similarity)
    transform = Transform(total.dx, total.dy, total.scale, total.angle, mirrored=total.mirrored)
    return np.array(transform.matrix(1.0))[:, :2]


@pytest.mark.parametrize("angle", [0.0, 30.0, -100.0])
@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_flips_and_turns_follow_each_other_as_matrices_do(
    direction: Literal["horizontal", "vertical"], angle: float
) -> None:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s], [s, c]])
    flip = np.diag([-1.0, 1.0] if direction == "horizontal" else [1.0, -1.0])
    one, other = Flip("mug", direction), Rotate("mug", angle)
    np.testing.assert_allclose(_linear([other, one]), flip @ turn, atol=1e-12)
    np.testing.assert_allclose(_linear([one, other]), turn @ flip, atol=1e-12)
    np.testing.assert_allclose(
        _linear([one, other, one, Resize("mug", 2)]), 2 * flip @ turn @ flip, atol=1e-12
    )


@pytest.mark.parametrize(
    ("edits", "name"),
    [
        ([Flip("mug")], "flip"),
        ([Flip("mug", "vertical")], "flip"),
        ([Move("mug", dx=0.1), Flip("mug")], "move, flip"),
        ([Flip("mug", "vertical"), Rotate("mug", 20)], "rotate, flip"),
        ([Flip("mug"), Flip("mug", "vertical")], "rotate"),
    ],
)
def test_a_step_is_called_by_what_it_does(edits: list[Edit], name: str) -> None:
    assert [step.name for step in steps_of(edits)] == [name]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Move("mug", dy=0.3, perspective=0.2), Similarity("mug", 0, 0.3, 1, perspective=0.2)),
        (Resize(None, 0.5), Similarity(None, 0, 0, 0.5, anchor="foot")),
        (Rotate("book", -90), Similarity("book", angle=-90)),
        (Remove("mug"), Remove("mug")),
    ],
)
def test_one_edit_is_a_step_by_itself(edit: Edit, expected: EditStep) -> None:
    assert plan(edit, shown=True).steps == (expected,)
    assert plan([edit], shown=True).steps == (expected,)


def test_only_neighbours_that_move_one_object_are_one_step() -> None:
    edits = [
        Move("mug", dx=0.1, perspective="off"),
        Rotate("mug", 10),
        Resize("bowl", 2.0),
        Resize("mug", 0.5),
        Remove("can"),
        Rotate("mug", 5),
    ]
    assert steps_of(edits) == (
        Similarity("mug", dx=0.1, angle=10, moves=(Similarity("mug", dx=0.1), Similarity("mug", angle=10))),
        Similarity("bowl", scale=2.0, anchor="foot"),
        Similarity("mug", scale=0.5, anchor="foot"),
        Remove("can"),
        Similarity("mug", angle=5),
    )


def test_the_order_of_steps_is_that_of_the_edits() -> None:
    edits = [Swap("mug", "bowl"), Remove("can"), Swap("mug", "bowl"), Retouch("a book")]
    assert steps_of(edits) == tuple(edits)


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
        ([Flip("mug"), Flip("mug")], "the edit changes nothing; give a dx, dy, scale or angle"),
        ([Remove("bowl"), Move("mug")], "the edit changes nothing; give a dx, dy, scale or angle"),
    ],
)
def test_edits_that_make_no_plan_say_why(edits: list[Edit], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(edits, shown=False)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "edits",
    [
        [Remove("mug"), Move("mug", dx=0.1)],
        [Remove("mug"), Remove("bowl"), Restyle("mug", "a can")],
        [Remove("bowl"), Swap("mug", "bowl")],
        [Remove("mug"), Remove("mug"), Resize("mug", 2.0)],
        # what is put in is no mug
        [Remove("mug"), Paste("can", "other.jpg"), Rotate("mug", 30)],
    ],
)
def test_an_object_is_not_edited_after_it_was_taken_away(edits: list[Edit]) -> None:
    with pytest.raises(
        UsageError, match=r"^'(mug|bowl)' is taken away before it is edited; change the order"
    ):
        plan(edits, shown=False)


@pytest.mark.parametrize(
    "edits",
    [
        [Move("mug", dx=0.1), Remove("mug")],
        # of two mugs
        [Remove("mug"), Remove("mug")],
        [Remove("left mug"), Move("mug", dx=0.1)],
        # another mug is put in
        [Remove("mug"), Paste("mug", "other.jpg"), Rotate("mug", 30)],
        [Remove("left mug"), Replace("can", "a blue mug"), Move("left mug", dx=0.1)],
        [Remove("mug"), Background("can", "a table with a mug"), Move("mug", dx=0.1)],
    ],
)
def test_an_object_of_the_same_name_may_be_edited(edits: list[Edit]) -> None:
    assert plan(edits, shown=False).edits == tuple(edits)


def test_what_is_shown_and_taken_away_may_only_be_painted_into() -> None:
    for later in (Move(None, dx=0.1), Remove(None)):
        with pytest.raises(UsageError, match=r"^what is shown is taken away before it is edited"):
            plan([Remove(None), later], shown=True)
    assert plan([Remove(None), Retouch("a can")], shown=True).shown_word is None


def test_one_object_is_shown() -> None:
    assert plan([Move("mug", dx=0.1), Remove("mug")], shown=True).shown_word == "mug"
    assert plan([Move("mug", dx=0.1)], shown=False).shown_word is None
    with pytest.raises(UsageError, match="shows one object, the edits name several"):
        plan([Move("mug", dx=0.1), Remove("bowl")], shown=True)
    with pytest.raises(UsageError, match="nothing here edits one"):
        plan([Paste("mug", "other.jpg")], shown=True)
    with pytest.raises(UsageError, match="what is to be edited"):
        plan([Remove(None)], shown=False)
