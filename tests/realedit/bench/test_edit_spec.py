"""What a case asks for, in words and as realedit's own edits."""

from __future__ import annotations

import pytest

from realedit import Move, Resize
from realedit.bench.edit_spec import EditSpec, realedit_edit, supported_kinds


def test_the_edits_that_realedit_has() -> None:
    assert {"move", "resize"} <= supported_kinds()
    assert "text" not in supported_kinds()
    assert realedit_edit(EditSpec("move", 0.1, -0.2), "mug") == Move("mug", 0.1, -0.2)
    assert realedit_edit(EditSpec("resize", scale=1.5), "mug") == Resize("mug", 1.5)


@pytest.mark.parametrize("kind", sorted(supported_kinds()))
def test_every_supported_kind_becomes_an_edit(kind: str) -> None:
    spec = EditSpec(kind, 0.1, 0.1, 1.2, 20.0, "bowl", "red")
    assert realedit_edit(spec, "mug").target == "mug"


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
