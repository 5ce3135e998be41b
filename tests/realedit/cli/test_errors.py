"""Bad input of every kind ends in one clear line, its exit code, and nothing written."""

from __future__ import annotations

import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command import Command
from realedit.cli.boundary import guard
from realedit.errors import ObjectNotFoundError

MOVE = ("--move", "mug", "--dx", "0.2")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + content + chunk(b"IEND", b"")


@pytest.fixture
def folder(realedit: Command, sample: Path) -> Path:
    """A folder with a photo, and with files that are no photos."""
    shutil.copy(sample, realedit.folder / "photo.jpg")
    (realedit.folder / "notes.jpg").write_text("this is no photo\n")
    (realedit.folder / "cut.jpg").write_bytes(sample.read_bytes()[:20000])
    (realedit.folder / "bomb.png").write_bytes(png_header(60000, 60000))
    (realedit.folder / "empty.png").touch()
    (realedit.folder / "there.png").write_bytes(b"somebody's work")
    (realedit.folder / "there.png.realedit.json").write_bytes(b"somebody's recipe")
    (realedit.folder / "taken.jpg.report.html").write_bytes(b"somebody's page")
    (realedit.folder / "inner").mkdir()
    (realedit.folder / "edits.json").write_text('[{"remove": "mug"}, {"resize": "bowl"}]')
    (realedit.folder / "shown.json").write_text('[{"remove": null}]')
    Image.new("RGB", (3, 2)).save(realedit.folder / "speck.png")
    Image.new("L", (8, 8), 255).save(realedit.folder / "small-mask.png")
    with Image.open(sample) as photo:
        Image.new("L", photo.size, 0).save(realedit.folder / "black-mask.png")
    Image.fromarray(np.full((48, 64, 4), 100, np.uint8)).save(realedit.folder / "clear.png")
    return realedit.folder


def check(result: subprocess.CompletedProcess[str], code: int, says: str) -> None:
    lines = result.stderr.splitlines()
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    errors = [line for line in lines if line.startswith("realedit: error: ")]
    assert len(errors) == 1
    assert says in result.stderr
    assert all(line.startswith("realedit: ") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        # The photo.
        (("none.jpg", *MOVE), 3, "no such file: none.jpg"),
        (("inner", *MOVE), 3, "inner is a folder, not a photo"),
        (("notes.jpg", *MOVE), 3, "notes.jpg"),
        (("cut.jpg", *MOVE), 3, "cut.jpg"),
        (("bomb.png", *MOVE), 3, "bomb.png"),
        (("empty.png", *MOVE), 3, "empty.png is empty"),
        (("speck.png", *MOVE), 3, "speck.png is 3 x 2 pixels, too small to find anything in"),
        (("locate", "none.jpg", "mug"), 3, "no such file: none.jpg"),
        (("invert", "notes.jpg"), 3, "notes.jpg"),
        # What is asked for.
        (("photo.jpg",), 2, "no edit was asked for"),
        (("photo.jpg", "--dx", "0.2"), 2, "--dx does not say what to move"),
        (("photo.jpg", "--dy", "0.2"), 2, "--dy does not say what to move"),
        (("photo.jpg", "--scale", "2"), 2, "--scale does not say what to resize"),
        (("photo.jpg", "--move", "mug"), 2, "--move does not say how far"),
        (("photo.jpg", "--resize", "mug"), 2, "--resize does not say how much"),
        (("photo.jpg", "--move", "", "--dx", "0.1"), 2, "--move has an empty name"),
        (("photo.jpg", "--move", "mug", "--dx", "0"), 2, "changes nothing"),
        (("photo.jpg", *MOVE, "--scale", "2"), 2, "add --resize WORD"),
        (("photo.jpg", "--resize", "mug", "--scale", "2", "--dx", ".1"), 2, "add --move WORD"),
        (("photo.jpg", *MOVE, "--move", "bowl"), 2, "--move does not say how far"),
        (("photo.jpg", *MOVE, "--dx", "0.1"), 2, "--dx is given twice for --move"),
        (("photo.jpg", "--swap", "mug"), 2, "--swap does not say with what"),
        (
            ("photo.jpg", "--rotate", "mug", "--angle", "400"),
            2,
            "--angle: expected a number from -360 to 360",
        ),
        (("photo.jpg", "--restyle", "mug", "--as", "a can", "--like", "o.jpg"), 2, "--as and --like"),
        (
            ("photo.jpg", *MOVE, "--edits", "edits.json"),
            2,
            "--edits and flags that edit contradict each other",
        ),
        (("photo.jpg", "--edits", "none.json"), 2, "cannot read none.json: No such file or directory"),
        (("photo.jpg", "--edits", "notes.jpg"), 2, "notes.jpg is not JSON"),
        (("photo.jpg", "--edits", "edits.json"), 2, "edits.json, number 2: scale: field required"),
        # Values.
        (
            ("photo.jpg", "--move", "mug", "--dx", "1.5"),
            2,
            "--dx: expected a number from -1 to 1, or as 20% or 120px, got '1.5'",
        ),
        (
            ("photo.jpg", "--move", "mug", "--dx", "nan"),
            2,
            "--dx: expected a number from -1 to 1, or as 20% or 120px, got 'nan'",
        ),
        (
            ("photo.jpg", "--move", "mug", "--dy", "-inf"),
            2,
            "--dy: expected a number from -1 to 1, or as 20% or 120px, got '-inf'",
        ),
        (
            ("photo.jpg", "--move", "mug", "--dx", "far"),
            2,
            "--dx: expected a number from -1 to 1, or as 20% or 120px, got 'far'",
        ),
        (
            ("photo.jpg", "--resize", "mug", "--scale", "0"),
            2,
            "--scale: expected a number from 0.1 to 10, got '0'",
        ),
        (("photo.jpg", "--resize", "mug", "--scale", "-2"), 2, "--scale: expected a number from 0.1 to 10"),
        (
            ("photo.jpg", *MOVE, "--strength", "0.9"),
            2,
            "--strength: expected a number from 0 to 0.7, got '0.9'",
        ),
        (
            ("photo.jpg", *MOVE, "--steps", "2.5"),
            2,
            "--steps: expected a whole number from 2 to 1000, got '2.5'",
        ),
        (("photo.jpg", *MOVE, "--steps", "1"), 2, "--steps: expected a whole number from 2 to 1000, got '1'"),
        (("photo.jpg", *MOVE, "--seed", "-1"), 2, "--seed: expected a whole number from 0"),
        (("photo.jpg", *MOVE, "--dtype", "int8"), 2, "--dtype"),
        (("photo.jpg", *MOVE, "--inversion", "magic"), 2, "--inversion"),
        (("photo.jpg", *MOVE, "--box", "0.1,0.2,0.3"), 2, "--box: expected x0,y0,x1,y1"),
        (("photo.jpg", *MOVE, "--box", "0.5,0.2,0.3,0.9"), 2, "--box: expected x0 < x1 and y0 < y1"),
        (("photo.jpg", *MOVE, "--point", "3,far"), 2, "--point: expected x,y, fractions"),
        (("photo.jpg", *MOVE, "--point", "nan,0"), 2, "--point: expected x,y, fractions"),
        (("photo.jpg", *MOVE, "--speed", "3"), 2, "--speed"),
        (("photo.jpg", *MOVE, "--device", "abacus"), 2, "no such device: 'abacus'"),
        (("photo.jpg", "more.jpg", *MOVE), 2, "unexpected argument: more.jpg"),
        (("edit", "photo.jpg", *MOVE), 2, "no command 'edit'"),
        # Other files than the photo.
        (("photo.jpg", "--restyle", "mug", "--like", "none.jpg"), 3, "no such file: none.jpg"),
        (("photo.jpg", "--restyle", "mug", "--like", "notes.jpg"), 3, "notes.jpg is not an image"),
        (("photo.jpg", "--paste", "can", "--from", "inner"), 3, "inner is a folder"),
        (("photo.jpg", "--look-of", "empty.png"), 3, "empty.png is empty"),
        (("photo.jpg", "--reshape", "mug", "--shape", "none.png"), 3, "no such file: none.png"),
        (
            ("photo.jpg", "--reshape", "mug", "--shape", "small-mask.png"),
            2,
            "outline small-mask.png is 8 x 8",
        ),
        (("photo.jpg", "--reshape", "mug", "--shape", "black-mask.png"), 2, "black-mask.png selects nothing"),
        # What is shown.
        (("photo.jpg", "--look-of", "photo.jpg", "--box", "0,0,1,1"), 2, "nothing here edits one"),
        (
            ("photo.jpg", "--paste", "can", "--from", "photo.jpg", "--point", "0,0"),
            2,
            "nothing here edits one",
        ),
        (("photo.jpg", *MOVE, "--remove", "can", "--box", "0,0,1,1"), 2, "shows one object, the edits name"),
        (("photo.jpg", "--remove", "mug", *MOVE), 2, "'mug' is taken away before it is edited"),
        (("photo.jpg", "--edits", "shown.json"), 2, "what is to be edited?"),
        (("locat", "photo.jpg", "mug"), 2, "did you mean locate?"),
        (("locate", "photo.jpg"), 2, "what is to be found?"),
        (("--move", "mug", "--dx", "0.1"), 2, "PHOTO"),
        # Where the object is.
        (
            ("photo.jpg", *MOVE, "--mask", "m.png", "--box", "0,0,1,1"),
            2,
            "--mask and --box contradict each other",
        ),
        (("photo.jpg", *MOVE, "--not-point", "0,0"), 2, "--not-point does not show the object"),
        (("photo.jpg", *MOVE, "--no-refine"), 2, "--no-refine is about a mask"),
        (("photo.jpg", *MOVE, "--min-confidence", "2"), 2, "--min-confidence: expected a number from 0 to 1"),
        (("photo.jpg", *MOVE, "--mask", "none.png"), 3, "no such file: none.png"),
        (
            ("photo.jpg", *MOVE, "--mask", "small-mask.png"),
            2,
            "the mask small-mask.png is 8 x 8 but the photo is 960 x 640",
        ),
        (("photo.jpg", *MOVE, "--mask", "black-mask.png"), 2, "the mask black-mask.png selects nothing"),
        (("photo.jpg", *MOVE, "-o", "n" * 251 + ".png"), 2, "nnn.png.realedit.json cannot name a file (File"),
        (("photo.jpg", *MOVE, "--mask", "photo.jpg"), 2, "most of the mask photo.jpg is neither black nor"),
        # The output.
        (("photo.jpg", *MOVE, "-o", "there.png"), 8, "there.png exists already"),
        (("photo.jpg", *MOVE, "-o", "photo.jpg"), 8, "photo.jpg is the photo being edited"),
        (("photo.jpg", *MOVE, "-o", "taken.jpg", "--report"), 8, "taken.jpg.report.html exists already"),
        (("photo.jpg", *MOVE, "-o", "inner"), 2, "inner is a folder"),
        (("photo.jpg", *MOVE, "-o", "out.gif"), 2, "does not write '.gif' files"),
        (("photo.jpg", *MOVE, "-o", "out"), 2, "the output name has no suffix"),
        (("photo.jpg", *MOVE, "-o", "no/out.jpg"), 2, "no such folder: no"),
        (("clear.png", *MOVE, "-o", "out.jpg"), 2, "JPEG files have no transparency"),
        (("locate", "photo.jpg", "mug", "-o", "there.png"), 8, "there.png exists already"),
        (("locate", "photo.jpg", "mug", "-o", "mask.jpg"), 2, "a mask is written as PNG"),
        (("locate", "photo.jpg", "mug", "-o", "no/out"), 2, "no such folder: no"),
        (("photo.jpg", *MOVE, "--preview", "p.png"), 2, "--preview draws a dry run"),
        (("photo.jpg", *MOVE, "--dry-run", "--preview", "p.gif"), 2, "a preview is written as PNG or JPEG"),
        (("photo.jpg", *MOVE, "--dry-run", "--preview", "there.png"), 8, "there.png exists already"),
        # Cut-outs.
        (("cutout", "photo.jpg"), 2, "what is to be cut out?"),
        (("cutout", "photo.jpg", "mug", "-o", "mug.jpg"), 2, "a cut-out is written as PNG"),
        (("cutout", "photo.jpg", "mug", "-o", "there.png"), 8, "there.png exists already"),
        (("cutout", "photo.jpg", "mug", "--background", "mauvish"), 2, "expected a colour such as white"),
        (("cutout", "inner", "mug"), 2, "where do the cut-outs go?"),
        (("cutout", "inner", "mug", "-o", "cut"), 3, "inner has no photos"),
        # The model.
        (("photo.jpg", *MOVE, "--model", "sdxl", "--offline"), 6, "hf download stabilityai"),
        (("photo.jpg", *MOVE, "--model", "tabletpo"), 6, "did you mean tabletop?"),
        (("photo.jpg", *MOVE, "--model", "inner"), 6, "inner"),
        (("photo.jpg", *MOVE, "--model", "nobody/nothing"), 6, "nobody/nothing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_ends_in_its_error(
    realedit: Command, folder: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    before = realedit.listing()
    # the hub's library reads whether there is a network when it is loaded; the others need no process
    run = realedit if "--model" in arguments else realedit.here
    check(run(*arguments), code, says)
    assert realedit.listing() == before


def test_an_option_given_twice_is_named(realedit: Command, folder: Path) -> None:
    result = realedit.here("photo.jpg", *MOVE, "--seed", "1", "--seed", "2")
    check(result, 2, "--seed specified multiple times")
    # edits may be repeated, and this is none
    assert "one run edits one object" not in result.stderr


def test_a_folder_that_takes_no_files_is_told_before_any_work(realedit: Command, folder: Path) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs a folder that not even root can write to")
    check(realedit.here("photo.jpg", *MOVE, "-o", "/proc/out.jpg"), 2, "/proc cannot be written to")


def test_errors_about_the_model_come_before_torch_is_loaded(realedit: Command, folder: Path) -> None:
    script = (
        "import sys; from realedit.cli import main; code = main(sys.argv[1:]);"
        "print(code, 'torch' in sys.modules)"
    )
    result = realedit.python(script, "photo.jpg", *MOVE, "-o", "there.png")
    assert result.stdout == "8 False\n", result.stderr


def test_a_namesake_of_our_packages_is_told(realedit: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "guidance").mkdir()
    (tmp_path / "guidance" / "__init__.py").write_text(
        'raise SystemExit("the foreign package was imported")\n'
    )
    path = f"{tmp_path}:{realedit.environment.get('PYTHONPATH', '')}"
    check(realedit("photo.jpg", *MOVE, env={"PYTHONPATH": path}), 11, "'guidance'")


def test_a_cache_that_cannot_be_read_is_told(realedit: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = realedit("cache", "clear", env={"REALEDIT_CACHE": str(tmp_path / "file")})
    check(result, 9, "cannot be cleared")


def test_an_unexpected_error_names_debug(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise KeyError("a\nb")

    assert guard(fail, debug=False) == 1
    told = capfd.readouterr().err
    assert told.splitlines()[0].startswith("realedit: error: something unexpected happened (KeyError: ")
    assert "--debug shows where" in told
    assert "Traceback" not in told
    assert guard(fail, debug=True) == 1
    assert "Traceback" in capfd.readouterr().err


def test_the_figures_behind_an_error_are_told_for_debug_alone(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ObjectNotFoundError("no 'mug' found", "name\nit", detail="likelihood 0.005,\nneeds 0.006")

    assert guard(fail, debug=False) == 4
    lines = ["realedit: error: no 'mug' found", "realedit: hint: name it"]
    assert capfd.readouterr().err.splitlines() == lines
    assert guard(fail, debug=True) == 4
    assert capfd.readouterr().err.splitlines()[-3:] == [
        *lines,
        "realedit: debug: likelihood 0.005, needs 0.006",
    ]


def test_a_photo_that_is_to_be_replaced_is_warned_of(realedit: Command, folder: Path) -> None:
    """Here an error ends the command before anything is written."""
    warning = (
        "realedit: warning: -o names the photo itself: with --force the edited photo replaces photo.jpg\n"
    )
    refused = ("--model", "tabletpo")
    result = realedit.here("photo.jpg", *MOVE, "-o", "./photo.jpg", "--force", *refused)
    assert (result.returncode, result.stderr.startswith(warning)) == (6, True)
    for words in (("-o", "./photo.jpg", "--force", "-q"), ("-o", "there.png", "--force"), ("-o", "new.jpg")):
        assert "names the photo itself" not in realedit.here("photo.jpg", *MOVE, *words, *refused).stderr
    shutil.copy(folder / "clear.png", folder / "own.png")
    result = realedit.here("locate", "own.png", "mug", "-o", "own.png", "--force", *refused)
    assert "with --force the mask replaces own.png" in result.stderr


def test_a_reader_that_leaves_is_no_error(realedit: Command) -> None:
    with realedit.start("models") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--move", "mug", "--dx", "0.9"), 5, "% of its width at the right"),
        (("--move", "mug", "--dy", "-0.9"), 5, "% of its height at the top"),
        (("--move", "zebra", "--dx", "0.1"), 4, "no 'zebra' found in the photo"),
    ],
)
def test_what_only_the_model_can_tell(
    realedit: Command, folder: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    before = realedit.listing()
    check(realedit("photo.jpg", *arguments), code, says)
    assert realedit.listing() == before


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to the limit")
def test_too_little_memory_names_cheaper_settings(realedit: Command, folder: Path) -> None:
    before = realedit.listing()
    wrapper = ("bash", "-c", 'ulimit -v 12000000 && exec "$@"', "limited")
    words = ("photo.jpg", "--box", "0.2,0.4,0.5,0.7", "--dx", "0.1", "--working-size", "8192")
    check(realedit(*words, wrapper=wrapper), 7, "--working-size")
    assert realedit.listing() == before


@pytest.mark.slow
def test_an_interrupt_leaves_nothing(realedit: Command, folder: Path) -> None:
    before = realedit.listing()
    with realedit.start("photo.jpg", *MOVE, "--strength", "0.4", "--steps", "400") as process:
        assert process.stderr is not None
        # The model is chosen, and then loaded for some seconds.
        assert "embedded model" in process.stderr.readline()
        time.sleep(8)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    assert (process.returncode, told) == (130, "realedit: interrupted; no file is half-written\n")
    assert realedit.listing() == before
