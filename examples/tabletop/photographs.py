"""Gather freely licensed photographs, with their authors and licences.

    apt-get download gcompris-qt-data lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    dpkg -x gcompris-qt-data_*.deb packages/gcompris-qt-data   # and so on, one folder a package
    python -m examples.tabletop.photographs photographs packages/* --budgie CLONE --sklearn FOLDER

writes ``000.png``, ``001.png``, ... of at most 512 px on the shorter side and ``credits.jsonl`` (a line each:
file, source, path, author, licence, held_out). A photograph is taken from a Debian package only if the
package's machine-readable copyright file (DEP-5) puts that very file under CC0, CC BY, CC BY-SA or in the
public domain. ``--budgie`` is a clone of github.com/BuddiesOfBudgie/budgie-backgrounds (CC0; the earlier
pictures are in its history), ``--sklearn`` scikit-learn's ``datasets/images`` (CC BY 2.0); scikit-image's own
are taken from where it is installed, but for ``coffee``, which the project tests with.
"""

import io
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

import cyclopts
import numpy as np
from PIL import Image
from rich.progress import track

from examples.tabletop.qt_resource import read_resource

SHORTER_SIDE = 512
_SMALLEST = 200
_FREE = re.compile(r"^(CC0|CC-BY-(SA-)?[0-9]|public-domain)", re.IGNORECASE)
_MIXED = re.compile(r"\b(and|NC|ND)\b", re.IGNORECASE)

# Drawings, paintings and renderings: flat colours teach an autoencoder of photographs nothing.
_NOT_PHOTOGRAPHS = {
    "accelerated-green",
    "geo-forest",
    "ocean-waves",
    "rich-port",
    "valley-coral",
    "valley-midnight",
    "waves-midnight",
    "waves-slate",
    "temp",
    "egg-basket",
    "analogpattern_by_Peter_Nerlich",
    "umang_by_Abhishek_Mudgal",
    "Fossa_by_Jasper_Roks",
    "Infinite-Sea_by_Aury88",
    "Painting-Colors_by__herobrine7gamer",
}
_SKIMAGE = {
    "astronaut.png": ("NASA", "public-domain"),
    "chelsea.png": ("Stefan van der Walt", "CC0-1.0"),
    "rocket.jpg": ("SpaceX", "CC0-1.0"),
    "hubble_deep_field.jpg": ("NASA", "public-domain"),
}
_SKLEARN = {"china.jpg": ("danielbuechele", "CC-BY-2.0"), "flower.jpg": ("vultilion", "CC-BY-2.0")}


@dataclass(frozen=True)
class Photograph:
    """An encoded picture and where it is from."""

    source: str
    path: str
    author: str
    licence: str
    data: bytes


def licences(copyright_file: str) -> list[tuple[str, str, str]]:
    """``(pattern, author, licence)`` of each file pattern of a DEP-5 file; a later one overrules."""
    found = []
    for paragraph in re.split(r"\n\s*\n", copyright_file):
        fields = re.findall(r"^(\S+):((?:.*)(?:\n[ \t].*)*)", paragraph, re.MULTILINE)
        named = {name.lower(): " ".join(value.split()) for name, value in fields}
        if "files" in named:
            author, licence = named.get("copyright", "").strip(), named.get("license", "")
            found += [(pattern, author, licence) for pattern in named["files"].split()]
    return found


def licence_of(path: str, terms: list[tuple[str, str, str]]) -> tuple[str, str] | None:
    """Author and licence of the file, or ``None`` if no free licence names it as a JPEG.

    Suffixes are not compared: packages convert. Other formats than JPEG are mostly drawings.
    """
    stem = str(Path(path).with_suffix(""))
    photographs = [term for term in terms if term[0].endswith((".jpg", ".jpeg"))]
    matching = [term for term in photographs if fnmatch(stem, f"*/{Path(term[0]).with_suffix('')}")]
    # Packages install wallpapers elsewhere than their sources keep them.
    matching = matching or [term for term in photographs if Path(term[0]).name == Path(path).name]
    if not matching or not _FREE.match(matching[-1][2]) or _MIXED.search(matching[-1][2]):
        return None
    return matching[-1][1:]


def debian(package: Path) -> Iterator[Photograph]:
    """The free photographs of an unpacked Debian package, also those inside its Qt resource files."""
    terms = licences((package / f"usr/share/doc/{package.name}/copyright").read_text(encoding="utf-8"))
    for file in sorted(path for path in package.rglob("*") if path.is_file() and not path.is_symlink()):
        entries = (
            read_resource(file.read_bytes())
            if file.suffix == ".rcc"
            else iter([(f"/{file.relative_to(package).as_posix()}", file.read_bytes())])
        )
        for path, data in entries:
            if path.endswith((".jpg", ".jpeg", ".webp")) and "/paintings/" not in path:
                terms_of_file = licence_of(path, terms)
                if terms_of_file:
                    yield Photograph(package.name, path, *terms_of_file, data)


def budgie(clone: Path) -> Iterator[Photograph]:
    """Every picture that was ever in the repository, each in one version."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", "-C", str(clone), *arguments], check=False, capture_output=True).stdout

    log = git(
        "log", "--all", "--raw", "--no-abbrev", "--diff-filter=AM", "--format=", "--", "backgrounds"
    ).decode()
    versions: dict[str, list[str]] = {}
    for line in log.splitlines():
        _, _, _, blob, _, path = line.split(maxsplit=5)
        versions.setdefault(path, []).append(blob)
    for path, blobs in sorted(versions.items()):
        # A partial clone lacks its largest files: git then writes nothing.
        data = next(filter(None, (git("cat-file", "blob", blob) for blob in blobs)), b"")
        if data and path.endswith(".jpg"):
            yield Photograph("budgie-backgrounds", path, "its contributors", "CC0-1.0", data)


def bundled(folder: Path, source: str, table: dict[str, tuple[str, str]]) -> Iterator[Photograph]:
    """The named pictures of a Python package's folder."""
    for name, (author, licence) in table.items():
        yield Photograph(source, name, author, licence, (folder / name).read_bytes())


def shrink(picture: Image.Image, shorter: int) -> Image.Image:
    """Area-averaged down so that the shorter side has at most so many pixels."""
    scale = shorter / min(picture.size)
    if scale >= 1:
        return picture
    size = (max(shorter, round(picture.width * scale)), max(shorter, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BOX, reducing_gap=None)


def load_photographs(folder: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The gathered photographs, uint8 ``[H, W, 3]``: those to train with, those held out."""
    groups: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for line in (folder / "credits.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        with Image.open(folder / record["file"]) as picture:
            groups[record["held_out"]].append(np.asarray(picture.convert("RGB")))
    return groups


def main(
    output: Path,
    packages: Annotated[list[Path] | None, cyclopts.Parameter(help="unpacked Debian packages")] = None,
    /,
    *,
    budgie_clone: Annotated[Path | None, cyclopts.Parameter(name="--budgie")] = None,
    sklearn: Path | None = None,
) -> None:
    """Gather photographs into OUTPUT; every sixth of those that are large enough is held out."""
    import skimage

    found = list(bundled(Path(str(skimage.__file__)).parent / "data", "scikit-image", _SKIMAGE))
    found += bundled(sklearn, "scikit-learn", _SKLEARN) if sklearn else []
    found += budgie(budgie_clone) if budgie_clone else []
    for package in packages or []:
        found += debian(package)
    output.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    large = 0
    with (output / "credits.jsonl").open("w", encoding="utf-8") as credits:
        for photograph in track(found, description="photographs"):
            name = Path(photograph.path).stem
            if name in _NOT_PHOTOGRAPHS or photograph.path in seen:
                continue
            picture = Image.open(io.BytesIO(photograph.data))
            picture.draft("RGB", (4 * SHORTER_SIDE, 4 * SHORTER_SIDE))
            picture = shrink(picture.convert("RGB"), SHORTER_SIDE)
            if min(picture.size) < _SMALLEST:
                continue
            large += min(picture.size) >= SHORTER_SIDE
            held_out = min(picture.size) >= SHORTER_SIDE and large % 6 == 0
            record = asdict(photograph) | {"file": f"{len(seen):03}.png", "held_out": held_out}
            del record["data"]
            picture.save(output / record["file"])
            credits.write(json.dumps(record, ensure_ascii=False) + "\n")
            seen.add(photograph.path)


if __name__ == "__main__":
    cyclopts.run(main)
