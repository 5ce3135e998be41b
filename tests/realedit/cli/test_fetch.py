"""Tests of `realedit fetch`: a list with no network, a model from a hub on this machine, and what follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command import Command
from external_fixtures import folder_of
from tiny_hub import serving

__all__ = ["folder_of"]


def test_the_list_needs_no_network_and_no_network_is_one_line(realedit: Command) -> None:
    listed = realedit("fetch")
    assert listed.returncode == 0
    assert listed.stderr == ""
    rows = listed.stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["name", "sam", "detector", "captioner", "sdxl"]
    assert "Apache-2.0" in rows[1]
    assert " here " not in listed.stdout
    models = json.loads(realedit("fetch", "--json").stdout)["models"]
    assert {model["name"]: model["available"] for model in models} == {
        "sam": False,
        "detector": False,
        "captioner": False,
        "sdxl": False,
    }
    failed = realedit("fetch", "sam")
    assert failed.returncode == 6
    assert failed.stderr.startswith(
        "realedit: error: facebook/sam2.1-hiera-tiny is not in the local Hugging Face cache, and the hub "
    )
    assert failed.stderr.splitlines()[1:] == ["realedit: hint: with a network, realedit fetch sam"]
    unknown = realedit("fetch", "sma")
    assert unknown.returncode == 2
    assert unknown.stderr.endswith("hint: one of: sam, detector, captioner, sdxl\n")


@pytest.mark.slow
def test_sam_is_brought_once_and_cuts_out_from_then_on(
    realedit: Command, folder_of: Callable[[str], Path], sample: Path
) -> None:
    folder = folder_of("sam2")
    with serving(folder) as address:
        fetched = realedit("fetch", "sam", env={"HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0"})
    assert fetched.returncode == 0
    told = next(line for line in fetched.stderr.splitlines() if line.startswith("realedit: "))
    assert told == "realedit: fetching facebook/sam2.1-hiera-tiny, 0 MB, licence Apache-2.0"
    assert fetched.stdout.startswith("sam is here now: by itself")
    assert realedit("fetch", "sam").stdout.startswith("sam is here already: by itself")  # and no network
    first = realedit("locate", sample, "--box", "0.3,0.3,0.7,0.7", "-o", "sam.png")
    assert first.returncode == 0
    assert "realedit: cutting out with facebook/sam2.1-hiera-tiny (fetched)" in first.stderr
    assert "sam.png" in realedit.listing()
