"""What flags and a recipe ask for together: where the object is shown, and the settings."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from realedit.cli.edit_options import EditOptions
from realedit.cli.flag_order import in_order
from realedit.cli.main import app
from realedit.cli.options import EditSampling, ObjectOptions
from realedit.cli.request import EditCommand, asked
from realedit.errors import UsageError
from realedit.settings import Settings

MOVE = "--dx 0.1"


def _asked(line: str) -> EditCommand:
    """What a command line asks for."""
    tokens = ["photo.jpg", *shlex.split(line)]
    _, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    what = replace(bound.arguments.get("what", EditOptions()), order=in_order(tokens))
    where = bound.arguments.get("where", ObjectOptions())
    return asked(what, where, bound.arguments.get("sampling", EditSampling()), quiet=True)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe that shows its object and leaves its shadow alone."""
    told: dict[str, Any] = {
        "edits": [{"move": None, "dx": 0.1}],
        "point": [[0.1, 0.2], [0.3, 0.4]],
        "not_point": [0.5, 0.6],
        "settings": {"shadow": False, "smooth": 2.0},
    }
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(told))
    return file


def test_points_are_gathered_in_their_order() -> None:
    where = _asked(f"{MOVE} --point 0.1,0.2 --not-point 0.5,0.6 --box 0,0,1,1 --point=0.3,0.4").where
    assert where.point == ((0.1, 0.2), (0.3, 0.4))
    assert where.not_point == ((0.5, 0.6),)
    assert where.box == (0, 0, 1, 1)
    assert where.given == "--box"


def test_a_recipes_points_stand_in_where_no_flag_shows_the_object(recipe: Path) -> None:
    where = _asked(f"--edits {recipe}").where
    assert (where.point, where.not_point) == (((0.1, 0.2), (0.3, 0.4)), ((0.5, 0.6),))
    told = _asked(f"--edits {recipe} --point 0.7,0.8").where
    assert (told.point, told.not_point) == (((0.7, 0.8),), ())


@pytest.mark.parametrize(
    ("flags", "shadow", "reflection"),
    [("", True, False), ("--no-shadow", False, False), ("--shadow --reflection", True, True)],
)
def test_flags_settle_shadow_and_reflection(flags: str, shadow: bool, reflection: bool) -> None:
    settings = _asked(f"{MOVE} --point 0.1,0.2 {flags}").settings
    assert (settings is None) == (flags == "")
    assert (settings or Settings()) == Settings(shadow=shadow, reflection=reflection)


def test_flags_win_over_the_recipes_settings(recipe: Path) -> None:
    assert _asked(f"--edits {recipe}").settings == Settings(shadow=False, smooth=2.0)
    assert _asked(f"--edits {recipe} --shadow").settings == Settings(shadow=True, smooth=2.0)


@pytest.mark.parametrize(("flag", "wanted"), [("", None), ("--refine", True), ("--no-refine", False)])
def test_a_mask_is_refined_as_the_flag_says(flag: str, wanted: bool | None, tmp_path: Path) -> None:
    assert _asked(f"{MOVE} --mask m.png {flag}").where.refine is wanted
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps({"edits": [{"move": None, "dx": 0.1}], "refine": True}))
    assert _asked(f"--edits {file} --mask m.png {flag}").where.refine is (True if wanted is None else wanted)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--mask m.png --not-point 0.1,0.1", "--mask and --not-point contradict each other"),
        ("--mask m.png --point 0.1,0.1", "--mask and --point contradict each other"),
        ("--not-point 0.1,0.1", "--not-point does not show the object"),
        ("--point 0.1,0.1 --refine", "--refine is about a mask"),
    ],
)
def test_flags_that_say_nothing_together_are_refused(flags: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"^{says}"):
        _asked(f"{MOVE} {flags}")
