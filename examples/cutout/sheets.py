"""Pictures with the masks of what is in them: rendered scenes and free photographs, loaded into memory."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

_LARGE = 480
"""Longer side of a photograph in memory."""
_SMALLEST = 0.002
"""Share of the picture that a thing covers, at least."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture and the things in it.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB.
        masks: bool ``[H, W]`` each; they may overlap.
    """

    image: np.ndarray
    masks: tuple[np.ndarray, ...]


class Scenes:
    """Rendered scenes of some folders, read from disk as they are asked for."""

    def __init__(self, folders: list[Path]) -> None:
        self._shards = [
            (np.load(folder / "images.npy", mmap_mode="r"), np.load(folder / "instances.npy", mmap_mode="r"))
            for folder in folders
        ]
        counts = [
            len((folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines()) for folder in folders
        ]
        self._index = [(shard, k) for shard, count in enumerate(counts) for k in range(count)]

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, number: int) -> Sheet:
        shard, k = self._index[number]
        images, instances = self._shards[shard]
        drawn = np.asarray(instances[k])
        masks = tuple(drawn == thing for thing in np.unique(drawn) if thing)
        return Sheet(np.asarray(images[k]), tuple(m for m in masks if m.mean() > _SMALLEST))


def load_photographs(folder: Path, masks: Path) -> list[Sheet]:
    """The free photographs, each with the masks that ``masks`` holds of it, ``NAME_*.png``."""
    sheets: list[Sheet] = []
    for line in (folder / "credits.jsonl").read_text(encoding="utf-8").splitlines():
        name = Path(json.loads(line)["file"]).stem
        image = np.asarray(Image.open(folder / f"{name}.png").convert("RGB"))
        height, width = image.shape[:2]
        scale = min(1.0, _LARGE / max(height, width))
        size = (round(width * scale), round(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        found = []
        for file in sorted(masks.glob(f"{name}_*.png")):
            drawn = np.asarray(Image.open(file).convert("L"))
            found.append(cv2.resize(drawn, size, interpolation=cv2.INTER_LINEAR) > 127)
        sheets.append(Sheet(image, tuple(m for m in found if m.mean() > _SMALLEST)))
    return sheets
