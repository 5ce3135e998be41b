"""The kinds of edit: their ranges, and that all of realedit knows each of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import realedit
from realedit import Move, Resize
from realedit.cli.edit_options import EditOptions
from realedit.cli.flag_order import FLAGS, field_of
from realedit.edits import kinds
from realedit.edits.edit import Edit, Given, Similarity, flag_of, givens, names_of
from realedit.edits.entries import KEYS
from realedit.edits.kinds import (
    KINDS,
    Background,
    Flip,
    Like,
    Paste,
    Remove,
    Replace,
    Restyle,
    Retouch,
    Rotate,
    Swap,
)
from realedit.edits.recipe import json_schema
from realedit.errors import UsageError
from realedit.steps import do

GIVENS = [(kind, about) for kind in KINDS for about in givens(kind).values()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
class TestEveryKind:
    """What a new kind of edit must not lack; see :mod:`realedit.edits.kinds`."""

    def test_is_public(self, kind: type[Edit]) -> None:
        assert kind.__name__ in kinds.__all__
        assert kind.__name__ in realedit.__all__
        assert getattr(realedit, kind.__name__) is kind

    def test_has_a_step_function(self, kind: type[Edit]) -> None:
        # those that are similarities of their object are added up and done as one
        done_as = Similarity if "similarity" in vars(kind) else kind
        assert done_as in do.registry, f"no function in realedit/steps has @do.register and a {kind.__name__}"

    def test_says_what_it_does(self, kind: type[Edit]) -> None:
        text = kind.__doc__ or ""
        # a dataclass without a docstring gets its signature
        assert text
        assert not text.startswith(f"{kind.__name__}(")
        for field in givens(kind):
            assert re.search(rf"^ +{field.name}: |``{field.name}``", text, re.MULTILINE), field.name

    def test_has_a_flag_and_an_entry(self, kind: type[Edit]) -> None:
        assert kind.key in KEYS
        assert kind.key in names_of(kind)
        assert kind.key.isidentifier()
        assert kind.key == kind.key.lower()
        assert flag_of(kind.key) in FLAGS
        form = json_schema()["$defs"][kind.__name__]
        assert set(form["properties"]) == names_of(kind)
        for about in givens(kind).values():
            assert about.flag in FLAGS
            assert field_of(about.flag) in EditOptions.__dataclass_fields__


def test_a_move_of_any_kind_is_done_by_one_function() -> None:
    assert Similarity in do.registry


def test_kinds_and_the_public_names_are_the_same() -> None:
    assert set(kinds.__all__) == {"Edit", *(kind.__name__ for kind in KINDS)}
    assert list(kinds.__all__) == sorted(kinds.__all__)


@pytest.mark.parametrize(("kind", "about"), GIVENS, ids=[f"{k.__name__}-{a.name}" for k, a in GIVENS])
def test_help_mentions_flags_and_keys(kind: type[Edit], about: Given) -> None:
    siblings = [one for one in KINDS if one.key == kind.key]
    for mentioned in re.findall(r"\{(\w*)\}", about.help):
        assert any(mentioned in names_of(one) for one in siblings)
        assert flag_of(mentioned) in about.flag_help
        assert f'"{mentioned}"' in about.json_help
    assert about.help[:1].isupper()
    assert about.help.endswith(".")
    assert "--" not in about.json_help
    assert "{" not in about.flag_help + about.json_help


def test_an_objects_words_are_tidied_and_lists_refused_before_anything_is_read() -> None:
    assert Move("The Mug.", dx=0.1) == Move("mug", dx=0.1)
    assert Swap("a mug", "(bowl:1.3)").objects == ("mug", "bowl")
    with pytest.raises(UsageError, match="'mug, bowl' names 2 things"):
        Remove("mug, bowl")


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


@pytest.mark.parametrize("value", ["sideways", "left", "Horizontal"])
def test_a_word_that_is_no_choice_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match=rf"^direction must be horizontal or vertical, got {value}$"):
        Flip("mug", value)


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_a_place_outside_the_photo_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match=rf"^x must lie in \[0, 1\], got {value}$"):
        Paste("mug", "other.jpg", x=value)
    with pytest.raises(UsageError, match=rf"^y must lie in \[0, 1\], got {value}$"):
        Paste("mug", "other.jpg", y=value)


@pytest.mark.parametrize(
    "text", ["0.5", "0.5,", "a,b", "0.5,1.2", "-0.1,0.5", "nan,0.5", "0.1,0.2,0.3", "0.1,0.2 x"]
)
def test_a_point_in_the_other_photo_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^from_point must be x,y, fractions"):
        Paste("mug", "other.jpg", from_point=text)


def test_several_points_in_the_other_photo_are_read() -> None:
    assert Paste("mug", "other.jpg", from_point="0.1,0.2  0.3,1").places == ((0.1, 0.2), (0.3, 1.0))
    assert Paste("mug", "other.jpg").places == ()


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


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="the new look has 10,001 letters"):
        Restyle("mug", "m" * 10_001)
