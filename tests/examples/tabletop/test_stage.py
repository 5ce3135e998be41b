"""What MuJoCo draws, against a pinhole camera, Lambert's law and the convention that a stage states."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from examples.tabletop.asset import RGB, Asset, Part
from examples.tabletop.scene import Camera, Light, Placed, Room, Scene
from examples.tabletop.solids import ball, box_faces, slab
from examples.tabletop.surfaces import Surface

if TYPE_CHECKING:
    from examples.tabletop.stage import Stage

pytestmark = pytest.mark.usefixtures("opengl")

TABLE, WALL, FLOOR, STRIPES = range(4)
GREYS = {TABLE: 180, WALL: 120, FLOOR: 60}
BALL, LARGE, BAR, POST, SIGN = range(5)
RADIUS, LARGE_RADIUS, HEIGHT = 0.01, 0.03, 0.1
WHITE: RGB = (1.0, 1.0, 1.0)
ROOM = Room(TABLE, WALL, FLOOR, "plain", (0.0, 0.0), (2.0, 2.0), 0.0, 6.0, (WHITE, WHITE, WHITE), 0.0)
ABOVE = Camera((0.0, 0.0, 0.0), 0.6, 180.0, -89.9, 40.0, 0.0)
FRONT = Camera((0.0, 0.0, 0.03), 0.6, 180.0, -25.0, 35.0, 0.0)
EVEN = Light((0.3, 0.2, 1.0), 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), WHITE)  # from everywhere: no shading


def assets() -> list[Asset]:
    sign = np.zeros((64, 64, 3), np.uint8)
    sign[:32, :32], sign[:32, 32:], sign[32:, :32], sign[32:, 32:] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 0),
    )
    face = box_faces(0.02, 0.1, 0.1)["right"].patch(lift=0.001)  # towards +x, where the camera is
    parts = {
        "ball": (ball(RADIUS, 24).moved(z=RADIUS).part(paint=True),),
        "apple": (ball(LARGE_RADIUS, 24).moved(z=LARGE_RADIUS).part(paint=True),),
        "fork": (slab(0.12, 0.02, 0.01).part((0.2, 0.2, 0.2), "matte"),),
        "candle": (slab(0.02, 0.02, HEIGHT).part((0.3, 0.3, 0.3), "matte"),),
        "book": (slab(0.02, 0.1, 0.1).part((0, 0, 0)), face.part((1, 1, 1), "matte", texture=sign)),
    }
    return [Asset(noun, noun, made) for noun, made in parts.items()]


def surfaces() -> list[Surface]:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, :256] = 200
    plain = [np.full((512, 512, 3), grey, np.uint8) for grey in GREYS.values()]
    return [Surface(texture, "plain", 0.1, 0.0) for texture in (*plain, stripes)]


@pytest.fixture(scope="module")
def stage(opengl: None) -> Iterator[Stage]:
    from examples.tabletop.stage import Stage

    with Stage(assets(), surfaces(), samples=4) as stage:
        yield stage


def put(asset: int, x: float = 0.0, y: float = 0.0, yaw: float = 0.0, rgb: RGB = (0.1, 0.1, 0.1)) -> Placed:
    return Placed(asset, "ball", "black", rgb, (x, y), yaw)


def scene(*objects: Placed, camera: Camera = FRONT, light: Light = EVEN, room: Room = ROOM) -> Scene:
    return Scene(objects, room, camera, light, 3)


def project(camera: Camera, point: tuple[float, float, float]) -> np.ndarray:
    """Pixel (x, y) of a point, by an ideal pinhole camera that orbits `look`."""
    azimuth, elevation = math.radians(camera.azimuth), math.radians(camera.elevation)
    forward = np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    right = np.array([math.sin(azimuth), -math.cos(azimuth), 0.0])
    up = np.cross(right, forward)
    ray = np.array(point) - (np.array(camera.look) - camera.distance * forward)
    focal = 128 / math.tan(math.radians(camera.field_of_view) / 2)
    return 128 + focal * np.array([ray @ right, -ray @ up]) / (ray @ forward)


def centre(weights: np.ndarray) -> np.ndarray:
    """Centroid (x, y) in pixels, pixel centres lying at halves."""
    y, x = np.indices(weights.shape) + 0.5
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


def grey(picture: np.ndarray, at: np.ndarray, reach: int = 1) -> float:
    x, y = at.astype(int)
    return float(picture[y - reach : y + reach + 1, x - reach : x + reach + 1].mean())


CAMERAS = [
    FRONT,
    ABOVE,
    Camera((0.05, -0.02, 0.1), 0.5, 180.0, -40.0, 50.0, 0.0),
    Camera((0.0, 0.05, 0.02), 0.8, 150.0, -15.0, 25.0, 0.004),
    Camera((-0.03, 0.0, 0.0), 0.7, 211.0, -70.0, 33.0, 0.0),
]


@pytest.mark.parametrize("camera", CAMERAS)
def test_masks_lie_where_a_pinhole_camera_sees_the_objects(stage: Stage, camera: Camera) -> None:
    places = [(0.05, 0.08), (-0.06, -0.05), (0.0, 0.0), (-0.1, 0.06)]
    for x, y in places:
        mask = stage.instances(scene(put(BALL, x, y), camera=camera))
        assert set(np.unique(mask)) == {0, 1}
        np.testing.assert_allclose(centre(mask), project(camera, (x, y, RADIUS)), atol=0.35)


def test_an_object_that_moves_takes_its_mask_along(stage: Stage) -> None:
    start, end = (0.02, -0.05), (-0.03, 0.09)
    masks = [stage.instances(scene(put(LARGE, *at))) for at in (start, end)]
    moved = centre(masks[1]) - centre(masks[0])
    expected = project(FRONT, (*end, LARGE_RADIUS)) - project(FRONT, (*start, LARGE_RADIUS))
    assert np.linalg.norm(expected) > 30
    np.testing.assert_allclose(moved, expected, atol=0.6)


def test_a_mask_is_as_large_as_the_object_looks(stage: Stage) -> None:
    mask = stage.instances(scene(put(LARGE), camera=ABOVE))
    away = ABOVE.distance - LARGE_RADIUS
    radius = 128 / math.tan(math.radians(20)) * LARGE_RADIUS / math.sqrt(away**2 - LARGE_RADIUS**2)
    assert mask.sum() == pytest.approx(math.pi * radius**2, rel=0.03)


def test_the_picture_lies_under_its_mask(stage: Stage) -> None:
    for camera in CAMERAS[:3]:
        picture, mask = stage.render(scene(put(LARGE, 0.03, 0.04), camera=camera))
        dark = 180 - picture.astype(float).mean(2)
        assert dark[mask == 1].min() > 20
        np.testing.assert_allclose(centre(dark.clip(0)), centre(mask), atol=0.3)


def test_numbers_are_those_of_the_scene_and_the_nearer_object_hides_the_other(stage: Stage) -> None:
    far, near = put(LARGE, -0.03, 0.0), put(BALL, 0.03, 0.0)
    low = replace(FRONT, elevation=-12.0)
    alone = stage.instances(scene(far, camera=low)) == 1
    for objects in ((far, near), (near, far)):
        picture, mask = stage.render(scene(*objects, camera=low))
        k = objects.index(near) + 1
        np.testing.assert_allclose(centre(mask == k), project(low, (0.03, 0.0, RADIUS)), atol=0.35)
        assert (mask == 3 - k).sum() < alone.sum() - 20
        assert not ((mask == 3 - k) & ~alone).any()
        assert np.array_equal(mask, stage.instances(scene(*objects, camera=low)))
        assert (picture.dtype, picture.shape, mask.dtype) == (np.uint8, (256, 256, 3), np.uint8)


def test_yaw_turns_an_object_counter_clockwise_seen_from_above(stage: Stage) -> None:
    for yaw in (0.0, 30.0, 90.0, 120.0):
        mask = stage.instances(scene(put(BAR, yaw=yaw), camera=ABOVE))
        y, x = np.nonzero(mask)
        _, axes = np.linalg.eigh(np.cov(x, -y))
        # Looking towards -x and down, the picture's up is -x and its right is +y.
        seen = math.degrees(math.atan2(axes[1, 1], axes[0, 1]))
        expected = yaw + 90
        assert (seen - expected + 90) % 180 == pytest.approx(90, abs=1)


def test_even_light_shows_every_surface_as_it_is(stage: Stage) -> None:
    room = replace(ROOM, half=(0.1, 0.06), turn=30.0, centre=(0.02, -0.01))
    camera = replace(FRONT, elevation=-60.0)
    picture, _ = stage.render(scene(camera=camera, room=room))
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    checked = 0
    for u, v in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]:
        for share, expected in ((0.88, TABLE), (1.15, FLOOR)):
            x, y = 0.1 * u * share, 0.06 * v * share
            point = (0.02 + c * x - s * y, -0.01 + s * x + c * y, 0.0)
            if expected == TABLE or point[0] < -0.02:  # before its near edges the table shows its side
                assert grey(picture, project(camera, point)) == pytest.approx(GREYS[expected], abs=1.5)
                checked += 1
    assert checked > 10


def test_the_wall_stands_where_it_is_said_to(stage: Stage) -> None:
    picture, _ = stage.render(scene(room=replace(ROOM, wall_at=0.3)))
    for x, z, expected in ((-0.26, 0.0, TABLE), (-0.28, 0.02, WALL), (-0.28, 0.08, WALL)):
        assert grey(picture, project(FRONT, (x, 0.02, z))) == pytest.approx(GREYS[expected], abs=1.5)


def test_light_and_tint_multiply_the_texture(stage: Stage) -> None:
    tint: RGB = (1.0, 0.8, 0.5)
    room = replace(ROOM, tints=(tint, WHITE, WHITE))
    light = replace(EVEN, ambient=(0.5, 0.5, 0.5))
    picture, mask = stage.render(scene(camera=ABOVE, light=light, room=room))
    assert not mask.any()
    expected = 180 * 0.5 * np.array(tint)
    assert np.abs(picture.reshape(-1, 3) - expected).max() <= 1.5


def test_a_plain_room_is_plain(stage: Stage) -> None:
    light = Light((0.4, 0.3, 1.2), 0.2, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.3, 0.3, 0.3))
    picture, _ = stage.render(scene(camera=ABOVE, light=light))
    mean = picture.reshape(-1, 3).mean(0)
    assert np.ptp(mean) < 0.6
    assert picture.astype(float).std(axis=(0, 1)).max() < 8
    # At most all light at once; at least what has no direction.
    assert 180 * 0.3 < mean[0] < 180 * 1.05


@pytest.mark.parametrize("turn", [0.0, 90.0])
def test_a_texture_repeats_at_its_width(stage: Stage, turn: float) -> None:
    """A surface of 0.1 m: a repeat of black and white is 10 cm wide on the table."""
    picture, _ = stage.render(scene(camera=ABOVE, room=replace(ROOM, table=STRIPES, turn=turn)))
    bright = picture[..., 0] > 100
    changes = [np.mean((bright != np.roll(bright, 1, axis)).sum(axis)) for axis in (0, 1)]
    edges = int(np.argmax(changes))
    at = np.flatnonzero(np.diff(bright.take(128, 1 - edges).astype(int)) > 0)
    pixels = 128 / math.tan(math.radians(20)) / 0.6  # a metre
    assert np.diff(at).mean() / pixels == pytest.approx(0.1, rel=0.03)


def test_a_print_stands_upright_and_is_not_mirrored(stage: Stage) -> None:
    picture, _ = stage.render(scene(put(SIGN)))
    quarters = {(-1, 1): (1, 0, 0), (1, 1): (0, 1, 0), (-1, -1): (0, 0, 1), (1, -1): (1, 1, 0)}
    for (right, up), colour in quarters.items():
        at = project(FRONT, (0.011, 0.025 * right, 0.05 + 0.025 * up))
        x, y = at.astype(int)
        assert (picture[y, x] > 127).tolist() == [bool(c) for c in colour]


def test_paint_is_for_painted_parts_alone(stage: Stage) -> None:
    rgb: RGB = (0.8, 0.3, 0.1)
    things = put(LARGE, 0, 0.06, rgb=rgb), put(BAR, 0, -0.06, rgb=rgb)
    picture, mask = stage.render(scene(*things, camera=ABOVE))
    for k, expected in ((1, np.array(rgb) * 255), (2, np.full(3, 0.2 * 255))):
        inside = picture[(mask == k) & (np.roll(mask, 2, 0) == k) & (np.roll(mask, -2, 0) == k)]
        assert np.abs(np.median(inside, axis=0) - expected).max() < 6


def test_a_scene_looks_the_same_whatever_was_drawn_before(stage: Stage) -> None:
    light = Light((0.4, 0.3, 1.2), 0.1, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.3, 0.3, 0.3))
    first = scene(put(LARGE, rgb=(0.8, 0.1, 0.1)), put(BAR, 0.1), light=light)
    pale: RGB = (0.5, 0.9, 1.0)
    other = scene(
        put(LARGE, 0.1, 0.1, rgb=(0.1, 0.8, 0.1)),
        put(POST),
        put(SIGN, -0.1),
        camera=ABOVE,
        room=replace(ROOM, table=STRIPES, mirror=0.2, half=(0.3, 0.2), tints=(pale, pale, pale)),
    )
    before = stage.render(first)
    stage.render(other)
    after = stage.render(first)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


def test_the_seed_is_of_the_sampling_alone(stage: Stage) -> None:
    light = Light((0.4, 0.3, 1.2), 0.2, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.3, 0.3, 0.3))
    one = scene(put(LARGE), light=light)
    (picture, mask), (other, other_mask) = (stage.render(replace(one, seed=seed)) for seed in (1, 2))
    assert np.array_equal(mask, other_mask)
    assert not np.array_equal(picture, other)
    assert np.abs(picture.astype(float) - other).mean() < 15  # of four drawings


def test_what_is_taken_away_leaves_the_rest_as_it_was(stage: Stage) -> None:
    light = Light((0.3, 0.4, 1.2), 0.1, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), (0.3, 0.3, 0.3))
    kept, gone = put(LARGE, 0.0, 0.12, rgb=(0.7, 0.2, 0.2)), put(BALL, 0.0, -0.12)
    before, mask = stage.render(scene(kept, gone, light=light))
    after, _ = stage.render(scene(kept, light=light))
    changed = np.abs(before.astype(int) - after).max(2)
    near = np.hypot(*(np.indices((256, 256)) - centre(mask == 2)[::-1].reshape(2, 1, 1))) < 45
    assert changed[mask == 2].mean() > 20
    assert changed[~near].max() == 0
    assert changed[near].sum() > changed[mask == 2].sum()  # its shadow went, too


def shadow_picture(stage: Stage, towards: float, radius: float) -> np.ndarray:
    """A post in the lamp's light alone, the lamp at 45 degrees over +y or -y."""
    light = Light((0.0, towards * 0.9, 0.9), radius, (0.8, 0.8, 0.8), (0.0, 0.0, 0.0), (0.2, 0.2, 0.2))
    picture, _ = stage.render(scene(put(POST), camera=ABOVE, light=light))
    return picture.astype(float).mean(2)


def test_a_shadow_falls_on_the_far_side_and_is_as_long_as_the_light_is_low(stage: Stage) -> None:
    for towards in (1, -1):
        picture = shadow_picture(stage, towards, 0.005)
        dark, lit, beyond = (
            grey(picture, project(ABOVE, (0.0, -towards * y, 0.0))) for y in (0.06, -0.06, 0.16)
        )
        assert dark < 0.5 * lit
        assert dark == pytest.approx(180 * 0.2, abs=4)
        assert beyond > 0.9 * lit


def test_a_large_lamp_gives_a_soft_shadow(stage: Stage) -> None:
    from examples.tabletop.stage import Stage

    shares = []
    with Stage(assets()[: POST + 1], surfaces(), samples=16) as fine:
        for radius in (0.005, 0.3):
            picture = shadow_picture(fine, 1, radius)
            shadow = picture[:, :118]  # on the side of -y, which is the picture's left
            dark, lit = 180 * 0.2, np.median(shadow)
            between = (shadow > dark + 0.2 * (lit - dark)) & (shadow < lit - 0.2 * (lit - dark))
            shares.append(between.sum() / (shadow < lit - 0.1 * (lit - dark)).sum())
    assert shares[1] > 2 * shares[0]


def test_the_lens_blurs_what_is_out_of_focus_and_moves_nothing(stage: Stage) -> None:
    from examples.tabletop.stage import Stage

    aperture, near, far = 0.009, (0.0, 0.0), (-0.45, 0.0)
    camera = Camera((0.0, 0.0, RADIUS), 0.5, 180.0, -32.0, 40.0, 0.0)
    focal = 128 / math.tan(math.radians(20))
    depth = 0.5 + 0.45 * math.cos(math.radians(32))
    circle = focal * aperture * (1 / 0.5 - 1 / depth)  # radius, pixels
    with Stage(assets()[:1], surfaces(), samples=24) as fine:
        for place, extra in ((near, 0.0), (far, circle**2 / 4)):
            found = []
            for opening in (0.0, aperture):
                picture, _ = fine.render(scene(put(BALL, *place), camera=replace(camera, aperture=opening)))
                dark = (180 - picture.astype(float).mean(2)).clip(0.6) - 0.6
                middle = centre(dark)
                y, x = np.indices(dark.shape) + 0.5
                spread = [
                    (dark * (axis - at) ** 2).sum() / dark.sum()
                    for axis, at in zip((x, y), middle, strict=True)
                ]
                found.append((middle, np.array(spread)))
            (sharp_at, sharp), (blurred_at, blurred) = found
            np.testing.assert_allclose(blurred_at, sharp_at, atol=0.3)
            np.testing.assert_allclose(blurred - sharp, extra, atol=0.25 + 0.3 * extra)
    assert circle > 2


def test_faces_are_seen_from_their_front_alone() -> None:
    """What makes the winding of a mesh matter."""
    from examples.tabletop.stage import Stage

    mesh = box_faces(0.1, 0.1, 0.1)["top"].patch()
    front, back = Part(mesh.vertices, mesh.faces), Part(mesh.vertices, mesh.faces[:, ::-1])
    with Stage([Asset("a", "box", (front,)), Asset("b", "box", (back,))], surfaces(), samples=1) as small:
        areas = [int(small.instances(scene(put(k), camera=ABOVE)).sum()) for k in (0, 1)]
    assert areas[0] > 2000
    assert areas[1] == 0


def test_parts_without_a_texture_may_have_coordinates() -> None:
    """A stage draws what an asset's description allows."""
    from examples.tabletop.stage import Stage

    mesh = box_faces(0.1, 0.1, 0.1)["top"].patch()
    plain = Part(mesh.vertices, mesh.faces, mesh.uv, None, (0.9, 0.1, 0.1))
    with Stage([Asset("box", "box", (plain,))], surfaces(), samples=1) as small:
        picture, mask = small.render(scene(put(0), camera=ABOVE))
    assert (mask == 1).sum() > 500
    assert np.median(picture[mask == 1], axis=0)[0] > 200
