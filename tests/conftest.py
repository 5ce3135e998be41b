"""The real embedded model and a real photo, loaded once a process of pytest's."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from hypothesis import settings
from PIL import Image
from torch import Tensor

from inversion import Schedule
from realedit.models.backbone import Backbone, Prompt
from realedit.models.choice import resolve_model
from realedit.models.loading import load_pipeline

# what a developer has calibrated is not what is tested
os.environ["REALEDIT_PROFILES"] = os.devnull

if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes that share the cores must not each take all of them: OpenMP's threads wait by spinning.
    os.environ["OMP_NUM_THREADS"] = "1"  # of the commands that tests start
    torch.set_num_threads(1)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a run in a shell's background ignores interrupts, and so would the commands that tests interrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)

# the same inputs each time, and no folder of earlier ones
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "mug.jpg"
SIZE = (128, 192)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    pipeline = load_pipeline(resolve_model("tabletop"), device="cpu", dtype=torch.float32, offline=True)
    return Backbone(pipeline)


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A mug on a table, uint8 [128, 192, 3]."""
    return np.array(Image.open(PHOTO).convert("RGB").resize((SIZE[1], SIZE[0]), Image.Resampling.LANCZOS))


@pytest.fixture(scope="session")
def latent(backbone: Backbone, photo: np.ndarray) -> Tensor:
    """The photo's latent, [1, 4, 32, 48]."""
    return backbone.encode(photo)


@pytest.fixture(scope="session")
def prompt(backbone: Backbone) -> Prompt:
    return backbone.prompt("a photo of a red mug on a wooden table", SIZE)


def sdxl_scheduler(steps: int) -> DDIMScheduler:
    """SDXL's noise levels under DDIM, in float64."""
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="leading",
    )
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.double()
    scheduler.final_alpha_cumprod = scheduler.alphas_cumprod[0]
    scheduler.set_timesteps(steps)
    return scheduler


@pytest.fixture(scope="session")
def make_scheduler() -> Callable[[int], DDIMScheduler]:
    return sdxl_scheduler


@pytest.fixture(scope="session")
def make_schedule() -> Callable[[int], Schedule]:
    """A schedule of so many steps over SDXL's noise levels."""

    def make(steps: int) -> Schedule:
        scheduler = sdxl_scheduler(steps)
        return Schedule.from_training(scheduler.alphas_cumprod, scheduler.timesteps.tolist())

    return make
