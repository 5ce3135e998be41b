"""Train the tabletop model's U-Net and text encoders on scenes, for so many minutes.

    python -m examples.tabletop.train_diffusion --scenes FOLDER --vae FOLDER --output FOLDER

Noise prediction weighted by 1 / sqrt(SNR) (Yu et al. 2024, https://arxiv.org/abs/2310.08442): what a picture
shows and where is settled at high noise, where the plain loss is small and hardly teaches. For the same
reason times are drawn in proportion to themselves, and objects count more than the rest (``balance``).
TokenCompose's attention losses (Wang et al. 2023), one that tells things apart (``recognition_loss``), and
where there are glances, alignment with a teacher at every noise level. A run has its own learning rate
schedule: 128 px can be followed by ``--resume --size 256``. On a CPU each thread is a process of its own with
a part of the batch: faster than threads that share a step.
"""

import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from cyclopts import Parameter
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from transformers import CLIPTokenizer

from examples.tabletop.alignment import CHANNELS, SIDE, features_file, see_pictures
from examples.tabletop.attention_loss import Kept, attention_loss, keep_attention
from examples.tabletop.batches import Batch, draw_batch
from examples.tabletop.glance import Glances, hidden_states
from examples.tabletop.latents import Shard, encode_pictures, latent_file, new_file
from examples.tabletop.mixed_precision import MasterWeights
from examples.tabletop.model import BETAS, TOKENS, TabletopModel
from examples.tabletop.recognition_loss import recognition_loss
from examples.tabletop.tokenizer import make_tokenizer
from examples.tabletop.working_precision import working_precision
from realedit.system.processes import ends_in_order
from realedit.system.progress import Progress, progress_bars

CHECKPOINT, PROJECTION = "checkpoint.pt", "projection.pt"

_WARM_UP = 50  # steps
_STEADY = 0.4  # of a run's time at the full rate; then a cosine down to _LAST_RATE of it
_LAST_RATE = 0.02
_LOG_EVERY = 20  # steps
_SAVE_EVERY = 300.0  # seconds


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Run:
    """One run's settings.

    Attributes:
        scenes: Folders of scenes; give the option once for each.
        vae: The autoencoder's folder.
        output: Where the checkpoint, the log, the tokenizer and the latents go.
        size: The pictures' side in pixels.
        minutes: How long to train.
        batch: Scenes a step, over all processes.
        rate: The highest learning rate.
        attention: Weight of the attention losses.
        recognition: Weight of the loss that tells things apart.
        glances: Scenes a step, over all processes, that only the U-Net's first half sees; 0 for none.
        windows: Share of steps that see windows of half the side, twice as many (see ``views``).
        favour: The most that an object's cell counts over one of what it stands on; 1 for all alike. Above 1
            words are learnt sooner, and things are drawn where there should be none.
        alignment: Weight of the loss that draws features to the teacher's, where there are glances.
        device: Where to compute.
        threads: On a CPU, the number of one-thread processes that share a batch.
        seed: Of weights, scenes, captions and noise.
        optimizer: Of matrices and convolutions; the rest is AdamW's.
        resume: Continue from the output folder's checkpoint.
        init: Start from an exported pipeline.
    """

    scenes: tuple[Path, ...]
    vae: Path
    output: Path
    size: int = 128
    minutes: float = 60.0
    batch: int = 64
    rate: float = 8e-4
    attention: float = 0.03
    recognition: float = 0.02
    glances: int = 0
    windows: float = 0.0
    favour: float = 6.0
    alignment: float = 0.5
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 2
    seed: int = 0
    optimizer: Literal["muon", "adamw"] = "muon"
    resume: Annotated[bool, Parameter(negative=())] = False
    init: Path | None = None


def main(run: Run) -> None:
    """Train; see the module's docstring."""
    if run.resume:
        _check_checkpoint(run)
    run.output.mkdir(parents=True, exist_ok=True)
    if run.init is None and not (run.resume and (run.output / "tokenizer").exists()):
        make_tokenizer(run.output / "tokenizer", TOKENS).save_pretrained(run.output / "tokenizer")
    elif run.init is not None:
        CLIPTokenizer.from_pretrained(run.init / "tokenizer").save_pretrained(run.output / "tokenizer")
    if run.device == "cuda" or run.threads == 1:
        train(run, 0, 1)
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as meeting, ends_in_order():
        spawn(_work, (run, f"file://{meeting}/meeting"), nprocs=run.threads, daemon=True)


def train(run: Run, worker: int, workers: int) -> None:
    """One process's part of a run, among ``workers`` that average their gradients."""
    shards = _open_shards(run, worker, workers)
    tokenizer = CLIPTokenizer.from_pretrained(run.output / "tokenizer")
    torch.manual_seed(run.seed)
    model = TabletopModel.from_pipeline(run.init) if run.init else TabletopModel.new(tokenizer)
    model = model.to(run.device)
    kept = keep_attention(model.unet)
    masters = MasterWeights(model, muon=run.optimizer == "muon")
    model.to(working_precision(run.device))
    if run.resume:
        masters.load_state_dict(torch.load(run.output / CHECKPOINT, map_location=run.device))
    glances = None
    if shards[0].seen is not None:
        glances = Glances(model, kept, shards[0].seen[0])
        if run.resume and (run.output / PROJECTION).exists():
            state = torch.load(run.output / PROJECTION, map_location=run.device)
            glances.masters.load_state_dict(state)
    first, saved, began = masters.step, 0.0, time.monotonic()
    log = _Log(run.output / "log.jsonl")
    with progress_bars(quiet=worker > 0) as report:
        while (elapsed := _elapsed(began)) < run.minutes * 60:
            rng = np.random.default_rng((run.seed, masters.step, worker))
            windows = np.random.default_rng((run.seed, masters.step)).random() < run.windows
            count = run.batch * (2 if windows else 1)
            batch = draw_batch(shards, tokenizer, count // workers, rng, windows=windows)
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            loss, figures = losses(model, kept, batch, run, generator, glances)
            loss.backward()
            rate = run.rate * schedule(masters.step - first, elapsed / (run.minutes * 60))
            seen = figures.new_zeros(2)
            if glances is not None:
                batch = draw_batch(shards, tokenizer, run.glances // workers, rng, none_named=1.0)
                told, apart = glances.losses(batch, generator)
                (run.recognition * told + run.alignment * apart).backward()
                glances.masters.update(rate)
                seen = torch.stack([told, apart]).detach()
            figures = torch.cat([figures, seen])
            norm = masters.update(rate)
            if worker:
                continue
            log.add(masters.step, count, figures, rate, norm)
            report("training", round(elapsed), round(run.minutes * 60))
            if elapsed - saved > _SAVE_EVERY:
                _save(run, masters, glances)
                saved = elapsed
    if not worker:
        _save(run, masters, glances)


def losses(
    model: TabletopModel,
    kept: Kept,
    batch: Batch,
    run: Run,
    generator: torch.Generator,
    glances: Glances | None = None,
) -> tuple[Tensor, Tensor]:
    """The loss, and float ``[5]``: MSE by place, weighted by time too, attention, inside, recognition."""
    device = next(model.parameters()).device
    timesteps: Any = (1000 * torch.rand(len(batch.latents), generator=generator).sqrt()).long()
    noise = torch.randn(batch.latents.shape, generator=generator)
    scheduler = DDPMScheduler(**BETAS)
    noisy = scheduler.add_noise(batch.latents, noise, timesteps)
    alphas = scheduler.alphas_cumprod[timesteps]
    weights = ((1 - alphas) / alphas).sqrt().to(device)
    kept.clear()
    kept.vocabulary = batch.words.to(device).embedded(model) if run.recognition else None
    with hidden_states(model.unet) as states:
        predicted = model(
            noisy.to(device, model.unet.dtype),
            timesteps.to(device),
            batch.ids.to(device),
            batch.named.to(device),
            batch.sizes.to(device),
        )
    counts = balance(batch.objects, noise.shape[-1], run.favour).to(device)
    squared = (counts * (predicted.float() - noise.to(device)).square()).mean((1, 2, 3))
    weighted = (weights * squared).mean()
    tied, inside = attention_loss(kept.maps, batch.nouns.to(device))
    told = recognition_loss(kept.readings, batch.things.to(device), alphas.to(device))
    figures = torch.stack([squared.mean(), weighted, tied, inside, told]).detach()
    loss = weighted + run.attention * tied + run.recognition * told
    return loss if glances is None else loss + run.alignment * glances.alignment(states, batch), figures


def balance(objects: Tensor, side: int, favour: float) -> Tensor:
    """What each cell counts for, mean one: objects together as much as the rest, but for ``favour``.

    Args:
        objects: float ``[B, 1, H, W]``, 1 where something stands.
        side: Cells of a side.
        favour: The most that an object's cell counts, over one of the rest; 1 or more.

    Returns:
        float ``[B, 1, side, side]``.
    """
    shares = F.adaptive_avg_pool2d(objects, side)
    area = shares.mean((1, 2, 3), keepdim=True)
    ratio = ((1 - area) / area.clamp_min(1e-3)).clamp(1, favour)
    counts = 1 + (ratio - 1) * shares
    return counts / counts.mean((1, 2, 3), keepdim=True)


def schedule(step: int, done: float) -> float:
    """Share of the highest rate, for a run's steps so far and the share ``done`` of its time."""
    warm = min(1.0, (step + 1) / _WARM_UP)
    falling = min(1.0, max(0.0, (done - _STEADY) / (1 - _STEADY)))
    return warm * (_LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * falling)))


def _check_checkpoint(run: Run) -> None:
    """Say what cannot be gone on from, before anything is made.

    Raises:
        SystemExit: there is no checkpoint, or it is not of this run's optimizer.
    """
    file = run.output / CHECKPOINT
    if not file.exists():
        raise SystemExit(f"train_diffusion: no checkpoint in {run.output}; start without --resume")
    kept = torch.load(file, map_location="cpu", mmap=True).get("optimizers", ())
    if not kept:
        raise SystemExit(
            f"train_diffusion: {file} is of an older version; export it and start from there with --init"
        )
    if len(kept) != (2 if run.optimizer == "muon" else 1):
        raise SystemExit(
            f"train_diffusion: {file} was not trained by {run.optimizer}; name the other --optimizer"
        )


def save(masters: MasterWeights, file: Path) -> None:
    """Write a checkpoint that is whole or not there."""
    part = file.with_suffix(".part")
    torch.save(masters.state_dict(), part)
    part.replace(file)


def _save(run: Run, masters: MasterWeights, glances: Glances | None) -> None:
    save(masters, run.output / CHECKPOINT)
    if glances is not None:
        save(glances.masters, run.output / PROJECTION)


def _work(worker: int, run: Run, meeting: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting, rank=worker, world_size=run.threads)
    train(run, worker, run.threads)
    dist.destroy_process_group()


def _elapsed(began: float) -> float:
    """The first process's seconds, so that all stop at the same step."""
    elapsed = torch.tensor(time.monotonic() - began, dtype=torch.float64)
    if dist.is_initialized():
        dist.broadcast(elapsed, 0)
    return elapsed.item()


def _open_shards(run: Run, worker: int, workers: int) -> list[Shard]:
    cache, share = run.output / "latents", (worker, workers)
    shards = []
    for folder in run.scenes:
        count = len(np.load(folder / "images.npy", mmap_mode="r"))
        latents = latent_file(folder, run.vae, run.size, cache)
        _fill(latents, (count, 4, run.size // 4), share, partial(encode_pictures, folder, run.vae, run.size))
        seen = features_file(folder, cache) if run.glances else None
        if seen is not None:
            _fill(seen, (count, CHANNELS, SIDE), share, partial(see_pictures, folder))
        shards.append(Shard.open(folder, latents, seen))
    return shards


def _fill(
    file: Path,
    shape: tuple[int, int, int],
    share: tuple[int, int],
    work: Callable[[Path, tuple[int, int], Progress], None],
) -> None:
    """Make a file of pictures' arrays, unless it is there; each process does its share of the work."""
    part = file.with_suffix(".part")
    with _together():
        missing = not file.exists()
    if not missing:
        return
    with _together():
        if not share[0]:
            new_file(file, *shape)
    with _together(), progress_bars(quiet=share[0] > 0) as report:
        work(part, share, report)
    with _together():
        if not share[0]:
            part.replace(file)


@contextmanager
def _together() -> Iterator[None]:
    """Wait at the end until every process is there."""
    yield
    if dist.is_initialized():
        dist.barrier()


class _Log:
    """Appends a line of JSON every so many steps, with the means since the last."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._samples = 0
        self._figures: list[Tensor] = []
        self._began = self._last = time.monotonic()

    def add(self, step: int, count: int, figures: Tensor, rate: float, norm: float) -> None:
        """Take note of a step of ``count`` samples."""
        self._samples += count
        self._figures.append(figures)
        if len(self._figures) < _LOG_EVERY:
            return
        now = time.monotonic()
        mse, weighted, tied, inside, told, glanced, apart = torch.stack(self._figures).mean(0).tolist()
        line = {
            "step": step,
            "seconds": round(now - self._began, 1),
            "samples/s": round(self._samples / (now - self._last), 1),
            "mse": round(mse, 4),
            "weighted": round(weighted, 4),
            "attention": round(tied, 4),
            "inside": round(inside, 3),
            "recognition": round(told, 3),
            "glances": round(glanced, 3),
            "alignment": round(apart, 3),
            "rate": rate,
            "norm": round(norm, 3),
        }
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._figures.clear()
        self._samples, self._last = 0, now


if __name__ == "__main__":
    cyclopts.run(main)
