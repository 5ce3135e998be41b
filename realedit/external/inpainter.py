"""A learned inpainter that the user brings, in place of our own hole filling: LaMa, or an inpainting SDXL.

Read are safetensors, and of LaMa's authors' own PyTorch archives the weights alone: no code in a file is run
(:mod:`realedit.external.archive`). The network sees a window about the hole; what it paints is laid into the
hole, and the photo's own fine detail is drawn from the places that look most like it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zipfile import is_zipfile

import cv2
import numpy as np

from realedit.errors import ModelUnavailableError, NumericalError
from realedit.models.devices import usable_device
from realedit.models.single_file import SingleFile
from realedit.pixels.like_places import steps_to_like_places
from realedit.pixels.pyramid import Completion
from realedit.system.memory import translated

if TYPE_CHECKING:
    import torch

    from realedit.external.lama import Lama

_MARGIN_SIDES = 1.0
"""Width of the window's margin about the hole, in longer sides of the hole's box: wider ones show more of
what goes on behind it and take longer, narrower ones hide it. Not measured."""
_MARGIN_PIXELS = 32
"""Added to that margin in pixels: more of it shows more about small holes, less of it less. Not measured."""
_SEEN_PIXELS = 768
"""Longer side in pixels of the window as the network sees it: larger windows are shrunk to it, smaller ones
seen as they are. LaMa was trained on 256 pixels; its authors show up to about 2000. Not measured."""
_ARCHIVES = (".pt", ".pth", ".ckpt", ".bin")


class Painter(Protocol):
    """What paints a window."""

    def __call__(self, rgb: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Returns a picture, uint8 ``[H, W, 3]``, of which the gap, bool ``[H, W]``, is used."""
        ...


class Inpainter:
    """Fills holes by a network; it is called as :func:`realedit.pixels.hole_filling.fill_with_steps` is.

    Args:
        path: LaMa's weights as safetensors, or a TorchScript or checkpoint file of its authors, of which only
            the weights are read; or an SDXL inpainting model, a folder or a checkpoint in one file.
        device: a torch device.

    Raises:
        ModelUnavailableError: no such file, damaged, or neither of the two.
        UsageError: no such device.
    """

    def __init__(self, path: str | Path, device: str | torch.device = "cpu") -> None:
        path = Path(os.path.expanduser(path))
        if not os.path.exists(path):  # which bears names that are too long
            raise ModelUnavailableError(
                f"no inpainter '{path}': no such file",
                "pass LaMa's weights, such as big-lama.safetensors, or an SDXL inpainting model",
            )
        self.label = path.resolve().name
        self._painter = _painter(path, device)

    def paint(self, rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """Fills a hole.

        Args:
            rgb: uint8 ``[H, W, 3]``; what it shows in the hole plays no part.
            hole: bool ``[H, W]``.

        Returns:
            uint8 ``[H, W, 3]``, equal to ``rgb`` outside the hole.

        Raises:
            NumericalError: the network produced NaN.
        """
        if not hole.any():
            return rgb.copy()
        window = _about(hole)
        part, gap = rgb[window], hole[window]
        out = rgb.copy()
        out[window] = np.where(gap[..., None], self._painter(part, gap), part)
        return out

    def __call__(self, rgb: np.ndarray, hole: np.ndarray, forbidden: np.ndarray | None = None) -> Completion:
        """Fills a hole, and tells where each of its pixels' fine detail may be drawn from.

        Args:
            rgb: uint8 ``[H, W, 3]``.
            hole: bool ``[H, W]``.
            forbidden: bool ``[H, W]``, pixels that no detail is drawn from. The network sees them: they tell
                it what goes on behind the hole.
        """
        picture = self.paint(rgb, hole)
        steps = steps_to_like_places(picture, hole, forbidden)
        return Completion(picture, steps, np.zeros(hole.shape, np.float32))


class LamaPainter:
    """Paints windows by LaMa.

    Args:
        path: as of :class:`Inpainter`.
        device: a torch device.
    """

    def __init__(self, path: Path, device: str | torch.device) -> None:
        self._label = path.name
        self._device = usable_device(device)
        with translated():
            self._network = _network(path).to(self._device)

    def __call__(self, rgb: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Paints a window, seen smaller if it is large; see :class:`Painter`.

        Raises:
            NumericalError: the network produced NaN.
        """
        height, width = gap.shape
        scale = min(1.0, _SEEN_PIXELS / max(gap.shape))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        # a pixel that is partly hole is hole: its colour is partly the object's
        seen_gap = cv2.resize(gap.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        seen = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        painted = self._painted(seen, seen_gap)
        return cv2.resize(painted, (width, height), interpolation=cv2.INTER_CUBIC) if scale < 1 else painted

    def _painted(self, rgb: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Returns what the network makes of a window that is small enough."""
        import torch

        from realedit.external.lama import MULTIPLE

        height, width = gap.shape
        below, beside = -height % MULTIPLE, -width % MULTIPLE
        picture = np.pad(rgb, ((0, below), (0, beside), (0, 0)), mode="symmetric").astype(np.float32) / 255
        hole = np.pad(gap, ((0, below), (0, beside)), mode="symmetric").astype(np.float32)[..., None]
        given = np.concatenate([picture * (1 - hole), hole], axis=2).transpose(2, 0, 1)[None]
        with translated(), torch.inference_mode():
            answer = self._network(torch.from_numpy(np.ascontiguousarray(given)).to(self._device))
        if not bool(answer.isfinite().all()):
            raise NumericalError(f"{self._label} produced NaN", "leave --inpainter out")
        picture = answer[0].permute(1, 2, 0).cpu().numpy()[:height, :width]
        return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def _painter(path: Path, device: str | torch.device) -> Painter:
    if not path.is_dir() and not _is_checkpoint(path):
        return LamaPainter(path, device)
    from realedit.external.sdxl_painter import SdxlPainter

    return SdxlPainter(path, device)


def _is_checkpoint(path: Path) -> bool:
    """Whether a file holds a diffusion model as its authors' code names it."""
    if path.suffix.lower() in _ARCHIVES or is_zipfile(path):
        return False
    try:
        return SingleFile.read(path).channels > 0
    except ModelUnavailableError:  # told where it is read as LaMa's
        return False


def _network(path: Path) -> Lama:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from realedit.external.archive import weights_in
    from realedit.external.lama import Lama

    if path.suffix.lower() in _ARCHIVES or is_zipfile(path):
        return Lama.of(weights_in(path), path.name)
    try:
        return Lama.of(load_file(path), path.name)
    except (OSError, SafetensorError) as error:
        raise ModelUnavailableError(
            f"{path.name} cannot be read as safetensors", "bring LaMa's weights, or copy the file again"
        ) from error


def _about(hole: np.ndarray) -> tuple[slice, slice]:
    """Returns the hole's bounding box with a margin, cut to the frame."""
    x, y, w, h = cv2.boundingRect(hole.astype(np.uint8))
    pad = int(_MARGIN_SIDES * max(w, h)) + _MARGIN_PIXELS
    return slice(max(0, y - pad), y + h + pad), slice(max(0, x - pad), x + w + pad)
