"""The command line that the page gives to copy: a shell and the command read what was asked for."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from realedit.ui.command_line import command_line
from realedit.ui.requests import EditRequest


def told(name: str = "mug.jpg", mask: str | None = None, **asked: Any) -> str:
    request = EditRequest.model_validate({"edits": [{"move": "mug", "dx": 0.1}], **asked})
    return command_line(name, request, request.read(), mask=mask, made="mug-edited.jpg")


@pytest.mark.parametrize(
    "name", ["a b.jpg", 'it\'s "mine".jpg', "$HOME `x`.jpg", "Blüte; rm.jpg", "#1 (2).jpg"]
)
def test_a_shell_reads_one_name_whatever_is_in_it(name: str) -> None:
    assert shlex.split(told(name))[:2] == ["realedit", name]


def test_a_name_that_begins_like_a_flag_is_read_as_a_file() -> None:
    assert shlex.split(told("-o.jpg"))[1] == "./-o.jpg"


@pytest.mark.parametrize(
    ("asked", "flags"),
    [
        ({}, ""),
        ({"seed": 3, "allow_crop": True, "prompt": "a mug"}, " --prompt 'a mug' --seed 3 --allow-crop"),
        ({"settings": {"shadow": False, "reflection": True}}, " --no-shadow --reflection"),
        ({"strength": 0.2, "min_confidence": 0.5}, " --strength 0.2 --min-confidence 0.5"),
        ({"quality": 80, "format": ".webp"}, " --quality 80 -o mug-edited.jpg"),
        ({"lossless": True}, " --lossless"),
        ({"point": [[0.5, 0.25]], "not_point": [[0.1, 0.2]]}, " --point 0.5,0.25 --not-point 0.1,0.2"),
    ],
)
def test_all_that_was_asked_for_is_in_it(asked: dict[str, Any], flags: str) -> None:
    assert told(**asked) == f"realedit mug.jpg --move mug --dx 0.1{flags}"


def test_the_edge_of_a_mask_is_asked_for_as_it_was() -> None:
    assert told(mask="m.png", refine=False).endswith(" --mask m.png --no-refine")


@pytest.mark.parametrize(
    "asked", [{"guidance_scale": 2.0}, {"inversion_scale": 2.0}, {"settings": {"pin": 0.5}}]
)
def test_what_no_flag_says_is_read_from_the_recipe(asked: dict[str, Any]) -> None:
    assert told(mask="m.png", **asked) == "realedit mug.jpg --edits mug-edited.jpg.realedit.json --mask m.png"
