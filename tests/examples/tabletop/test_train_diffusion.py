from __future__ import annotations

import itertools
import json
import math
import signal
import sys
import time
from pathlib import Path
from typing import Any

import cyclopts
import numpy as np
import psutil
import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.training_utils import compute_snr
from transformers import CLIPTokenizer

from examples.tabletop import train_diffusion
from examples.tabletop.attention_loss import Kept, attention_loss, keep_attention
from examples.tabletop.batches import Batch, draw_batch
from examples.tabletop.export import as_pipeline
from examples.tabletop.latents import Shard
from examples.tabletop.mixed_precision import MasterWeights
from examples.tabletop.model import BETAS, TabletopModel, whole_sizes
from examples.tabletop.recognition_loss import recognition_loss
from examples.tabletop.train_diffusion import Run, balance, losses, main, save, schedule

SIZE = 64


@pytest.fixture
def run(scene_folders: tuple[Path, Path], vae_folder: Path, tmp_path: Path) -> Run:
    return Run(scene_folders, vae_folder, tmp_path / "run", size=SIZE, batch=2, threads=1, seed=3)


def count_steps(monkeypatch: pytest.MonkeyPatch, steps: int) -> float:
    """Minutes that a run of so many steps takes by a clock that ticks once a step."""
    clock = itertools.count()
    monkeypatch.setattr(train_diffusion, "_elapsed", lambda began: float(next(clock)))
    return (steps - 0.5) / 60


def checkpoint(run: Run) -> dict[str, Any]:
    return torch.load(run.output / "checkpoint.pt")


def with_(run: Run, **changes: Any) -> Run:
    return Run(**({name: getattr(run, name) for name in Run.__dataclass_fields__} | changes))


# --- rate


@pytest.mark.parametrize(
    ("step", "done", "share"),
    [
        (0, 0.0, 1 / 50),
        (24, 0.1, 0.5),
        (49, 0.1, 1.0),
        (5000, 0.4, 1.0),
        (5000, 0.7, 0.51),
        (5000, 1.0, 0.02),
        (5000, 1.5, 0.02),
        (24, 0.7, 0.255),
    ],
)
def test_the_rate_warms_up_stays_and_falls_along_a_cosine(step: int, done: float, share: float) -> None:
    assert schedule(step, done) == pytest.approx(share)


def test_the_rate_falls_without_a_leap() -> None:
    rates = [schedule(10**4, done) for done in np.linspace(0, 1, 201)]
    falls = -np.diff(rates)
    assert (falls >= 0).all()
    assert falls.max() == pytest.approx(0.98 * math.pi / 2 / (0.6 * 200), rel=0.01)  # a cosine's steepest


# --- loss


def a_batch(tokenizer: CLIPTokenizer, scene_folders: tuple[Path, Path]) -> Batch:
    scenes = [json.loads(line) for line in (scene_folders[0] / "scenes.jsonl").read_text().splitlines()]
    latents = np.random.default_rng(0).standard_normal((2, 3, 4, 16, 16)).astype(np.float16)
    shard = Shard(latents, np.load(scene_folders[0] / "instances.npy"), tuple(scenes))
    batch = draw_batch([shard], tokenizer, 4, np.random.default_rng(5), none_named=0.5)
    assert min(len(batch.nouns.samples), len(batch.things.samples)) > 2
    return batch


@pytest.fixture
def trained(tokenizer: CLIPTokenizer) -> tuple[TabletopModel, Kept]:
    model = TabletopModel.new(tokenizer).to(torch.bfloat16)
    return model, keep_attention(model.unet)


def test_the_loss_is_noise_prediction_by_its_deviation_attention_and_recognition(
    trained: tuple[TabletopModel, Kept],
    tokenizer: CLIPTokenizer,
    scene_folders: tuple[Path, Path],
    run: Run,
) -> None:
    (model, kept), batch = trained, a_batch(tokenizer, scene_folders)
    loss, figures = losses(model, kept, batch, run, torch.Generator().manual_seed(8))

    generator = torch.Generator().manual_seed(8)
    times = (1000 * torch.rand(4, generator=generator) ** 0.5).long()
    noise = torch.randn(batch.latents.shape, generator=generator)
    scheduler: Any = DDPMScheduler(**BETAS, prediction_type="epsilon")
    weights = compute_snr(scheduler, times) ** -0.5
    noisy = scheduler.add_noise(batch.latents, noise, times)
    kept.clear()
    with torch.no_grad():
        kept.vocabulary = batch.words.embedded(model)
        predicted = model(noisy.bfloat16(), times, batch.ids, batch.named, whole_sizes(SIZE)).float()
        tied, inside = attention_loss(kept.maps, batch.nouns)
        told = recognition_loss(kept.readings, batch.things, scheduler.alphas_cumprod[times])
    squared = (balance(batch.objects, 16, run.favour) * (predicted - noise) ** 2).flatten(1).mean(1)
    expected = torch.stack([squared.mean(), (weights * squared).mean(), tied, inside, told])
    torch.testing.assert_close(figures, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        loss.detach(), expected[1] + run.attention * tied + run.recognition * told, rtol=1e-4, atol=1e-6
    )
    assert weights.min() < weights.max() / 3  # or they would not have been told apart from none
    assert 0 < inside < 1


def test_objects_count_as_much_as_what_they_stand_on_and_at_most_six_times_a_cell() -> None:
    objects = torch.zeros(3, 1, 32, 32)
    objects[0, :, :8, :16] = 1  # an eighth: seven times would be even
    objects[1, :, :16, :16] = 1  # a quarter
    objects[2, :, :24] = 1
    counts = balance(objects, 16, 6.0)
    assert counts.shape == (3, 1, 16, 16)
    torch.testing.assert_close(counts.mean((1, 2, 3)), torch.ones(3))
    favour = counts[:, 0, 0, 0] / counts[:, 0, -1, -1]
    torch.testing.assert_close(favour, torch.tensor([6.0, 3.0, 1.0]))
    assert torch.equal(balance(objects, 16, 1.0), torch.ones(3, 1, 16, 16))
    torch.testing.assert_close((counts[1] * objects[1, :, ::2, ::2]).mean(), torch.tensor(0.5))


def test_times_are_drawn_in_proportion_to_themselves(
    trained: tuple[TabletopModel, Kept],
    tokenizer: CLIPTokenizer,
    scene_folders: tuple[Path, Path],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (model, kept), batch = trained, a_batch(tokenizer, scene_folders)
    times: list[int] = []
    monkeypatch.setattr(DDPMScheduler, "add_noise", lambda _, latents, noise, at: times.extend(at) or latents)
    with torch.no_grad():
        for seed in range(60):
            losses(model, kept, batch, run, torch.Generator().manual_seed(seed))
    found = np.histogram([int(time) for time in times], 4, (0, 1000))[0] / len(times)
    assert found == pytest.approx(np.array([1, 3, 5, 7]) / 16, abs=0.08)


def test_the_loss_reaches_unet_and_both_text_encoders_and_falls(
    trained: tuple[TabletopModel, Kept],
    tokenizer: CLIPTokenizer,
    scene_folders: tuple[Path, Path],
    run: Run,
) -> None:
    (model, kept), batch = trained, a_batch(tokenizer, scene_folders)
    masters = MasterWeights(model)
    found = []
    for _ in range(6):
        loss, _ = losses(model, kept, batch, run, torch.Generator().manual_seed(8))
        loss.backward()
        for part in (model.unet, model.text_encoder, model.text_encoder_2):
            assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())
        masters.update(1e-3)
        found.append(loss.item())
    assert found[-1] < 0.9 * found[0]


def test_the_noise_is_sdxls(make_scheduler: Any) -> None:
    torch.testing.assert_close(
        DDPMScheduler(**BETAS).alphas_cumprod.double(),
        make_scheduler(10).alphas_cumprod,
        rtol=1e-6,
        atol=0,
    )


# --- runs


def test_a_checkpoint_is_replaced_as_a_whole(tmp_path: Path) -> None:
    masters = MasterWeights(torch.nn.Linear(3, 2))
    for step in (1, 2):
        masters.step = step
        save(masters, tmp_path / "checkpoint.pt")
        assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
        assert torch.load(tmp_path / "checkpoint.pt")["step"] == step


@pytest.fixture(scope="module")
def exported(
    model: TabletopModel, tokenizer: CLIPTokenizer, vae_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The untrained model as a pipeline's folder."""
    root = tmp_path_factory.mktemp("exported")
    tokenizer.save_pretrained(root / "run" / "tokenizer")
    save(MasterWeights(model), root / "run" / "checkpoint.pt")
    as_pipeline(root / "run", vae_folder).save_pretrained(root / "pipeline")
    return root / "pipeline"


def test_a_run_starts_from_an_exported_pipeline(
    run: Run, exported: Path, model: TabletopModel, tokenizer: CLIPTokenizer
) -> None:
    main(with_(run, init=exported, minutes=0.0))
    state = checkpoint(run)
    assert torch.equal(state["weights"], torch.cat([p.flatten() for p in model.parameters()]))
    again = CLIPTokenizer.from_pretrained(run.output / "tokenizer")
    assert again("a red mug").input_ids == tokenizer("a red mug").input_ids


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_bit(run: Run, exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a rate that is held, which each run would draw anew: three steps are two and one more."""
    monkeypatch.setattr(train_diffusion, "schedule", lambda step, done: 1.0)
    main(with_(run, init=exported, minutes=count_steps(monkeypatch, 3)))
    whole = checkpoint(run)
    stopped = with_(run, init=exported, output=run.output.parent / "stopped")
    main(with_(stopped, minutes=count_steps(monkeypatch, 2)))
    half = checkpoint(stopped)
    main(with_(stopped, minutes=count_steps(monkeypatch, 1), init=None, resume=True))
    resumed = checkpoint(stopped)
    assert (whole["step"], half["step"], resumed["step"]) == (3, 2, 3)
    assert not torch.equal(half["weights"], whole["weights"])
    for name in ("weights", "average"):
        assert torch.equal(resumed[name], whole[name]), name
    for theirs, own in zip(whole["optimizers"], resumed["optimizers"], strict=True):
        for number, state in theirs["state"].items():
            for name, value in state.items():
                assert torch.equal(own["state"][number][name], value), (number, name)


def test_what_cannot_be_gone_on_from_is_told_at_once(run: Run, model: TabletopModel) -> None:
    with pytest.raises(SystemExit, match=r"no checkpoint in .*; start without --resume"):
        main(with_(run, resume=True))
    assert not run.output.exists()
    run.output.mkdir()
    save(MasterWeights(model), run.output / "checkpoint.pt")
    for optimizer in ("muon", "adamw"):
        with pytest.raises(SystemExit, match=rf"was not trained by {optimizer}"):
            main(with_(run, resume=True, optimizer=optimizer))
        save(MasterWeights(model, muon=True), run.output / "checkpoint.pt")
    torch.save({"step": 7}, run.output / "checkpoint.pt")
    with pytest.raises(SystemExit, match=r"is of an older version; .* --init"):
        main(with_(run, resume=True))
    assert [file.name for file in run.output.iterdir()] == ["checkpoint.pt"]


def test_latents_are_made_once(run: Run) -> None:
    main(with_(run, minutes=0.0))
    files = sorted((run.output / "latents").iterdir())
    assert [file.suffix for file in files] == [".npy", ".npy"]
    assert [np.load(file).shape for file in files] == [(2, 3, 4, 16, 16), (2, 2, 4, 16, 16)]
    times = [file.stat().st_mtime_ns for file in files]
    main(with_(run, minutes=0.0, resume=True))
    assert [file.stat().st_mtime_ns for file in sorted((run.output / "latents").iterdir())] == times


def test_the_command_line_sets_up_a_run() -> None:
    app = cyclopts.App()
    app.default(main)
    words = "--scenes a --scenes b --vae v --output o --size 256 --resume".split()
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert bound.args == (Run((Path("a"), Path("b")), Path("v"), Path("o"), size=256, resume=True),)


def test_windows_are_trained_on_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    inner = train_diffusion.losses
    monkeypatch.setattr(
        train_diffusion, "losses", lambda *given: seen.append(tuple(given[2].latents.shape)) or inner(*given)
    )
    main(with_(run, windows=1.0, minutes=count_steps(monkeypatch, 1)))
    assert seen == [(4, 4, 8, 8)]
    assert checkpoint(run)["step"] == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_run_that_is_ended_leaves_no_process(run: Run) -> None:
    words = [word for folder in run.scenes for word in ("--scenes", str(folder))]
    words += ["--vae", str(run.vae), "--output", str(run.output), "--size", str(SIZE), "--batch", "2"]
    running = psutil.Popen([sys.executable, "-m", "examples.tabletop.train_diffusion", *words])
    until = time.monotonic() + 120
    while not (run.output / "latents").exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    workers = running.children(recursive=True)
    assert len(workers) >= 2
    running.terminate()
    assert running.wait(60) == 128 + signal.SIGTERM
    assert not psutil.wait_procs(workers, timeout=20)[1]


@pytest.mark.slow
def test_two_processes_train_together(run: Run) -> None:
    # Muon's own bfloat16 takes half a minute a step on a processor that only emulates it
    main(with_(run, threads=2, batch=4, minutes=0.3, optimizer="adamw"))
    state = checkpoint(run)
    assert state["step"] >= 2
    assert torch.isfinite(state["weights"]).all()
    assert len(list((run.output / "latents").glob("*.npy"))) == 2
    assert not list(run.output.rglob("*.part"))
