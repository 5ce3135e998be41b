"""What a dry run says of several edits, from where their objects were found."""

from __future__ import annotations

import numpy as np
import pytest

from realedit.change import Change
from realedit.cli.dry_run import Planned, changes_of, planned
from realedit.cli.output import change_fields, print_changes
from realedit.cli.preview import drawn
from realedit.edits.kinds import (
    Copy,
    Edit,
    Flip,
    Like,
    LookOf,
    Move,
    Paste,
    Remove,
    Reshape,
    Resize,
    Restyle,
    Rotate,
    Swap,
    SwapLooks,
)
from realedit.edits.plan import steps_of
from realedit.errors import OutOfFrameError
from realedit.location import Location, box_of
from realedit.photo.inputs import as_photo

H, W = 100, 200


def _location(word: str | None, x0: int, y0: int, x1: int, y1: int) -> Location:
    mask = np.zeros((H, W), np.float32)
    mask[y0:y1, x0:x1] = 1
    return Location(word, mask, mask, 0.9, "word")


FOUND: dict[str | None, Location] = {
    "mug": _location("mug", 20, 40, 60, 80),
    "bowl": _location("bowl", 120, 60, 180, 90),
}
MUG, BOWL = FOUND["mug"].box, FOUND["bowl"].box


def _planned(*edits: Edit) -> list[Change]:
    return changes_of(steps_of(edits), FOUND, allow_crop=False)


def _boxes(*edits: Edit) -> list[tuple[float, ...] | None]:
    return [change.after for change in _planned(*edits)]


def test_each_edit_is_a_line_of_its_own_in_their_order() -> None:
    changes = _planned(Move("mug", dx=0.1), Resize("mug", 1.5), Remove("bowl"), Restyle("mug", "a can"))
    assert [(change.edit, change.word) for change in changes] == [
        ("move, resize", "mug"),
        ("remove", "bowl"),
        ("restyle", "mug"),
    ]
    assert changes[0].before == MUG
    assert changes[0].after == pytest.approx((0.15, 0.2, 0.45, 0.8))
    assert (changes[1].before, changes[1].after) == (BOWL, None)
    assert changes[2].before == changes[2].after == changes[0].after


def test_a_later_edit_starts_where_the_one_before_it_ends() -> None:
    _, _, last = _boxes(Move("mug", dx=0.1), Remove("bowl"), Move("mug", dx=0.05, dy=-0.1))
    assert last == pytest.approx((0.25, 0.3, 0.45, 0.7))


def test_two_objects_that_change_places_stand_on_each_others_spot() -> None:
    mug, bowl = _boxes(Swap("mug", "bowl"))
    assert mug == pytest.approx((0.65, 0.5, 0.85, 0.9))
    assert bowl == pytest.approx((0.05, 0.5, 0.35, 0.8))
    assert [change.after for change in _planned(SwapLooks("mug", "bowl"))] == [MUG, BOWL]


def test_an_object_is_mirrored_about_its_centroid() -> None:
    mask = np.zeros((H, W), np.float32)
    mask[40:80, 20:60] = mask[40:60, 60:80] = 1
    x, y = Location("can", mask, mask, 0.9, "word").centroid
    found: dict[str | None, Location] = {"can": Location("can", mask, mask, 0.9, "word")}
    (across,) = changes_of(steps_of([Flip("can")]), found, allow_crop=False)
    assert (across.edit, across.before) == ("flip", (0.1, 0.4, 0.4, 0.8))
    assert across.after == pytest.approx((2 * x - 0.4, 0.4, 2 * x - 0.1, 0.8))
    (down,) = changes_of(steps_of([Flip("can", "vertical"), Move("can", dx=0.1)]), found, allow_crop=False)
    assert down.edit == "move, flip"
    assert down.after == pytest.approx((0.2, 2 * y - 0.8, 0.5, 2 * y - 0.4))


def test_a_copy_lies_beside_the_first_and_later_edits_mean_the_copy() -> None:
    copied, moved = _planned(Copy("mug", 0.2, scale=0.5), Move("mug", dy=-0.2, perspective="off"))
    assert (copied.edit, copied.before) == ("copy", MUG)
    assert copied.after == pytest.approx((0.35, 0.6, 0.45, 0.8))
    assert moved.after == pytest.approx((0.35, 0.4, 0.45, 0.6))


def test_a_turned_objects_box_is_about_the_object_and_not_about_its_turned_box() -> None:
    yy, xx = np.mgrid[:H, :W] + 0.5
    disc = (np.hypot(xx - 170, yy - 70) < 28).astype(np.float32)
    found: dict[str | None, Location] = {"ball": Location("ball", disc, disc, 0.9, "word")}
    turned, moved = changes_of(
        steps_of([Rotate("ball", 45), Remove("mug"), Rotate("ball", 30)]),
        found | {"mug": FOUND["mug"]},
        allow_crop=False,
    )[::2]
    assert turned.after == pytest.approx((0.71, 0.42, 0.99, 0.98), abs=0.01)
    assert moved.after == pytest.approx((0.71, 0.42, 0.99, 0.98), abs=0.01)


def test_an_object_that_comes_nearer_is_told_how_much_larger_it_becomes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (change,) = changes_of(steps_of([Move("mug", dy=0.1)]), FOUND, lambda: 0.3, allow_crop=False)
    assert change.perspective == pytest.approx(0.6 / 0.5)
    assert change.after == pytest.approx((0.2 - 0.12, 0.9 - 0.4 * 1.2, 0.2 + 0.12, 0.9))
    print_changes([change])
    line = "  'mug' becomes 1.20 times as large, as perspective asks; --perspective off keeps its size"
    assert capsys.readouterr().out.splitlines()[1] == line


def test_an_object_that_the_frame_cuts_is_refused_where_its_edge_would_show() -> None:
    found: dict[str | None, Location] = {"bus": _location("bus", 0, 40, 60, 80)}
    with pytest.raises(OutOfFrameError, match=r"^'bus' goes on beyond the frame at the left"):
        changes_of(steps_of([Move("bus", dx=0.1)]), found, allow_crop=False)
    assert changes_of(steps_of([Move("bus", dx=0.1)]), found, allow_crop=True)
    (along,) = changes_of(steps_of([Move("bus", dy=0.1)]), found, allow_crop=False)
    assert along.after == pytest.approx((0.0, 0.5, 0.3, 0.9))


def test_an_outline_is_where_a_reshaped_object_will_be() -> None:
    shape = np.zeros((H, W), np.float32)
    shape[10:30, 100:140] = 1
    assert _boxes(Reshape("mug", shape)) == [(0.5, 0.1, 0.7, 0.3)]


def test_what_comes_from_another_photo_is_looked_for_nowhere() -> None:
    pasted, look, like = _planned(Paste("can", "o.jpg"), LookOf("o.jpg"), Like("mug", "o.jpg"))
    assert pasted == Change("paste", "can")
    assert (look.before, look.after) == ((0, 0, 1, 1), (0, 0, 1, 1))
    assert (like.before, like.after) == (MUG, MUG)


def test_whatever_edit_carries_an_object_out_of_the_frame_is_refused() -> None:
    edits = [Move("mug", dx=0.1), Move("bowl", dx=0.3)]
    with pytest.raises(
        OutOfFrameError, match=r"^'bowl' would leave the frame by 20 % of its width at the right"
    ):
        changes_of(steps_of(edits), FOUND, allow_crop=False)
    assert len(changes_of(steps_of(edits), FOUND, allow_crop=True)) == 2


def test_changes_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_changes(_planned(Rotate("mug", 90), Remove("bowl"), Paste("can", "o.jpg"), LookOf("o.jpg")))
    assert capsys.readouterr().out.splitlines() == [
        "  rotate   mug    0.100,0.400,0.300,0.800 -> 0.100,0.400,0.300,0.800  by word, score 0.90",
        "  remove   bowl   0.600,0.600,0.900,0.900 -> none                     by word, score 0.90",
        "  paste    can",
        "  look-of  photo  0.000,0.000,1.000,1.000 -> 0.000,0.000,1.000,1.000",
    ]


def test_a_change_as_json_has_everything() -> None:
    (change,) = _planned(Remove("mug"))
    assert change_fields(change) == {
        "edit": "remove",
        "word": "mug",
        "source": "word",
        "score": 0.9,
        "box_before": MUG,
        "box_after": None,
        "perspective": None,
    }


def _marked(*edits: Edit) -> list[Planned]:
    return planned(steps_of(edits), FOUND, allow_crop=True)


def test_what_becomes_of_an_object_is_told_apart() -> None:
    edits = [
        Move("mug", dx=0.1),
        Restyle("mug", "a can"),
        Paste("can", "o.jpg"),
        Remove("bowl"),
        LookOf("o.jpg"),
    ]
    assert [(one.number, one.kind) for one in _marked(*edits)] == [
        (1, "carried"),
        (2, "changed"),
        (3, "brought"),
        (4, "gone"),
        (5, "changed"),
    ]


@pytest.mark.parametrize(
    "edits",
    [
        (Move("mug", dx=0.25, dy=-0.1),),
        (Move("mug", dx=0.1), Remove("bowl"), Resize("mug", 0.5)),
        (Rotate("mug", 90), Remove("bowl"), Flip("mug"), Remove("bowl"), Move("mug", dx=0.2)),
    ],
)
def test_an_object_is_drawn_where_it_goes(edits: tuple[Edit, ...]) -> None:
    """The matrix through all steps carries the box's corners into the box that is told."""
    last = [one for one in _marked(*edits) if one.change.word == "mug"][-1]
    assert last.after is not None
    x0, y0, x1, y1 = MUG
    corners = last.after.matrix @ np.array([[x0, x1, x0, x1], [y0, y0, y1, y1], [1, 1, 1, 1]])
    assert last.after.box == pytest.approx((*corners[:2].min(1), *corners[:2].max(1)))
    x, y, _ = last.after.matrix @ (*FOUND["mug"].centroid, 1)
    assert last.after.centroid == pytest.approx((x, y))


def test_a_preview_shows_source_and_target() -> None:
    rgb = np.full((H, W, 3), 90, np.uint8)
    rgb[40:80, 20:60] = (200, 40, 40)
    shape = np.zeros((H, W), np.float32)
    shape[10:30, 150:190] = 1
    edits = [Move("mug", dx=0.4), Reshape("bowl", shape), Paste("can", "o.jpg", x=0.5, y=0.2)]
    out = np.asarray(drawn(as_photo(rgb), FOUND, _marked(*edits))).astype(int)
    assert out.shape == (H, W, 3)
    assert (out[70:75, 105:120, 0] > 150).all()  # the mug's own pixels at its new place
    green = (out[..., 1] > 190) & (out[..., 0] < 110)
    assert green[40:80, 100:102].any()
    assert green[9:31, 149:151].any()  # the outline to fit into
    assert green[8:32, 85:115].any()  # where the can comes to lie
    assert not green[60:100, 20:60].any()


def test_a_large_photo_is_drawn_no_larger_than_a_screen() -> None:
    rgb = np.full((1000, 2000, 3), 90, np.uint8)
    mask = np.zeros((1000, 2000), np.float32)
    mask[300:500, 200:400] = 1
    found: dict[str | None, Location] = {"mug": Location("mug", mask, mask, 1.0, "mask")}
    plan = planned(steps_of([Move("mug", dx=0.1)]), found, allow_crop=False)
    assert drawn(as_photo(rgb), found, plan).size == (1600, 800)


def test_the_box_of_a_mask_is_that_of_its_half() -> None:
    mask = np.zeros((10, 20))
    mask[2:4, 5:10] = 0.5
    mask[8, 18] = 0.4
    assert box_of(mask) == (0.25, 0.2, 0.5, 0.4)
    assert box_of(np.zeros((10, 20))) is None
