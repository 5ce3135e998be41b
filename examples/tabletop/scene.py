"""A scene as plain numbers: everything that is needed to render it again with one thing changed.

**Convention:** metres, z up, the table top is z = 0; angles in degrees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from examples.tabletop.asset import RGB, Asset
from examples.tabletop.vocabulary import COLOURS, COMMON, METALS

_COUNTS = (0.34, 0.33, 0.22, 0.11)  # of scenes with one, two, three, four objects
_PLAIN_METAL = 0.06
_COMMON_WEIGHT = 3.0
_FILLED = ((0.25, 0.7), (0.7, 1.25), (1.25, 2.1))  # far, near, close-up
_FILLED_SHARES = (0.4, 0.42, 0.18)


@dataclass(frozen=True, slots=True)
class Placed:
    """One object on the table.

    Attributes:
        asset: Its index among the stage's assets.
        noun: Its word.
        colour: Its colour word; ``None`` where none is true.
        rgb: The colour of its painted parts.
        xy: Where its centre stands.
        yaw: Its turn about the vertical.
    """

    asset: int
    noun: str
    colour: str | None
    rgb: RGB
    xy: tuple[float, float]
    yaw: float


@dataclass(frozen=True, slots=True)
class Room:
    """What surrounds the objects.

    Attributes:
        table, wall, floor: Indices among the stage's surfaces.
        surface: The table's word.
        centre, half: The table top's centre and half extent.
        turn: The table's turn about the vertical.
        wall_at: Distance of the wall behind the objects.
        tints: Factors on the table's, wall's and floor's texture.
        mirror: Share of light the table top reflects like a mirror.
    """

    table: int
    wall: int
    floor: int
    surface: str
    centre: tuple[float, float]
    half: tuple[float, float]
    turn: float
    wall_at: float
    tints: tuple[RGB, RGB, RGB]
    mirror: float


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the picture is taken from: an orbit about ``look``; ``aperture`` is the lens's radius."""

    look: tuple[float, float, float]
    distance: float
    azimuth: float
    elevation: float
    field_of_view: float
    aperture: float


@dataclass(frozen=True, slots=True)
class Light:
    """A round lamp (``radius`` gives soft shadows), a dome of sky, and light without direction."""

    position: tuple[float, float, float]
    radius: float
    key: RGB
    dome: RGB
    ambient: RGB


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects in a room, lit and looked at. ``seed`` decides the sampling of light and lens."""

    objects: tuple[Placed, ...]
    room: Room
    camera: Camera
    light: Light
    seed: int


def draw_scene(
    assets: Sequence[Asset],
    words: Sequence[str],
    tables: Sequence[int],
    walls: Sequence[int],
    rng: np.random.Generator,
) -> Scene:
    """A random scene.

    Args:
        assets: What can stand on the table; nouns are drawn first, then one of their assets.
        words: The word of each surface.
        tables: Which surfaces serve as tables and floors.
        walls: Which serve as walls.
        rng: The source of chance.
    """
    objects = _place(assets, rng)
    room = _draw_room(words, tables, walls, rng)
    return Scene(
        objects, room, _draw_camera(assets, objects, rng), _draw_light(rng), int(rng.integers(2**31))
    )


def footprint(asset: Asset) -> float:
    """Radius of the circle an asset needs on the table."""
    low, high = asset.bounds
    return float(np.hypot(*np.maximum(-low[:2], high[:2]))) * 0.9


def draw_colour(asset: Asset, rng: np.random.Generator) -> tuple[str | None, RGB]:
    """A colour word and a shade of it for an asset's painted parts."""
    if not any(part.paint for part in asset.parts):
        return asset.colour, (1.0, 1.0, 1.0)
    plain = [word for word in COLOURS if word not in METALS]
    word = str(rng.choice(sorted(METALS) if rng.random() < _PLAIN_METAL else plain))
    return word, shade(word, rng)


def shade(word: str, rng: np.random.Generator) -> RGB:
    """One of the shades that a colour word covers."""
    palette = COLOURS[word]
    mixed = rng.dirichlet(np.ones(len(palette))) @ np.array(palette)
    return tuple(np.clip(mixed * rng.uniform(0.9, 1.1) + rng.normal(0, 0.012, 3), 0.02, 1).tolist())


def _place(assets: Sequence[Asset], rng: np.random.Generator) -> tuple[Placed, ...]:
    nouns = sorted({asset.noun for asset in assets})
    count = int(rng.choice(len(_COUNTS), p=_COUNTS)) + 1
    weights = np.array([_COMMON_WEIGHT if noun in COMMON else 1.0 for noun in nouns])
    placed: list[Placed] = []
    reach = 0.06
    for noun in rng.choice(nouns, count, replace=False, p=weights / weights.sum()):
        index = int(rng.choice([i for i, asset in enumerate(assets) if asset.noun == noun]))
        radius = footprint(assets[index])
        for _ in range(60):
            xy = rng.uniform(-reach, reach, 2)
            clear = all(
                np.hypot(*(xy - other.xy)) > radius + footprint(assets[other.asset]) + 0.004
                for other in placed
            )
            if clear:
                colour, rgb = draw_colour(assets[index], rng)
                placed.append(
                    Placed(
                        index,
                        str(noun),
                        colour,
                        rgb,
                        (float(xy[0]), float(xy[1])),
                        float(rng.uniform(0, 360)),
                    )
                )
                break
            reach *= 1.04
        reach = max(reach, radius)
    return tuple(placed)


def _draw_room(
    words: Sequence[str], tables: Sequence[int], walls: Sequence[int], rng: np.random.Generator
) -> Room:
    table, wall, floor = int(rng.choice(tables)), int(rng.choice(walls)), int(rng.choice(tables))
    large = rng.random() < 0.55
    half = rng.uniform(1.2, 2.5, 2) if large else rng.uniform(0.3, 0.8, 2)
    return Room(
        table=table,
        wall=wall,
        floor=floor,
        surface=words[table],
        centre=tuple(rng.uniform(-0.1, 0.1, 2).tolist()),
        half=tuple(half.tolist()),
        turn=float(rng.uniform(0, 360) if large else rng.normal(0, 12)),
        wall_at=float(rng.uniform(0.3, 2.5) if rng.random() < 0.7 else 6.0),
        tints=(_draw_tint(rng), _draw_tint(rng), _draw_tint(rng)),
        mirror=float(rng.uniform(0.03, 0.2) if rng.random() < 0.25 else 0.0),
    )


def _draw_tint(rng: np.random.Generator) -> RGB:
    return tuple((rng.uniform(0.8, 1.1) * rng.uniform(0.93, 1.07, 3)).tolist())


def _draw_camera(assets: Sequence[Asset], objects: Sequence[Placed], rng: np.random.Generator) -> Camera:
    corners = []
    for thing in objects:
        radius, top = footprint(assets[thing.asset]), assets[thing.asset].bounds[1, 2]
        x, y = thing.xy
        corners += [[x - radius, y - radius, 0.0], [x + radius, y + radius, top]]
    low, high = np.min(corners, 0), np.max(corners, 0)
    span = float(np.linalg.norm(high - low)) / 2
    fov = float(rng.uniform(22, 55))
    # Share of the picture that the group fills: with some room around it, with much, or with none.
    low_share, high_share = _FILLED[rng.choice(len(_FILLED), p=_FILLED_SHARES)]
    filled = rng.uniform(low_share, high_share)
    distance = span / np.tan(np.radians(fov / 2)) / filled
    elevation = -float(rng.uniform(12, 55) if rng.random() < 0.85 else rng.uniform(55, 85))
    look = (low + high) / 2 + rng.uniform(-0.25, 0.25, 3) * span * (1, 1, 0.3) * max(
        0.15, min(1.0, 1 / filled - 0.5)
    )
    return Camera(
        look=tuple(look.tolist()),
        distance=float(max(distance, 0.16)),
        azimuth=float(180 + rng.uniform(-35, 35)),
        elevation=elevation,
        field_of_view=fov,
        aperture=float(rng.uniform(0.0, 0.006) if rng.random() < 0.5 else 0.0),
    )


def _draw_light(rng: np.random.Generator) -> Light:
    around, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(28, 80))
    far = rng.uniform(0.9, 1.8)
    position = far * np.array(
        [np.cos(around) * np.cos(height), np.sin(around) * np.cos(height), np.sin(height)]
    )
    warm = np.array([1.0, 1.0, 1.0]) + rng.normal(0, 0.05) * np.array([1.0, 0.2, -1.2])
    share = rng.uniform(0.25, 0.75)
    power = rng.uniform(0.9, 1.25)
    return Light(
        position=tuple(position.tolist()),
        radius=float(rng.uniform(0.02, 0.35)),
        key=tuple((power * share * warm).tolist()),
        dome=tuple((power * (1 - share) * 0.75 * np.ones(3)).tolist()),
        ambient=tuple((power * rng.uniform(0.2, 0.4) * np.ones(3)).tolist()),
    )
