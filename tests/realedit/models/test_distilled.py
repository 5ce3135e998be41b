"""Models that were distilled to a few steps are told by their name or configs, others never."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from realedit.errors import ModelUnavailableError
from realedit.models.additions import Lora
from realedit.models.choice import embedded_folder, resolve_model
from realedit.models.distilled import named
from realedit.models.folder import read_layout

WAY = "use the model that it was made from, such as --model sdxl"
TRAILING = {"timestep_spacing": "trailing", "prediction_type": "epsilon"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sdxl-turbo", "Turbo"),
        ("dreamshaperXL_v21TurboDPMSDE", "Turbo"),
        ("turbovisionxlSuperFastXLBasedOnNew_tvxlV431Bakedvae", "Turbo"),
        ("SDXLTurbo", "Turbo"),
        ("juggernautXL_v9Rdphoto2Lightning", "Lightning"),
        ("realvisxlV40_v40LightningBakedvae", "Lightning"),
        ("sdxl_lightning_4step_unet", "Lightning"),
        ("lcm-lora-sdxl", "LCM"),
        ("Hyper-SDXL-8steps-lora", "Hyper"),
        ("Juggernaut_X_RunDiffusion_Hyper", "Hyper"),
        ("dmd2_sdxl_4step_lora", "DMD"),
        ("stable-diffusion-xl-base-1.0", None),
        ("juggernautXL_ragnarok", None),
        ("hyperRealismXL_v2", None),
        ("hyper-real-mix", None),
        ("tabletop", None),
        ("albedobaseXL_v31Large", None),
        ("noobaiXLVPred10", None),
    ],
)
def test_names_tell(name: str, kind: str | None) -> None:
    assert named(name) == kind


def refusal(folder: Path) -> str | None:
    try:
        read_layout(folder, folder.name, half=False)
    except ModelUnavailableError as error:
        return str(error)
    return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(embedded_folder(), tmp_path / "mine"))


def with_scheduler(folder: Path, kind: str, **config: Any) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", kind]
    (folder / "model_index.json").write_text(json.dumps(index))
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "_class_name": kind, **config}))


@pytest.mark.parametrize(
    ("kind", "config", "told"),
    [
        ("LCMScheduler", {}, "LCM"),
        ("TCDScheduler", {}, "TCD"),
        ("EulerAncestralDiscreteScheduler", TRAILING, "Turbo"),
        ("EulerAncestralDiscreteScheduler", {**TRAILING, "timestep_spacing": "leading"}, None),
        ("EulerDiscreteScheduler", TRAILING, None),
        (
            "EulerAncestralDiscreteScheduler",
            {**TRAILING, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True},
            None,
        ),
    ],
)
def test_schedulers_tell(folder: Path, kind: str, config: dict[str, Any], told: str | None) -> None:
    with_scheduler(folder, kind, **config)
    line = f"mine is made for a few steps ({told}), which realedit does not invert; {WAY}"
    assert refusal(folder) == (told and line)


def test_a_unet_that_reads_a_guidance_scale_tells(folder: Path) -> None:
    file = folder / "unet" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "time_cond_proj_dim": 256}))
    assert (refusal(folder) or "").startswith("mine is made for a few steps (LCM)")


def test_a_folders_name_tells_and_may_be_changed(folder: Path) -> None:
    assert refusal(folder) is None
    other = folder.rename(folder.with_name("some-xl-lightning"))
    assert refusal(other) == (
        f"some-xl-lightning is made for a few steps (Lightning), which realedit does not invert; {WAY}; "
        "if it is none, rename its folder"
    )


def test_files_and_loras_are_told_by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "someXL_v9Lightning.safetensors"
    names = ("model.diffusion_model.out.0.bias", "conditioner.embedders.1.model.x", "first_stage_model.x")
    conv_in = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 4, 3, 3)}
    save_file({**{name: torch.zeros(1) for name in names}, **conv_in}, file)
    with pytest.raises(
        ModelUnavailableError, match=r"\(Lightning\), which .*; if it is none, rename the file"
    ):
        resolve_model(file)
    titled = tmp_path / "plain.safetensors"
    save_file(
        {**{name: torch.zeros(1) for name in names}, **conv_in}, titled, {"modelspec.title": "A Turbo mix"}
    )
    with pytest.raises(ModelUnavailableError, match=r"^plain.safetensors is made for a few steps \(Turbo\)"):
        resolve_model(titled)
    lora = tmp_path / "lcm-lora-sdxl.safetensors"
    lora.write_bytes(b"")
    with pytest.raises(
        ModelUnavailableError, match=r"makes a model of few steps \(LCM\), which .*; leave it"
    ):
        Lora.parse(lora)
