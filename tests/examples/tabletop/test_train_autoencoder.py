from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from examples.tabletop.crops import Crops
from examples.tabletop.latents import encode, load_vae
from examples.tabletop.train_autoencoder import (
    Training,
    build,
    checkpoint,
    colour_differences,
    loss_of,
    main,
    measure,
)
from examples.tabletop.working_precision import autocast

ROOT = Path(__file__).resolve().parents[3]


def crops(held_out: dict[str, Tensor] | None = None) -> Crops:
    picture = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
    return Crops([], [picture], held_out=held_out or {})


def started(checkpoint: Path | None = None, *, freeze_encoder: bool = False) -> Training:
    torch.manual_seed(0)
    return Training.start("cpu", checkpoint, freeze_encoder)


def step(training: Training, seed: int) -> None:
    """One step of training, all of its chance from the seed."""
    torch.manual_seed(seed)
    for group in training.optimiser.param_groups:
        group["lr"] = 1e-3
    x = crops().draw(2, 32, np.random.default_rng(seed)).contiguous(memory_format=torch.channels_last)
    training.update(loss_of(training.vae, x, None, 0.0)[0])


def weights(model: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_autoencoder_is_small_and_makes_a_quarter_of_the_side() -> None:
    vae: Any = build()
    assert sum(p.numel() for p in vae.parameters()) < 2_000_000
    with torch.no_grad():
        latent = vae.encode(torch.zeros(1, 3, 64, 96)).latents
        assert latent.shape == (1, 4, 16, 24)
        assert vae.decode(latent).sample.shape == (1, 3, 64, 96)


def test_colour_differences_are_zero_for_greys_and_ignore_brightness() -> None:
    grey = torch.rand(2, 1, 4, 5).expand(-1, 3, -1, -1)
    colour = torch.rand(2, 3, 4, 5)
    assert colour_differences(grey).abs().max() < 1e-6
    found = colour_differences(colour)
    assert found.shape == (2, 2, 4, 5)
    torch.testing.assert_close(colour_differences(colour + grey), found)
    pure = torch.eye(3).reshape(1, 3, 1, 3)  # a red, a green and a blue pixel
    assert colour_differences(pure)[0, :, 0].tolist() == [[1, 0, -1], [-1, 2, -1]]


@pytest.mark.parametrize("perceptual", [None, 0.7])
@pytest.mark.parametrize("loud", [1.0, 30.0])
def test_the_loss_is_the_sum_that_is_stated(perceptual: float | None, loud: float) -> None:
    torch.manual_seed(0)
    vae: Any = build()
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    vae.encoder.layers[-1].weight.data *= loud  # latents that are small, and such as the norm's term is for
    distance = None if perceptual is None else (lambda a, b: torch.tensor(perceptual))
    torch.manual_seed(3)
    loss, parts = loss_of(vae, x, distance, 0.4)
    torch.manual_seed(3)
    with autocast("cpu"), torch.no_grad():
        z = vae.encoder(x).float()
        y = vae.decoder(z + 0.04 * torch.randn_like(z)).float()
    error = (y - x).double()
    blocks = {size: error.reshape(2, 3, 32 // size, size, 32 // size, size).mean((3, 5)) for size in (2, 8)}

    def colours(e: Tensor) -> Tensor:
        return torch.stack([e[:, 0] - e[:, 2], 2 * e[:, 1] - e[:, 0] - e[:, 2]]).abs().mean()

    colour = 2 * colours(blocks[8]) + 0.6 * colours(blocks[2])
    expected = error.abs().mean() + 2 * error.square().mean() + blocks[8].abs().mean() / 2 + colour
    expected += 3e-3 * F.relu(z.square().mean() - 1) + 0.4 * (perceptual or 0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert (z.square().mean().item() > 1) == (loud > 1)
    assert parts["loss"] == loss.item()
    assert parts["colour"] == pytest.approx(colour.item(), rel=1e-4)
    assert parts["latent_std"] == pytest.approx(z.std().item(), rel=1e-4)
    psnr = peak_signal_noise_ratio(x.numpy(), y.numpy(), data_range=2)
    assert parts["batch_psnr"] == pytest.approx(psnr, abs=0.01)
    assert ("perceptual" in parts) == (perceptual is not None)


def test_figures_are_psnr_of_eight_bit_round_trips() -> None:
    torch.manual_seed(0)
    vae: Any = build().eval()
    pictures = torch.randint(0, 256, (3, 3, 32, 48)) / 127.5 - 1
    figures, std = measure(vae, pictures)
    z = encode(vae, pictures)
    with torch.no_grad():
        y = vae.decode(z).sample
    a, b = (((v + 1) * 127.5).clamp(0, 255).round().byte().numpy() for v in (pictures, y))
    expected = [peak_signal_noise_ratio(one, other, data_range=255) for one, other in zip(a, b, strict=True)]
    assert figures.tolist() == pytest.approx(expected, abs=0.05)
    assert std == pytest.approx(z.std().item(), rel=1e-3)


def test_steps_are_of_adamw_with_the_gradient_cut_to_length() -> None:
    training, plain = started(), build()
    plain.load_state_dict(training.vae.state_dict())
    reference = torch.optim.AdamW(plain.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-4)
    for seed in (1, 2):
        step(training, seed)
        torch.manual_seed(seed)
        x = crops().draw(2, 32, np.random.default_rng(seed))
        reference.zero_grad()
        loss_of(plain, x, None, 0.0)[0].backward()
        norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        reference.step()
    assert norm > 0
    # Layouts and kernels differ, so single weights may go other ways where their gradient is noise.
    moved = weights(plain) - weights(started().vae)
    assert (weights(training.vae) - weights(plain)).norm() < 0.1 * moved.norm()
    assert training.step == 2


def test_a_stopped_training_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole = started()
    step(whole, 1)
    step(whole, 2)
    whole.seconds = 12.5
    whole.save(tmp_path / "training.pt")
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]
    resumed = started(tmp_path / "training.pt")
    assert (resumed.step, resumed.seconds) == (2, 12.5)
    assert torch.equal(weights(resumed.averaged()), weights(whole.averaged()))
    for training in (whole, resumed):
        step(training, 3)
        step(training, 4)
    assert torch.equal(weights(resumed.vae), weights(whole.vae))
    assert torch.equal(weights(resumed.averaged()), weights(whole.averaged()))


def test_a_frozen_encoder_is_the_averaged_one_and_stays(tmp_path: Path) -> None:
    first = started()
    for seed in (1, 2, 3):
        step(first, seed)
    first.save(tmp_path / "training.pt")
    kept = weights(first.averaged().encoder)
    assert not torch.equal(kept, weights(first.vae.encoder))
    training = started(tmp_path / "training.pt", freeze_encoder=True)
    before = weights(training.vae.decoder)
    for seed in (4, 5):
        step(training, seed)
    assert torch.equal(weights(training.vae.encoder), kept)
    assert torch.equal(weights(training.averaged().encoder), kept)
    assert not torch.equal(weights(training.vae.decoder), before)
    training.save(tmp_path / "training.pt")
    again = started(tmp_path / "training.pt", freeze_encoder=True)
    step(again, 6)
    assert torch.equal(weights(again.vae.encoder), kept)
    assert again.optimiser.state_dict()["state"][0]["step"].item() == 3


def test_the_average_lies_between_where_it_began_and_where_it_is() -> None:
    training = started()
    before = weights(training.vae)
    for seed in (1, 2, 3):
        step(training, seed)
    after, average = weights(training.vae), weights(training.averaged())
    along = ((average - before) @ (after - before)) / (after - before).norm() ** 2
    assert 0.05 < along.item() < 0.999


def test_a_checkpoint_scales_the_latents_to_a_deviation_of_one(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    names = ("photographs", "scenes")
    held_out = {name: torch.rand(2, 3, 64, 64, generator=generator) * 2 - 1 for name in names}
    record = checkpoint(started(), crops(held_out), tmp_path)
    vae = load_vae(tmp_path / "vae")
    assert type(vae) is AutoencoderTiny
    config: Any = vae.config
    z = encode(vae, held_out["scenes"]) * config.scaling_factor
    assert z.std().item() == pytest.approx(1, rel=1e-3)
    assert record["std_scenes"] == pytest.approx(1 / config.scaling_factor, abs=1e-4)
    assert record["psnr_scenes_min"] <= record["psnr_scenes"] < 20
    assert (tmp_path / "training.pt").exists()
    del held_out["scenes"]
    record = checkpoint(started(), crops(held_out), tmp_path / "photographs")
    config = json.loads((tmp_path / "photographs" / "vae" / "config.json").read_text())
    assert 1 / config["scaling_factor"] == pytest.approx(record["std_photographs"], abs=1e-4)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    y, x = np.mgrid[0:512, 0:512]
    for k in range(2):
        waves = [127 + 120 * np.sin((x * (k + 1) + y * c) / 40) for c in range(3)]
        Image.fromarray(np.stack(waves, -1).astype(np.uint8)).save(folder / f"00{k}.png")
    records = [{"file": f"00{k}.png", "held_out": bool(k)} for k in range(2)]
    (folder / "credits.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


@pytest.mark.slow
def test_a_run_learns_is_logged_and_goes_on(photographs: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    for resume in (False, True):
        main(photos=photographs, output=output, minutes=0.25, batch=2, crop=64, resume=resume)
    lines = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    figures = [line for line in lines if "psnr_photographs" in line]
    assert len(figures) == 2
    assert figures[1]["step"] > figures[0]["step"] > 1
    assert figures[1]["seconds"] > figures[0]["seconds"] >= 15
    held_out = torch.from_numpy(np.asarray(Image.open(photographs / "001.png")) / np.float32(127.5) - 1)
    torch.manual_seed(0)
    untrained = measure(build().eval(), held_out.permute(2, 0, 1)[None])[0].item()
    # Seconds of training do not rise evenly, but each of them leads away from random weights.
    assert min(line["psnr_photographs"] for line in figures) > untrained + 2
    assert load_vae(output / "vae").config.scaling_factor > 0


@pytest.mark.slow
def test_two_processes_train_together(photographs: Path, tmp_path: Path) -> None:
    command = ["--photos", photographs, "--output", tmp_path / "out", "--minutes", "0.4", "--processes", "2"]
    command += ["--crop", "64", "--batch", "2"]
    subprocess.run(
        [sys.executable, "-m", "examples.tabletop.train_autoencoder", *map(str, command)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=300,
    )
    (line,) = [
        json.loads(line)
        for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()
        if "psnr_photographs" in line
    ]
    assert line["step"] >= 1
    assert line["psnr_photographs"] > 5
