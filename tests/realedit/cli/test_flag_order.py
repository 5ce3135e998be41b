"""The command line's edits in their order, parsed as the command parses them."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from realedit.cli.edit_options import EditOptions
from realedit.cli.flag_order import FLAGS, MODIFIERS, gather, in_order
from realedit.cli.main import app
from realedit.edits.edit import givens
from realedit.edits.kinds import KINDS
from realedit.errors import UsageError


def _gathered(line: str, shown_by: str | None = None) -> list[dict[str, Any]]:
    """The entries of a command line."""
    tokens = ["photo.jpg", *shlex.split(line)]
    _, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    options = bound.arguments.get("what", EditOptions())
    return gather(in_order(tokens), options.values, shown_by)


def test_the_flags_stand_in_their_order_whatever_is_between_them() -> None:
    line = "p.jpg --seed 3 --dx=0.1 --move mug -o a.png --remove bowl -q --dx -0.1 --swap-looks=mug"
    assert in_order(shlex.split(line)) == ("--dx", "--move", "--remove", "--dx", "--swap-looks")
    # neither another flag's value nor a name that begins alike is one
    assert in_order(["p.jpg", "--prompt=a --dx of it", "--moved", "x", "-dx", "move"]) == ()


def test_a_flag_with_underscores_is_the_flag() -> None:
    """The command takes it, so that its place must not be lost."""
    assert in_order(["--swap_looks", "mug", "--look_of=o.jpg"]) == ("--swap-looks", "--look-of")


def test_every_flag_is_one_of_the_command() -> None:
    taken_as: dict[str, float | str] = {flag: flag[2:] for flag in FLAGS}
    for about in (about for kind in KINDS for about in givens(kind).values()):
        if about.is_number or about.choices:
            taken_as[about.flag] = 0.5 if about.is_number else about.choices[0]
    tokens = [token for flag in FLAGS for token in (flag, str(taken_as[flag]))]
    _, bound, _ = app.parse_args(["p.jpg", *tokens], exit_on_error=False, print_error=False)
    options = bound.arguments["what"]
    for flag in FLAGS:
        field = flag.removeprefix("--").replace("-", "_")
        taken = getattr(options, field) if hasattr(options, field) else getattr(options, f"{field}_")
        assert taken == (taken_as[flag],)
    assert set(MODIFIERS) < set(FLAGS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("--move mug --dx 0.1", [{"move": "mug", "dx": 0.1}]),
        ("--move=mug --dx=-0.1 --dy=.2", [{"move": "mug", "dx": -0.1, "dy": 0.2}]),
        (
            "--move mug --dx 0.1 --resize mug --scale 2 --rotate mug --angle -30",
            [{"move": "mug", "dx": 0.1}, {"resize": "mug", "scale": 2}, {"rotate": "mug", "angle": -30}],
        ),
        # repeated edits, each with its own values
        (
            "--move mug --dx 0.1 --move bowl --dx 0.2 --dy 0.3",
            [{"move": "mug", "dx": 0.1}, {"move": "bowl", "dx": 0.2, "dy": 0.3}],
        ),
        ("--remove bowl --remove can --remove bowl", [{"remove": name} for name in ("bowl", "can", "bowl")]),
        # the order is that of the line, not of the flags' list
        ("--remove bowl --move mug --dx 0.1", [{"remove": "bowl"}, {"move": "mug", "dx": 0.1}]),
        ("--move mug --dx 0.1 --remove bowl", [{"move": "mug", "dx": 0.1}, {"remove": "bowl"}]),
        # a value goes to the last edit that takes it
        (
            "--move mug --dx 0.1 --remove bowl --dy 0.2",
            [{"move": "mug", "dx": 0.1, "dy": 0.2}, {"remove": "bowl"}],
        ),
        (
            "--swap mug --with bowl --replace can --with 'a book'",
            [{"swap": "mug", "with": "bowl"}, {"replace": "can", "with": "a book"}],
        ),
        (
            "--resize mug --scale 2 --paste can --from o.jpg --x 0.2 --y 0.7 --scale 0.5",
            [
                {"resize": "mug", "scale": 2},
                {"paste": "can", "from": "o.jpg", "x": 0.2, "y": 0.7, "scale": 0.5},
            ],
        ),
        ("--restyle mug --as 'a blue mug'", [{"restyle": "mug", "as": "a blue mug"}]),
        (
            "--restyle mug --like o.jpg --object bowl",
            [{"restyle": "mug", "like": "o.jpg", "object": "bowl"}],
        ),
        ("--background 'a marble table' --keep mug", [{"background": "a marble table", "keep": "mug"}]),
        ("--restyle mug --object bowl", [{"restyle": "mug", "object": "bowl"}]),
        # before the one edit that takes it
        ("--dx 0.1 --move mug", [{"move": "mug", "dx": 0.1}]),
        ("--from o.jpg --x 0.3 --paste mug", [{"paste": "mug", "from": "o.jpg", "x": 0.3}]),
        ("--remove can --with bowl --swap mug", [{"remove": "can"}, {"swap": "mug", "with": "bowl"}]),
        (
            "--scale 2 --dx 0.1 --move mug --resize bowl",
            [{"move": "mug", "dx": 0.1}, {"resize": "bowl", "scale": 2}],
        ),
        ("--swap-looks mug --with bowl", [{"swap_looks": "mug", "with": "bowl"}]),
        ("--look-of o.jpg", [{"look_of": "o.jpg"}]),
        ("--flip mug", [{"flip": "mug"}]),
        ("--copy mug --dx 0.2 --scale 0.8", [{"copy": "mug", "dx": 0.2, "scale": 0.8}]),
        ("--move mug --dy 0.1 --perspective off", [{"move": "mug", "dy": 0.1, "perspective": "off"}]),
        ("--copy mug --dy 0.1 --perspective -0.5", [{"copy": "mug", "dy": 0.1, "perspective": -0.5}]),
        ("--anchor centre --resize mug --scale 2", [{"resize": "mug", "scale": 2, "anchor": "centre"}]),
        ("--direction vertical --flip mug", [{"flip": "mug", "direction": "vertical"}]),
        ("--reshape mug --shape s.png", [{"reshape": "mug", "shape": "s.png"}]),
        # another spelling that the command takes
        ("--look_of o.jpg --remove mug", [{"look_of": "o.jpg"}, {"remove": "mug"}]),
    ],
)
def test_flags_make_entries_in_their_order(line: str, expected: list[dict[str, Any]]) -> None:
    assert _gathered(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--dx 0.1", [{"move": None, "dx": 0.1}]),
        ("--dy 0.1 --dx 0.2", [{"move": None, "dy": 0.1, "dx": 0.2}]),
        ("--scale 2", [{"resize": None, "scale": 2}]),
        ("--angle 30", [{"rotate": None, "angle": 30}]),
        ("--direction vertical", [{"flip": None, "direction": "vertical"}]),
        ("--shape s.png", [{"reshape": None, "shape": "s.png"}]),
        ("--as 'a blue mug'", [{"restyle": None, "as": "a blue mug"}]),
        ("--like o.jpg --object bowl", [{"restyle": None, "like": "o.jpg", "object": "bowl"}]),
        ("--background marble", [{"background": "marble"}]),
        ("--retouch 'a can'", [{"retouch": "a can"}]),
        # several of one object that is shown: as before edits could be several
        ("--dx 0.1 --scale 2", [{"move": None, "dx": 0.1}, {"resize": None, "scale": 2}]),
    ],
)
def test_what_is_shown_needs_no_name(line: str, expected: list[dict[str, Any]]) -> None:
    assert _gathered(line, "--box") == expected
    with pytest.raises(UsageError, match="does not say wh"):
        _gathered(line)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--dx 0.1", "--dx does not say what to move; add --move WORD, such as --move mug"),
        ("--scale 2", "--scale does not say what to resize; add --resize WORD"),
        ("--move mug --dx 0.1 --scale 2", "--scale does not say what to resize; add --resize WORD"),
        ("--angle 2", "--angle does not say what to turn; add --rotate WORD, such as --rotate book"),
        (
            "--with bowl",
            "--with does not say what it belongs to; it goes with --swap or --replace or --swap-looks",
        ),
        ("--remove mug --with bowl", "--with does not say what it belongs to"),
        ("--keep mug", "--keep does not say what it belongs to; it goes with --background"),
        ("--object mug --dx 0.1", "--object does not say what it belongs to; it goes with --restyle"),
        (
            "--dx 0.1 --move mug --dx 0.2 --move bowl",
            "--dx does not say which of --move and --move it belongs to; put it after the one that",
        ),
        ("--with a --swap mug --replace can", "--with does not say which of --swap and --replace it belongs"),
        ("--dx 0.1 --dx 0.2 --move mug", "--dx is given twice for --move"),
        ("--dx 0.1 --move mug --dx 0.2", "--dx is given twice for --move"),
        ("--background marble", "--background does not say what stays; add --keep WORD, or show it with"),
        ("--retouch 'a can'", "--retouch does not say where; show it with --mask, --box or --point"),
        ("--restyle mug --as 'a can' --like o.jpg", "--as and --like contradict each other"),
        ("--restyle mug --as 'a can' --object bowl", "--as and --object contradict each other"),
        ("--move mug", "--move does not say how far; add --dx or --dy, such as --dx 0.2"),
        ("--move mug --move bowl --dx 0.1", "--move does not say how far"),
        ("--resize mug", "--resize does not say how much"),
        ("--resize mug --paste can --from o.jpg --scale 2", "--resize does not say how much"),
        ("--rotate mug", "--rotate does not say how far; add --angle"),
        ("--reshape mug", "--reshape does not say into what; add --shape FILE"),
        ("--swap mug", "--swap does not say with what; add --with WORD"),
        ("--replace mug", "--replace does not say with what; add --with TEXT"),
        ("--restyle mug", "--restyle does not say how; add --as 'a blue mug', --like FILE or --ob"),
        ("--paste mug", "--paste does not say from where; add --from FILE"),
        ("--swap-looks mug", "--swap-looks does not say with what"),
        (
            "--move mug --dx 0.1 --dx 0.2",
            "--dx is given twice for --move; for another edit, give --move again",
        ),
        ("--swap mug --with bowl --with can", "--with is given twice for --swap"),
        ("--move '' --dx 0.1", "--move has an empty name; name the object: --move mug"),
        ("--remove ' '", "--remove has an empty name"),
        ("--swap mug --with ''", "--with has an empty name"),
    ],
)
def test_flags_that_make_no_edit_say_what_is_missing(line: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        _gathered(line)
    assert str(caught.value).startswith(says)
    assert caught.value.exit_code == 2


def test_a_shown_object_does_not_stand_in_for_a_named_one() -> None:
    with pytest.raises(UsageError, match=r"^--scale does not say what to resize; add --resize WORD"):
        _gathered("--move mug --dx 0.1 --scale 2", "--box")
    with pytest.raises(UsageError, match=r"^--with does not say what it belongs to"):
        _gathered("--with bowl", "--mask")


def test_with_an_object_shown_a_flag_still_waits_for_its_edit() -> None:
    assert _gathered("--dx 0.1 --move mug", "--box") == [{"move": "mug", "dx": 0.1}]
