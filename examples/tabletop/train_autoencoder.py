"""Train the tabletop model's autoencoder: 256 x 256 pixels to 4 x 64 x 64 latents and back.

    python -m examples.tabletop.train_autoencoder --photos photographs --scenes scenes/0 --scenes scenes/1 \
        --output autoencoder --minutes 32 --processes 2

``--photos`` is a folder of ``examples.tabletop.photographs``, ``--scenes`` of ``examples.tabletop.render``.
OUTPUT gets ``vae/`` (a plain ``diffusers.AutoencoderTiny``, averaged weights, ``scaling_factor`` = 1 / std of
the latents), ``training.pt`` (to go on with ``--resume``) and ``log.jsonl``. With y decoded from z plus noise
of 0.04, which makes the decoder bear with a diffusion model's small errors, and e = y - x, the loss is

    |e| + 2 e^2 + |A8 e| / 2 + 2 |D A8 e| + 0.6 |D A2 e| + 3e-3 max(0, mean(z^2) - 1) + w ST-LPIPS(y, x),

where Ak averages squares of k x k pixels and D takes colour differences (red - blue, 2 green - red - blue).
Without the terms in D four channels become three for edges and one for orange against blue, as four principal
components would, and green and purple come out grey: so it was after 1,700 steps of an ``AutoencoderKL``
(32, 48, 96) and after 2,000 of this model. ST-LPIPS (Ghildyal and Liu 2022, https://arxiv.org/abs/2207.13686)
is taken at every third step, if ``--perceptual`` gives it a weight.

The learning rate falls along a cosine over ``--minutes`` of each run; ``--resume`` starts it anew. Figures
are PSNR in dB on 8-bit pictures, the mean over those held out (see ``crops.load_crops``), with the averaged
weights in float32.
"""

import contextlib
import io
import json
import math
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
import numpy as np
import torch
import torch.distributed as dist
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.training_utils import EMAModel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from examples.tabletop.crops import Crops, load_crops
from examples.tabletop.portable import forget_origins
from examples.tabletop.working_precision import autocast
from realedit.system.processes import ends_in_order

_PERCEPTUAL_EVERY, _LOG_EVERY, _WARM_UP = 3, 50, 50  # steps
_SAVE_EVERY = 300  # seconds
_WIDTH = 48
_NOISE = 0.04
Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    photos: Path
    output: Path
    scenes: list[Path]
    minutes: float
    device: str
    rate: float
    perceptual: float
    batch: int
    crop: int
    seed: int
    resume: bool
    freeze_encoder: bool
    processes: int


def build() -> AutoencoderTiny:
    """The untrained model, 1.0 million parameters: f = 4, four channels."""
    config = {
        "encoder_block_out_channels": (_WIDTH,) * 3,
        "decoder_block_out_channels": (_WIDTH,) * 3,
        "num_encoder_blocks": (1, 2, 4),
        "num_decoder_blocks": (4, 2, 1),
        "latent_channels": 4,
    }
    return AutoencoderTiny(**config)


def perceptual_distance(device: str) -> Distance:
    """ST-LPIPS of batches ``[B, 3, H, W]`` in [-1, 1], the mean over the batch."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from stlpips_pytorch import stlpips

        model = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    model.eval().requires_grad_(False).to(device)
    return lambda a, b: model(a, b).float().mean()


@dataclass
class Training:
    """All that a checkpoint holds, and where it runs."""

    vae: AutoencoderTiny
    average: EMAModel
    optimiser: torch.optim.Optimizer
    device: str
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def start(cls, device: str, checkpoint: Path | None, freeze_encoder: bool) -> "Training":
        """An untrained model, or the checkpoint's.

        A frozen encoder is the averaged one, as saved for use: latents made with it stay valid.
        """
        vae = build()
        nn.Module.to(vae, torch.device(device))
        nn.Module.to(vae, memory_format=torch.channels_last)
        state: dict[str, Any] = (
            torch.load(checkpoint, map_location=device, weights_only=True) if checkpoint else {}
        )
        if state:
            vae.load_state_dict(state["vae"])
        average = EMAModel(vae.parameters(), decay=0.998)
        if state:
            average.shadow_params, average.optimization_step = state["ema"], state["step"]
        if freeze_encoder:
            average.copy_to(vae.parameters())
            vae.encoder.requires_grad_(False)
        trained = [parameter for parameter in vae.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(trained, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
        if state and len(state["opt"]["param_groups"][0]["params"]) == len(trained):
            optimiser.load_state_dict(state["opt"])
        return cls(vae, average, optimiser, device, state.get("step", 0), state.get("seconds", 0.0))

    def save(self, file: Path) -> None:
        """Write a checkpoint; one that is there is replaced only by a whole one."""
        state = {
            "vae": self.vae.state_dict(),
            "ema": self.average.shadow_params,
            "opt": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, file)

    def averaged(self) -> AutoencoderTiny:
        """An autoencoder with the averaged weights, for use."""
        model = build()
        nn.Module.to(model, torch.device(self.device))
        self.average.copy_to(model.parameters())
        return model.eval()

    def update(self, loss: Tensor) -> None:
        """One step of the optimiser, with the gradient averaged over the processes."""
        self.optimiser.zero_grad()
        loss.backward()
        parameters = self.optimiser.param_groups[0]["params"]
        if dist.is_initialized():
            average_gradients(parameters)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimiser.step()
        self.average.step(self.vae.parameters())
        self.step += 1


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    parts = flat.div_(dist.get_world_size()).split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def of_first_process(number: float) -> float:
    """The first process's number, for all: they must stop at the same step."""
    if not dist.is_initialized():
        return number
    shared = torch.tensor(number, dtype=torch.float64)
    dist.broadcast(shared, 0)
    return shared.item()


def colour_differences(rgb: Tensor) -> Tensor:
    """Red - blue and 2 green - red - blue, ``[B, 2, H, W]``."""
    red, green, blue = rgb.unbind(1)
    return torch.stack([red - blue, 2 * green - red - blue], 1)


def loss_of(
    vae: AutoencoderTiny, x: Tensor, distance: Distance | None, weight: float
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch, with so much weight on the perceptual distance, and its parts."""
    with autocast(x.device.type):
        z: Tensor = vae.encoder(x).float()
        y: Tensor = vae.decoder(z + _NOISE * torch.randn_like(z))
        perceptual = distance(y, x) if distance else None
    error = y.float() - x
    square = error.square().mean()
    areas, spots = (nn.functional.avg_pool2d(error, size) for size in (8, 2))
    colour = 2 * colour_differences(areas).abs().mean() + 0.6 * colour_differences(spots).abs().mean()
    loss = error.abs().mean() + 2 * square + areas.abs().mean() / 2 + colour
    loss = loss + 3e-3 * nn.functional.relu(z.square().mean() - 1)
    parts = {
        "batch_psnr": 10 * math.log10(4 / square.item()),
        "colour": colour.item(),
        "latent_std": z.std().item(),
    }
    if perceptual is not None:
        loss = loss + weight * perceptual
        parts["perceptual"] = perceptual.item()
    return loss, {"loss": loss.item(), **parts}


@torch.inference_mode()
def measure(vae: AutoencoderTiny, pictures: Tensor) -> tuple[np.ndarray, float]:
    """PSNR of each picture's round trip in dB, and the standard deviation of the latents."""
    figures, latents = [], []
    for picture in pictures.split(1):
        z = vae.encoder(picture.to(vae.device))
        y = vae.decoder(z).cpu()
        a, b = ((127.5 * (image + 1)).clamp(0, 255).round() for image in (picture, y))
        figures.append(10 * math.log10(255**2 / max((a - b).square().mean().item(), 1e-3)))
        latents.append(z)
    return np.array(figures), torch.cat(latents).std().item()


def checkpoint(training: Training, crops: Crops, output: Path) -> dict[str, float]:
    """Measure the averaged weights and save them, and all that ``--resume`` needs; the figures."""
    vae = training.averaged()
    record: dict[str, float] = {}
    for name, pictures in crops.held_out.items():
        figures, std = measure(vae, pictures)
        record |= {f"psnr_{name}": figures.mean(), f"psnr_{name}_min": figures.min(), f"std_{name}": std}
    vae.register_to_config(scaling_factor=1 / record.get("std_scenes", record["std_photographs"]))
    vae.save_pretrained(output / "vae")
    forget_origins(output / "vae")
    training.save(output / "training.pt")
    return {name: round(value, 4) for name, value in record.items()}


class Report:
    """Writes the log and the checkpoints, and shows the progress; the first process's task."""

    def __init__(self, training: Training, crops: Crops, output: Path, progress: Progress) -> None:
        self.training, self.crops, self.output, self.progress = training, crops, output, progress
        self.task = progress.add_task("", total=1.0, figures="")
        self.saved = time.monotonic()

    def __call__(self, done: float, parts: dict[str, float]) -> None:
        """After a step, of a run of which the share ``done`` is over; at 1 all is saved."""
        record = {"step": self.training.step, "seconds": round(self.training.seconds, 1), **parts}
        if done >= 1 or time.monotonic() - self.saved > _SAVE_EVERY:
            record |= checkpoint(self.training, self.crops, self.output)
            self.saved = time.monotonic()
        elif self.training.step % _LOG_EVERY:
            return
        with (self.output / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")
        figures = f"step {self.training.step}" + (f", {parts['batch_psnr']:.1f} dB" if parts else "")
        self.progress.update(self.task, completed=done, figures=figures)


def train(training: Training, crops: Crops, settings: Settings, rank: int, report: Report | None) -> None:
    """Train for as long as the settings say."""
    distance = perceptual_distance(training.device) if settings.perceptual else None
    rng = np.random.default_rng((settings.seed, rank, training.step))
    torch.manual_seed(int(rng.integers(2**31)))
    began, first, earlier = time.monotonic(), training.step, training.seconds
    while (done := of_first_process((time.monotonic() - began) / (60 * settings.minutes))) < 1:
        warm = min(1, (training.step - first + 1) / _WARM_UP)
        for group in training.optimiser.param_groups:
            group["lr"] = settings.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        x = crops.draw(settings.batch, settings.crop, rng)
        x = x.to(training.device, memory_format=torch.channels_last)
        perceptual = distance if training.step % _PERCEPTUAL_EVERY == 0 else None
        loss, parts = loss_of(training.vae, x, perceptual, settings.perceptual)
        training.update(loss)
        training.seconds = earlier + time.monotonic() - began
        if report:
            report(done, parts)
    if report:
        report(1.0, {})


def run(rank: int, settings: Settings, port: int) -> None:
    """One process of the training."""
    if settings.processes > 1:
        # One thread each: threads that wait for each other by spinning slow everything down.
        torch.set_num_threads(1)
        address = f"tcp://127.0.0.1:{port}"
        dist.init_process_group("gloo", address, rank=rank, world_size=settings.processes)
    torch.manual_seed(settings.seed)
    resumed = settings.output / "training.pt" if settings.resume else None
    training = Training.start(settings.device, resumed, settings.freeze_encoder)
    crops = load_crops(settings.photos, settings.scenes)
    if rank == 0:
        columns = (TextColumn("{task.fields[figures]}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, refresh_per_second=0.5) as progress:
            train(training, crops, settings, rank, Report(training, crops, settings.output, progress))
    else:
        train(training, crops, settings, rank, None)
    if dist.is_initialized():
        dist.destroy_process_group()


def main(
    *,
    photos: Path,
    output: Path,
    scenes: Annotated[list[Path] | None, cyclopts.Parameter(help="once for each folder of scenes")] = None,
    minutes: float = 32,
    device: Literal["cpu", "cuda"] = "cpu",
    rate: Annotated[float, cyclopts.Parameter(help="highest learning rate")] = 1.2e-3,
    perceptual: Annotated[float, cyclopts.Parameter(help="the perceptual term's weight")] = 0.0,
    batch: Annotated[int, cyclopts.Parameter(help="crops a step and process")] = 8,
    crop: Annotated[int, cyclopts.Parameter(help="side of a crop in pixels")] = 128,
    seed: int = 0,
    resume: Annotated[bool, cyclopts.Parameter(help="go on from OUTPUT's checkpoint")] = False,
    freeze_encoder: Annotated[bool, cyclopts.Parameter(help="train the decoder alone")] = False,
    processes: Annotated[int, cyclopts.Parameter(help="CPU processes, one core each")] = 1,
) -> None:
    """Train the autoencoder on photographs and scenes."""
    output.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        photos,
        output,
        scenes or [],
        minutes,
        device,
        rate,
        perceptual,
        batch,
        crop,
        seed,
        resume,
        freeze_encoder,
        processes,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if processes > 1:
        with ends_in_order():
            spawn(run, (settings, port), nprocs=processes, daemon=True)
    else:
        run(0, settings, port)


if __name__ == "__main__":
    cyclopts.run(main)
