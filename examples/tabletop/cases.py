"""Render counterfactual cases: a photo, an edit of one object, and the photo as it would then truly look.

    MUJOCO_GL=osmesa python -m examples.tabletop.cases OUTPUT --each 6 --seed 1

writes ``cases.jsonl`` and, for each case, ``ID_photo.webp``, ``ID_mask.webp`` (the object),
``ID_truth.webp`` and ``ID_truth_mask.webp`` (lossless, 256 px). A line of ``cases.jsonl`` has ``id``,
``edit`` (move, resize, rotate, remove, replace or recolour), ``prompt``, ``object``, ``colour`` and the
edit's numbers:

* move: ``dx``, ``dy``, from centroid to centroid of the masks, in fractions of the width and height;
* resize: ``scale``, the square root of the masks' areas' ratio;
* rotate: ``angle``, degrees, clockwise on screen; the camera looks nearly straight down;
* replace: ``new_object`` and ``new_colour``; recolour: ``new_colour``.

With ``--polished`` every table mirrors what stands on it, and the camera looks along it rather than down.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import cyclopts
import numpy as np
from PIL import Image
from rich.progress import track

from examples.tabletop.asset import Asset
from examples.tabletop.captions import full_caption
from examples.tabletop.furniture import load
from examples.tabletop.photographic import Look
from examples.tabletop.render import FURNITURE, described, draw_visible
from examples.tabletop.scene import Placed, Scene, draw_colour, footprint, shade
from examples.tabletop.shapes import MAKERS
from examples.tabletop.stage import SIZE, Stage
from examples.tabletop.surfaces import TABLE_KINDS, WALL_KINDS, make_surface
from examples.tabletop.vocabulary import COLOURS, METALS
from realedit.system.json_lines import append_line

_NOUNS_A_STAGE = 6
_SCALES = (0.7, 1.35)
_POLISHED = (
    "oak",
    "walnut",
    "pine",
    "cherry",
    "painted planks",
    "white marble",
    "black marble",
    "green marble",
    "beige marble",
    "granite",
    "black granite",
    "slate",
    "concrete",
    "brushed steel",
    "brushed copper",
    "ceramic tiles",
    "paper",
    "painted",
)
_LEAST, _MOST = 500, 16_000  # pixels of the object to edit
Edit = Callable[[Stage, Scene, int, np.random.Generator], tuple[Scene, dict[str, Any]] | None]


def scaled(asset: Asset, factor: float) -> Asset:
    """The same thing at another size."""
    parts = tuple(replace(part, vertices=part.vertices * factor) for part in asset.parts)
    return replace(asset, name=f"{asset.name} x{factor}", parts=parts)


def move(stage: Stage, scene: Scene, k: int, rng: np.random.Generator) -> tuple[Scene, dict[str, Any]] | None:
    """Along the camera's right, as a person would slide it over the table."""
    azimuth = np.radians(scene.camera.azimuth)
    right = np.array([np.sin(azimuth), -np.cos(azimuth)])
    half = scene.camera.distance * np.tan(np.radians(scene.camera.field_of_view) / 2)
    step = rng.choice([-1, 1]) * rng.uniform(0.15, 0.45) * 2 * half
    moved = np.array(scene.objects[k].xy) + step * right
    return _with(scene, k, replace(scene.objects[k], xy=(float(moved[0]), float(moved[1])))), {}


def resize(
    stage: Stage, scene: Scene, k: int, rng: np.random.Generator
) -> tuple[Scene, dict[str, Any]] | None:
    """To one of the sizes that :func:`draw_case_stage` made beside the object's own."""
    place = scene.objects[k].asset % (1 + len(_SCALES))
    if place:
        return None
    return _with(
        scene, k, replace(scene.objects[k], asset=scene.objects[k].asset + int(rng.integers(1, 3)))
    ), {}


def rotate(
    stage: Stage, scene: Scene, k: int, rng: np.random.Generator
) -> tuple[Scene, dict[str, Any]] | None:
    """About the vertical, seen from above; seen so, a positive yaw turns counter-clockwise."""
    angle = float(rng.choice([-1, 1]) * rng.uniform(20, 70))
    if scene.camera.elevation > -70:
        return None
    return _with(scene, k, replace(scene.objects[k], yaw=scene.objects[k].yaw - angle)), {"angle": angle}


def remove(
    stage: Stage, scene: Scene, k: int, rng: np.random.Generator
) -> tuple[Scene, dict[str, Any]] | None:
    """Take it away."""
    return replace(scene, objects=scene.objects[:k] + scene.objects[k + 1 :]), {}


def swap(stage: Stage, scene: Scene, k: int, rng: np.random.Generator) -> tuple[Scene, dict[str, Any]] | None:
    """Put another thing in its place."""
    taken = {thing.noun for thing in scene.objects}
    others = [i for i, asset in enumerate(stage.assets) if asset.noun not in taken]
    if not others:
        return None
    index = int(rng.choice(others))
    colour, rgb = draw_colour(stage.assets[index], rng)
    new = replace(scene.objects[k], asset=index, noun=stage.assets[index].noun, colour=colour, rgb=rgb)
    return _with(scene, k, new), {"new_object": new.noun, "new_colour": colour}


def recolour(
    stage: Stage, scene: Scene, k: int, rng: np.random.Generator
) -> tuple[Scene, dict[str, Any]] | None:
    """Paint it another colour."""
    thing = scene.objects[k]
    if not any(part.paint for part in stage.assets[thing.asset].parts):
        return None
    colour = str(rng.choice([word for word in COLOURS if word not in METALS and word != thing.colour]))
    return _with(scene, k, replace(thing, colour=colour, rgb=shade(colour, rng))), {"new_colour": colour}


EDITS: Mapping[str, Edit] = {
    "move": move,
    "resize": resize,
    "rotate": rotate,
    "remove": remove,
    "replace": swap,
    "recolour": recolour,
}


def mirroring(scene: Scene, rng: np.random.Generator) -> Scene:
    """The same on a table that mirrors what stands on it, seen so that it shows."""
    room = replace(scene.room, mirror=float(rng.uniform(0.12, 0.4)))
    return replace(scene, room=room, camera=replace(scene.camera, elevation=-float(rng.uniform(14, 40))))


def draw_case_stage(
    furniture: Sequence[Asset], rng: np.random.Generator, tables: Sequence[str] = TABLE_KINDS
) -> Stage:
    """A few nouns, each asset followed by its other sizes, and surfaces, the tables' of some kinds alone."""
    nouns = rng.choice(sorted({*MAKERS, *(asset.noun for asset in furniture)}), _NOUNS_A_STAGE, replace=False)
    assets: list[Asset] = []
    for noun in nouns:
        found = [asset for asset in furniture if asset.noun == noun]
        generate = noun in MAKERS and (not found or rng.random() < 0.6)
        asset = MAKERS[noun](rng) if generate else found[int(rng.integers(len(found)))]
        assets += [asset, *(scaled(asset, factor) for factor in _SCALES)]
    kinds = (*rng.choice(tables, 2), *rng.choice(WALL_KINDS, 2))
    return Stage(assets, [make_surface(str(kind), rng) for kind in kinds], samples=24)


def draw_case(
    stage: Stage, edit: str, rng: np.random.Generator, *, mirrors: bool = False
) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """A case's line and its four pictures; ``None`` where this draw gives no fair one."""
    scene = draw_visible(stage, rng, tables=2)
    if mirrors:
        scene = mirroring(scene, rng)
    if edit == "rotate":
        scene = replace(scene, camera=replace(scene.camera, elevation=-float(rng.uniform(78, 88))))
    k = int(rng.integers(len(scene.objects)))
    before = stage.instances(scene) == k + 1
    changed = EDITS[edit](stage, scene, k, rng)
    if changed is None or not _fair(before):
        return None
    new, numbers = changed
    if not _apart(stage, new, k if edit != "remove" else None):
        return None
    after = stage.instances(new) == k + 1 if edit != "remove" else np.zeros_like(before)
    if edit != "remove" and not _fair(after):
        return None
    look, seed = Look.draw(rng), int(rng.integers(2**31))
    shots = [look.apply(stage.render(s)[0], np.random.default_rng(seed)) for s in (scene, new)]
    thing = scene.objects[k]
    line = {
        "edit": edit,
        "prompt": full_caption(described(scene)),
        "object": thing.noun,
        "colour": thing.colour,
        **numbers,
        **_measured(edit, before, after),
    }
    return line, {"photo": shots[0], "mask": _shown(before), "truth": shots[1], "truth_mask": _shown(after)}


def main(
    output: Path,
    /,
    *,
    each: int = 6,
    seed: int = 1,
    edits: Sequence[str] = tuple(EDITS),
    polished: Annotated[
        bool, cyclopts.Parameter(negative="", help="on tables that mirror what stands on them")
    ] = False,
    furniture: Annotated[
        Path, cyclopts.Parameter(help="sweethome3d-furniture's folder of .sh3f files")
    ] = FURNITURE,
) -> None:
    """Render ``each`` cases of every edit; one that is stopped leaves those that it has finished."""
    output.mkdir(parents=True, exist_ok=True)
    told = output / "cases.jsonl"
    told.write_text("")
    things, rng = load(furniture), np.random.default_rng(seed)
    for number in track(range(each * len(edits)), description="rendering cases"):
        edit, case = edits[number // each], None
        while case is None:
            with draw_case_stage(things, rng, _POLISHED if polished else TABLE_KINDS) as stage:
                tries = (draw_case(stage, edit, rng, mirrors=polished) for _ in range(8))
                case = next((found for found in tries if found is not None), None)
        line, pictures = case
        for name, pixels in pictures.items():
            Image.fromarray(pixels).save(
                output / f"{number:03d}_{name}.webp", lossless=True, quality=100, method=6
            )
        append_line(told, {"id": f"{number:03d}", **line})


def _with(scene: Scene, k: int, thing: Placed) -> Scene:
    return replace(scene, objects=(*scene.objects[:k], thing, *scene.objects[k + 1 :]))


def _fair(mask: np.ndarray) -> bool:
    """Whether an object is neither tiny nor huge and lies whole within the picture."""
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return _LEAST <= mask.sum() <= _MOST and not border.any()


def _apart(stage: Stage, scene: Scene, k: int | None) -> bool:
    """Whether the changed object still stands clear of the others, on the table."""
    if k is None:
        return True
    thing, rest = scene.objects[k], [other for i, other in enumerate(scene.objects) if i != k]
    reach = [footprint(stage.assets[other.asset]) + footprint(stage.assets[thing.asset]) for other in rest]
    gaps = [float(np.hypot(*np.subtract(thing.xy, other.xy))) for other in rest]
    on_table = np.hypot(*np.subtract(thing.xy, scene.room.centre)) < min(scene.room.half)
    return bool(on_table) and all(gap > need for gap, need in zip(gaps, reach, strict=True))


def _measured(edit: str, before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    if edit == "move":
        shift = (_centroid(after) - _centroid(before)) / SIZE
        return {"dx": float(shift[0]), "dy": float(shift[1])}
    return {"scale": float(np.sqrt(after.sum() / before.sum()))} if edit == "resize" else {}


def _centroid(mask: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(mask)
    return np.array([x.mean(), y.mean()])


def _shown(mask: np.ndarray) -> np.ndarray:
    return mask.astype(np.uint8) * 255


if __name__ == "__main__":
    cyclopts.run(main)
