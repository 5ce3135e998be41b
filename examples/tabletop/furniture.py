"""Objects out of Sweet Home 3D's free catalogues (Debian's ``sweethome3d-furniture``), for a tabletop.

``furniture.json`` says which models are taken, what they are, and how large they stand on a table: a toy
where the model is a car or a horse. A catalogue states each model's size in centimetres; models are y up.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, TypeAdapter
from scipy.spatial.transform import Rotation
from trimesh.exchange.obj import load_obj
from trimesh.geometry import triangulate_quads
from trimesh.resolvers import ZipResolver
from trimesh.visual.material import SimpleMaterial

from examples.tabletop.asset import RGB, Asset, Credit, Finish, Part

FOLDER: Final = Path("/usr/share/sweethome3d/furniture")
"""Where Debian installs the catalogues."""

LICENCES: Final[Mapping[str, str]] = {
    "BlendSwap-CC-0": "CC0-1.0",
    "BlendSwap-CC-BY": "CC-BY-3.0",
    "KatorLegaz": "CC-BY-3.0-US",
    "Scopia": "CC-BY-3.0",
}
"""The terms of each catalogue's models, as its LICENSE.TXT and Debian's copyright file state them."""

AUTHORS: Final[Mapping[str, str]] = {
    "KatorLegaz": "Andrew Kator & Jennifer Legaz",
    "Scopia": "Scopia Visual Interfaces Systems, s.l. & Emmanuel Puybaret / eTeks",
}
"""Whom a LICENSE.TXT asks to credit for a whole catalogue; elsewhere each model names its author."""

TEXTURE_SIDE: Final = 256
"""Most pixels of a texture's width and height: an object covers little more in a picture."""

METAL_WORDS: Final = ("metal", "chrome", "steel", "brass", "alumin", "cuttelry", "silver")
"""Names of materials that are metal, though an MTL file cannot say so."""


class Look(BaseModel):
    """What to change of a material; ``None`` keeps what its file says.

    Attributes:
        rgb: Its colour, which multiplies a texture.
        finish: How it reflects.
        paint: Whether it takes the colour a scene asks for.
        smooth: Whether neighbouring faces are shaded as one surface.
        texture_side: Texture size, pixels; a small one leaves no trademark legible.
        two_sided: Whether a single sheet of faces, such as a leaf, is to be seen from both sides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rgb: RGB | None = None
    finish: Finish | None = None
    paint: bool = False
    smooth: bool = True
    texture_side: int = TEXTURE_SIDE
    two_sided: bool = False


class Entry(BaseModel):
    """One row of ``furniture.json``.

    Attributes:
        model: Catalogue and model, as in ``"Scopia/cup"``.
        noun: What it is.
        size: Its largest dimension on the table, metres.
        name: Tells apart several entries that are parts of one model.
        colour: The colour word that is true of it as it is.
        only: Keep these materials alone, where one object is wanted out of a set.
        drop: Leave these materials out.
        tilt: Degrees about the x axis by which it is turned, as seen from +x counter-clockwise.
        half: Keep the left half, where a model is a pair.
        looks: Changes by material, ``"*"`` standing for every other one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    noun: str
    size: float
    name: str = ""
    colour: str | None = None
    tilt: float = 0
    only: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    half: bool = False
    looks: Mapping[str, Look] = {}

    @property
    def catalogue(self) -> str:
        """The catalogue the model is in."""
        return self.model.partition("/")[0]


@dataclass(frozen=True, slots=True)
class _Mesh:
    """The faces of one material."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None
    material: SimpleMaterial


def load(folder: Path = FOLDER) -> list[Asset]:
    """Reads every object that ``furniture.json`` picks.

    Args:
        folder: Where the ``.sh3f`` catalogues lie.

    Returns:
        The objects, in the order of the file.

    Raises:
        FileNotFoundError: A catalogue is missing from ``folder``.
        KeyError: A catalogue lacks a model that ``furniture.json`` names.
    """
    table = Path(__file__).with_suffix(".json").read_bytes()
    entries = TypeAdapter(list[Entry]).validate_json(table)
    assets = []
    for catalogue, group in groupby(entries, key=lambda entry: entry.catalogue):
        with zipfile.ZipFile(folder / f"{catalogue}.sh3f") as archive:
            records = _records(archive)
            assets += [_asset(archive, records[entry.model.partition("/")[2]], entry) for entry in group]
    return assets


def _records(archive: zipfile.ZipFile) -> dict[str, dict[str, str]]:
    """A catalogue's properties (name, width, creator, ...) by the model's file name."""
    rows: dict[str, dict[str, str]] = {}
    for line in archive.read("PluginFurnitureCatalog.properties").decode("latin-1").splitlines():
        key, _, value = line.partition("=")
        word, mark, number = key.partition("#")
        if mark and number.isdigit():
            # A Java properties file escapes what Latin-1 lacks.
            rows.setdefault(number, {})[word] = value.strip().encode("latin-1").decode("unicode_escape")
    return {Path(row["model"]).stem: row for row in rows.values()}


def _asset(archive: zipfile.ZipFile, record: Mapping[str, str], entry: Entry) -> Asset:
    meshes = [mesh for mesh in _placed(_meshes(archive, record["model"]), record) if _wanted(mesh, entry)]
    if entry.half:
        meshes = [half for mesh in meshes if len((half := _left(mesh)).faces)]
    parts = _merged(_part(mesh, entry) for mesh in meshes)
    credit = Credit(
        title=record["name"],
        author=AUTHORS.get(entry.catalogue, record["creator"]),
        licence=LICENCES[entry.catalogue],
        source=f"Sweet Home 3D furniture, {entry.catalogue}{record['model']}",
    )
    name = "/".join(filter(None, (entry.model, entry.name)))
    return Asset(name, entry.noun, _standing(parts, entry), entry.colour, credit)


def _meshes(archive: zipfile.ZipFile, model: str) -> list[_Mesh]:
    """Reads an OBJ file with its materials, one mesh per material."""
    path = Path(model.lstrip("/"))
    folder = f"{path.parent}/"
    files = {name: io.BytesIO(archive.read(name)) for name in archive.namelist() if name.startswith(folder)}
    scene = load_obj(_convex(files[str(path)]), resolver=ZipResolver(files, str(path.parent)))
    meshes = []
    for geometry in scene["geometry"].values():
        visual = geometry["visual"]
        # A material that the MTL file does not define has no visual, and none to draw it with.
        if visual is not None and isinstance(visual.material, SimpleMaterial):
            faces = triangulate_quads(geometry["faces"])
            meshes.append(_Mesh(geometry["vertices"], faces, visual.uv, visual.material))
    return meshes


def _convex(obj: io.BytesIO) -> io.StringIO:
    """Cuts an OBJ file's concave polygons into triangles, which ``load_obj`` would fill like a fan."""
    lines = obj.read().decode("latin-1").splitlines()
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    cut = []
    for line in lines:
        corners = line.split()[1:] if line.startswith("f ") else []
        if len(corners) > 4:
            ring = points[[int(corner.partition("/")[0]) - 1 for corner in corners]]
            cut += [" ".join(["f", *(corners[index] for index in ear)]) for ear in _ears(ring)]
        else:
            cut.append(line)
    return io.StringIO("\n".join(cut))


def _ears(ring: np.ndarray) -> list[tuple[int, int, int]]:
    """Triangulates a nearly planar simple polygon [N, 3] by clipping ears."""
    normal = np.cross(ring, np.roll(ring, -1, axis=0)).sum(0)
    axis = int(np.abs(normal).argmax())
    # These two axes follow ``axis`` cyclically, so a positive normal means counter-clockwise in them.
    flat = ring[:, [(axis + 1) % 3, (axis + 2) % 3]] * [np.sign(normal[axis]), 1]
    left = list(range(len(ring)))
    ears = []
    while len(left) > 3:
        corners = ((left[i - 1], left[i], left[(i + 1) % len(left)]) for i in range(len(left)))
        # A degenerate polygon may have no ear; any corner then does.
        ear = next((corner for corner in corners if _is_ear(flat, corner, left)), tuple(left[:3]))
        ears.append(ear)
        left.remove(ear[1])
    return [*ears, (left[0], left[1], left[2])]


def _is_ear(flat: np.ndarray, corner: tuple[int, int, int], left: list[int]) -> bool:
    """Whether a corner of a counter-clockwise polygon is convex and holds no other vertex."""
    start = flat[list(corner)]
    side = np.roll(start, -1, axis=0) - start

    def areas(points: np.ndarray) -> np.ndarray:
        away = points[:, None] - start
        return side[:, 0] * away[..., 1] - side[:, 1] * away[..., 0]

    convex = areas(start[2:])[0, 0] > 0
    return bool(convex and not (areas(flat[left]) > 1e-12).all(1).any())


def _placed(meshes: list[_Mesh], record: Mapping[str, str]) -> list[_Mesh]:
    """Turns, scales and centres a model to the box its catalogue states, in metres and z up."""
    turn = np.array(record.get("modelRotation", "1 0 0 0 1 0 0 0 1").split(), float).reshape(3, 3)
    turned = [mesh.vertices @ turn.T for mesh in meshes]
    every = np.concatenate(turned)
    low, high = every.min(0), every.max(0)
    box = np.array([float(record[side]) for side in ("width", "height", "depth")]) / 100
    scale = box / np.maximum(high - low, 1e-9)
    boxed = [(vertices - (low + high) / 2) * scale for vertices in turned]
    return [
        replace(mesh, vertices=np.stack([x, -z, y], axis=1))
        for mesh, (x, y, z) in zip(meshes, (vertices.T for vertices in boxed), strict=True)
    ]


def _wanted(mesh: _Mesh, entry: Entry) -> bool:
    name = mesh.material.name
    opaque = _opacity(mesh.material) > 0.02
    return opaque and name not in entry.drop and (not entry.only or name in entry.only)


def _left(mesh: _Mesh) -> _Mesh:
    """Keeps the faces with x < 0."""
    faces = mesh.faces[mesh.vertices[mesh.faces, 0].mean(1) < 0]
    used, inverse = np.unique(faces, return_inverse=True)
    uv = None if mesh.uv is None else mesh.uv[used]
    return replace(mesh, vertices=mesh.vertices[used], faces=inverse.reshape(-1, 3), uv=uv)


def _part(mesh: _Mesh, entry: Entry) -> Part:
    material = mesh.material
    look = entry.looks.get(str(material.name)) or entry.looks.get("*") or Look()
    r, g, b = (round(float(value), 3) for value in material.kwargs.get("kd", (0.8, 0.8, 0.8)))
    own: RGB = (r, g, b)
    texture = None
    if mesh.uv is not None and material.image is not None:
        texture = _texture(material.image, own, look.texture_side)
        # Exporters leave the modeller's default gray behind a texture.
        own = (1.0, 1.0, 1.0)
    part = Part(
        vertices=mesh.vertices,
        faces=mesh.faces,
        uv=None if texture is None else mesh.uv,
        texture=texture,
        rgb=look.rgb or own,
        paint=look.paint,
        finish=look.finish or _finish(material),
        smooth=look.smooth,
    )
    return _two_sided(part) if look.two_sided else part


def _two_sided(part: Part) -> Part:
    """Adds the back of a sheet, such as a leaf, with vertices and so normals of its own."""
    back = part.faces[:, ::-1] + len(part.vertices)
    return replace(
        part,
        vertices=np.concatenate([part.vertices, part.vertices]),
        faces=np.concatenate([part.faces, back]),
        uv=None if part.uv is None else np.concatenate([part.uv, part.uv]),
    )


def _texture(image: Image.Image, behind: RGB, side: int) -> np.ndarray:
    """An image as uint8 [H, W, 3], what shows through it being the material's own colour."""
    picture = image.convert("RGBA")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", picture.size, tuple(round(255 * value) for value in behind))
    return np.asarray(Image.alpha_composite(ground, picture).convert("RGB"))


def _opacity(material: SimpleMaterial) -> float:
    return float(material.kwargs.get("d", [1.0])[0])


def _finish(material: SimpleMaterial) -> Finish:
    """Guesses how a material reflects from its name, its opacity and its Phong terms."""
    if _opacity(material) < 0.5:
        return "glass"
    if any(word in str(material.name).lower() for word in METAL_WORDS):
        return "metal"
    strength = max(material.kwargs.get("ks", (0.0,)))
    if strength >= 0.7 and float(material.glossiness or 0) >= 60:
        return "glossy"
    return "satin" if strength >= 0.3 else "matte"


def _merged(parts: Iterator[Part]) -> list[Part]:
    """Joins untextured parts that look the same."""
    groups: dict[object, list[Part]] = {}
    for part in parts:
        look = (part.rgb, part.finish, part.paint, part.smooth)
        groups.setdefault(look if part.texture is None else id(part), []).append(part)
    return [_joined(group) for group in groups.values()]


def _joined(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    vertices = np.concatenate([part.vertices for part in parts])
    faces = np.concatenate([part.faces + offset for part, offset in zip(parts, offsets, strict=True)])
    return replace(parts[0], vertices=vertices, faces=faces)


def _standing(parts: list[Part], entry: Entry) -> tuple[Part, ...]:
    """Tilts, scales to the entry's size, and stands the whole centred on z = 0."""
    turn = Rotation.from_euler("x", entry.tilt, degrees=True).as_matrix()
    turned = [part.vertices @ turn.T for part in parts]
    every = np.concatenate(turned)
    low, high = every.min(0), every.max(0)
    foot = np.array([*(low + high)[:2] / 2, low[2]])
    scale = entry.size / (high - low).max()
    return tuple(
        replace(part, vertices=(vertices - foot) * scale)
        for part, vertices in zip(parts, turned, strict=True)
    )
