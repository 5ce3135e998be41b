"""Balls, scissors and phones."""

import math

import cv2
import numpy as np

from examples.tabletop import labels
from examples.tabletop.assemble import asset, pick
from examples.tabletop.asset import RGB, Asset, Finish, Part
from examples.tabletop.shapes_bottles import cap
from examples.tabletop.solids import (
    Turned,
    ball,
    box_faces,
    curve,
    join,
    lathe,
    loft,
    slab,
    tube,
)

BLACK: RGB = (0.06, 0.06, 0.06)


def sphere_print(rng: np.random.Generator) -> np.ndarray | None:
    """Return a ball's print, to multiply with its colour: none, stripes, a football's patches, or swirls."""
    kind = pick(rng, {"none": 2, "stripes": 2, "football": 2, "basket": 1.5})
    if kind == "none":
        return None
    if kind == "stripes":
        count = int(rng.integers(3, 7))
        tones: list[RGB] = [(1, 1, 1), (0.25, 0.25, 0.25)] * count
        return labels.stripes(tones, upright=rng.random() < 0.6)
    v, u = np.mgrid[0:128, 0:256]
    angle, rise = 2 * math.pi * u / 256, math.pi * (0.5 - v / 128)
    at = np.stack([np.cos(rise) * np.cos(angle), np.cos(rise) * np.sin(angle), np.sin(rise)], -1)
    if kind == "basket":
        lines = [
            np.abs(at[..., 0]),
            np.abs(at[..., 2]),
            np.abs(at[..., 1] ** 2 - 0.45 - 0.3 * at[..., 0] ** 2),
        ]
        value = np.where(np.min(lines, 0) < 0.035, 0.12, 1.0)
    else:
        g = (1 + 5**0.5) / 2
        corners = np.array([p for a in (-1, 1) for b in (-g, g) for p in ((0, a, b), (a, b, 0), (b, 0, a))])
        near = np.sort(at @ (corners / np.linalg.norm(corners[0])).T, -1)
        value = np.where(
            near[..., -1] > 0.935, 0.1, np.where(near[..., -1] - near[..., -2] < 0.03, 0.55, 1.0)
        )
    value = cv2.GaussianBlur(value.astype(np.float32), (0, 0), 0.6)
    return np.round(255 * np.repeat(value[..., None], 3, 2)).astype(np.uint8)


def toy_ball(rng: np.random.Generator) -> Asset:
    """Make a ball: plain, striped with white, a football, a basketball, a tennis ball's size or larger."""
    radius = rng.uniform(0.022, 0.1)
    finish: Finish = "glossy" if rng.random() < 0.4 else ("satin" if rng.random() < 0.6 else "matte")
    image = sphere_print(rng)
    tilt = (rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi))
    if image is None and rng.random() < 0.6:
        body, bands = ball(radius, 40), []
        globe = Turned(
            np.column_stack([radius * np.cos(t := np.linspace(-1.5, 1.5, 24)), radius * np.sin(t)])
        )
        count = int(rng.integers(3, 7))
        for k in range(count if rng.random() < 0.6 else 0):
            start = 2 * math.pi * k / count
            bands.append(
                globe.patch((start, start + math.pi / count), (-0.98 * radius, 0.98 * radius), 0.0004, 20)
            )
        bands = bands or [globe.patch((0, 2 * math.pi), (-0.25 * radius, 0.2 * radius), 0.0004, 8)]
        skin = join(bands).turned(0, tilt[0]).turned(1, tilt[1])
        return asset(
            rng, "ball", [body.part(finish=finish, paint=True), skin.part(labels.light(rng), finish)]
        )
    body = ball(radius, 48, uv=True).turned(0, tilt[0]).turned(1, tilt[1])
    return asset(rng, "ball", [body.part(finish=finish, paint=True, texture=image)])


def scissors(rng: np.random.Generator) -> Asset:
    """Make scissors, lying: two steel blades that cross at a rivet, two painted finger loops."""
    length, spread = rng.uniform(0.07, 0.11), rng.uniform(0.04, 0.4)
    loops, blades = [], []
    t = np.linspace(0, 1, 14)
    turn = np.linspace(0, 2 * math.pi, 28, endpoint=False)
    wide, long = rng.uniform(0.017, 0.022), rng.uniform(0.022, 0.034)
    for side in (1, -1):
        lift = 0.004 + 0.001 * side
        outer, inner = 0.007 * (1 - t**2.2) + 0.0004, np.full(14, -0.005)
        edges = [
            np.column_stack([length * t - 0.012, k, 0 * t + z])
            for k, z in ((inner, 0), (outer, 0), (outer, 0.002), (inner, 0.002))
        ]
        blade = loft(np.stack(edges, 1), caps=True)
        grip = np.column_stack([-0.045 - long + long * np.cos(turn), -0.024 + wide * np.sin(turn), 0 * turn])
        shank = curve([(-0.006, 0, 0), (-0.03, -0.006, 0), (-0.05, -0.012, 0)], 8)
        loop = tube(grip, 0.009, 0.008, hint=(0, 0, 1), sides=10, closed=True)
        neck = tube(shank, 0.007, np.linspace(0.012, 0.01, 8), hint=(0, 0, 1), sides=10)
        for mesh, group in ((blade, blades), (loop, loops), (neck, loops)):
            group.append(mesh.scaled(1, side, 1).turned(2, side * spread / 2).moved(z=lift))
    rivet = lathe([(0.0045, 0), (0.0045, 0.0075), (0.003, 0.0085), (0, 0.0085)], 20)
    steel = labels.steel(rng)
    parts = [join(loops).part(finish="satin", paint=True), join([*blades, rivet]).part(steel, "metal")]
    return asset(rng, "scissors", parts)


def phone(rng: np.random.Generator) -> Asset:
    """Make a smartphone: on its back with its screen up, or on its face with its cameras up."""
    width, length, thick = rng.uniform(0.066, 0.08), rng.uniform(0.135, 0.168), rng.uniform(0.007, 0.01)
    body = slab(width, length, thick, rng.uniform(0.006, 0.012), 0.002).part(finish="glossy", paint=True)
    if rng.random() < 0.35:
        glass_mesh = slab(width - 0.007, length - 0.007, 0.0006, 0.007).moved(z=thick)
        parts = [body, glass_mesh.part((0.03, 0.03, 0.035), "glossy")]
        if rng.random() < 0.6:
            parts.append(_screen(rng, width - 0.011, length - 0.014, thick + 0.001))
        return asset(rng, "phone", parts)
    rows = int(rng.integers(1, 4))
    wide, tall = rng.uniform(0.02, 0.034), 0.006 + 0.014 * rows
    at = (-width / 2 + wide / 2 + 0.005, length / 2 - tall / 2 - 0.005)
    bump = slab(wide, tall, 0.0014, 0.006, 0.0005).moved(*at, thick)
    rings = [
        lathe(cap(0.0058, 0, 0.003), 24).moved(
            at[0] - (wide / 4 if wide > 0.027 else 0), at[1] + (k - (rows - 1) / 2) * 0.0135, thick
        )
        for k in range(rows)
    ]
    lenses = join(rings).part((0.04, 0.04, 0.05), "glossy")
    return asset(
        rng, "phone", [body, bump.part(finish="satin", paint=rng.random() < 0.6, rgb=(0.1, 0.1, 0.1)), lenses]
    )


def _screen(rng: np.random.Generator, width: float, length: float, height: float) -> Part:
    image = labels.picture(rng, length / width)
    tall, wide = image.shape[:2]
    for row in range(int(rng.integers(1, 5))):
        for column in range(4):
            y, x = round((0.45 + 0.13 * row) * tall), round((0.1 + 0.22 * column) * wide)
            image[y : y + wide // 8, x : x + wide // 8] = rng.integers(60, 256, 3)
    return box_faces(width, length, height)["top"].patch(lift=0).part((1, 1, 1), "glossy", texture=image)
