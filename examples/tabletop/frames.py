"""Rendered scenes to measure with, read one by one from the folders that ``render`` writes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from realedit.system.progress import progress_bars

VISIBLE = 300
"""Pixels of an object that must be seen for it to count."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and what is in it.

    Attributes:
        image: uint8 ``[256, 256, 3]``, read from disk when used.
        instances: uint8 ``[256, 256]``; 0 is background, k the k-th object.
        scene: Its ``objects`` (``noun``, ``colour``), ``surface`` and the rest of its line.
    """

    image: np.ndarray
    instances: np.ndarray
    scene: dict[str, Any]

    def visible(self) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
        """Each object of which at least ``VISIBLE`` pixels are seen, with its mask, bool ``[256, 256]``."""
        for number, thing in enumerate(self.scene["objects"], 1):
            mask = self.instances == number
            if mask.sum() >= VISIBLE:
                yield thing, mask


def read_frames(folders: Sequence[Path], limit: int | None = None) -> list[Frame]:
    """The finished frames of some folders; of more than ``limit``, as many, spread evenly."""
    frames = []
    for folder in folders:
        images = np.load(folder / "images.npy", mmap_mode="r")
        instances = np.load(folder / "instances.npy", mmap_mode="r")
        lines = (folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines()
        scenes = [json.loads(line) for line in lines]
        frames += [Frame(images[k], instances[k], scene) for k, scene in enumerate(scenes)]
    if limit is None or limit >= len(frames):
        return frames
    return [frames[k] for k in np.linspace(0, len(frames) - 1, limit).round().astype(int)]


def tracked(items: Iterable[Item], stage: str, total: int) -> Iterator[Item]:
    """The items, with a bar on a terminal's stderr: stdout is for the figures."""
    with progress_bars() as report:
        for done, item in enumerate(items):
            report(stage, done, total)
            yield item


def half_width(values: Sequence[float] | np.ndarray) -> float:
    """Half the 95 % interval of a mean."""
    return float(1.96 * np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
