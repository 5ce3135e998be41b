"""The cut-out network at work: two looks at a photo, and edges at the photo's own resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]

from realedit.cutout import features as feature_files
from realedit.cutout.hints import WHOLE, Box, Hint, Point, resized
from realedit.cutout.network import ANSWERS, MULTIPLE, CutOutNetwork, Pyramid, Sizes
from realedit.errors import ModelUnavailableError, NumericalError, PhotoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

FOLDER = Path(__file__).parent.parent / "assets" / "cutout"
"""What ships."""
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"

_WIDE, _CLOSE = 384, 512
"""Longer side in pixels of what the first and the second look see: with 320 for the first nothing changes,
with 512 IoU falls by 0.03; with 384 for the second by 0.01. Set on the first 25 photographs of COCOEE."""
_LEAST = 32
"""Shorter side in pixels of a window of the photo: smaller ones are widened, larger ones stay. Not
measured."""
_MARGIN = 0.3
"""Room beside the found thing, as a share of its box: more shows more surroundings and less detail, less
may cut the thing. Not measured."""
_SAME = 0.9
"""IoU of two answers of the first look: at or above it they count as one, below as two. Not measured."""
_ISLAND = 0.25
"""Share of the largest piece, where no point says which piece is meant: smaller pieces are dropped, larger
ones kept. Set on the first 25 photographs of COCOEE: 0.01 to 0.02 of IoU by box."""
_FINE = 1600
"""Longer side in pixels at which a window's edge is settled: larger windows' edges are enlarged from it,
smaller ones are settled as they are. Not measured."""
_AGREEMENT, _EXPECTED = (0.5, 0.65, 0.75, 0.85, 0.95, 1.0), (0.2, 0.45, 0.58, 0.79, 0.89, 0.95)
"""The IoU that is expected at a mean agreement; read off 100 hints at the first 25 photographs of COCOEE."""
_CRISP = 4.0
"""Logit; how alike what is surely and what is possibly the thing are, and what all first answers share,
order the answers: 0.848 mean IoU of 150 hints at those photographs, 0.829 by confidence, 0.878 by the
truth."""
DOUBTFUL = 0.65
"""Confidence below which an answer is to be told as doubtful: of those 100, six of the eight wrong ones
(IoU below 0.5) lie below it, and seven of the 92 right ones."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to take the hint.

    Args:
        alpha: float32 ``[H, W]`` in [0, 1] at the photo's size, 1 on the thing.
        confidence: The IoU that is expected of it, in [0, 1].
    """

    alpha: np.ndarray
    confidence: float


@dataclass(frozen=True, slots=True)
class Rough:
    """One of a first look's answers to a hint.

    Args:
        hint: What was told.
        logits: Of P(thing) in all of the hint's answers, float32 ``[ANSWERS, h, w]`` over the whole photo.
        number: Which of them it is.
        sure: Logit of the IoU that is expected of it.
    """

    hint: Hint
    logits: np.ndarray
    number: int
    sure: float

    @property
    def share(self) -> np.ndarray:
        """P(thing), float32 ``[h, w]``."""
        return _logistic(self.logits[self.number])

    @property
    def mask(self) -> np.ndarray:
        """Where P(thing) is above one half, bool ``[h, w]``."""
        return self.logits[self.number] > 0


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at a window says.

    Args:
        logits: Of P(thing), ``[hints, ANSWERS, h, w]``.
        sure: Logits of the expected IoU, ``[hints, ANSWERS]``.
        window: What was seen, on whole pixels.
    """

    logits: np.ndarray
    sure: np.ndarray
    window: Box


class _Config(BaseModel):
    """What stands in ``config.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sizes: Sizes


class CutOut:
    """Cuts out what a hint means.

    Args:
        network: What is learned.
        pyramid: The features that it compares.
        mirrored: Whether each look is taken mirrored as well, and both averaged.
    """

    def __init__(self, network: CutOutNetwork, pyramid: Pyramid, mirrored: bool = True) -> None:
        self.network = network.eval().requires_grad_(False)
        self.pyramid = pyramid
        self.mirrored = mirrored

    @classmethod
    def load(cls, folder: Path = FOLDER, features: Path = feature_files.FOLDER) -> CutOut:
        """Returns the cut-out of a folder that `save` wrote.

        Args:
            folder: ``config.json`` and ``model.safetensors``.
            features: A model folder with a recogniser, whose features are used.

        Raises:
            ModelUnavailableError: One of them is missing or cannot be read.
        """
        known = feature_files.load_features(features)
        try:
            config = _Config.model_validate_json((folder / _CONFIG).read_text(encoding="utf-8"))
            network = CutOutNetwork(config.sizes)
            network.load_state_dict({k: v.float() for k, v in load_file(folder / _WEIGHTS).items()})
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ModelUnavailableError(
                f"the cut-out network in {folder} cannot be read ({type(error).__name__})",
                "install realedit again, or remove that folder",
            ) from error
        return cls(network, Pyramid(known))

    def save(self, folder: Path) -> None:
        """Writes the learned weights in float16; the features are another file's."""
        folder.mkdir(parents=True, exist_ok=True)
        halves = {name: value.half().contiguous() for name, value in self.network.state_dict().items()}
        save_file(halves, folder / _WEIGHTS)
        config = _Config(sizes=self.network.sizes).model_dump_json(indent=1)
        (folder / _CONFIG).write_text(config + "\n", encoding="utf-8")

    def answers(self, rgb: np.ndarray, hint: Hint, most: int = ANSWERS) -> list[Answer]:
        """Returns up to ``most`` ways to take the hint, the likeliest first.

        Args:
            rgb: The photo, uint8 ``[H, W, 3]``, RGB.
            hint: Where the thing is.
            most: How many of the network's answers to the whole photo are looked at again, at most three.

        Raises:
            PhotoError: ``rgb`` is no such array.
            UsageError: The hint says nothing, or is not in the photo.
            NumericalError: The network's answer is not a number.
        """
        (found,) = self.rough(rgb, [hint])
        apart = [found[number] for number in _apart(found)]
        settled = [self._settled(rgb, rough) for rough in apart[: max(1, most)]]
        return [answer for answer, _ in sorted(settled, key=lambda one: -one[1])]

    def rough(self, rgb: np.ndarray, hints: Sequence[Hint]) -> list[list[Rough]]:
        """Returns what a first look at the whole photo answers to each of some hints: :data:`ANSWERS` each.

        They are much cheaper than :meth:`answers`, and coarse; :meth:`settled` makes an answer of one.

        Args:
            rgb: The photo, uint8 ``[H, W, 3]``, RGB.
            hints: Each says where a thing is.

        Raises:
            As :meth:`answers`.
        """
        _check_photo(rgb)
        first = self._look(rgb, [hint.checked() for hint in hints], WHOLE, _WIDE)
        return [
            [Rough(hint, logits, number, float(sure[number])) for number in range(ANSWERS)]
            for hint, logits, sure in zip(hints, first.logits, first.sure, strict=True)
        ]

    def settled(self, rgb: np.ndarray, rough: Rough) -> Answer:
        """Returns what a second look, at a window about it, makes of an answer of the first.

        Raises:
            NumericalError: The network's answer is not a number.
        """
        return self._settled(rgb, rough)[0]

    def _settled(self, rgb: np.ndarray, first: Rough) -> tuple[Answer, float]:
        """Looks again at a window about one of the first look's answers, asking in several ways.

        What was told and what was found, together, each alone, and with the found thing's deepest place as
        one more point. The answer is their mean; as far as they agree with it, it is sure. Beside it, how
        likely it is meant, in [0, 2].
        """
        hint, rough = first.hint, first.share
        window = _about(rough, hint, rgb.shape[:2])
        deep = (*hint.positive, deepest(rough))
        asked = [
            replace(hint, mask=rough),
            hint,
            Hint((), hint.negative, mask=rough),
            replace(hint, positive=deep, mask=rough),
        ]
        # What a point rules out is asked for as well, and taken off; of one kind with what a heat is on, it
        # would be all of them.
        refused = [Hint(hint.negative, hint.positive)] if hint.negative and hint.heat is None else []
        again = self._look(rgb, [*asked, *refused], window, _CLOSE)
        answers = again.logits[np.arange(len(again.logits)), again.sure.argmax(1)]
        said, other = answers[: len(asked)], answers[len(asked) :]
        mean = said.mean(0) - np.maximum(other, 0).sum(0)

        height, width = rgb.shape[:2]
        left, right = round(again.window[0] * width), round(again.window[2] * width)
        top, bottom = round(again.window[1] * height), round(again.window[3] * height)
        alpha = np.zeros((height, width), np.float32)
        alpha[top:bottom, left:right] = led_by(rgb[top:bottom, left:right], _logistic(mean))
        agreed = [_iou(one > 0, mean > 0) for one in said]
        edges = [_iou(mean > near, mean > -near) for near in (1, 2)]
        others = [_iou(again.logits[0, k] > 0, mean > 0) for k in range(ANSWERS)]
        # What the three first answers have in common is likelier meant than what one of them alone says.
        drawn = first.logits > 0
        shared = [_iou(drawn[first.number], other) for other in drawn]
        agrees = float((np.mean([*agreed, *edges, *others]) + np.mean(shared)) / 2)
        confidence = float(np.interp(agrees, _AGREEMENT, _EXPECTED))
        crisp = _iou(mean > _CRISP, mean > -_CRISP)
        return Answer(whole_pieces(alpha, hint), confidence), crisp + float(np.mean(shared))

    @torch.inference_mode()
    def _look(self, rgb: np.ndarray, hints: list[Hint], window: Box, side: int) -> _Look:
        height, width = rgb.shape[:2]
        left, right = round(window[0] * width), round(window[2] * width)
        top, bottom = round(window[1] * height), round(window[3] * height)
        part = rgb[top:bottom, left:right]
        exact = (left / width, top / height, right / width, bottom / height)
        size = seen_size(part.shape[:2], side)
        seen = resized_rgb(part, *size)
        maps = np.stack([hint.within(exact).maps(size[0] // 4, size[1] // 4) for hint in hints])
        pixels = torch.as_tensor(np.ascontiguousarray(seen)).permute(2, 0, 1)[None].float()
        told = torch.as_tensor(maps)[None]
        logits, sure = self._asked(pixels, told)
        if self.mirrored:
            other, also = self._asked(pixels.flip(3), told.flip(4))
            logits, sure = (logits + other.flip(3)) / 2, (sure + also) / 2
        if not bool(torch.isfinite(logits).all()):
            raise NumericalError("the cut-out network's answer is not a number", "install realedit again")
        return _Look(logits.numpy(), sure.numpy(), exact)

    def _asked(self, pixels: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
        logits, sure = self.network(pixels, self.pyramid(pixels), maps)
        return logits[0], sure[0]


def seen_size(size: tuple[int, int], side: int = _WIDE) -> tuple[int, int]:
    """Returns (height, width) at which a look sees a window of a size, its longer side about ``side``."""
    scale = side / max(size)
    height, width = (max(2, round(length * scale / MULTIPLE)) * MULTIPLE for length in size)
    return height, width


def agreement(logits: np.ndarray, number: int) -> float:
    """Returns how sharply one of a first look's answers is drawn, and how alike all are to it, in [0, 1].

    Args:
        logits: of P(thing) in all answers, float32 ``[ANSWERS, h, w]``.
        number: which of them.
    """
    one, drawn = logits[number], logits > 0
    crisp = _iou(one > _CRISP, one > -_CRISP)
    return (crisp + float(np.mean([_iou(drawn[number], other) for other in drawn]))) / 2


def _check_photo(rgb: np.ndarray) -> None:
    """Refuses what is no photo.

    Raises:
        PhotoError: ``rgb`` is not uint8 ``[H, W, 3]``.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < 1:
        raise PhotoError(f"the photo is {rgb.dtype} {list(rgb.shape)}, not uint8 [H, W, 3]")


def _logistic(logits: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def _apart(found: list[Rough]) -> list[int]:
    """The answers to a hint that differ, the surest of those that do not."""
    kept: list[int] = []
    drawn = found[0].logits > 0
    for number in np.argsort([-rough.sure for rough in found]):
        if all(_iou(drawn[number], drawn[other]) < _SAME for other in kept):
            kept.append(int(number))
    return kept


def deepest(share: np.ndarray) -> Point:
    """The place farthest inside what is likelier than not; the likeliest one if nothing is."""
    drawn = np.pad((share > min(0.5, 0.6 * float(share.max()))).astype(np.uint8), 1)
    depth = cv2.distanceTransform(drawn, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (float(x + 0.5) / share.shape[1], float(y + 0.5) / share.shape[0])


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(int((one | other).sum()), 1))


def _about(rough: np.ndarray, hint: Hint, size: tuple[int, int]) -> Box:
    """The window of the second look: what was found, or the hint's box, and some room about it."""
    drawn = rough > min(0.5, 0.6 * float(rough.max()))
    ys, xs = np.nonzero(drawn)
    h, w = rough.shape
    left, right = xs.min() / w, (xs.max() + 1) / w
    top, bottom = ys.min() / h, (ys.max() + 1) / h
    if hint.box is not None:
        left, top, right, bottom = hint.box
    for x, y in hint.positive:
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    height, width = size
    room = _MARGIN * max((right - left) * width, (bottom - top) * height, _LEAST)
    return (
        max(0.0, left - room / width),
        max(0.0, top - room / height),
        min(1.0, right + room / width),
        min(1.0, bottom + room / height),
    )


def led_by(part: np.ndarray, share: np.ndarray) -> np.ndarray:
    """P(thing) brought to the window's own pixels, its unsure edge led by the photo's (He et al. 2013).

    The guided filter (https://doi.org/10.1109/TPAMI.2012.213) fits the share by a linear function of the
    colours about every pixel; only where the network is unsure does its answer replace the network's.
    """
    height, width = part.shape[:2]
    scale = min(1.0, _FINE / max(height, width))
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    guide = resized_rgb(part, h, w).astype(np.float32) / 255
    plain = resized(share, h, w)
    cell = max(h / share.shape[0], w / share.shape[1])
    radius = max(2, round(1.5 * cell))
    led = cv2.ximgproc.guidedFilter(guide, plain, radius, 1e-4)
    near = cv2.GaussianBlur(((plain > 0.03) & (plain < 0.97)).astype(np.float32), (0, 0), max(0.5, cell / 2))
    alpha = plain + (led - plain) * np.clip(near * 1.5, 0, 1)
    # The share is smooth over cells; the edge of most things is not.
    alpha = np.clip((alpha - 0.5) * 1.6 + 0.5, 0, 1)
    return np.clip(resized(alpha.astype(np.float32), height, width), 0, 1)


def resized_rgb(rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns ``[height, width, 3]``: averaged where it shrinks, bilinear where it grows."""
    shrinks = rgb.shape[0] > height or rgb.shape[1] > width
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def whole_pieces(alpha: np.ndarray, hint: Hint) -> np.ndarray:
    """Keeps the pieces that points are on; where there are none, or a box too, those that are no crumbs."""
    drawn = (alpha > 0.5).astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(drawn)
    if count <= 2:
        return alpha
    areas = facts[:, cv2.CC_STAT_AREA].astype(float)
    areas[0] = 0
    kept = areas > _ISLAND * areas.max()
    height, width = alpha.shape

    def under(points: tuple[Point, ...]) -> list[int]:
        found = (labels[min(int(y * height), height - 1), min(int(x * width), width - 1)] for x, y in points)
        return [int(piece) for piece in found if piece]

    meant = under(hint.positive)
    if meant and hint.box is None:
        kept[:] = False
    kept[under(hint.negative)] = False
    kept[meant] = True
    # A kept piece's soft edge stays with it, a dropped one's goes.
    near = cv2.dilate(kept[labels].astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    dropped = ~kept
    dropped[0] = False
    return np.where(near & ~dropped[labels], alpha, 0).astype(np.float32)
