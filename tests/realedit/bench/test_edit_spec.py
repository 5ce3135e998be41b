"""What a case asks for, in words and as realedit's own edits."""

from __future__ import annotations

import pytest

from realedit import Background, Move, Remove, Replace, Resize, Restyle, Retouch
from realedit.bench.edit_spec import KINDS, EditSpec, TextEdit, realedit_edits, supported_kinds
from realedit.errors import UsageError


def test_the_edits_that_realedit_has() -> None:
    assert supported_kinds() == set(KINDS)
    assert realedit_edits(EditSpec("move", 0.1, -0.2), "mug") == [Move("mug", 0.1, -0.2)]
    assert realedit_edits(EditSpec("resize", scale=1.5), "mug") == [Resize("mug", 1.5, "centre")]


@pytest.mark.parametrize("kind", sorted(supported_kinds() - {"text"}))
def test_every_supported_kind_becomes_an_edit(kind: str) -> None:
    spec = EditSpec(kind, 0.1, 0.1, 1.2, 20.0, "bowl", "red")
    (edit,) = realedit_edits(spec, "mug")
    assert edit.objects == ("mug",)


@pytest.mark.parametrize(
    ("own", "edit"),
    [
        (TextEdit("restyle", "mug", "blue mug", "word"), Restyle("mug", "blue mug")),
        (TextEdit("replace", "mug", "bowl", "word"), Replace("mug", "bowl")),
        (TextEdit("remove", "mug", None, "word"), Remove("mug")),
        (TextEdit("background", None, "snow", "rest"), Background(None, "snow")),
        (TextEdit("retouch", None, "a bowl", "mask"), Retouch("a bowl")),
    ],
)
def test_what_a_prompt_asks_for_becomes_an_edit_whatever_the_case_calls_the_object(
    own: TextEdit, edit: object
) -> None:
    assert realedit_edits(EditSpec("text", target_prompt="snow", own=(own,)), "red") == [edit]


def test_several_edits_keep_their_order() -> None:
    own = tuple(TextEdit("restyle", word, f"blue {word}", "word") for word in ("mug", "bowl"))
    assert realedit_edits(EditSpec("text", own=own), None) == [
        Restyle("mug", "blue mug"),
        Restyle("bowl", "blue bowl"),
    ]


def test_a_text_that_asks_for_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="do not differ"):
        realedit_edits(EditSpec("text", target_prompt="a mug"), "mug")


@pytest.mark.parametrize(
    ("own", "by_word", "by_mask"),
    [
        ((), "word", "mask"),
        ((TextEdit("restyle", "mug", "blue mug", "word"),), "word", "mask"),
        ((TextEdit("background", "mug", "snow", "word"),), "word", "rest"),
        ((TextEdit("background", None, "snow", "rest"),), "rest", "rest"),
        ((TextEdit("retouch", None, "a bowl", "mask"),), "mask", "mask"),
        ((TextEdit("restyle", "a mug", "a sketch of a mug", "whole"),), "whole", "whole"),
    ],
)
def test_what_shows_the_object(own: tuple[TextEdit, ...], by_word: str, by_mask: str) -> None:
    spec = EditSpec("text" if own else "move", own=own)
    assert spec.shown() == by_word
    assert spec.shown(mask_given=True) == by_mask


@pytest.mark.parametrize(
    ("spec", "after"),
    [
        (EditSpec("move", 0.1), "a green mug on a table"),
        (EditSpec("replace", new_object="bowl"), "a bowl on a table"),
        (EditSpec("recolour", new_colour="red"), "a red mug on a table"),
        (EditSpec("text", target_prompt="snow"), "snow"),
    ],
)
def test_the_prompt_after_an_edit(spec: EditSpec, after: str) -> None:
    assert spec.prompt_after("a green mug on a table", "mug", "green") == after


def test_a_record_says_what_differs() -> None:
    assert EditSpec("move", 0.1).fields() == {"kind": "move", "dx": 0.1}
    own = (TextEdit("restyle", "mug", "blue mug", "word"), TextEdit("retouch", None, "a bowl", "mask"))
    assert EditSpec("text", own=own).fields() == {
        "kind": "text",
        "own": "restyle 'mug' as 'blue mug' by word, retouch as 'a bowl' by mask",
    }
