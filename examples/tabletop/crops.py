"""Random crops of rendered scenes and photographs, and pictures held out to measure with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from examples.tabletop.photographs import load_photographs, shrink

PICTURE = 256
HELD_OUT_SIDE = 448  # of photographs to measure with: the shorter side, in pixels
_HELD_OUT_SCENES = 24
_SECOND_SIDE = 320


def _as_tensor(pictures: np.ndarray) -> Tensor:
    """Float ``[B, 3, H, W]`` in [-1, 1] of uint8 ``[B, H, W, 3]``."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def _resized(rgb: np.ndarray, shorter: int) -> np.ndarray:
    return np.asarray(shrink(Image.fromarray(rgb), shorter))


def _centre(rgb: np.ndarray) -> np.ndarray:
    top, left = (rgb.shape[0] - PICTURE) // 2, (rgb.shape[1] - PICTURE) // 2
    return rgb[top : top + PICTURE, left : left + PICTURE]


@dataclass
class Crops:
    """Where crops are drawn from.

    Args:
        scenes: uint8 ``[N, 256, 256, 3]`` each, memory maps.
        photographs: uint8 ``[H, W, 3]`` each.
        scene_share: share of the crops that come from scenes, where there are any.
    """

    scenes: Sequence[np.ndarray]
    photographs: Sequence[np.ndarray]
    scene_share: float = 0.55
    held_out: dict[str, Tensor] = field(default_factory=dict)

    def _picture(self, rng: np.random.Generator) -> np.ndarray:
        if self.scenes and rng.random() < self.scene_share:
            frame = int(rng.integers(sum(len(scenes) for scenes in self.scenes)))
            for scenes in self.scenes:
                if frame < len(scenes):
                    return scenes[frame]
                frame -= len(scenes)
        return self.photographs[int(rng.integers(len(self.photographs)))]

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Tensor:
        """Crops ``[count, 3, size, size]`` in [-1, 1], half of them mirrored."""
        crops = np.empty((count, size, size, 3), np.uint8)
        for crop in crops:
            picture = self._picture(rng)
            top, left = (int(rng.integers(length - size + 1)) for length in picture.shape[:2])
            part = picture[top : top + size, left : left + size]
            crop[:] = part[:, ::-1] if rng.random() < 0.5 else part
        return _as_tensor(crops)


def load_crops(photographs: Path, scenes: Sequence[Path]) -> Crops:
    """Read the photographs and open the scenes, of which each folder's first frames are held out.

    ``held_out`` has ``photographs`` (256 x 256 at the centre, after area averaging to 448 px on the shorter
    side) and, where there are scenes, ``scenes``: float ``[N, 3, 256, 256]`` in [-1, 1].
    """
    train, held_out = load_photographs(photographs)
    # Two sizes of each: a crop sees detail at the scale of a photo of a whole scene, too.
    smaller = [_resized(rgb, _SECOND_SIDE) for rgb in train if min(rgb.shape[:2]) > _SECOND_SIDE]
    measured = {"photographs": np.stack([_centre(_resized(rgb, HELD_OUT_SIDE)) for rgb in held_out])}
    frames = []
    for folder in scenes:
        # A renderer still at work has written as many frames as its list has lines.
        done = len((folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines())
        frames.append(np.load(folder / "images.npy", mmap_mode="r")[:done])
    if frames:
        aside = -(-_HELD_OUT_SCENES // len(frames))
        measured["scenes"] = np.concatenate([images[:aside] for images in frames])[:_HELD_OUT_SCENES]
        frames = [images[aside:] for images in frames if len(images) > aside]
    tensors = {name: _as_tensor(pictures) for name, pictures in measured.items()}
    return Crops(frames, train + smaller, held_out=tensors)
