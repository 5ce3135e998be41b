"""Training data in one file that can be carried: photographs, their masks, rendered scenes.

A zip of the folder that ``examples.cutout.train --data`` takes: pictures as WebP, masks and instances as PNG.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = ("scenes", "things")
"""Folders of rendered shards."""
QUALITY = 90
"""Of WebP: far above what the training itself does to pictures (JPEG of 35 to 95, blur, noise)."""
EVERY = 12
"""Of so many rendered scenes one is held out."""


def pack(data: Path, output: Path, most: float) -> dict[str, int]:
    """Write the bundle, with as many scenes of each shard as fit.

    Args:
        data: A folder with ``photos``, ``masks``, ``scenes/*`` and ``things/*``.
        output: The file.
        most: Its size in megabytes, at most.

    Returns:
        Pictures by kind.
    """
    counts = {"photographs": 0}
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = (data / "photos" / "credits.jsonl").read_text(encoding="utf-8")
        archive.writestr("photos/credits.jsonl", lines)
        for line in filter(None, lines.splitlines()):
            name = Path(json.loads(line)["file"]).stem
            picture = np.asarray(Image.open(data / "photos" / f"{name}.png").convert("RGB"))
            archive.writestr(f"photos/{name}.webp", _encoded(picture, "WEBP"))
            counts["photographs"] += 1
        for file in sorted((data / "masks").glob("*.png")):
            archive.write(file, f"masks/{file.name}")
        left = most * 1e6 - _written(archive)
        for index, kind in enumerate(KINDS):
            shards = sorted(path for path in (data / kind).iterdir() if (path / "scenes.jsonl").exists())
            counts[kind] = _pack_scenes(archive, kind, shards, left / (len(KINDS) - index))
            left = most * 1e6 - _written(archive)
    return counts


def _pack_scenes(archive: zipfile.ZipFile, kind: str, shards: Sequence[Path], most: float) -> int:
    """Write scenes of each shard in turn until ``most`` bytes are used; returns how many."""
    began, kept = _written(archive), 0
    opened = [
        (
            shard.name,
            np.load(shard / "images.npy", mmap_mode="r"),
            np.load(shard / "instances.npy", mmap_mode="r"),
            (shard / "scenes.jsonl").read_text(encoding="utf-8").splitlines(),
        )
        for shard in shards
    ]
    for k in range(max((len(lines) for *_, lines in opened), default=0)):
        for name, images, instances, lines in opened:
            if k >= len(lines):
                continue
            place = f"{kind}/{name}/{k:05d}"
            parts = {
                f"{place}.webp": _encoded(np.asarray(images[k]), "WEBP"),
                f"{place}.png": _encoded(np.asarray(instances[k]), "PNG"),
                f"{place}.json": lines[k].encode(),
            }
            more = sum(len(content) + 2 * (60 + len(entry)) for entry, content in parts.items())
            if _written(archive) - began + more > most:
                return kept
            for entry, content in parts.items():
                archive.writestr(entry, content)
            kept += 1
    return kept


def unpack(bundle: Path, folder: Path) -> None:
    """Write what training takes to ``folder/train``, and what nothing is trained on to ``folder/held``."""
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        _unpack_photographs(archive, folder)
        for name in (name for name in names if name.startswith("masks/")):
            for part in ("train", "held"):
                file = folder / part / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(name))
        shards = sorted({name.rsplit("/", 1)[0] for name in names if name.endswith(".json")})
        for shard in shards:
            places = sorted(
                n.removesuffix(".json") for n in names if n.startswith(f"{shard}/") and n.endswith(".json")
            )
            held = places[EVERY - 1 :: EVERY] or places[-1:]
            _unpack_scenes(archive, folder / "held" / shard, held)
            _unpack_scenes(
                archive, folder / "train" / shard, [place for place in places if place not in set(held)]
            )


def _unpack_photographs(archive: zipfile.ZipFile, folder: Path) -> None:
    lines = [line for line in archive.read("photos/credits.jsonl").decode().splitlines() if line]
    for part in ("train", "held"):
        photos = folder / part / "photos"
        photos.mkdir(parents=True, exist_ok=True)
        kept = [line for line in lines if json.loads(line)["held_out"] == (part == "held")]
        for line in kept:
            name = Path(json.loads(line)["file"]).stem
            Image.open(io.BytesIO(archive.read(f"photos/{name}.webp"))).convert("RGB").save(
                photos / f"{name}.png"
            )
        (photos / "credits.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")


def _unpack_scenes(archive: zipfile.ZipFile, shard: Path, places: Sequence[str]) -> None:
    if not places:
        return
    shard.mkdir(parents=True, exist_ok=True)
    side = Image.open(io.BytesIO(archive.read(f"{places[0]}.webp"))).size[0]
    images = np.lib.format.open_memmap(shard / "images.npy", "w+", np.uint8, (len(places), side, side, 3))
    instances = np.lib.format.open_memmap(shard / "instances.npy", "w+", np.uint8, (len(places), side, side))
    for k, place in enumerate(places):
        images[k] = np.asarray(Image.open(io.BytesIO(archive.read(f"{place}.webp"))).convert("RGB"))
        instances[k] = np.asarray(Image.open(io.BytesIO(archive.read(f"{place}.png"))))
    lines = [archive.read(f"{place}.json").decode() for place in places]
    (shard / "scenes.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _encoded(picture: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, quality=QUALITY)
    return file.getvalue()


def _written(archive: zipfile.ZipFile) -> int:
    """Bytes so far, the list of contents at the end not yet among them."""
    return sum(entry.compress_size + 2 * (60 + len(entry.filename)) for entry in archive.filelist)
