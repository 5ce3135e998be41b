"""Textures, RGB uint8 [H, W, 3]: labels and pictures with made-up words, glazes, weaves, wood, paper."""

import math

import cv2
import numpy as np

from examples.tabletop.asset import RGB
from examples.tabletop.vocabulary import COLOURS

FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
SYLLABLES = (
    "ba",
    "co",
    "del",
    "fi",
    "gra",
    "ho",
    "ka",
    "lu",
    "mo",
    "na",
    "or",
    "pi",
    "ro",
    "sa",
    "ta",
    "ve",
    "zo",
)


def colour(rng: np.random.Generator) -> RGB:
    """Draw one of the colours that have a word."""
    names = list(COLOURS)
    tones = COLOURS[names[rng.integers(len(names))]]
    return tones[rng.integers(len(tones))]


def light(rng: np.random.Generator) -> RGB:
    """Draw a paper or china white, sometimes cream."""
    base = np.array([0.95, 0.95, 0.94]) if rng.random() < 0.7 else np.array([0.93, 0.88, 0.76])
    return rgb(base * rng.uniform(0.93, 1.0))


def dark(rng: np.random.Generator) -> RGB:
    """Draw a near-black."""
    return rgb(np.array([0.08, 0.08, 0.08]) * rng.uniform(0.4, 1.8))


def wooden(rng: np.random.Generator) -> RGB:
    """Draw a wood brown."""
    return rgb(np.array([0.62, 0.42, 0.24]) * rng.uniform(0.5, 1.25) * rng.uniform(0.95, 1.05, 3))


def steel(rng: np.random.Generator) -> RGB:
    """Draw a metal gray."""
    return rgb(np.array([0.75, 0.76, 0.78]) * rng.uniform(0.8, 1.08))


def print_on(rng: np.random.Generator) -> RGB:
    """Draw a colour for a print on an object of any colour: mostly white, else dark, gold or a bright one."""
    draw = rng.random()
    if draw < 0.55:
        return light(rng)
    return dark(rng) if draw < 0.75 else ((0.83, 0.68, 0.3) if draw < 0.85 else colour(rng))


def rgb(values: np.ndarray) -> RGB:
    """Clip to [0, 1] and make a tuple of it."""
    r, g, b = (float(v) for v in np.clip(values, 0, 1))
    return r, g, b


def _byte(tone: RGB) -> tuple[int, int, int]:
    r, g, b = (round(255 * v) for v in tone)
    return r, g, b


def _canvas(tone: RGB, aspect: float) -> np.ndarray:
    """Return a plain picture of height / width ``aspect``, at most 192 px."""
    width, height = (192, 192 * aspect) if aspect < 1 else (192 / aspect, 192)
    return np.full((max(24, round(height)), max(24, round(width)), 3), _byte(tone), np.uint8)


def word(rng: np.random.Generator) -> str:
    """Return a made-up word."""
    text = "".join(SYLLABLES[rng.integers(len(SYLLABLES))] for _ in range(rng.integers(2, 4)))
    return text.upper() if rng.random() < 0.6 else text.capitalize()


def _write(
    image: np.ndarray, rng: np.random.Generator, box: tuple[float, float, float, float], ink: RGB
) -> None:
    """Write a word as large as a box (left, top, right, bottom, fractions) takes."""
    height, width = image.shape[:2]
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    text, font = word(rng), FONTS[rng.integers(len(FONTS))]
    (wide, high), _ = cv2.getTextSize(text, font, 1.0, 2)
    scale = min((right - left) / wide, (bottom - top) / high)
    at = (round((left + right - wide * scale) / 2), round((top + bottom + high * scale) / 2))
    cv2.putText(image, text, at, font, scale, _byte(ink), max(1, round(3 * scale)), cv2.LINE_AA)


def _lines(
    image: np.ndarray, rng: np.random.Generator, box: tuple[float, float, float, float], ink: RGB
) -> None:
    """Draw what small print looks like from afar: short rules of words."""
    height, width = image.shape[:2]
    pitch = max(5, round(0.045 * height))
    for y in range(round(box[1] * height), round(box[3] * height) - pitch // 2, pitch):
        x, end = box[0] * width, (box[2] - 0.3 * rng.random() * (box[2] - box[0])) * width
        while x < end:
            step = rng.uniform(0.03, 0.12) * width
            cv2.rectangle(image, (round(x), y), (round(min(x + step, end)), y + pitch // 3), _byte(ink), -1)
            x += step + max(2.0, 0.02 * width)


def _emblem(
    image: np.ndarray, rng: np.random.Generator, at: tuple[float, float], size: float, ink: RGB
) -> None:
    """Draw a disc, ring, star, leaf, heart or sun-like mark; ``size`` is a fraction of the shorter side."""
    height, width = image.shape[:2]
    centre = np.array([at[0] * width, at[1] * height])
    radius = size * min(width, height)
    t = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    kind = rng.integers(6)
    if kind == 0:
        r = np.ones_like(t)
    elif kind == 1:
        r = 0.75 + 0.25 * np.sign(np.cos(rng.integers(5, 9) * t))
    elif kind == 2:
        r = 0.7 + 0.3 * np.cos(rng.integers(3, 8) * t)
    elif kind == 3:
        r = np.abs(np.cos(t)) ** 0.7 * 1.1 + 0.15
    elif kind == 4:
        r = np.minimum(1 / np.maximum(np.abs(np.cos(t)), 1e-3), 0.7 / np.maximum(np.abs(np.sin(t)), 1e-3))
    else:
        r = (1 - np.sin(-t) * 0.55) / 1.4
    ring = centre + radius * r[:, None] * np.stack([np.cos(t), np.sin(t)], 1)
    cv2.fillPoly(image, [np.round(ring).astype(np.int32)], _byte(ink), cv2.LINE_AA)
    if rng.random() < 0.4:
        hole = (round(float(centre[0])), round(float(centre[1])))
        cv2.circle(image, hole, max(1, round(radius * 0.45)), _byte(colour(rng)), -1, cv2.LINE_AA)


def label(
    rng: np.random.Generator, aspect: float = 1.0, base: RGB | None = None, ink: RGB | None = None
) -> np.ndarray:
    """Return a printed label: base, bands, an emblem, a large word, small print, in one of a few layouts.

    Args:
        rng: Where it comes from.
        aspect: Height by width.
        base: Its paper; mostly white where not given.
        ink: The colour of its word; contrasts with the paper where not given.
    """
    if base is None:
        base = light(rng) if rng.random() < 0.65 else colour(rng)
    if ink is None:
        bright = sum(base) > 1.5
        ink = (
            (dark(rng) if rng.random() < 0.5 else rgb(np.array(colour(rng)) * 0.7)) if bright else light(rng)
        )
    image, accent = _canvas(base, aspect), colour(rng)
    height, width = image.shape[:2]
    for _ in range(rng.integers(0, 3)):
        low = rng.choice([0.0, 0.06, 0.75, 0.9]) * height
        cv2.rectangle(
            image, (0, round(low)), (width, round(low + rng.uniform(0.03, 0.14) * height)), _byte(accent), -1
        )
    if rng.random() < 0.35:
        cv2.rectangle(image, (3, 3), (width - 4, height - 4), _byte(accent), 2)
    top = rng.uniform(0.1, 0.55)
    other = rng.uniform(0.68, 0.8) if top < 0.35 else rng.uniform(0.18, 0.3)
    if rng.random() < 0.8:
        _emblem(image, rng, (rng.choice([0.5, 0.5, 0.3, 0.7]), other), rng.uniform(0.12, 0.28), accent)
    _write(image, rng, (0.08, top, 0.92, top + rng.uniform(0.14, 0.3)), ink)
    if rng.random() < 0.6:
        _lines(image, rng, (0.12, 0.8, 0.88, 0.95), ink)
    return image


def picture(rng: np.random.Generator, aspect: float = 1.0) -> np.ndarray:
    """Return an illustration: a graded ground with hills, discs or heaped fruit, as packages have."""
    image = _canvas((1.0, 1.0, 1.0), aspect)
    height, width = image.shape[:2]
    low, high = np.array(colour(rng)), np.array(colour(rng))
    mix = np.linspace(0, 1, height)[:, None, None]
    image[:] = np.round(255 * (low * mix + high * (1 - mix)))
    if rng.random() < 0.45:
        _heap(image, rng)
    else:
        for _ in range(rng.integers(2, 6)):
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            axes = (int(rng.uniform(0.1, 0.45) * width), int(rng.uniform(0.1, 0.4) * width))
            cv2.ellipse(
                image, centre, axes, float(rng.uniform(0, 180)), 0, 360, _byte(colour(rng)), -1, cv2.LINE_AA
            )
    if rng.random() < 0.4:
        _write(image, rng, (0.08, 0.1, 0.92, 0.3), light(rng))
    return image


def _heap(image: np.ndarray, rng: np.random.Generator) -> None:
    """Draw round things with light and shade, as a package shows what is in it."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    tones = [np.array(colour(rng)) for _ in range(rng.integers(1, 4))]
    radius = rng.uniform(0.08, 0.25) * min(height, width)
    middle = rng.uniform(0.3, 0.8) * height
    for _ in range(rng.integers(5, 25)):
        size = radius * rng.uniform(0.7, 1.3)
        u = (x - rng.normal(0.5, 0.25) * width) / size
        v = (y - rng.normal(middle, 0.12 * height)) / (size * rng.uniform(0.7, 1.2))
        squared = u**2 + v**2
        shade = 0.45 + 0.7 * np.clip(np.sqrt(np.clip(1 - squared, 0, 1)) * 0.8 - 0.35 * u - 0.35 * v, 0, 1)
        gloss = np.exp(-8 * ((u + 0.35) ** 2 + (v + 0.35) ** 2)) * 0.5
        lit = np.clip(tones[rng.integers(len(tones))] * shade[..., None] + gloss[..., None], 0, 1)
        inside = squared < 1
        image[inside] = np.round(255 * lit[inside])


def wrapper(rng: np.random.Generator, aspect: float, base: RGB) -> np.ndarray:
    """Return a package's whole face: its base, a word, bands, perhaps a picture and a badge."""
    image = label(rng, aspect, base)
    height, width = image.shape[:2]
    draw = rng.random()
    if draw < 0.6:
        low = rng.choice([0.0, 0.45, 0.55]) * height
        tall = rng.uniform(0.35, 0.5) * height
        inset = rng.choice([0.0, 0.08]) * width
        rows, columns = slice(round(low), round(low + tall)), slice(round(inset), round(width - inset))
        part = image[rows, columns]
        image[rows, columns] = cv2.resize(picture(rng, tall / max(1.0, width - 2 * inset)), part.shape[1::-1])
    if draw > 0.4:
        disc = (round(rng.uniform(0.2, 0.8) * width), round(rng.uniform(0.2, 0.8) * height))
        size = (round(rng.uniform(0.15, 0.4) * width), round(rng.uniform(0.1, 0.2) * height))
        cv2.ellipse(
            image, disc, size, float(rng.uniform(-20, 20)), 0, 360, _byte(colour(rng)), -1, cv2.LINE_AA
        )
        _write(
            image,
            rng,
            (
                (disc[0] - 0.8 * size[0]) / width,
                (disc[1] - 0.4 * size[1]) / height,
                (disc[0] + 0.8 * size[0]) / width,
                (disc[1] + 0.4 * size[1]) / height,
            ),
            light(rng),
        )
    return image


def named(rng: np.random.Generator) -> tuple[str, RGB]:
    """Draw a colour word and one of its shades."""
    names = list(COLOURS)
    name = names[rng.integers(len(names))]
    return name, COLOURS[name][rng.integers(len(COLOURS[name]))]


def speckle(rng: np.random.Generator, strength: float = 0.3) -> np.ndarray:
    """Return stoneware's specks and clouds, to multiply with a glaze."""
    noise = rng.random((128, 128)).astype(np.float32)
    cloud = cv2.resize(rng.random((6, 6)).astype(np.float32), (128, 128), interpolation=cv2.INTER_CUBIC)
    value = 1 - strength * (noise > 0.985) - 0.08 * cloud
    value = cv2.GaussianBlur(value, (0, 0), 0.7)
    return np.repeat(np.round(255 * np.clip(value, 0, 1)).astype(np.uint8)[..., None], 3, 2)


def stripes(tones: list[RGB], *, upright: bool) -> np.ndarray:
    """Return equal stripes of some colours."""
    rows = np.array([_byte(tone) for tone in tones], np.uint8)
    image = np.repeat(rows, max(1, 128 // len(rows)), 0)[:, None]
    image = np.repeat(image, 16, 1)
    return image.transpose(1, 0, 2).copy() if upright else image


def sheets(rng: np.random.Generator) -> np.ndarray:
    """Return the edge of a block of pages: thin lines along u."""
    value = 0.86 + 0.14 * rng.random((96, 1))
    return np.round(255 * np.repeat(value[..., None], 8, 1) * np.array([1.0, 0.98, 0.93])).astype(np.uint8)


def wood(rng: np.random.Generator) -> np.ndarray:
    """Return grain along u, to multiply with a brown."""
    grain = cv2.resize(rng.random((64, 3)).astype(np.float32), (128, 128), interpolation=cv2.INTER_CUBIC)
    value = 0.72 + 0.28 * cv2.GaussianBlur(grain, (0, 0), 0.8)
    return np.round(255 * np.repeat(np.clip(value, 0, 1)[..., None], 3, 2)).astype(np.uint8)


def weave(rng: np.random.Generator, across: int, rows: int) -> np.ndarray:
    """Return wickerwork: strands that pass over and under, shaded at their ends."""
    v, u = np.mgrid[0:256, 0:256] / 256
    over = np.sin(math.pi * (u * across)) * np.where(np.floor(v * rows) % 2 == 0, 1, -1)
    strand = np.abs(np.sin(math.pi * v * rows)) ** 0.5
    tone = rng.uniform(0.8, 1, (rows, 1))[np.minimum((v * rows).astype(int), rows - 1), 0]
    value = np.clip((0.62 + 0.38 * over) * strand * tone + 0.12, 0, 1)
    return np.round(255 * value[..., None] * np.array([1.0, 0.97, 0.9])).astype(np.uint8)


def drink(rng: np.random.Generator, base: RGB) -> np.ndarray:
    """Return a cup's surface: a darker or foamy edge, and sometimes a heart or leaf of milk."""
    image = _canvas(base, 1.0)
    pale = rgb(np.array(base) * 0.4 + np.array([0.93, 0.84, 0.7]) * 0.6)
    kind = rng.integers(4)
    if kind == 0:
        cv2.circle(image, (96, 96), 92, _byte(rgb(np.array(base) * 1.7)), 5, cv2.LINE_AA)
    elif kind == 1:
        image[:] = _byte(pale)
        cv2.circle(image, (96, 96), 86, _byte(rgb(np.array(pale) * 0.75)), 12, cv2.LINE_AA)
    elif kind == 2:
        for k in range(4):
            cv2.ellipse(image, (96, 60 + 22 * k), (52 - 11 * k, 15), 0, 0, 360, _byte(pale), 6, cv2.LINE_AA)
        cv2.line(image, (96, 40), (96, 150), _byte(base), 3, cv2.LINE_AA)
    else:
        for x in (78, 114):
            cv2.circle(image, (x, 82), 22, _byte(pale), -1, cv2.LINE_AA)
        heart = np.array([[58, 92], [134, 92], [96, 142]], np.int32)
        cv2.fillPoly(image, [heart], _byte(pale), cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), 1.5)
