from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.tabletop import photographs
from examples.tabletop.photographs import (
    bundled,
    debian,
    licence_of,
    licences,
    load_photographs,
    main,
    shrink,
)

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pictures

Files: *
Copyright: 2015 The Makers
License: GPL-3+

Files: photos/hill.jpg photos/lake.jpg
Copyright: 2016 Ann
 and Zoë
License: CC-BY-SA-4.0

Files: photos/lake.jpg
Copyright: 2016 Bob
License: CC0-1.0

Files: photos/town.jpg
Copyright: 2016 Eve
License: CC-BY-NC-4.0

Files: photos/both.jpg
Copyright: 2016 Eve
License: CC-BY-4.0 and GPL-2

Files: drawings/*.svg
Copyright: 2016 Eve
License: CC0-1.0

License: CC-BY-SA-4.0
 The text of the licence.
 .
 Files: are mentioned here.
"""


def jpeg(width: int, height: int, seed: int = 0) -> bytes:
    file = io.BytesIO()
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=95)
    return file.getvalue()


def test_terms_are_those_of_the_file_patterns() -> None:
    terms = licences(COPYRIGHT)
    assert terms[0] == ("*", "2015 The Makers", "GPL-3+")
    assert ("photos/hill.jpg", "2016 Ann and Zoë", "CC-BY-SA-4.0") in terms
    assert [pattern for pattern, _, _ in terms].count("photos/lake.jpg") == 2
    assert len(terms) == 7


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/share/pictures/photos/hill.jpg", ("2016 Ann and Zoë", "CC-BY-SA-4.0")),
        ("/usr/share/pictures/photos/hill.webp", ("2016 Ann and Zoë", "CC-BY-SA-4.0")),  # converted
        ("/usr/share/backgrounds/hill.jpg", ("2016 Ann and Zoë", "CC-BY-SA-4.0")),  # elsewhere
        ("/usr/share/pictures/photos/lake.jpg", ("2016 Bob", "CC0-1.0")),  # the later paragraph
        ("/usr/share/pictures/photos/town.jpg", None),  # not for commerce
        ("/usr/share/pictures/photos/both.jpg", None),
        ("/usr/share/pictures/photos/other.jpg", None),
        ("/usr/share/pictures/drawings/a.svg", None),
    ],
)
def test_a_photograph_is_free_only_if_it_is_named_as_such(
    path: str, expected: tuple[str, str] | None
) -> None:
    assert licence_of(path, licences(COPYRIGHT)) == expected


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An unpacked Debian package."""
    root = tmp_path / "pictures-data"
    (root / "usr/share/doc/pictures-data").mkdir(parents=True)
    (root / "usr/share/doc/pictures-data/copyright").write_text(COPYRIGHT, encoding="utf-8")
    photos = root / "usr/share/pictures/photos"
    photos.mkdir(parents=True)
    for seed, (name, size) in enumerate(
        {"hill": (900, 600), "lake": (300, 260), "town": (800, 600), "small": (90, 90)}.items()
    ):
        (photos / f"{name}.jpg").write_bytes(jpeg(*size, seed))
    (photos / "again.jpg").symlink_to(photos / "hill.jpg")
    return root


def test_a_package_gives_its_free_photographs(package: Path) -> None:
    found = list(debian(package))
    assert [(photograph.path, photograph.author, photograph.licence) for photograph in found] == [
        ("/usr/share/pictures/photos/hill.jpg", "2016 Ann and Zoë", "CC-BY-SA-4.0"),
        ("/usr/share/pictures/photos/lake.jpg", "2016 Bob", "CC0-1.0"),
    ]
    assert {photograph.source for photograph in found} == {"pictures-data"}
    assert found[0].data == (package / "usr/share/pictures/photos/hill.jpg").read_bytes()


@pytest.mark.parametrize(
    ("size", "shorter", "expected"),
    [
        ((900, 600), 512, (768, 512)),
        ((600, 900), 300, (300, 450)),
        ((300, 260), 512, (300, 260)),
        ((512, 512), 512, (512, 512)),
    ],
)
def test_pictures_shrink_by_area_to_the_shorter_side(
    size: tuple[int, int], shorter: int, expected: tuple[int, int]
) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))
    found = shrink(picture, shorter)
    assert found.size == expected
    assert np.asarray(found).mean() == pytest.approx(np.asarray(picture).mean(), abs=1)


def test_a_pixel_is_the_mean_of_those_it_stands_for() -> None:
    large = np.arange(32, dtype=np.uint8).reshape(4, 8)
    expected = large.reshape(2, 2, 4, 2).mean((1, 3))
    assert np.abs(np.asarray(shrink(Image.fromarray(large), 2)) - expected).max() <= 0.5


def test_gathered_photographs_are_credited_and_some_are_held_out(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "_SKIMAGE", {})
    photos = package / "usr/share/pictures/photos"
    text = COPYRIGHT
    for k in range(6):
        (photos / f"more{k}.jpg").write_bytes(jpeg(520, 514, 10 + k))
        text += f"\nFiles: photos/more{k}.jpg\nCopyright: 2017 Max\nLicense: public-domain\n"
    (photos / "temp.jpg").write_bytes(jpeg(520, 514, 30))  # a name that is known not to be a photograph
    text += "\nFiles: photos/temp.jpg photos/small.jpg\nCopyright: 2017 Max\nLicense: CC0\n"
    (package / "usr/share/doc/pictures-data/copyright").write_text(text, encoding="utf-8")
    main(tmp_path / "out", [package])
    lines = (tmp_path / "out" / "credits.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    names = [Path(record["path"]).stem for record in records]
    assert names == ["hill", "lake", *(f"more{k}" for k in range(6))]
    assert [record["file"] for record in records] == [f"{k:03}.png" for k in range(8)]
    # Every sixth of the seven that are large enough.
    assert [name for name, record in zip(names, records, strict=True) if record["held_out"]] == ["more4"]
    assert records[0] == {
        "source": "pictures-data",
        "path": "/usr/share/pictures/photos/hill.jpg",
        "author": "2016 Ann and Zoë",
        "licence": "CC-BY-SA-4.0",
        "file": "000.png",
        "held_out": False,
    }
    train, held_out = load_photographs(tmp_path / "out")
    assert (len(train), len(held_out)) == (7, 1)
    assert train[0].shape == (512, 768, 3)
    assert train[1].shape == (260, 300, 3)
    original = np.asarray(shrink(Image.open(photos / "hill.jpg"), 512)).astype(int)
    assert np.abs(train[0] - original).mean() < 2


def test_bundled_pictures_carry_their_terms(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(20, 20))
    (found,) = bundled(tmp_path, "somewhere", {"a.jpg": ("Ann", "CC0-1.0")})
    assert (found.source, found.path, found.author, found.licence) == ("somewhere", "a.jpg", "Ann", "CC0-1.0")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_every_picture_that_ever_was_in_a_repository(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    backgrounds = tmp_path / "backgrounds"
    backgrounds.mkdir()
    for version in (1, 2):
        (backgrounds / "hill.jpg").write_bytes(jpeg(30, 20, version))
        (backgrounds / "lake two.jpg").write_bytes(jpeg(30, 20, 3))
        (backgrounds / "notes.txt").write_text(str(version))
        git("add", ".")
        git("commit", "-q", "-m", str(version))
    git("rm", "-q", "backgrounds/lake two.jpg")
    git("commit", "-q", "-m", "3")
    found = {photograph.path: photograph for photograph in photographs.budgie(tmp_path)}
    assert found.keys() == {"backgrounds/hill.jpg", "backgrounds/lake two.jpg"}
    assert found["backgrounds/lake two.jpg"].data == jpeg(30, 20, 3)
    assert found["backgrounds/hill.jpg"].data in (jpeg(30, 20, 1), jpeg(30, 20, 2))
    assert {photograph.licence for photograph in found.values()} == {"CC0-1.0"}
