"""Train the cut-out network; stops cleanly, goes on where it stopped.

    python -m examples.cutout.train --data FOLDER --output FOLDER --minutes 60

``--data`` holds ``scenes/*``, ``things/*``, ``photos`` and ``masks`` as README.md tells; ``--output`` gets
``checkpoint.pt`` (weights, their running mean, optimiser, step) and ``log.jsonl``.
``python -m examples.cutout.export CHECKPOINT FOLDER`` writes what ships.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import cyclopts
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from examples.cutout.samples import Pool, draw, hint_at, meant, points_in
from examples.cutout.sheets import Scenes, Sheet, load_photographs
from realedit.cutout.cutout import CutOut
from realedit.cutout.features import load_features
from realedit.cutout.hints import CHANNELS, Hint
from realedit.cutout.network import CutOutNetwork, Pyramid

SHAPES = ((320, 320), (288, 352), (352, 288), (256, 384), (384, 256))
"""Heights and widths of training pictures, at ``side`` 320."""
Batch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Pixels, maps, truths and which hints are ambiguous; see :func:`batch`."""
_WARM = 100
_EMA = 0.998


def load_pool(data: Path) -> Pool:
    """All training pictures of a folder."""
    return Pool(
        Scenes(_shards(data / "scenes")),
        Scenes(_shards(data / "things")),
        load_photographs(data / "photos", data / "masks"),
    )


def _shards(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if (path / "scenes.jsonl").exists())


def load_pyramid(device: str = "cpu") -> Pyramid:
    """EfficientNet-Lite0's features, as the package holds them."""
    return Pyramid(load_features()).to(device).to(memory_format=torch.channels_last)


def batch(pool: Pool, pictures: int, hints: int, rng: np.random.Generator, side: int = 320) -> Batch:
    """One step's examples: K hints at each of B pictures.

    Returns:
        Pixels ``[B, 3, H, W]``, maps ``[B, K, CHANNELS, H / 4, W / 4]``, truths ``[B, K, H, W]``, and which
        hints can be taken in several ways, ``[B, K]``.
    """
    height, width = (round(s * side / 320 / 32) * 32 for s in SHAPES[int(rng.integers(len(SHAPES)))])
    size = (height, width)
    images: list[np.ndarray] = []
    maps = np.zeros((pictures, hints, CHANNELS, size[0] // 4, size[1] // 4), np.float32)
    truths = np.zeros((pictures, hints, *size), np.uint8)
    open_ = np.zeros((pictures, hints), bool)
    for b in range(pictures):
        sheet = draw(pool, size, rng)
        images.append(sheet.image)
        for k in range(hints):
            maps[b, k], truths[b, k], open_[b, k] = _one(sheet, rng)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    return pixels, torch.from_numpy(maps), torch.from_numpy(truths).float(), torch.from_numpy(open_)


def _one(sheet: Sheet, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    mask = meant(sheet, rng)
    hint, open_ = hint_at(mask, sheet.masks, rng)
    return hint.maps(mask.shape[0] // 4, mask.shape[1] // 4), mask, open_


def losses(logits: Tensor, sure: Tensor, truths: Tensor, ambiguous: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, the best answer's IoU and the chosen one's, ``[B, K]``.

    Binary cross-entropy, heavier at the edge and as heavy on the thing as on what is not, and Dice, of the
    answer that fits best; where a hint can be taken in one way only, of all of them as well.
    """
    truth = F.avg_pool2d(truths, 2)[:, :, None]
    flat = truth.flatten(0, 2)[:, None]
    edge = (F.max_pool2d(flat, 5, 1, 2) - F.avg_pool2d(flat, 5, 1, 2)).clamp(0, 1).view_as(truth)
    inside = truth.mean((3, 4), keepdim=True).clamp(0.01, 0.9)
    weight = 1 + 2 * edge + truth * (0.5 * (1 - inside) / inside).clamp(max=6)
    weight = weight / weight.mean((3, 4), keepdim=True)
    crossed = F.binary_cross_entropy_with_logits(logits, truth.expand_as(logits), reduction="none")
    crossed = (crossed * weight).mean((3, 4))
    share = logits.sigmoid()
    both = (share * truth).sum((3, 4))
    dice = 1 - (2 * both + 1) / (share.sum((3, 4)) + truth.sum((3, 4)) + 1)
    each = crossed + dice
    with torch.no_grad():
        drawn, true = logits > 0, truth > 0.5
        iou = (drawn & true).sum((3, 4)) / ((drawn | true).sum((3, 4)) + 1e-6)
    best = each.amin(2)
    other = torch.where(ambiguous, 0.06, 0.5)
    answers = (best + other * each.mean(2)).mean()
    known = F.binary_cross_entropy_with_logits(sure, iou, reduction="none").mean()
    chosen = iou.gather(2, sure.argmax(2, keepdim=True)).squeeze(2)
    return answers + 0.3 * known, iou.amax(2), chosen


def looked_again(
    maps: Tensor, logits: Tensor, sure: Tensor, truths: Tensor, rng: np.random.Generator
) -> Tensor:
    """Maps that hold what was just found as a rough mask, a third of them a click where it was wrong too."""
    chosen = sure.argmax(2)
    share = (
        logits.detach()
        .sigmoid()
        .gather(2, chosen[:, :, None, None, None].expand(-1, -1, 1, *logits.shape[-2:]))
    )
    coarse = F.avg_pool2d(share.squeeze(2), 2)
    again = maps.clone()
    again[:, :, 6], again[:, :, 10] = coarse, 1.0
    height, width = maps.shape[-2:]
    for b, k in np.ndindex(*maps.shape[:2]):
        if rng.random() > 0.33:
            continue
        truth = F.max_pool2d(truths[b, k][None, None], 4)[0, 0].numpy() > 0.5
        found = coarse[b, k].float().numpy() > 0.5
        missed, wrong = truth & ~found, found & ~truth
        if max(missed.sum(), wrong.sum()) < 8:
            continue
        if missed.sum() > wrong.sum():
            click = Hint(points_in(missed, 1, rng)).maps(height, width)
            first = 0
        else:
            click = Hint(negative=points_in(wrong, 1, rng)).maps(height, width)
            first = 2
        part = torch.from_numpy(click[first : first + 2])
        again[b, k, first : first + 2] = torch.maximum(again[b, k, first : first + 2], part)
        if first == 0:
            again[b, k, 8] = 1.0
    return again


def main(
    *,
    data: Path,
    output: Path,
    minutes: float = 60,
    device: str = "cpu",
    pictures: int = 8,
    hints: int = 4,
    rate: float = 1e-3,
    total: int = 6000,
    again: float = 0.3,
    dropout: float = 0.25,
    side: int = 320,
    seed: int = 0,
    steps: int | None = None,
    workers: int = 0,
    init: Path | None = None,
) -> None:
    """Train for some minutes.

    Args:
        data: Pictures and masks.
        output: Gets ``checkpoint.pt`` and ``log.jsonl``.
        minutes: After so many it saves and stops.
        device: cpu or cuda.
        pictures: A step.
        hints: A picture.
        rate: Of learning, at its highest.
        total: Steps over which the rate falls to a twentieth, in a cosine; 0 for all the minutes.
        again: Share of steps that look twice, the second time at what the first found.
        dropout: Of the features' projections.
        side: Of the pictures, pixels.
        seed: Of everything.
        steps: After so many steps in all it stops as well.
        workers: Processes that make the pictures ahead, as many as a GPU needs; 0 makes them here.
        init: A folder that ``examples.cutout.export`` wrote, to start from.
    """
    start = time.monotonic()
    cv2.setNumThreads(1)
    torch.manual_seed(seed)
    output.mkdir(parents=True, exist_ok=True)
    pool, saved = load_pool(data), output / "checkpoint.pt"
    step = held_step(saved)
    rng = np.random.default_rng((seed, step))
    # before the GPU is touched: processes are forked off
    ahead = made_ahead(partial(batch, pool, pictures, hints, side=side), (seed, step), workers)
    training = Training.begun(device, step, rate)
    if saved.exists():
        training.take_up(saved)
    elif init is not None:
        training.start_from(CutOut.load(init).network)
    else:
        measure(training.network, training.pyramid, pool, seed)
        training.start_from(training.network)
    training.network.train()
    recent: list[tuple[float, float, float]] = []
    last = time.monotonic()
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    while time.monotonic() - start < minutes * 60 and not stopped and training.step != steps:
        done = training.step / total if total else (time.monotonic() - start) / (minutes * 60)
        training.set_rate(rate, done)
        recent.append(training.learn(next(ahead), rng, again=again, dropout=dropout))
        if training.step % 25 == 0:
            _note(output, training.step, recent, time.monotonic() - start)
            recent.clear()
        if time.monotonic() - last > 240:
            training.save(saved)
            last = time.monotonic()
    training.save(saved)


@dataclass
class Training:
    """A network that learns, and all that is needed to go on with it."""

    device: str
    network: CutOutNetwork
    pyramid: Pyramid
    optimizer: torch.optim.Optimizer
    step: int
    mean: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """The weights' running mean, which is what ships."""

    @classmethod
    def begun(cls, device: str, step: int, rate: float) -> Training:
        """A network of random weights."""
        network = CutOutNetwork().to(device)
        optimizer = torch.optim.AdamW(network.parameters(), rate, (0.9, 0.98), weight_decay=0.02)
        return cls(device, network, load_pyramid(device), optimizer, step)

    def start_from(self, other: CutOutNetwork) -> None:
        """Take over another network's weights; the running mean begins with them."""
        self.network.load_state_dict(other.state_dict())
        self.mean = {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def take_up(self, checkpoint: Path) -> None:
        """Go on where :meth:`save` was called."""
        held = torch.load(checkpoint, map_location=self.device, weights_only=True)
        self.network.load_state_dict(held["network"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.mean = held["mean"]

    def save(self, checkpoint: Path) -> None:
        """Write all of it, whole or not at all."""
        held = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "mean": self.mean,
            "step": self.step,
        }
        torch.save(held, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    def set_rate(self, highest: float, done: float) -> None:
        """Set the rate of learning: it rises at first, then falls to a twentieth in a cosine.

        Args:
            highest: Of the rates.
            done: Share of the training that is done.
        """
        rising = min(1.0, (self.step + 1) / _WARM)
        falling = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        for group in self.optimizer.param_groups:
            group["lr"] = highest * rising * falling

    def learn(
        self, examples: Batch, rng: np.random.Generator, *, again: float, dropout: float
    ) -> tuple[float, float, float]:
        """Learn from one step's examples; the loss, and the IoUs of the best and of the chosen answers."""
        logits, sure, truths, ambiguous = self._answered(examples, rng, again, dropout)
        loss, best, chosen = losses(logits, sure, truths, ambiguous)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        kept = min(_EMA, (self.step + 1) / (self.step + 20))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.mean[name].lerp_(value, 1 - kept)
        return float(loss.detach()), float(best.mean()), float(chosen.mean())

    def _answered(
        self, examples: Batch, rng: np.random.Generator, again: float, dropout: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Answers, how sure they are, truths, and which are ambiguous; some at a second look."""
        pixels, maps, truths, ambiguous = (x.to(self.device) for x in examples)
        with torch.autocast(self.device, torch.bfloat16):
            levels = self.pyramid(pixels.contiguous(memory_format=torch.channels_last))
            seen = [level.contiguous() for level in levels]
            if rng.random() < again:
                with torch.no_grad():
                    first, sure = self.network(pixels, seen, maps, dropout)
                maps = looked_again(maps.cpu(), first.cpu(), sure.cpu(), truths.cpu(), rng).to(self.device)
                ambiguous = torch.zeros_like(ambiguous)
            logits, sure = self.network(pixels, seen, maps, dropout)
        return logits, sure, truths, ambiguous


def held_step(checkpoint: Path) -> int:
    """The step at which a training stopped; 0 where it has not begun."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["step"] if checkpoint.exists() else 0


def made_ahead(
    make: Callable[[np.random.Generator], Batch], seed: Sequence[int], workers: int
) -> Iterator[Batch]:
    """Batches without end, in processes of their own where there are any.

    Args:
        make: Of random numbers, one batch.
        seed: Of the random numbers; each process has its own.
        workers: Processes; 0 for none.
    """
    return iter(DataLoader(_Batches(make, tuple(seed)), None, num_workers=workers))


class _Batches(IterableDataset[Batch]):
    """What a process makes."""

    def __init__(self, make: Callable[[np.random.Generator], Batch], seed: tuple[int, ...]) -> None:
        self._make, self._seed = make, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng((*self._seed, 0 if worker is None else 1 + worker.id))
        while True:
            yield self._make(rng)


@torch.no_grad()
def measure(network: CutOutNetwork, pyramid: Pyramid, pool: Pool, seed: int, pictures: int = 48) -> None:
    """Set the features' mean and spread from some pictures."""
    rng = np.random.default_rng((seed, 1))
    seen = [pyramid(batch(pool, 1, 1, rng)[0].to(network.answers.device)) for _ in range(pictures)]
    for number, levels in enumerate(zip(*seen, strict=True)):
        flat = torch.cat([level.float().flatten(2)[0] for level in levels], 1)
        getattr(network, f"mean{number}").copy_(flat.mean(1))
        getattr(network, f"scale{number}").copy_(1 / (flat.std(1) + 1e-3))


def _note(output: Path, step: int, recent: Sequence[tuple[float, float, float]], seconds: float) -> None:
    loss, best, chosen = np.mean(recent, axis=0)
    line = {"step": step, "loss": round(loss, 4), "best": round(best, 4), "chosen": round(chosen, 4)}
    with (output / "log.jsonl").open("a") as log:
        log.write(json.dumps(line | {"seconds": round(seconds)}) + "\n")


if __name__ == "__main__":
    cyclopts.run(main)
