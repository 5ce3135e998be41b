"""Fruit and eggs."""

import math

import cv2
import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, turned
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.organic import skin, warped
from examples.tabletop.solids import (
    Mesh,
    ball,
    curve,
    disc,
    join,
    lathe,
    loft,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def _stalk(rng: np.random.Generator, height: float, length: float, thick: float = 0.003) -> Part:
    lean = rng.uniform(-0.5, 0.5) * length
    path = curve([(0, 0, height), (0, 0, height + 0.6 * length), (lean, 0, height + length)], 7)
    return tube(path, np.linspace(thick, thick * 1.5, 7), sides=7).part((0.3, 0.2, 0.1), "matte")


def _leaf(length: float, wide: float, droop: float) -> Mesh:
    """Return a pointed leaf along +x from the origin, seen from both sides."""
    t = np.linspace(0, 1, 9)
    half = wide / 2 * np.sin(math.pi * t**0.8)
    middle = np.column_stack([length * t, 0 * t, droop * t**2])
    left, right = (
        middle + np.column_stack([0 * t, half, 0.25 * half]),
        middle - np.column_stack([0 * t, half, -0.25 * half]),
    )
    top = loft(np.stack([right, middle, left]), closed=False)
    under = loft(np.stack([left, middle, right]) - [0, 0, 0.0003], closed=False)
    return join([top, under])


def apple(rng: np.random.Generator) -> Asset:
    """Make an apple: broad shoulders, dimples at both ends, a stalk, sometimes a leaf."""
    radius = rng.uniform(0.032, 0.043)
    tall, low = radius * rng.uniform(0.82, 1.02), rng.uniform(0.05, 0.22)
    t = np.linspace(-math.pi / 2, math.pi / 2, 26)
    r = radius * np.cos(t) ** 0.75 * (1 + low * np.sin(t))
    dimple = 0.38 * tall * np.exp(-((r / (0.34 * radius)) ** 2))
    z = tall * np.sin(t) - np.sign(np.sin(t)) * dimple * np.where(t > 0, 1.0, 0.6)
    r[[0, -1]] = 0
    body = warped(rng, lathe(np.column_stack([r, z]), 40, uv=True), 0.012)
    finish: Finish = "glossy" if rng.random() < 0.6 else "satin"
    parts = [body.part(finish=finish, paint=True, texture=skin(rng, 0.2, rng.random() < 0.6))]
    top = float(z[-1])
    parts.append(_stalk(rng, top - 0.002, rng.uniform(0.015, 0.024), 0.0025))
    if rng.random() < 0.35:
        leaf = _leaf(rng.uniform(0.025, 0.04), 0.016, -0.004).moved(z=top + 0.012)
        parts.append(leaf.part((0.2, 0.45, 0.12), "satin"))
    return asset(rng, "apple", parts)


def lemon(rng: np.random.Generator) -> Asset:
    """Make a lemon: an ellipsoid with a nipple and a blunt end, lying; or a half that shows its wedges."""
    radius, length = rng.uniform(0.024, 0.03), rng.uniform(0.033, 0.044)
    t = np.linspace(-math.pi / 2, math.pi / 2, 24)
    r = radius * np.cos(t) ** 0.9
    z = length * np.sin(t) + 0.007 * np.exp(-((r / 0.007) ** 2)) * np.where(t > 0, 1.3, -0.6)
    r[[0, -1]] = 0
    tone = labels.rgb(np.array([0.95, 0.8, 0.12]) * rng.uniform(0.92, 1.02))
    peel = labels.speckle(rng, 0.12)
    if rng.random() < 0.2:
        half = lathe(np.column_stack([r, z])[:13], 40, uv=True).part(tone, "satin", texture=peel)
        lying = turned([half, _wedges(rng, radius, float(z[12]))], 0, rng.uniform(0.9, 1.3))
        return asset(rng, "lemon", lying, "yellow")
    body = warped(rng, lathe(np.column_stack([r, z]), 40, uv=True), 0.01).turned(
        1, math.pi / 2 + rng.uniform(-0.2, 0.2)
    )
    return asset(rng, "lemon", [body.part(tone, "satin", texture=peel)], "yellow")


def _wedges(rng: np.random.Generator, radius: float, height: float) -> Part:
    image = np.full((128, 128, 3), (250, 244, 205), np.uint8)
    count, start = int(rng.integers(8, 11)), rng.uniform(0, 1)
    for k in range(count):
        a = 2 * math.pi * (k + start) / count + np.linspace(0.06, 2 * math.pi / count - 0.06, 8)
        outer = np.stack([64 + 53 * np.cos(a), 64 + 53 * np.sin(a)], 1)
        inner = [[64 + 8 * math.cos(a[4]), 64 + 8 * math.sin(a[4])]]
        cv2.fillPoly(
            image, [np.round(np.concatenate([outer, inner])).astype(np.int32)], (240, 205, 70), cv2.LINE_AA
        )
    return disc(radius, height).part((1, 1, 1), "glossy", texture=image)


def tomato(rng: np.random.Generator) -> Asset:
    """Make a tomato: flattened, lightly ribbed, with a green star of leaves."""
    radius, flat = rng.uniform(0.026, 0.042), rng.uniform(0.72, 0.95)
    body = ball(radius, 40)
    v = body.vertices.copy()
    away, turn = np.hypot(v[:, 0], v[:, 1]), np.arctan2(v[:, 1], v[:, 0])
    ribs = 1 + rng.uniform(0, 0.05) * np.cos(int(rng.integers(5, 8)) * turn) * away / radius
    v[:, :2] *= ribs[:, None]
    v[:, 2] = v[:, 2] * flat - np.where(v[:, 2] > 0, 0.22, 0.1) * radius * np.exp(
        -((away / (0.35 * radius)) ** 2)
    ) * np.sign(v[:, 2])
    tone = labels.rgb(np.array([0.8, 0.1, 0.06]) * rng.uniform(0.85, 1.1))
    top = float(v[:, 2].max()) - 0.1 * radius
    reach = rng.uniform(0.4, 0.7) * radius
    star = [
        _leaf(reach, 0.3 * reach, -0.1 * reach).turned(2, 2 * math.pi * k / 5 + rng.uniform(-0.2, 0.2))
        for k in range(5)
    ]
    green = (0.2, 0.42, 0.12)
    calyx = join(star).moved(z=top + 0.003).part(green, "matte")
    stalk = tube(
        [(0, 0, top - 0.003), (0.001, 0, top + 0.006), (0.003, 0, top + 0.012)], 0.004, sides=7
    ).part(green, "matte")
    return asset(rng, "tomato", [Mesh(v, body.faces).part(tone, "glossy"), calyx, stalk], "red")


def pear(rng: np.random.Generator) -> Asset:
    """Make a pear: a round belly under a slim shoulder, upright or on its side."""
    radius, height = rng.uniform(0.03, 0.038), rng.uniform(0.08, 0.105)
    neck = radius * rng.uniform(0.45, 0.62)
    points = [
        (0, 0.004),
        (radius * 0.8, -0.006),
        (radius * 1.18, 0.12 * height),
        (radius * 1.05, 0.5 * height),
    ]
    points += [(neck, 0.66 * height), (neck * 0.95, 0.92 * height), (neck * 0.7, height), (0, height * 0.97)]
    line = curve(points, 30)
    body = warped(rng, lathe(line, 40, uv=True), 0.012)
    parts = [
        body.part(finish="satin", paint=True, texture=skin(rng, 0.22)),
        _stalk(rng, 0.94 * height, 0.024),
    ]
    if rng.random() < 0.3:
        parts = turned(parts, 1, math.pi / 2 + 0.12)
    return asset(rng, "pear", parts)


def banana(rng: np.random.Generator) -> Asset:
    """Make a banana, or a hand of two to four: bent, five-sided, with dark tips."""
    tone = labels.rgb(np.array([0.95, 0.8, 0.2]) * rng.uniform(0.92, 1.02))
    count = 1 if rng.random() < 0.6 else int(rng.integers(2, 5))
    length, bend = rng.uniform(0.13, 0.18), rng.uniform(0.7, 1.25)
    bodies, tips = [], []
    for k in range(count):
        t = np.linspace(0, 1, 24)
        angle = bend * (t - 0.5)
        r = length / bend
        path = np.column_stack([r * np.sin(angle), r * (1 - np.cos(angle)), 0 * t])
        girth = [
            (0, 0.009),
            (0.08, 0.009),
            (0.14, 0.02),
            (0.3, 0.034),
            (0.7, 0.035),
            (0.93, 0.018),
            (1, 0.008),
        ]
        thick = np.interp(t, *curve(girth, 40).T)
        body = tube(path, thick, hint=(0, 0, 1), sides=20, square=1.8)
        ends = [
            tube(path[[0, 1, 2]] - np.array([0.001, 0, 0]), 0.0096, hint=(0, 0, 1), sides=8),
            tube(path[-2:] + np.array([0.001, 0, 0]), 0.009, hint=(0, 0, 1), sides=8),
        ]
        lift = 0.018 + 0.006 * (k % 2)
        for mesh, group in ((body, bodies), (ends[0], tips), (ends[1], tips)):
            group.append(mesh.turned(2, 0.24 * k).moved(0.004 * k, -0.026 * k, lift))
    parts = [join(bodies).part(tone, "satin"), join(tips).part((0.22, 0.15, 0.07), "matte")]
    return asset(rng, "banana", parts, "yellow")


def egg(rng: np.random.Generator) -> Asset:
    """Make an egg, lying or upright in an egg cup; painted, as eggs are white, brown, or dyed."""
    radius, length = rng.uniform(0.02, 0.023), rng.uniform(0.052, 0.06)
    t = np.linspace(-math.pi / 2, math.pi / 2, 24)
    r = radius * np.cos(t) * (1 - 0.14 * np.sin(t))
    r[[0, -1]] = 0
    line = np.column_stack([r, length / 2 * np.sin(t)])
    shell = labels.speckle(rng, 0.25) if rng.random() < 0.35 else None
    body = lathe(line, 36, uv=True)
    if rng.random() < 0.7:
        return asset(
            rng, "egg", [body.turned(1, math.pi / 2 - 0.1).part(finish="satin", paint=True, texture=shell)]
        )
    cup = curve(
        [(0.018, 0), (0.018, 0.003), (0.006, 0.012), (0.012, 0.03), (0.024, 0.034), (0.024, 0.05)], 18
    )
    inner = [(0.022, 0.05), (0.02, 0.036), (0, 0.03)]
    holder = lathe([(0, 0), *cup, *inner], 40).part(
        labels.light(rng) if rng.random() < 0.5 else labels.colour(rng), "glossy"
    )
    return asset(
        rng,
        "egg",
        [body.moved(z=0.038 + length / 2 - 0.004).part(finish="satin", paint=True, texture=shell), holder],
    )
