"""`--server`: a running server's answer is the command's own bytes, and its errors are the command's own."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from realedit import RealEditPipeline
from realedit.cli.main import main

uvicorn = pytest.importorskip("uvicorn", reason="the extra ui is not here")
pytest.importorskip("fastapi", reason="the extra ui is not here")

PHOTOS = Path(__file__).parents[3] / "examples" / "photos"


@pytest.fixture(scope="module")
def server(pipeline: RealEditPipeline) -> Iterator[str]:
    """A server with a token, on a free port."""
    from realedit.ui.limits import Limits
    from realedit.ui.server import Address, Service, listening

    service = Service(pipeline, Limits())
    address = Address("127.0.0.1", 0, token="a-token")
    own = listening(address)
    port = own.getsockname()[1]
    app = service.app(address.rules(port, service.limits), "session", with_page=False)
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [own]}, daemon=True)
    thread.start()
    yield address.url(port)
    running.should_exit = True
    thread.join(10)
    assert len(service.sessions) == 0, "every command ends its session"
    service.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two small photos, in which the command runs."""
    for name in ("dahlia", "mug"):
        with Image.open(PHOTOS / f"{name}.jpg") as image:
            image.resize((240, 160)).save(tmp_path / f"{name}.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALEDIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize(
    "flags",
    [
        ["--dx", "36px", "--point", "0.45,0.5"],
        ["--paste", "flower", "--from", "dahlia.jpg", "--from-point", "0.45,0.5", "--scale", "0.3"],
    ],
    ids=["move", "paste"],
)
def test_a_servers_answer_is_the_commands_own_bytes(server: str, place: Path, flags: list[str]) -> None:
    photo = "dahlia.jpg" if "--dx" in flags else "mug.jpg"
    assert main([photo, *flags, "-o", "own.jpg"]) == 0
    assert main([photo, *flags, "-o", "far.jpg", "--server", server]) == 0
    assert (place / "far.jpg").read_bytes() == (place / "own.jpg").read_bytes()
    own, far = (json.loads((place / f"{name}.jpg.realedit.json").read_bytes()) for name in ("own", "far"))
    assert far == own


def test_its_errors_are_the_commands_own(
    server: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = ["--dx", "0.9", "--point", "0.45,0.5", "-o", "far.jpg", "--server", server]
    assert main(["dahlia.jpg", *far]) == 5
    said = capsys.readouterr().err
    assert "realedit: error:" in said
    assert "realedit: hint:" in said
    assert not (place / "far.jpg").exists()


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
