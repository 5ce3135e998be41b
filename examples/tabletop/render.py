"""Render training scenes: pictures, instance masks and what is in them.

    MUJOCO_GL=osmesa python -m examples.tabletop.render scenes/0 --seed 0 --frames 4000

writes ``images.npy`` (uint8 [N, 256, 256, 3]), ``instances.npy`` (uint8 [N, 256, 256], k marks the k-th
object) and ``scenes.jsonl`` (a line each: the scene as numbers, with its objects' nouns and colours). Frame k
depends on the seed and k alone, so a stopped run goes on where it was. One process uses one core: run one
seed per core.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import cyclopts
import numpy as np
from rich.progress import track

from examples.tabletop.assemble import laid
from examples.tabletop.asset import Asset
from examples.tabletop.furniture import load
from examples.tabletop.photographic import photographed
from examples.tabletop.scene import Scene, draw_scene
from examples.tabletop.shapes import MAKERS
from examples.tabletop.stage import SIZE, Stage
from examples.tabletop.surfaces import TABLE_KINDS, WALL_KINDS, make_surface

FURNITURE = Path("/usr/share/sweethome3d/furniture")
_VISIBLE = 120  # pixels of each object, at least


FALL_OVER = frozenset(
    {
        "book",
        "bottle",
        "box",
        "bucket",
        "can",
        "candle",
        "carton",
        "flashlight",
        "glass",
        "jar",
        "ketchup",
        "mug",
        "paper cup",
        "sauce",
        "vase",
    }
)
"""What lies on a table as well as it stands."""
_LAID = 0.3


def draw_stage(furniture: Sequence[Asset], per_noun: int, rng: np.random.Generator) -> Stage:
    """Up to ``per_noun`` assets for every noun, half of them generated, and every kind of surface."""
    assets: list[Asset] = []
    for noun in sorted({*MAKERS, *(asset.noun for asset in furniture)}):
        found = [asset for asset in furniture if asset.noun == noun]
        count = per_noun if noun not in MAKERS else min(len(found), per_noun // 2)
        assets += [found[i] for i in rng.permutation(len(found))[:count]]
        if noun in MAKERS:
            assets += [MAKERS[noun](rng) for _ in range(per_noun - min(len(found), per_noun // 2))]
    assets = [
        laid(asset, rng) if asset.noun in FALL_OVER and rng.random() < _LAID else asset for asset in assets
    ]
    kinds = (*TABLE_KINDS, *WALL_KINDS)
    return Stage(assets, [make_surface(kind, rng) for kind in kinds])


def draw_visible(stage: Stage, rng: np.random.Generator, tables: int) -> Scene:
    """A random scene whose every object can be seen; the first ``tables`` surfaces serve as tables."""
    words = [surface.word for surface in stage.surfaces]
    while True:
        scene = draw_scene(stage.assets, words, range(tables), range(tables, len(words)), rng)
        counts = np.bincount(stage.instances(scene).ravel(), minlength=len(scene.objects) + 1)
        if (counts[1:] >= _VISIBLE).all():
            return scene


def described(scene: Scene) -> dict[str, object]:
    """A scene as one JSON object; ``surface`` beside ``objects`` is what captions read."""
    return {**asdict(scene), "surface": scene.room.surface}


def main(
    output: Path,
    /,
    *,
    frames: int = 4000,
    seed: int = 0,
    per_noun: int = 5,
    furniture: Annotated[
        Path, cyclopts.Parameter(help="sweethome3d-furniture's folder of .sh3f files")
    ] = FURNITURE,
) -> None:
    """Render a shard of training scenes; run again to go on with a stopped one."""
    output.mkdir(parents=True, exist_ok=True)
    lines = output / "scenes.jsonl"
    done = len(lines.read_text().splitlines()) if lines.exists() else 0
    images = _opened(output / "images.npy", (frames, SIZE, SIZE, 3))
    instances = _opened(output / "instances.npy", (frames, SIZE, SIZE))
    with draw_stage(load(furniture), per_noun, np.random.default_rng(seed)) as stage, lines.open("a") as log:
        for k in track(range(done, frames), description=f"rendering {output}", total=frames - done):
            rng = np.random.default_rng((seed, k))
            scene = draw_visible(stage, rng, len(TABLE_KINDS))
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
