"""Methods by name and setting."""

from __future__ import annotations

import pytest

from realedit.bench.methods import METHODS, MethodSpec, build, expand, parse_method
from realedit.bench.methods.spec import GROUPS
from realedit.errors import UsageError


@pytest.mark.parametrize("name", [*METHODS, *GROUPS])
def test_every_name_builds(name: str) -> None:
    for spec in parse_method(name):
        method = build(spec)
        assert method.edits
        assert set(method.grid) <= {*vars(method), *vars(getattr(method, "settings", method))}


def test_settings_take_their_own_type() -> None:
    (spec,) = parse_method("realedit:mask=true,steps=6,self_guidance=0,shadow=false")
    method = build(spec)
    assert spec.label == "realedit:mask=true,self_guidance=0,shadow=false,steps=6"
    assert (method.mask, method.steps) == (True, 6)  # pyright: ignore[reportAttributeAccessIssue]
    assert method.settings.self_guidance == 0.0  # pyright: ignore[reportAttributeAccessIssue]
    assert method.settings.shadow is False  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("photoshop", "no method 'photoshop'"),
        ("inpaint:speed=2", "inpaint has no setting 'speed'"),
        ("inpaint:strength", "'strength' is not a setting"),
        ("inpaint:strength=much", "strength takes a float"),
        ("inpaint:steps=2.5", "steps takes a int"),
        ("realedit:settings=1", "no setting 'settings'"),
    ],
)
def test_mistakes_are_told(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_method(text)


def test_a_search_tries_every_combination_but_of_what_is_set() -> None:
    everything = expand(MethodSpec("paste-telea"))
    assert len({spec.label for spec in everything}) == 9
    some = expand(MethodSpec("paste-telea", {"margin": "3"}))
    assert [spec.options["margin"] for spec in some] == ["3"] * 3
    with pytest.raises(UsageError, match="takes"):
        expand(MethodSpec("paste-telea"), most=8)
