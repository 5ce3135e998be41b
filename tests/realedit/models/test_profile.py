from __future__ import annotations

from pathlib import Path

import pytest

from inversion import METHODS
from realedit.errors import ModelUnavailableError
from realedit.models.choice import ModelRef, identity, resolve_model
from realedit.models.profile import Profile
from realedit.settings import STRENGTH, Settings


def folder_with(text: str | None, folder: Path) -> ModelRef:
    if text is not None:
        (folder / "profile.json").write_text(text)
    return ModelRef("mine", "folder", str(folder), "flag")


def test_a_model_without_one_has_the_general_defaults(tmp_path: Path) -> None:
    assert Profile.of(folder_with(None, tmp_path)) == Profile()
    assert Profile().strength == Profile().look_strength == STRENGTH
    assert Profile().look == {}


def test_the_embedded_models_own_is_read() -> None:
    profile = Profile.of(resolve_model("tabletop"))
    assert (profile.strength, profile.look_strength) == (0, STRENGTH)
    assert profile.look["method"] in METHODS


def test_what_the_user_says_wins() -> None:
    profile = Profile(strength=0.1, look_strength=0.3)
    assert profile.filled(Settings(), by_model=False).strength == 0.1
    assert profile.filled(Settings(), by_model=True).strength == 0.3
    assert profile.filled(Settings(strength=0.0), by_model=True).strength == 0


@pytest.mark.parametrize("text", ['{"strength": 2}', '{"strength": "0"}', '{"speed": 1}', "[]", "{"])
def test_one_that_cannot_be_read_is_told_of_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"^mine: profile\.json cannot be read \(") as caught:
        Profile.of(folder_with(text, tmp_path))
    assert "\n" not in str(caught.value)


def test_it_is_part_of_what_decides_an_edit(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    before = identity(folder_with('{"strength": 0}', tmp_path))
    assert identity(folder_with('{"strength": 0.1}', tmp_path)) != before
