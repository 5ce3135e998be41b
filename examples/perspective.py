"""Measures by how much perspective misses the size of things that were moved by hand.

    python -m examples.perspective FOLDER [--part even|odd|all]

FOLDER is ReS as PixelMan has it (`realedit.bench.datasets.pixelman`): every scene photographed before and
after its object was moved, with masks of both. The size of the object at its other place is predicted from
its mask here, the height of its foot there, and the horizon of this photo (`realedit.pixels.horizon`), as
``--perspective auto`` does, and compared with the masks' square root of areas. Settings were chosen on the
odd scenes (the first, the third...; elsewhere the even ones are used for that).
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

import cv2
import numpy as np

from realedit.edits.edit import Similarity
from realedit.location import Location
from realedit.photo import load_photo
from realedit.photo.inputs import as_mask
from realedit.pixels.horizon import find_horizon
from realedit.placing import placed

_STEM = re.compile(r"p(\d+)_1\.jpg$")


def misses(folder: Path, scene: int) -> list[tuple[float, float, bool]]:
    """Returns what is missed of the log of a scene's size ratio, to its other photo and back.

    Args:
        folder: ReS.
        scene: its number.

    Returns:
        By perspective, by keeping the size, and whether a horizon was told.
    """
    photos = [load_photo(folder / f"p{scene}_{k}.jpg") for k in (1, 2)]
    masks: list[np.ndarray] = []
    for photo, k in zip(photos, (1, 2), strict=True):
        mask = load_photo(folder / f"p{scene}_{k}_mask.png").rgb[..., 0]
        full = cv2.resize(mask, photo.rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        masks.append(as_mask(full, photo, "the mask"))
    found: list[tuple[float, float, bool]] = []
    for photo, here, there in zip(photos, masks, reversed(masks), strict=True):
        location = Location(None, here, here, 1.0, "mask")
        dy = Location(None, there, there, 1.0, "mask").box[3] - location.box[3]
        true = math.log((there > 0.5).sum() / (here > 0.5).sum()) / 2
        horizon = find_horizon(photo.rgb)
        scale = placed(Similarity(None, dy=dy, perspective="auto"), location, lambda h=horizon: h).perspective
        found.append((abs(math.log(scale or 1.0) - true), abs(true), scale is not None))
    return found


def main() -> None:
    """Prints the mean of each, with the standard error over scenes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=("even", "odd", "all"), default="all")
    asked = parser.parse_args()
    scenes = sorted(int(match[1]) for file in asked.folder.iterdir() if (match := _STEM.match(file.name)))
    taken = {"odd": scenes[::2], "even": scenes[1::2], "all": scenes}[asked.part]
    each = np.array([misses(asked.folder, scene) for scene in taken])
    told = each[..., 2] > 0
    gain = (each[..., 0] - each[..., 1]).mean(1)
    error = gain.std(ddof=1) / math.sqrt(len(gain))
    print(f"{len(taken)} scenes, both ways: |log size ratio| missed, mean")
    print(f"perspective {each[..., 0].mean():.3f}, size kept {each[..., 1].mean():.3f}")
    print(f"difference {gain.mean():+.3f} +- {error:.3f} (standard error over scenes)")
    print(
        f"told in {told.sum()} of {told.size}: "
        f"perspective {each[told][:, 0].mean():.3f}, size kept {each[told][:, 1].mean():.3f}"
    )


if __name__ == "__main__":
    main()
