"""Render the sample photos of this folder, and what each would look like had the object really been moved.

Everything in the pictures comes from this folder: ``shapes.py`` makes surfaces of revolution, swept tubes and
boxes, ``materials.py`` procedural textures, and nothing is loaded from disk. Path traced by Blender's Cycles
on the CPU, with fixed seeds.

Needs Python 3.11 with its own environment (Blender's module is large and pins its own numpy)::

    pip install bpy==5.0.1 pillow
    python render.py                       # mug.jpg, bowl.jpg and bottle.jpg, into this folder
    python render.py mug --truth /tmp/t    # only mug.jpg, and its true edits (PNG) and masks into /tmp/t
    python render.py mug --samples 16 --scale 0.5 --out /tmp     # a quick look

On two idle CPU cores a picture takes two minutes. Lengths are metres, angles degrees; the camera looks along
+y, x is to the right of the picture and the table top is z = 0.
"""

import argparse
import json
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np
from materials import RGB, rough, tiles, wood
from PIL import Image
from shapes import Thing, book, bottle, bowl, box, group, mug

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Scene:
    """What is built, which thing is edited, and how far it truly moves (fraction of the picture's width)."""

    word: str
    prompt: str
    size: tuple[int, int]
    build: Callable[[], Thing]
    dx: float
    seed: int


def room(table: Thing, wall: RGB, back: float = 0.62, sun: float = 1.0) -> None:
    """Put a table top against a plaster wall, lit by a four-pane window on the left."""
    box("table", (-3, -3, -0.04), (3, back, 0), table)
    box("wall", (-4, back, -1), (4, back + 0.1, 3), rough("plaster", wall, 85.0, 0.0012, tint=0.10))
    panes = [(-1.45, -0.62 + 0.36 * i, 0.86 + 0.40 * j) for i in (0, 1) for j in (0, 1)]
    lamps = [(pane, (0.32, 0.36), 19.0 * sun, (0.93, 0.97, 1.0)) for pane in panes]
    lamps.append(((1.6, -1.6, 1.6), (1.6, 1.2), 3.5 * sun, (1.0, 0.86, 0.70)))
    for place, size, watts, colour in lamps:
        data = bpy.data.lights.new("window", "AREA")
        data.shape, data.energy, data.color = "RECTANGLE", watts, colour
        data.size, data.size_y = size
        lamp = bpy.data.objects.new("window", data)
        bpy.context.collection.objects.link(lamp)
        x, y, z = np.subtract((0.05, 0.05, 0.0), place)
        lamp.location = place
        lamp.rotation_euler = math.atan2(math.hypot(x, y), -z), 0, math.atan2(y, x) - math.pi / 2
    world = bpy.data.worlds.new("room")
    bpy.context.scene.world = world
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.95, 0.93, 0.90, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.10 * sun


def camera(elevation: float, distance: float, look: RGB, view: float, focus: float) -> None:
    """Point a camera at ``look`` from the front; its vertical field of view is ``view``."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_height, data.angle_y = "VERTICAL", 24.0, math.radians(view)
    data.dof.use_dof, data.dof.focus_distance, data.dof.aperture_fstop = True, focus, 7.1
    eye = bpy.data.objects.new("camera", data)
    bpy.context.collection.objects.link(eye)
    tilt = math.radians(elevation)
    eye.location = (look[0], look[1] - distance * math.cos(tilt), look[2] + distance * math.sin(tilt))
    eye.rotation_euler = (math.pi / 2 - tilt, 0, 0)
    bpy.context.scene.camera = eye


def mug_scene() -> Thing:
    """Build a red mug on a walnut table, with a book and a small bowl."""
    room(
        wood("walnut", (0.10, 0.042, 0.018), (0.24, 0.115, 0.052), (0.40, 0.215, 0.105), turn=4),
        (0.66, 0.65, 0.61),
    )
    camera(24, 0.78, (0.0, 0.0, 0.062), 32, 0.74)
    group("bowl", bowl((0.72, 0.68, 0.58), None, (0.30, 0.17, 0.08), 0.78), (0.235, 0.075))
    group("book", book((0.035, 0.085, 0.14), (0.16, 0.11, 0.024)), (-0.305, 0.285), -16)
    return group("mug", mug((0.46, 0.014, 0.012), (0.78, 0.74, 0.66)), (-0.125, -0.03), -24)


def bowl_scene() -> Thing:
    """Build a yellow bowl on stone tiles, with a book behind."""
    room(tiles("tile", (0.50, 0.43, 0.36), turn=8), (0.52, 0.56, 0.55), 0.50)
    camera(33, 0.72, (0.0, 0.0, 0.05), 36, 0.70)
    group("book", book((0.05, 0.11, 0.10)), (0.06, 0.22), 12)
    return group("bowl", bowl((0.68, 0.40, 0.035), None, (0.25, 0.15, 0.08), 0.88), (-0.06, -0.045))


def bottle_scene() -> Thing:
    """Build a green glass bottle on a pale oak table, with a white mug."""
    room(
        wood("oak", (0.34, 0.19, 0.085), (0.52, 0.32, 0.16), (0.66, 0.46, 0.26), turn=-86, width=0.16),
        (0.42, 0.50, 0.56),
        0.45,
    )
    camera(21, 0.95, (0.0, 0.0, 0.085), 30, 0.95)
    group("mug", mug((0.74, 0.71, 0.65), (0.74, 0.71, 0.65)), (-0.155, 0.11), 200)
    return group("bottle", bottle(), (0.125, -0.01))


SCENES = {
    "mug": Scene("mug", "a photo of a red mug on a wooden table", (960, 640), mug_scene, 0.2, 1),
    "bowl": Scene("bowl", "a photo of a yellow bowl on a tile table", (640, 800), bowl_scene, 0.25, 2),
    "bottle": Scene(
        "bottle", "a photo of a green bottle on a wooden table", (768, 768), bottle_scene, -0.25, 3
    ),
}


def shoot(path: Path, seed: int, samples: int) -> np.ndarray:
    """Render the scene to a PNG and return its pixels, uint8 ``[height, width, 3 or 4]``."""
    scene = bpy.context.scene
    scene.cycles.samples, scene.cycles.seed = samples, seed
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    with Image.open(path) as picture:
        return np.array(picture)


def photo(folder: Path, seed: int, samples: int) -> np.ndarray:
    """Take the picture and add a camera's faint noise, the same for a seed: uint8 ``[height, width, 3]``."""
    pixels = shoot(folder / "photo.png", seed, samples)[..., :3].astype(float)
    noise = np.random.default_rng(seed).normal(size=(*pixels.shape[:2], 1)) * (
        1.4 - pixels.mean(-1, keepdims=True) / 400
    )
    return np.clip(pixels + noise + 0.5, 0, 255).astype(np.uint8)


def matte(folder: Path, root: Thing) -> np.ndarray:
    """Render how much of each pixel shows the thing hung on ``root``: uint8 ``[height, width]``."""
    scene = bpy.context.scene
    others = [o for o in scene.objects if o.type == "MESH" and o.parent is not root]
    for thing in others:
        thing.is_holdout = True
    view, dof = bpy.context.view_layer, scene.camera.data.dof
    view.material_override = bpy.data.materials.new(
        "plain"
    )  # only coverage matters, and grain is slow to compute
    scene.render.film_transparent, scene.render.image_settings.color_mode = True, "RGBA"
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = dof.use_dof = False
    alpha = shoot(folder / "matte.png", 0, 16)[..., 3]
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = dof.use_dof = True
    scene.render.film_transparent, scene.render.image_settings.color_mode = False, "RGB"
    view.material_override = None
    for thing in others:
        thing.is_holdout = False
    return alpha


def centre(alpha: np.ndarray) -> tuple[float, float]:
    """Return the centroid (x, y) of a mask, in fractions of its width and height."""
    weight = alpha.astype(float)
    height, width = weight.shape
    x = (weight.sum(0) * (np.arange(width) + 0.5)).sum() / weight.sum() / width
    return x, (weight.sum(1) * (np.arange(height) + 0.5)).sum() / weight.sum() / height


def start(size: tuple[int, int], scale: float) -> None:
    """Empty Blender's scene and set it to render with Cycles."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = round(100 * scale)
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", "AgX - Medium High Contrast"
    scene.cycles.use_denoising, scene.cycles.max_bounces = True, 4
    scene.cycles.adaptive_threshold = 0.03
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False


def truth(name: str, scene: Scene, root: Thing, shot: np.ndarray, folder: Path, samples: int) -> None:
    """Write the photo, its true edits and their masks as PNG, and what was done as JSON."""
    eye, (width, height) = bpy.context.scene.camera, scene.size
    reach = 2 * (eye.location - root.location).length * math.tan(eye.data.angle_y / 2) * width / height
    pictures = {"photo": shot}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        pictures["mask"] = matte(work, root)
        at = centre(pictures["mask"])
        for _ in range(3):  # the reach at the thing's own depth is only roughly known: look, and correct
            root.location.x += (scene.dx - centre(matte(work, root))[0] + at[0]) * reach
        pictures["moved_mask"] = matte(work, root)
        pictures["moved"] = photo(work, scene.seed, samples)
        for part in root.children:
            part.hide_render = True
        pictures["removed"] = photo(work, scene.seed, samples)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}_{kind}.png")
    end, area = centre(pictures["moved_mask"]), pictures["moved_mask"].sum() / pictures["mask"].sum()
    record = {"prompt": scene.prompt, "object": scene.word, "dx": end[0] - at[0], "dy": end[1] - at[1]}
    (folder / f"{name}.json").write_text(json.dumps({**record, "area": float(area)}, indent=1) + "\n")


def main() -> None:
    """Render the scenes named on the command line, or all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", choices=[*SCENES, []], metavar="NAME", help="mug, bowl or bottle (default: all)"
    )
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder for the JPEGs (default: beside this script)"
    )
    parser.add_argument(
        "--truth", type=Path, help="folder for the true edits and masks (default: not rendered)"
    )
    parser.add_argument("--samples", type=int, default=40, help="paths per pixel")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="size of the pictures relative to the final one"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or SCENES:
        scene = SCENES[name]
        start(scene.size, options.scale)
        root = scene.build()
        with tempfile.TemporaryDirectory() as scratch:
            shot = photo(Path(scratch), scene.seed, options.samples)
        Image.fromarray(shot).save(options.out / f"{name}.jpg", quality=92, subsampling=0)
        if options.truth:
            truth(name, scene, root, shot, options.truth, options.samples)


if __name__ == "__main__":
    main()
