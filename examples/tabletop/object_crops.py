"""Square crops of the objects in rendered scenes, and of where there is none, to train a classifier with.

**Convention:** a box is (left, top, side), pixels, within the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from examples.tabletop.frames import Frame

SIDE = 96
"""Of a crop as the classifier sees it, pixels."""
NOTHING = "nothing"
"""The noun of a crop that no object fills."""
LEAST = 56
"""Pixels of an object's longer side: in a picture of one object it has twice as many."""

MARGIN = 0.175  # of an object's box, for all sides together
_MARGINS = (0.0, 0.4)
_SHIFT = 0.12  # of a crop's side
_NOTHING_SHARE = 0.2
_NOTHING_OVERLAP = 0.25
Box = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object in a frame, and its mask's bounding box: left, top, width, height."""

    frame: int
    noun: str
    colour: str | None
    bounds: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Crop:
    """What the classifier learns from: uint8 ``[96, 96, 3]``, and the words that are true of it."""

    pixels: np.ndarray
    noun: str
    colour: str | None


class ObjectCrops:
    """The objects of some frames, to be cut out: visible ones, ``LEAST`` pixels wide or high.

    Args:
        frames: The scenes.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = frames
        self.things: list[Thing] = []
        self._boxes: dict[int, list[Box]] = {}
        for number, frame in enumerate(frames):
            for thing, mask in frame.visible():
                left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
                bounds = (left, top, width, height)
                self._boxes.setdefault(number, []).append(square(bounds, MARGIN, self._side(number)))
                if max(width, height) >= LEAST:
                    self.things.append(Thing(number, thing["noun"], thing["colour"], bounds))
        self._by_noun: dict[str, list[Thing]] = {}
        for thing in self.things:
            self._by_noun.setdefault(thing.noun, []).append(thing)
        self.nouns = sorted(self._by_noun)

    def plain(self, thing: Thing) -> Crop:
        """An object with the same margin on all sides, as it is."""
        box = square(thing.bounds, MARGIN, self._side(thing.frame))
        return Crop(cut(self.frames[thing.frame].image, box), thing.noun, thing.colour)

    def draw(self, rng: np.random.Generator) -> Crop:
        """A random crop, changed as a camera or a blurry model might; every noun as likely as any other."""
        if rng.random() < _NOTHING_SHARE:
            return self._changed(self.empty(rng), rng)
        things = self._by_noun[self.nouns[int(rng.integers(len(self.nouns)))]]
        thing = things[int(rng.integers(len(things)))]
        margin, shift = rng.uniform(*_MARGINS), rng.uniform(-_SHIFT, _SHIFT, 2)
        box = square(thing.bounds, margin, self._side(thing.frame), (float(shift[0]), float(shift[1])))
        return self._changed(Crop(cut(self.frames[thing.frame].image, box), thing.noun, thing.colour), rng)

    def empty(self, rng: np.random.Generator) -> Crop:
        """A crop that no object fills: background, a part of an object, or objects small within it."""
        while True:
            frame = int(rng.integers(len(self.frames)))
            size = self._side(frame)
            side = int(np.exp(rng.uniform(np.log(size / 5), np.log(size))))
            left, top = (int(value) for value in rng.integers(0, size - side + 1, 2))
            boxes = self._boxes.get(frame, ())
            if all(overlap((left, top, side), box) < _NOTHING_OVERLAP for box in boxes):
                return Crop(cut(self.frames[frame].image, (left, top, side)), NOTHING, None)

    def _side(self, frame: int) -> int:
        return min(self.frames[frame].image.shape[:2])

    def _changed(self, crop: Crop, rng: np.random.Generator) -> Crop:
        return Crop(_photographic(crop.pixels, rng), crop.noun, crop.colour)


def square(
    bounds: tuple[int, int, int, int], margin: float, size: int, shift: tuple[float, float] = (0.0, 0.0)
) -> Box:
    """The square about bounds, larger by ``margin``, off by ``shift`` sides, moved into the picture."""
    left, top, width, height = bounds
    side = min(size, max(8, round(max(width, height) * (1 + margin))))
    x = left + width / 2 + shift[0] * side - side / 2
    y = top + height / 2 + shift[1] * side - side / 2
    return int(np.clip(round(x), 0, size - side)), int(np.clip(round(y), 0, size - side)), side


def cut(image: np.ndarray, box: Box) -> np.ndarray:
    """The box's pixels, uint8 ``[96, 96, 3]``."""
    left, top, side = box
    part = np.ascontiguousarray(image[top : top + side, left : left + side])
    return cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = (max(0, min(a[i] + a[2], b[i] + b[2]) - max(a[i], b[i])) for i in (0, 1))
    shared = width * height
    return shared / (a[2] ** 2 + b[2] ** 2 - shared)


def _photographic(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirrored, blurred, relit: little enough that colour words stay true."""
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.5:
        # a model's pictures are softer than a renderer's
        small = cv2.resize(pixels, (int(rng.integers(28, SIDE)),) * 2, interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    light = pixels.astype(np.float32) * (rng.uniform(0.94, 1.06) * rng.uniform(0.98, 1.02, 3))
    light = (light - 128) * rng.uniform(0.92, 1.08) + 128 + rng.uniform(-4, 4)
    if rng.random() < 0.3:
        light += rng.standard_normal(light.shape, np.float32) * rng.uniform(0, 8)
    return light.clip(0, 255).round().astype(np.uint8)
