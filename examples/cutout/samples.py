"""One training example: a window of a picture, what is meant in it, and hints at that.

Three kinds of picture: rendered scenes with their own light, free photographs with masks settled by hand, and
composites of both. A composite must not betray itself: its pieces take on their surroundings' colours, their
edges are blurred, other pieces are *background* and mean nothing, and a camera's noise and JPEG go over all.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from examples.cutout.sheets import Scenes, Sheet
from realedit.cutout.hints import Hint, Point

Rng = np.random.Generator
_VISIBLE = 0.4
"""Share of a piece that must be seen for it to be meant."""
_SMALL = 0.003
"""Share of the window that a thing covers, at least."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Where pictures come from.

    Attributes:
        scenes: Of tabletops.
        things: Of everything else that is rendered.
        photographs: With masks or without.
    """

    scenes: Scenes
    things: Scenes
    photographs: Sequence[Sheet]


def draw(pool: Pool, size: tuple[int, int], rng: Rng) -> Sheet:
    """A picture of ``size`` (height, width) with at least one thing in it."""
    while True:
        kind = rng.choice(4, p=(0.12, 0.22, 0.32, 0.34))
        if kind < 2:
            scenes = pool.scenes if kind == 0 else pool.things
            sheet = _window(scenes[int(rng.integers(len(scenes)))], size, rng)
        elif kind == 3:
            sheet = composite(pool, size, rng)
        else:
            kept = [s for s in pool.photographs if s.masks]
            sheet = _window(kept[int(rng.integers(len(kept)))], size, rng)
        if sheet.masks:
            return Sheet(_photographed(sheet.image, rng), sheet.masks)


def _window(sheet: Sheet, size: tuple[int, int], rng: Rng) -> Sheet:
    """A turned, mirrored, stretched window of a picture, about one of its things or anywhere."""
    height, width = sheet.image.shape[:2]
    if not sheet.masks:
        return sheet
    ys, xs = np.nonzero(sheet.masks[int(rng.integers(len(sheet.masks)))])
    if not len(ys):
        return Sheet(sheet.image, ())
    x0, x1, y0, y1 = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    whole = max(height / size[0], width / size[1])
    tight = max((y1 - y0) / size[0], (x1 - x0) / size[1])
    # From the whole picture and a little more to the thing alone; rarely a part of it.
    low, most = np.log(max(tight * rng.choice([0.9, 1.1, 1.3], p=(0.1, 0.5, 0.4)), 0.2)), np.log(whole * 1.1)
    scale = float(np.exp(rng.uniform(min(low, most), most)))
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    free_x, free_y = (abs(size[1] * scale - (x1 - x0)) / 2, abs(size[0] * scale - (y1 - y0)) / 2)
    cx, cy = cx + rng.uniform(-1, 1) * free_x, cy + rng.uniform(-1, 1) * free_y
    turn = np.radians(rng.normal(0, 6) if rng.random() < 0.5 else 0.0)
    stretch = np.exp(rng.normal(0, 0.08))
    # Not beyond the frame, where there is nothing to see: rather stretched.
    wide, high = min(scale * stretch, width / size[1]), min(scale / stretch, height / size[0])
    cx = np.clip(cx, size[1] * wide / 2, width - size[1] * wide / 2)
    cy = np.clip(cy, size[0] * high / 2, height - size[0] * high / 2)
    mirror = -1 if rng.random() < 0.5 else 1
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(
        [mirror * wide, high]
    )
    offset = np.array([cx, cy]) - matrix @ np.array([size[1] / 2, size[0] / 2])
    back = np.concatenate([matrix, offset[:, None]], 1)
    return _seen(sheet, back, size)


def _seen(sheet: Sheet, back: np.ndarray, size: tuple[int, int]) -> Sheet:
    image = sheet.image
    scale = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
    if scale > 1.3:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 * scale)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shape = (size[1], size[0])
    image = cv2.warpAffine(image, back, shape, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    masks = [cv2.warpAffine(m.astype(np.uint8) * 255, back, shape, flags=flags) > 127 for m in sheet.masks]
    return Sheet(image, tuple(m for m in masks if _SMALL < m.mean() < 0.9))


def _piece(pool: Pool, rng: Rng) -> tuple[np.ndarray, np.ndarray] | None:
    """A cut-out: uint8 ``[h, w, 3]`` and its alpha, float32 ``[h, w]`` in [0, 1]."""
    kind = rng.choice(3, p=(0.5, 0.38, 0.12))
    if kind == 0:
        kept = [s for s in pool.photographs if s.masks]
        sheet = kept[int(rng.integers(len(kept)))]
    else:
        scenes = pool.things if kind == 1 else pool.scenes
        sheet = scenes[int(rng.integers(len(scenes)))]
    if not sheet.masks:
        return None
    mask = sheet.masks[int(rng.integers(len(sheet.masks)))]
    ys, xs = np.nonzero(mask)
    if len(ys) < 300:
        return None
    part = np.s_[max(0, ys.min() - 3) : ys.max() + 4, max(0, xs.min() - 3) : xs.max() + 4]
    cut = mask[part].astype(np.uint8)
    if rng.random() < 0.7:
        cut = cv2.erode(cut, np.ones((3, 3), np.uint8))
    return sheet.image[part], cut.astype(np.float32)


def _patch(pool: Pool, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """A piece of *background*: a smooth blob, a polygon or a stripe of any photograph."""
    sheet = pool.photographs[int(rng.integers(len(pool.photographs)))]
    height, width = sheet.image.shape[:2]
    h, w = int(rng.integers(60, height)), int(rng.integers(60, width))
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    shape = np.zeros((h, w), np.float32)
    kind = rng.random()
    if kind < 0.5:
        noise = cv2.resize(rng.normal(size=(5, 5)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        ys, xs = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
        shape = (noise * 0.5 + 0.6 - 1.2 * (ys**2 + xs**2) > 0).astype(np.float32)
    else:
        corners = rng.integers(3, 8)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        far = rng.uniform(0.5, 1, corners)
        points = np.stack([(np.cos(angle) * far + 1) * w / 2, (np.sin(angle) * far + 1) * h / 2], 1)
        cv2.fillPoly(shape, [points.astype(np.int32)], 1.0)
    return sheet.image[y : y + h, x : x + w], shape


def composite(pool: Pool, size: tuple[int, int], rng: Rng) -> Sheet:
    """Pieces on a photograph, nearer ones over farther ones; the photograph's own things stay things."""
    while True:
        ground = pool.photographs[int(rng.integers(len(pool.photographs)))]
        ground = (
            _window(ground, size, rng)
            if ground.masks and rng.random() < 0.6
            else _anywhere(ground, size, rng)
        )
        if ground.image.shape[:2] == size:
            break
    image, masks = ground.image.astype(np.float32), [m.copy() for m in ground.masks]
    areas = [m.sum() for m in masks]
    count = int(rng.choice([1, 2, 3, 4, 6], p=(0.25, 0.3, 0.2, 0.15, 0.1)))
    large = rng.uniform(0.12, 0.75)
    drawn: list[tuple[np.ndarray, np.ndarray, bool, np.ndarray, float]] = []
    while len(drawn) < count:
        found = _piece(pool, rng)
        if found is None:
            continue
        # One thing, or several of a kind beside and before each other: each is a thing of its own.
        again = int(rng.choice([1, 2, 3, 4], p=(0.6, 0.2, 0.12, 0.08)))
        centre, own = rng.uniform(0.05, 0.95, 2), large * np.exp(rng.normal(0, 0.3))
        own = own / again**0.35
        for _ in range(again):
            at = centre if again == 1 else centre + rng.normal(0, 0.7 * own, 2)
            drawn.append((*found, True, at, own * np.exp(rng.normal(0, 0.12))))
    for _ in range(int(rng.choice([0, 1, 2], p=(0.4, 0.35, 0.25)))):
        drawn.append(
            (*_patch(pool, rng), False, rng.uniform(0.05, 0.95, 2), large * np.exp(rng.normal(0, 0.3)))
        )
    for number in rng.permutation(len(drawn)):
        piece, cut, thing, at, own = drawn[number]
        alpha, layer = _laid(piece, cut, size, own, at, rng)
        inside = alpha > 0.5
        if inside.sum() < _SMALL * inside.size:
            continue
        image = _shadowed(image, alpha, rng)
        layer = _harmonised(layer, alpha, image, rng)
        image = image * (1 - alpha[..., None]) + layer * alpha[..., None]
        masks = [m & ~inside for m in masks]
        if thing:
            masks.append(inside)
            areas.append(inside.sum())
    kept = (
        m for m, area in zip(masks, areas, strict=True) if m.sum() > _VISIBLE * area and m.mean() > _SMALL
    )
    return Sheet(np.clip(image, 0, 255).astype(np.uint8), tuple(m for m in kept if m.mean() < 0.9))


def _anywhere(sheet: Sheet, size: tuple[int, int], rng: Rng) -> Sheet:
    height, width = sheet.image.shape[:2]
    scale = float(rng.uniform(0.5, 1)) * min(height / size[0], width / size[1])
    x, y = rng.uniform(0, width - size[1] * scale), rng.uniform(0, height - size[0] * scale)
    return _seen(sheet, np.array([[scale, 0, x], [0, scale, y]]), size)


def _laid(
    piece: np.ndarray, cut: np.ndarray, size: tuple[int, int], large: float, at: np.ndarray, rng: Rng
) -> tuple[np.ndarray, np.ndarray]:
    """A piece at its place: alpha float32 ``[H, W]``, and its colours."""
    h, w = cut.shape
    scale = large * np.sqrt(size[0] * size[1]) / np.sqrt(h * w)
    scale = min(scale, 2.0)
    turn = np.radians(rng.normal(0, 12))
    mirror = -1 if rng.random() < 0.5 else 1
    stretch = np.exp(rng.normal(0, 0.1))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(
        [mirror * scale * stretch, scale / stretch]
    )
    centre = np.clip(at, 0, 1) * (size[1], size[0])
    forth = np.concatenate([matrix, (centre - matrix @ np.array([w / 2, h / 2]))[:, None]], 1)
    if scale < 0.8:
        piece = cv2.GaussianBlur(piece, (0, 0), 0.4 / scale)
    shape = (size[1], size[0])
    layer = cv2.warpAffine(piece, forth, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(cut, forth, shape, flags=cv2.INTER_LINEAR)
    alpha = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(0.5, 1.3)))
    return alpha, layer.astype(np.float32)


def _shadowed(image: np.ndarray, alpha: np.ndarray, rng: Rng) -> np.ndarray:
    """Darker beside the piece, by chance."""
    if rng.random() < 0.65:
        return image
    far = alpha.shape[0] * 0.08
    shift = np.array([[1, 0, rng.normal(0, far)], [0, 1, abs(rng.normal(0, far))]])
    shade = cv2.warpAffine(alpha, shift, alpha.shape[::-1])
    shade = cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(2, 12)))
    return image * (1 - rng.uniform(0.15, 0.6) * shade[..., None])


def _harmonised(layer: np.ndarray, alpha: np.ndarray, image: np.ndarray, rng: Rng) -> np.ndarray:
    """Some way from the piece's own colours to those around it, in mean and spread."""
    inside = alpha > 0.5
    around = (cv2.dilate(inside.astype(np.uint8), np.ones((31, 31), np.uint8)) > 0) & ~inside
    if around.sum() < 50:
        return layer
    own, other = layer[inside], image[around]
    way = rng.uniform(0, 0.7) if rng.random() < 0.8 else 0.0
    mean = own.mean(0)
    spread = (other.std() / (own.std() + 4)) ** (way * 0.6)
    target = mean + way * (other.mean(0) - mean) * rng.uniform(0.5, 1)
    return (layer - mean) * np.clip(spread, 0.5, 1.7) + target + rng.normal(0, 6, 3)


def _photographed(image: np.ndarray, rng: Rng) -> np.ndarray:
    """What a camera and a file do, over the whole picture."""
    x = image.astype(np.float32) / 255
    if rng.random() < 0.8:
        x = (
            x ** float(np.exp(rng.normal(0, 0.22)))
            * np.exp(rng.normal(0, 0.12))
            * np.exp(rng.normal(0, 0.07, 3))
        )
        x = (x - 0.5) * float(np.exp(rng.normal(0, 0.12))) + 0.5 + rng.normal(0, 0.03)
    if rng.random() < 0.25:
        gray = x.mean(2, keepdims=True)
        x = gray + (x - gray) * (0.0 if rng.random() < 0.2 else rng.uniform(0.4, 1.4))
    if rng.random() < 0.4:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.4, 1.2)))
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(0.004, 0.03), x.shape)
    drawn = (np.clip(x, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.6:
        file = io.BytesIO()
        Image.fromarray(drawn).save(file, "JPEG", quality=int(rng.integers(35, 95)))
        drawn = np.asarray(Image.open(file))
    return drawn


def meant(sheet: Sheet, rng: Rng) -> np.ndarray:
    """The mask of what is meant, bool ``[H, W]``: a thing, or now and then some together."""
    masks = sheet.masks
    chosen = masks[int(rng.integers(len(masks)))]
    if len(masks) > 1 and rng.random() < 0.08:
        other = masks[int(rng.integers(len(masks)))]
        chosen = chosen | other
    return chosen


def hint_at(mask: np.ndarray, others: Sequence[np.ndarray], rng: Rng) -> tuple[Hint, bool]:
    """A hint at a mask, as people and words give them, and whether it may be taken in several ways."""
    kind = rng.choice(6, p=(0.36, 0.22, 0.1, 0.12, 0.08, 0.12))
    if kind == 0:
        positive = points_in(mask, int(rng.choice([1, 2, 3, 5], p=(0.72, 0.14, 0.08, 0.06))), rng)
        negative = points_out(mask, others, int(rng.choice([0, 1, 2, 3], p=(0.72, 0.14, 0.09, 0.05))), rng)
        return Hint(positive, negative), len(positive) == 1 and not negative
    if kind == 1:
        return Hint(box=box_about(mask, rng)), False
    if kind == 2:
        return Hint(mask=roughened(mask, others, rng)), False
    if kind == 3:
        return Hint(heat=heated(mask, others, rng)), False
    if kind == 4:
        other = others[int(rng.integers(len(others)))] & ~mask if others else mask
        if rng.random() < 0.5 or other is mask or other.mean() < _SMALL:
            return Hint(points_in(mask, 1, rng), box=box_about(mask, rng)), False
        # A box about two things, of which one is ruled out.
        positive = points_in(mask, int(rng.integers(2)), rng)
        return Hint(positive, points_in(other, 1, rng), box_about(mask | other, rng)), False
    # As when it looks again: what it was told, and what it found.
    found = roughened(mask, others, rng)
    if rng.random() < 0.5:
        return Hint(points_in(mask, 1, rng), mask=found), False
    return Hint(box=box_about(mask, rng), mask=found), False


def points_in(mask: np.ndarray, count: int, rng: Rng) -> tuple[Point, ...]:
    """Places on the thing; half of them deep inside."""
    padded = np.pad(mask.astype(np.uint8), 1)
    deep = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    height, width = mask.shape
    found: list[Point] = []
    for _ in range(count):
        least = rng.uniform(0.7, 0.999) if rng.random() < 0.6 else rng.uniform(0.1, 0.6)
        ys, xs = np.nonzero(deep >= least * deep.max())
        k = int(rng.integers(len(ys)))
        found.append(((xs[k] + 0.5) / width, (ys[k] + 0.5) / height))
    return tuple(found)


def points_out(mask: np.ndarray, others: Sequence[np.ndarray], count: int, rng: Rng) -> tuple[Point, ...]:
    """Places that are not on the thing: near it, on another thing, or anywhere."""
    height, width = mask.shape
    found: list[Point] = []
    for _ in range(count):
        where = ~mask
        kind = rng.random()
        if kind < 0.5:
            near = cv2.dilate(mask.astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
            where = near & ~(cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0)
        elif kind < 0.8 and others:
            where = others[int(rng.integers(len(others)))] & ~mask
        ys, xs = np.nonzero(where)
        if len(ys):
            k = int(rng.integers(len(ys)))
            found.append(((xs[k] + 0.5) / width, (ys[k] + 0.5) / height))
    return tuple(found)


def box_about(mask: np.ndarray, rng: Rng) -> tuple[float, float, float, float]:
    """The thing's box, a little too large or, less, too small."""
    ys, xs = np.nonzero(mask)
    height, width = mask.shape
    x0, x1, y0, y1 = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    loose = 0.03 if rng.random() < 0.6 else 0.09
    left, right = rng.normal(loose * 0.8, loose, 2) * (x1 - x0)
    top, bottom = rng.normal(loose * 0.8, loose, 2) * (y1 - y0)
    return (
        float(np.clip((x0 - left) / width, 0, 1)),
        float(np.clip((y0 - top) / height, 0, 1)),
        float(np.clip((x1 + right) / width, 0.01, 1)),
        float(np.clip((y1 + bottom) / height, 0.01, 1)),
    )


def roughened(mask: np.ndarray, others: Sequence[np.ndarray], rng: Rng) -> np.ndarray:
    """A mask as a hand or a first look draws it, float32 ``[h, w]`` at a quarter of the size or less."""
    height, width = mask.shape
    scale = int(rng.choice([4, 8, 16], p=(0.5, 0.3, 0.2)))
    h, w = height // scale, width // scale
    x = cv2.resize(mask.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    reach = max(1.0, np.sqrt(mask.mean()) * np.sqrt(h * w))
    if rng.random() < 0.3 and others:
        other = others[int(rng.integers(len(others)))]
        x = np.maximum(x, cv2.resize(other.astype(np.float32), (w, h)) * rng.uniform(0.3, 1))
    noise = cv2.resize(rng.normal(size=(6, 6)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(x, (0, 0), float(max(0.4, rng.uniform(0.01, 0.12) * reach)))
    x = soft + noise * rng.uniform(0, 0.3) * (soft > 0.05)
    if rng.random() < 0.4:  # a part is missing
        cy, cx = rng.uniform(0, h), rng.uniform(0, w)
        ys, xs = np.mgrid[:h, :w]
        x = x * (1 - np.exp(-((ys - cy) ** 2 + (xs - cx) ** 2) / (2 * (rng.uniform(0.1, 0.4) * reach) ** 2)))
    if rng.random() < 0.5:
        x = (x > rng.uniform(0.25, 0.6)).astype(np.float32)
    return np.clip(x, 0, 1).astype(np.float32)


def heated(mask: np.ndarray, others: Sequence[np.ndarray], rng: Rng) -> np.ndarray:
    """A word's heat: coarse, uneven, with a little of it elsewhere; float32 ``[h, w]``."""
    height, width = mask.shape
    scale = int(rng.choice([8, 16, 20]))
    h, w = height // scale, width // scale
    x = cv2.resize(mask.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    patchy = cv2.resize(rng.normal(size=(4, 4)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    x = x * np.exp(patchy * rng.uniform(0, 0.8))
    x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.4, 1.6)))
    if others and rng.random() < 0.4:
        other = cv2.resize(others[int(rng.integers(len(others)))].astype(np.float32), (w, h))
        x = x + other * rng.uniform(0, 0.45) * x.max()
    wild = cv2.resize(rng.uniform(size=(5, 5)).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    x = x + wild * rng.uniform(0, 0.25) * x.max()
    return (x / max(float(x.max()), 1e-6)).clip(0, 1).astype(np.float32)
