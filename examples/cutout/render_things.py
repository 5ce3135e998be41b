"""Render scenes of everything in Sweet Home 3D's free catalogues, not only of what belongs on a table.

    python -m examples.cutout.render_things things/0 --seed 0 --frames 500 --photographs FOLDER

writes what ``examples.tabletop.render`` writes, at 384 pixels: a car, a chair, a tree, a dog, each as large
as a toy, stand together before procedural surfaces and, every other time, before a free photograph. What
cuts out needs many shapes, not true sizes. Set ``MUJOCO_GL`` as for that one.
"""

# pyright: reportPrivateUsage=false
# The catalogues' reader is the tabletop's; only the choice of models is another.

import json
import re
import zipfile
from pathlib import Path

import cv2
import cyclopts
import numpy as np
from rich.progress import track

from examples.tabletop import stage as stages
from examples.tabletop.asset import Asset
from examples.tabletop.furniture import FOLDER, LICENCES, Entry, _asset, _records
from examples.tabletop.photographic import photographed
from examples.tabletop.photographs import load_photographs
from examples.tabletop.render import described, draw_visible
from examples.tabletop.shapes import MAKERS
from examples.tabletop.surfaces import TABLE_KINDS, WALL_KINDS, Surface, make_surface

SIDE = 384
_FLAT = re.compile(
    r"door|window|stair|pool|carpet|rug|mat$|plug|switch|parking|arrow|rails|crossing|railing|"
    r"curtain|elevator|garage|fence|sidewalk|column|tatami|bill |shower|barnum|living room|socket|"
    r"frame|blind|hedge|shutter|glass",
    re.IGNORECASE,
)
"""Names of what is no thing to cut out: openings, what lies flat, what is seen through."""
_FACES = 60_000
_MODELS, _MADE = 90, 30
_PHOTOGRAPHS = 40


def draw_assets(rng: np.random.Generator) -> list[Asset]:
    """Some models of every catalogue, each its own noun and 0.1 to 0.4 m large, and some generated shapes."""
    assets: list[Asset] = []
    for catalogue in LICENCES:
        with zipfile.ZipFile(FOLDER / f"{catalogue}.sh3f") as archive:
            records = {k: r for k, r in _records(archive).items() if not _FLAT.search(r["name"])}
            for name in rng.permutation(sorted(records))[: _MODELS // len(LICENCES) + 1]:
                entry = Entry(model=f"{catalogue}/{name}", noun=f"{name}", size=float(rng.uniform(0.1, 0.4)))
                try:
                    asset = _asset(archive, records[str(name)], entry)
                except (KeyError, ValueError, IndexError, TypeError, AttributeError):
                    continue  # a model whose file trimesh does not read
                if asset.parts and sum(len(part.faces) for part in asset.parts) < _FACES:
                    assets.append(asset)
    kinds = sorted(MAKERS)
    return assets + [MAKERS[str(rng.choice(kinds))](rng) for _ in range(_MADE)]


def draw_surfaces(photographs: list[np.ndarray], rng: np.random.Generator) -> tuple[list[Surface], int]:
    """Surfaces, and how many of them serve as tables; the others are walls, half of them photographs."""
    tables = [make_surface(kind, rng) for kind in TABLE_KINDS]
    walls = [make_surface(kind, rng) for kind in WALL_KINDS]
    for index in rng.permutation(len(photographs))[:_PHOTOGRAPHS]:
        picture = cv2.resize(photographs[index], (512, 512), interpolation=cv2.INTER_AREA)
        walls.append(Surface(picture, "wall", float(rng.uniform(1.5, 4)), 0.0))
        if rng.random() < 0.3:
            tables.insert(0, Surface(picture, "table", float(rng.uniform(0.5, 2)), 0.0))
    return [*tables, *walls], len(tables)


def main(output: Path, /, *, photographs: Path, frames: int = 1000, seed: int = 0) -> None:
    """Render a shard; run again to go on with a stopped one."""
    stages.SIZE = SIDE
    output.mkdir(parents=True, exist_ok=True)
    lines = output / "scenes.jsonl"
    done = len(lines.read_text().splitlines()) if lines.exists() else 0
    images = _opened(output / "images.npy", (frames, SIDE, SIDE, 3))
    instances = _opened(output / "instances.npy", (frames, SIDE, SIDE))
    first = np.random.default_rng(seed)
    surfaces, tables = draw_surfaces(load_photographs(photographs)[0], first)
    with stages.Stage(draw_assets(first), surfaces) as stage, lines.open("a") as log:
        for k in track(range(done, frames), description=f"rendering {output}", total=frames - done):
            rng = np.random.default_rng((seed, k))
            scene = draw_visible(stage, rng, tables)
            picture, instances[k] = stage.render(scene)
            images[k] = photographed(picture, rng)
            log.write(json.dumps(described(scene)) + "\n")
            log.flush()


def _opened(path: Path, shape: tuple[int, ...]) -> np.memmap:
    if path.exists():
        return np.load(path, mmap_mode="r+")
    return np.lib.format.open_memmap(path, "w+", np.uint8, shape)


if __name__ == "__main__":
    cyclopts.run(main)
