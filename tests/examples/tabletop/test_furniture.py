"""A catalogue of Sweet Home 3D that the tests write, and the real ones where Debian has installed them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from examples.tabletop.asset import Asset
from examples.tabletop.vocabulary import COLOURS, NOUNS
from meshes import is_closed, merged, volume

pytest.importorskip("trimesh")

from examples.tabletop import furniture
from examples.tabletop.furniture import AUTHORS, FOLDER, LICENCES, load

# A box of 2 x 4 x 6, y up; its top (+y) has a picture, its front (+z) is metal, the rest is plain.
BOX = """mtllib box.mtl
v -1 0 -3
v 1 0 -3
v 1 4 -3
v -1 4 -3
v -1 0 3
v 1 0 3
v 1 4 3
v -1 4 3
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl plain
f 1 4 3 2
f 1 2 6 5
f 1 5 8 4
f 2 3 7 6
usemtl Chrome
f 5 6 7 8
usemtl printed
f 8/1 7/2 3/3 4/4
usemtl hidden
f 1 2 3
"""
MATERIALS = """newmtl plain
Kd 0.2 0.4 0.6
Ks 0.4 0.4 0.4
Ns 10
newmtl Chrome
Kd 0.5 0.5 0.5
newmtl printed
Kd 0.7 0.7 0.7
map_Kd print.png
newmtl hidden
Kd 1 0 0
d 0.0
newmtl pane
Kd 0.9 0.9 0.9
d 0.3
newmtl shiny
Kd 0.1 0.1 0.1
Ks 0.9 0.9 0.9
Ns 90
"""
# A flat L (concave, one polygon of six corners) of glass, and a square of a shiny material.
ELL = """mtllib box.mtl
v 0 0 0
v 3 0 0
v 3 1 0
v 1 1 0
v 1 3 0
v 0 3 0
v 0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
usemtl pane
f 1 2 3 4 5 6
usemtl shiny
f 7 8 9 10
"""
PROPERTIES = """id#1=x#box
name#1=Gift box
model#1=/models/box.obj
width#1=20
height#1=40
depth#1=60
creator#1=Zo\\u00eb
name#2=Turned box
model#2=/turned/box2.obj
width#2=40
height#2=20
depth#2=60
modelRotation#2=0 -1 0 1 0 0 0 0 1
creator#2=Ann
name#3=Ell
model#3=/models/ell.obj
width#3=30
height#3=30
depth#3=10
creator#3=Ann
"""
Write = Callable[..., list[Asset]]


def printed() -> bytes:
    """Upper half red, lower half see-through."""
    picture = np.zeros((512, 256, 4), np.uint8)
    picture[:256] = (255, 0, 0, 255)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Load a catalogue of three models by a table of the test's own."""
    with zipfile.ZipFile(tmp_path / "Scopia.sh3f", "w") as first:
        first.writestr("PluginFurnitureCatalog.properties", PROPERTIES.encode("latin-1"))
        for folder, name in (("models", "box"), ("turned", "box2")):
            first.writestr(f"{folder}/{name}.obj", BOX)
            first.writestr(f"{folder}/box.mtl", MATERIALS)
            first.writestr(f"{folder}/print.png", printed())
        first.writestr("models/ell.obj", ELL)
    (tmp_path / "BlendSwap-CC-0.sh3f").write_bytes((tmp_path / "Scopia.sh3f").read_bytes())

    def load_rows(*rows: dict[str, Any]) -> list[Asset]:
        filled = [{"model": "Scopia/box", "noun": "box", "size": 0.3, **row} for row in rows]
        (tmp_path / "furniture.json").write_text(json.dumps(filled))
        monkeypatch.setattr(furniture, "__file__", str(tmp_path / "furniture.py"))
        return load(tmp_path)

    return load_rows


def part_of(asset: Asset, **wanted: Any) -> Any:
    (part,) = (
        part for part in asset.parts if all(getattr(part, name) == value for name, value in wanted.items())
    )
    return part


def test_a_model_stands_in_metres_z_up_as_large_as_the_row_says(take: Write) -> None:
    (asset,) = take({"size": 0.3})
    low, high = asset.bounds
    # Wide 20, high 40, deep 60: the longest side is 0.3 m.
    assert (high - low).tolist() == pytest.approx([0.1, 0.3, 0.2])
    assert low.tolist() == pytest.approx([-0.05, -0.15, 0])
    assert (asset.name, asset.noun, asset.colour) == ("Scopia/box", "box", None)


def test_faces_keep_their_outside_and_their_side(take: Write) -> None:
    (asset,) = take({})
    vertices = np.concatenate([part.vertices for part in asset.parts])
    starts = np.cumsum([0, *(len(part.vertices) for part in asset.parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(asset.parts, starts, strict=False)])
    assert is_closed(merged(vertices, faces))
    assert volume(vertices, faces) == pytest.approx(0.1 * 0.3 * 0.2)
    # The model's front (+z) looks towards -y here, its top (+y) up.
    assert part_of(asset, finish="metal").vertices[:, 1].tolist() == pytest.approx([-0.15] * 4)
    textured = next(part for part in asset.parts if part.texture is not None)
    assert textured.vertices[:, 2].tolist() == pytest.approx([0.2] * 4)


def test_colours_finishes_and_pictures_are_the_materials(take: Write) -> None:
    (asset,) = take({})
    assert len(asset.parts) == 3  # what is not to be seen is left out
    plain = part_of(asset, finish="satin")
    assert (plain.rgb, plain.paint, plain.smooth, plain.uv) == ((0.2, 0.4, 0.6), False, True, None)
    textured = next(part for part in asset.parts if part.texture is not None)
    assert (textured.rgb, textured.finish) == ((1.0, 1.0, 1.0), "matte")
    texture = textured.texture
    assert texture is not None
    assert textured.uv is not None
    assert (texture.dtype, texture.shape) == (np.uint8, (256, 128, 3))
    assert texture[20, 60].tolist() == [255, 0, 0]
    assert texture[-20, 60].tolist() == pytest.approx([0.7 * 255] * 3, abs=1)
    # v is up, from the model's near edge (here -y) to the far one.
    y, v = textured.vertices[:, 1], textured.uv[:, 1]
    assert np.corrcoef(y, v)[0, 1] == pytest.approx(1)
    x, u = textured.vertices[:, 0], textured.uv[:, 0]
    assert np.corrcoef(x, u)[0, 1] == pytest.approx(1)


def test_glass_and_gloss_are_read_from_opacity_and_highlights(take: Write) -> None:
    (asset,) = take({"model": "Scopia/ell"})
    assert {part.finish for part in asset.parts} == {"glass", "glossy"}


def test_a_concave_polygon_is_filled_as_it_is(take: Write) -> None:
    (asset,) = take({"model": "Scopia/ell", "only": ["pane"], "size": 0.3})
    (part,) = asset.parts
    a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert area == pytest.approx(5 / 9 * 0.3**2)  # an L of five unit squares in nine; a fan would give more


def test_rows_change_what_they_name(take: Write) -> None:
    looks = {"plain": {"paint": True, "finish": "glossy", "smooth": False}, "*": {"rgb": [0.1, 0.2, 0.3]}}
    changed, picked, dropped, small = take(
        {"looks": looks, "colour": "blue", "name": "painted"},
        {"only": ["Chrome"]},
        {"drop": ["plain", "printed"]},
        {"looks": {"printed": {"texture_side": 16}}},
    )
    assert (changed.name, changed.colour) == ("Scopia/box/painted", "blue")
    painted = part_of(changed, paint=True)
    assert (painted.finish, painted.smooth, painted.rgb) == ("glossy", False, (0.2, 0.4, 0.6))
    assert all(part.rgb == (0.1, 0.2, 0.3) for part in changed.parts if not part.paint)
    for asset in (picked, dropped):
        (part,) = asset.parts
        assert part.finish == "metal"
        assert np.ptp(asset.bounds, axis=0).max() == pytest.approx(0.3)
    assert max(part.texture.shape[0] for part in small.parts if part.texture is not None) == 16


def test_tilted_halved_and_two_sided(take: Write) -> None:
    tilted, half, both = take(
        {"tilt": 90}, {"half": True}, {"only": ["Chrome"], "looks": {"Chrome": {"two_sided": True}}}
    )
    # Seen from +x counter-clockwise: y goes to z, so the depth is now the height.
    assert np.ptp(tilted.bounds, axis=0).tolist() == pytest.approx([0.1, 0.2, 0.3])
    metal = part_of(tilted, finish="metal")
    assert metal.vertices[:, 2].tolist() == pytest.approx([0.0] * 4)  # the front, at -y, went down
    whole = sum(len(part.faces) for part in tilted.parts)
    assert 0 < sum(len(part.faces) for part in half.parts) < whole
    (sheet,) = both.parts
    assert len(sheet.faces) == 2 * 2
    assert volume(sheet.vertices, sheet.faces) == pytest.approx(0, abs=1e-12)
    a, b, c = (sheet.vertices[sheet.faces[:, k]] for k in range(3))
    np.testing.assert_allclose(np.cross(b - a, c - a).sum(0), 0, atol=1e-12)


def test_a_catalogues_rotation_comes_before_its_size(take: Write) -> None:
    (asset,) = take({"model": "Scopia/box2", "size": 0.6})
    # The matrix turns x to y: what was 2 wide is now high, and is stated as 20 of 40 x 20 x 60.
    assert np.ptp(asset.bounds, axis=0).tolist() == pytest.approx([0.4, 0.6, 0.2])
    metal = part_of(asset, finish="metal")
    assert metal.vertices[:, 1].tolist() == pytest.approx([-0.3] * 4)


def test_credits_name_author_licence_and_source(take: Write) -> None:
    whole, single = take({}, {"model": "BlendSwap-CC-0/box"})
    assert whole.credit is not None
    assert single.credit is not None
    assert (whole.credit.author, whole.credit.licence) == (AUTHORS["Scopia"], LICENCES["Scopia"])
    assert (single.credit.author, single.credit.licence) == ("Zoë", "CC0-1.0")
    assert single.credit.title == "Gift box"
    assert single.credit.source.endswith("BlendSwap-CC-0/models/box.obj")


def test_a_missing_model_catalogue_or_an_unknown_key_is_refused(take: Write) -> None:
    with pytest.raises(KeyError, match="spoon"):
        take({"model": "Scopia/spoon"})
    with pytest.raises(FileNotFoundError, match="KatorLegaz"):
        take({"model": "KatorLegaz/box"})
    with pytest.raises(ValueError, match="colur"):
        take({"colur": "red"})


def test_the_table_names_known_nouns_colours_and_catalogues() -> None:
    rows = json.loads(Path(furniture.__file__).with_suffix(".json").read_text())
    names = []
    for row in rows:
        entry = furniture.Entry.model_validate(row)
        assert entry.noun in NOUNS, entry.model
        assert entry.colour is None or entry.colour in COLOURS, entry.model
        assert entry.catalogue in LICENCES, entry.model
        assert 0.03 <= entry.size <= 0.35, entry.model
        names.append((entry.model, entry.name))
    assert len(set(names)) == len(names) > 50


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason="Debian's sweethome3d-furniture is not installed")
def test_the_real_catalogues_hold_everything_that_the_table_picks() -> None:
    assets = load(FOLDER)
    assert len({asset.name for asset in assets}) == len(assets)
    for asset in assets:
        low, high = asset.bounds
        assert low[2] == pytest.approx(0, abs=1e-9), asset.name
        assert (low + high)[:2].tolist() == pytest.approx([0, 0], abs=1e-9), asset.name
        assert 0.03 <= (high - low).max() <= 0.35, asset.name
        assert asset.credit is not None
        assert asset.credit.author
        for part in asset.parts:
            assert np.isfinite(part.vertices).all()
            assert 0 <= part.faces.min() <= part.faces.max() < len(part.vertices)
            assert (part.uv is None) == (part.texture is None)
