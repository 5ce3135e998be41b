"""The command on a few of the cases that ship, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from realedit.cli import main
from realedit.cli.calibrate import shipped_cases
from realedit.models.choice import resolve_model
from realedit.models.profile import VARIABLE, Profile, calibrated_folder


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "profiles"))
    return tmp_path / "profiles"


def run(folder: Path, *more: str) -> int:
    return main(
        ["calibrate", "--case", "00[0-3]", "--side", "128", "--working-size", "128", "-o", str(folder), *more]
    )


@pytest.mark.slow
def test_it_writes_a_page_and_a_profile_that_is_used_and_goes_on_from_what_it_measured(
    tmp_path: Path, profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert run(folder, "--finding", "--minutes", "0.15") == 0
    told = capsys.readouterr().out
    assert "finding:" in told
    assert "held back:" in told
    lines = (folder / "records.jsonl").read_text().splitlines()
    measured = [json.loads(line) for line in lines]
    assert {line["group"] for line in measured} >= {"finding"}
    assert all(0 <= line["loss"] <= 1 for line in measured if line["group"] == "finding")
    page = (folder / "index.html").read_text()
    assert all(
        f'src="{line["picture"]}"' in page or "picture" in line for line in measured if "picture" in line
    )
    assert "The profile" in page
    (kept,) = profiles.iterdir()
    assert kept.read_text() == (folder / "profile.json").read_text()
    used = Profile.of(resolve_model("tabletop"))
    assert (used.name, used.strength) == ("calibrated", 0.0)
    assert used.sources["find"].startswith("realedit calibrate: finding, chosen on 2 cases")
    # no time at all: what was measured does
    assert run(folder, "--finding", "--minutes", "0", "--no-keep", "--quiet") == 0
    assert (folder / "records.jsonl").read_text().splitlines()[: len(lines)] == lines


def test_without_time_everything_stays_as_it_was(tmp_path: Path, profiles: Path) -> None:
    assert run(tmp_path / "out", "--minutes", "0", "--no-keep", "--quiet", "--finding") == 0
    assert not profiles.exists()
    written = json.loads((tmp_path / "out" / "profile.json").read_text())
    assert written["find"] == "attention"


def test_what_cannot_be_measured_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", str(tmp_path / "none")]) == 2
    assert main(["calibrate", "--case", "zzz"]) == 2
    assert main(["calibrate", "--minutes", "-1"]) == 2
    error = capsys.readouterr().err
    assert "no such folder" in error
    assert "has no such case" in error
    assert calibrated_folder().name == "null"


def test_the_cases_ship() -> None:
    assert len((shipped_cases() / "cases.jsonl").read_text().splitlines()) == 36
