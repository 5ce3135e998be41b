"""What people type: per cent and pixels, addresses, masks of every make, names that are too long."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from command import Command
from realedit.cli.lengths import Pixels, in_fractions
from realedit.cli.main import main
from realedit.errors import UsageError

BOX = (0.25, 0.4, 0.45, 0.7)
QUICK = ("--no-cache", "--strength", "0", "--no-shadow", "--json")


@pytest.fixture
def folder(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a photo of 240 x 160 pixels, in which the test works."""
    monkeypatch.chdir(tmp_path)
    with Image.open(sample) as photo:
        photo.convert("RGB").resize((240, 160), Image.Resampling.LANCZOS).save("photo.png")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    """Runs a command in this process; returns its exit code, its JSON and what it says."""
    code = main(list(words))
    told = capsys.readouterr()
    return code, json.loads(told.out.splitlines()[-1]), told.err


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[list[float], list[float]]:
    """Returns the object's box before and after a move that is only planned."""
    code, told, said = run(capsys, "photo.png", *words, "--dry-run", *QUICK)
    assert code == 0, said
    return told["box_before"], told["box_after"]


@pytest.mark.parametrize("length", ["20%", "48px", "48 px", "48PX", "0.2", ".2", "2e-1"])
def test_a_length_is_a_fraction_per_cent_or_pixels(
    folder: Path, capsys: pytest.CaptureFixture[str], length: str
) -> None:
    before, after = planned(capsys, "--box", "0.25,0.4,0.45,0.7", "--dx", length)
    assert after[0] - before[0] == pytest.approx(0.2, abs=1e-6)
    assert after[1] == pytest.approx(before[1], abs=1e-6)


def test_pixels_go_up_and_left_and_several_add_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = planned(
        capsys, "--box", "0.4,0.4,0.6,0.7", "--dx", "-24px", "--dy=-8px", "--perspective", "off"
    )
    assert after[0] - before[0] == pytest.approx(-0.1, abs=1e-6)
    assert after[1] - before[1] == pytest.approx(-0.05, abs=1e-6)


@pytest.mark.parametrize(
    "box", ["60,64,108,112", "60px,64px,108px,112px", "25%,40%,45%,70%", "60,64,45%,70%"]
)
def test_a_box_in_pixels_or_per_cent_shows_what_the_fractions_show(
    folder: Path, capsys: pytest.CaptureFixture[str], box: str
) -> None:
    _, theirs, _ = run(capsys, "locate", "photo.png", "--box", "0.25,0.4,0.45,0.7", "--json", "--force")
    _, ours, _ = run(capsys, "locate", "photo.png", "--box", box, "--json", "--force")
    assert ours == theirs


def test_points_in_pixels_show_what_the_fractions_show(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("locate", "photo.png", "--json", "--force")
    _, theirs, _ = run(capsys, *words, "--point", "0.35,0.55", "--not-point", "0.75,0.9")
    _, ours, _ = run(capsys, *words, "--point", "84,88", "--not-point", "180px,90%")
    assert ours == theirs


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--box", "0.25,0.4,0.45,0.7", "--dx", "5000px"), "5000 pixels do not fit the photo"),
        (
            ("--box", "60,64,9999,112", "--dx", "0.1"),
            "9999 pixels do not fit the photo, which is 240 pixels wide",
        ),
        (
            ("--box", "60,64,108,200", "--dx", "0.1"),
            "200 pixels do not fit the photo, which is 160 pixels high",
        ),
        (("--box", "108,64,60,112", "--dx", "0.1"), "expected x0 < x1"),
        (("--box", "0.1,0.4,0.45", "--dx", "0.1"), "expected x0,y0,x1,y1"),
        (("--box=-5px,0,60px,80px", "--dx", "0.1"), "expected x0,y0,x1,y1"),
        (("--box", "0.1,0.4,0.45,nanpx", "--dx", "0.1"), "expected x0,y0,x1,y1"),
        (("--move", "mug", "--dx", "120%"), "expected a number from -1 to 1, or as 20% or 120px"),
        (("--move", "mug", "--dx", "2"), "expected a number from -1 to 1, or as 20% or 120px"),
        (("--move", "mug", "--dx", "0px"), "changes nothing"),
        (("--move", "mug", "--dx", "0.1", "--seed", "-1"), "from 0 to 9223372036854775807, got '-1'"),
    ],
)
def test_a_length_that_cannot_be_meant_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, told, said = run(capsys, "photo.png", *words, *QUICK)
    assert code == told["error"]["exit_code"] == 2
    assert says in told["error"]["message"]
    assert says in said


def test_pixels_are_found_wherever_they_stand() -> None:
    size = (200, 100)
    assert in_fractions([{"dx": Pixels(50, "x"), "b": (Pixels(50, "y"), 0.25)}, "x"], size) == [
        {"dx": 0.25, "b": (0.5, 0.25)},
        "x",
    ]
    with pytest.raises(UsageError, match="100 pixels high"):
        in_fractions(Pixels(-101, "y"), size)


@pytest.mark.parametrize(
    "address", ["https://example.org/a.jpg", "http://a/b.png", "HTTPS://x", "s3://b/c.jpg", "file:///a.png"]
)
def test_an_address_is_to_be_downloaded_first(
    folder: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    code, told, _ = run(capsys, address, "--move", "mug", "--dx", "0.1", "--json")
    assert code == 3
    assert told["error"]["hint"] == "download it first"


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (("none.png", "--move", "mug", "--dx", "0.1"), 3, "PhotoError"),
        (("photo.png", "--bogus"), 2, "UsageError"),
        (("photo.png", "--move", "mug", "--dx", "0.1", "--model", "nowhere"), 6, "ModelUnavailableError"),
        (
            ("photo.png", "--box", "0.25,0.4,0.45,0.7", "--dx", "0.1", "-o", "photo.png"),
            8,
            "OutputExistsError",
        ),
        (("photo.png", "--box", "0.25,0.4,0.45,0.7", "--dx", "0.9"), 5, "OutOfFrameError"),
        (("locate", "photo.png"), 2, "UsageError"),
        (("batch", "nowhere", "-o", "out", "--remove", "mug"), 3, "PhotoError"),
        (("photo.png", "--box", "0,0,1,1", "--dx", "0.1", "--device", "cuda:99"), 2, "UsageError"),
    ],
)
def test_an_error_is_json_too_where_json_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, kind: str
) -> None:
    given, told, said = run(capsys, *words, "--json")
    assert given == code == told["error"]["exit_code"]
    assert told["error"]["kind"] == kind
    assert f"realedit: error: {told['error']['message']}" in said
    assert main(list(words)) == code
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["n" * 300 + ".png", "ü" * 140 + ".png"])
def test_a_name_that_no_file_can_have_is_a_usage_error(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    move = ("--box", "0.25,0.4,0.45,0.7", "--dx", "0.1", *QUICK)
    for words in (
        (name, *move),
        ("photo.png", *move, "-o", name),
        ("photo.png", "--mask", name, "--dx", "0.1", *QUICK),
        ("locate", "photo.png", "--box", "0.2,0.2,0.5,0.5", "-o", name, "--json"),
        ("photo.png", "--edits", f"{name}.json", "--json"),
    ):
        code, told, said = run(capsys, *words)
        assert (code, told["error"]["exit_code"]) == (2, 2), words
        assert all(line.startswith("realedit: ") for line in said.splitlines())


@pytest.fixture
def disc() -> np.ndarray:
    rows, columns = np.mgrid[:160, :240]
    return ((rows - 90) ** 2 + (columns - 84) ** 2 < 24**2).astype(np.uint8) * 255


def located(capsys: pytest.CaptureFixture[str], mask: Image.Image) -> tuple[np.ndarray, str]:
    """Returns the matte that is made of a mask as it is, and what is said of it."""
    mask.save("mask.png")
    words = (
        "locate",
        "photo.png",
        "--mask",
        "mask.png",
        "--no-refine",
        "-o",
        "found.png",
        "--force",
        "--json",
    )
    code, _, said = run(capsys, *words)
    assert code == 0, said
    with Image.open("found.png") as found:
        return np.asarray(found), said


def test_a_mask_in_the_alpha_channel_is_read_from_there(
    folder: Path, capsys: pytest.CaptureFixture[str], disc: np.ndarray
) -> None:
    plain, said = located(capsys, Image.fromarray(disc))
    assert said == ""
    assert ((plain > 127) == (disc > 127)).all()
    white = Image.merge("LA", [Image.new("L", (240, 160), 255), Image.fromarray(disc)])
    cut = Image.open("photo.png").convert("RGB")
    cut.putalpha(Image.fromarray(disc))
    palette = Image.fromarray((disc > 0).astype(np.uint8), "P")
    palette.putpalette([9, 9, 9, 200, 0, 0])
    palette.info["transparency"] = 0
    for mask in (white, white.convert("RGBA"), cut, palette):
        found, said = located(capsys, mask)
        assert (found == plain).all()
        assert "transparency" in said
    opaque = Image.fromarray(disc).convert("RGBA")
    assert (located(capsys, opaque)[0] == plain).all()


def test_a_mask_of_the_photos_ratio_is_scaled_and_that_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], disc: np.ndarray
) -> None:
    for size in ((120, 80), (480, 320), (361, 240)):
        found, said = located(capsys, Image.fromarray(disc).resize(size, Image.Resampling.BILINEAR))
        assert found.shape == (160, 240)
        assert ((found > 127) != (disc > 127)).mean() < 0.01
        assert f"scaled from {size[0]} x {size[1]} to 240 x 160" in said
    Image.fromarray(disc).resize((240, 150)).save("mask.png")
    code, told, _ = run(capsys, "locate", "photo.png", "--mask", "mask.png", "--json")
    assert code == 2
    assert "240 x 150 but the photo is 240 x 160" in told["error"]["message"]


def test_a_soft_mask_is_taken_and_an_inverted_one_told(
    folder: Path, capsys: pytest.CaptureFixture[str], disc: np.ndarray
) -> None:
    soft = Image.fromarray(disc).filter(ImageFilter.GaussianBlur(40))
    soft = Image.fromarray((np.asarray(soft, float) * 255 / np.asarray(soft).max()).astype(np.uint8))
    _, said = located(capsys, soft)
    assert "soft mask" in said
    words = ("photo.png", "--mask", "mask.png", "--dx", "0.1", "--dry-run", "--json", "--no-cache")
    assert "soft mask" in run(capsys, *words)[2]
    _, said = located(capsys, Image.fromarray(255 - disc))
    assert "invert it" in said
    Image.open("photo.png").save("mask.png")
    code, told, _ = run(capsys, "locate", "photo.png", "--mask", "mask.png", "--json")
    assert code == 2
    assert "neither black nor white" in told["error"]["message"]


def test_a_file_of_the_users_that_is_named_like_our_package_is_told_by_its_name(
    realedit: Command, sample: Path
) -> None:
    (realedit.folder / "inversion.py").write_text("x = 1\n")
    (realedit.folder / "script.py").write_text(
        "import realedit\nrealedit.RealEditPipeline.from_pretrained()\n"
    )
    shutil.copy(sample, realedit.folder / "photo.jpg")
    script = subprocess.run(
        [sys.executable, "script.py"],
        cwd=realedit.folder,
        env={**realedit.environment, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    last = script.stderr.splitlines()[-1]
    assert "ForeignPackageError" in last
    assert str(realedit.folder / "inversion.py") in last


def test_what_needs_no_weights_loads_none(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("the weights are loaded")

    monkeypatch.setattr("realedit.models.loading._Located.load", load)
    box = ("--box", "0.25,0.4,0.45,0.7")
    assert run(capsys, "locate", "photo.png", *box, "--json")[0] == 0
    assert run(capsys, "photo.png", *box, "--dx", "0.1", *QUICK)[0] == 0
    code, told, _ = run(
        capsys, "photo.png", "--move", "mug", "--dx", "0.1", "--device", "cuda:99", "-o", "b.png", "--json"
    )
    assert code == 2
    assert "cuda:99" in told["error"]["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
@pytest.mark.parametrize("kilobytes", [900_000, 2_400_000])
def test_a_limit_on_memory_ends_in_the_exit_of_memory(
    realedit: Command, sample: Path, kilobytes: int
) -> None:
    limited = ("sh", "-c", f'ulimit -v {kilobytes}; exec "$@"', "sh")
    result = realedit(sample, "--move", "mug", "--dx", "0.1", "-o", "out.jpg", wrapper=limited)
    assert result.returncode == 7, result.stderr
    assert "too little memory" in result.stderr
    assert all(line.startswith("realedit: ") for line in result.stderr.splitlines())
    assert realedit.listing() == {}


def test_a_palette_with_an_opacity_for_each_colour_is_edited(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open("photo.png") as photo:
        photo.quantize(64).save("palette.png", transparency=bytes(200 + n % 50 for n in range(64)))
    words = ("palette.png", "--box", "0.25,0.4,0.45,0.7", "--dx", "0.2", "-o", "out.png", *QUICK)
    assert run(capsys, *words)[0] == 0
    before, after = (
        np.asarray(Image.open(name).convert("RGBA")).astype(int) for name in ("palette.png", "out.png")
    )
    assert (before[..., 3] == after[..., 3]).all()
    changed = (before != after).any(axis=-1)
    assert 0.02 < changed.mean() < 0.3
    assert not changed[:, 170:].any()


def test_a_text_longer_than_the_model_reads_is_one_line_of_ours_and_none_with_quiet(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "a photo of a mug " + " ".join(f"thing{number % 7}" for number in range(200))
    words = ("photo.png", "--box", "0.25,0.4,0.45,0.7", "--dx", "0.1", "--prompt", text)
    made = (
        "--steps",
        "2",
        "--strength",
        "0.3",
        "--no-cache",
        "--no-shadow",
        "--model",
        "tabletop",
        "--force",
    )
    assert main([*words, *made]) == 0
    told = capfd.readouterr().err.splitlines()
    assert all(line.startswith("realedit: ") for line in told), told
    assert sum("is not read; shorten it" in line for line in told) == 1
    assert main([*words, *made, "--quiet"]) == 0
    quiet = capfd.readouterr()
    assert (quiet.out, quiet.err) == ("photo-edited.png\n", "")


def test_a_file_whose_name_begins_with_a_dash_is_told_how_to_be_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photo.png").rename("-photo.png")
    code, told, _ = run(capsys, "-photo.png", "--move", "mug", "--dx", "0.1", "--json")
    assert code == 2
    assert told["error"]["hint"] == "as a file it is ./-photo.png"


@pytest.mark.parametrize("name", ["", ".", "/", ".."])
def test_an_output_that_is_a_folder_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, told, _ = run(capsys, "photo.png", "--box", "0.2,0.2,0.5,0.5", "--dx", "0.1", "-o", name, "--json")
    assert code == 2
    assert "is a folder" in told["error"]["message"]
