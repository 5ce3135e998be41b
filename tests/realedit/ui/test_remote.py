"""`--server`: a running server's answer is the command's own bytes, and its errors are the command's own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realedit import RealEditPipeline
from realedit.cli.main import main

pytest.importorskip("uvicorn", reason="the extra ui is not here")
pytest.importorskip("fastapi", reason="the extra ui is not here")

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"


@pytest.fixture(scope="module")
def server(pipeline: RealEditPipeline) -> Iterator[str]:
    """A server with a token, on a free port."""
    from realedit.ui.limits import Limits
    from realedit.ui.server import Address, Service, in_background

    service = Service(pipeline, Limits())
    with in_background(service, Address("127.0.0.1", 0, token="a-token"), with_page=False) as url:
        yield url
        assert len(service.sessions) == 0, "every command ends its session"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small photo, a mask and an outline, in which the command runs."""
    with Image.open(PHOTOS / "dahlia.jpg") as image:
        image.resize((240, 160)).save(tmp_path / "dahlia.jpg", quality=95)
    rough = np.zeros((160, 240), np.uint8)
    rough[70:80, 100:110] = 255
    Image.fromarray(rough).save(tmp_path / "rough.png")
    Image.fromarray(np.roll(rough, 20, axis=1)).save(tmp_path / "outline.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("flags", [["--dx", "36px"], ["--shape", "outline.png"]], ids=["move", "reshape"])
def test_a_servers_answer_is_the_commands_own_bytes(server: str, place: Path, flags: list[str]) -> None:
    flags = ["dahlia.jpg", *flags, "--mask", "rough.png", "--no-refine"]
    assert main([*flags, "-o", "own.jpg"]) == 0
    assert main([*flags, "-o", "far.jpg", "--server", server]) == 0
    assert (place / "far.jpg").read_bytes() == (place / "own.jpg").read_bytes()
    own, far = (json.loads((place / f"{name}.jpg.realedit.json").read_bytes()) for name in ("own", "far"))
    assert far == own


def test_its_errors_are_the_commands_own(
    server: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = ["--dx", "0.9", "--mask", "rough.png", "--no-refine", "-o", "far.jpg", "--server", server]
    assert main(["dahlia.jpg", *far]) == 5
    said = capsys.readouterr().err
    assert "realedit: error:" in said
    assert "realedit: hint:" in said
    assert not (place / "far.jpg").exists()


@pytest.mark.parametrize(
    ("command", "flags", "files"),
    [
        ("locate", ["--box", "48px,16px,180px,144px"], ("-mask", "-cutout", "-overlay")),
        ("cutout", ["--mask", "rough.png", "--no-refine", "--crop", "--background", "white"], ("-cutout",)),
    ],
    ids=["locate", "cutout"],
)
def test_what_a_server_finds_and_cuts_out_is_the_commands_own_bytes(
    server: str,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    flags: list[str],
    files: tuple[str],
) -> None:
    said: list[list[str]] = []
    for folder, more in (("own", []), ("far", ["--server", server])):
        (place / folder).mkdir()
        to = folder if len(files) > 1 else f"{folder}/dahlia{files[0]}.png"
        assert main([command, "dahlia.jpg", *flags, "-o", to, *more]) == 0
        said.append(capsys.readouterr().out.replace(folder, "").splitlines())
    for file in files:
        own, far = (place / folder / f"dahlia{file}.png" for folder in ("own", "far"))
        assert far.read_bytes() == own.read_bytes()
    assert said[1] == said[0]


def test_a_folder_is_cut_out_by_a_server_and_what_fails_is_told(
    server: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "photos").mkdir()
    shutil.copy(place / "dahlia.jpg", place / "photos" / "a.jpg")
    (place / "photos" / "b.jpg").write_bytes((place / "dahlia.jpg").read_bytes()[:700])
    flags = ["--mask", "rough.png", "--no-refine"]
    assert main(["cutout", "photos", *flags, "-o", "far", "--server", server]) == 12
    said = capsys.readouterr().err
    assert "b.jpg" in said
    assert "1 of 2 photos were not cut out" in said
    assert main(["cutout", "dahlia.jpg", *flags, "-o", "own.png"]) == 0
    assert (place / "far" / "a.png").read_bytes() == (place / "own.png").read_bytes()


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        (["--server", "http://127.0.0.1:9"], 1, "does not answer as realedit does"),
        (["--server", "ftp://x"], 2, "is no server's address"),
        (["--server", "http://127.0.0.1:9", "--model", "sdxl"], 2, "its own model"),
        (["--server", "http://127.0.0.1:9", "--dry-run"], 2, "does not do --dry-run"),
    ],
)
def test_what_cannot_be_done_by_a_server_is_told(
    place: Path, capsys: pytest.CaptureFixture[str], flags: list[str], code: int, says: str
) -> None:
    assert main(["dahlia.jpg", "--dx", "0.1", "--point", "0.45,0.5", "-o", "far.jpg", *flags]) == code
    assert says in capsys.readouterr().err


def test_without_the_token_it_is_refused(
    server: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = server.split("?")[0]
    flags = ["--dx", "0.1", "--point", "0.45,0.5", "-o", "far.jpg", "--server", bare]
    assert main(["dahlia.jpg", *flags]) == 1
    assert "a token is needed" in capsys.readouterr().err
    shutil.rmtree(place / "cache", ignore_errors=True)
