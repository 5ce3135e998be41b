from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from safetensors.torch import load_file
from transformers import CLIPTokenizer

from examples.tabletop.export import export
from examples.tabletop.mixed_precision import MasterWeights
from examples.tabletop.model import BETAS, TOKENS, TabletopModel
from examples.tabletop.portable import forget_origins
from examples.tabletop.train_diffusion import save
from realedit.models.choice import resolve_model
from realedit.models.loading import load_pipeline


@pytest.fixture(scope="module")
def folder(
    model: TabletopModel, tokenizer: CLIPTokenizer, vae_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An export of a checkpoint whose weights have left their average behind."""
    root = tmp_path_factory.mktemp("export")
    tokenizer.save_pretrained(root / "run" / "tokenizer")
    masters = MasterWeights(model)
    masters.weights += 1
    save(masters, root / "run" / "checkpoint.pt")
    export(root / "run", vae_folder, root / "pipeline")
    return root / "pipeline"


def test_diffusers_loads_the_folder(folder: Path) -> None:
    pipeline: Any = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True)
    assert type(pipeline.vae) is AutoencoderKL
    config: Any = pipeline.vae.config
    assert config.scaling_factor == 1.7
    assert pipeline.tokenizer.model_max_length == pipeline.tokenizer_2.model_max_length == TOKENS
    assert pipeline.config.force_zeros_for_empty_prompt


def test_the_averaged_weights_are_written_in_half_precision(folder: Path, model: TabletopModel) -> None:
    for part in ("unet", "text_encoder", "text_encoder_2"):
        (file,) = (folder / part).glob("*.safetensors")
        written = load_file(file)
        assert {value.dtype for value in written.values()} <= {torch.float16, torch.int64}
        expected = model.get_submodule(part).state_dict()
        shared = written.keys() & expected.keys()
        assert len(shared) > 30
        for name in shared:
            assert torch.equal(written[name], expected[name].to(written[name].dtype)), name
    assert not list(folder.rglob("*.bin"))


# EulerDiscreteScheduler's own.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_realedit_loads_the_folder_and_samples_with_it(folder: Path) -> None:
    pipeline: Any = load_pipeline(resolve_model(folder), device="cpu", dtype=torch.float32, offline=True)
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline("a red mug on a table", num_inference_steps=2, output_type="np", return_dict=False)[0]
    assert images.shape == (1, 256, 256, 3)
    assert np.isfinite(images).all()
    assert images.std() > 0.01


def test_the_scheduler_has_the_noise_of_the_training(folder: Path) -> None:
    pipeline: Any = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True)
    expected = DDPMScheduler(**BETAS).alphas_cumprod
    torch.testing.assert_close(pipeline.scheduler.alphas_cumprod, expected, rtol=1e-6, atol=0)
    config = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
    assert config["prediction_type"] == "epsilon"
    assert (config["timestep_spacing"], config["steps_offset"]) == ("leading", 1)


def test_the_words_are_those_of_the_training(folder: Path, tokenizer: CLIPTokenizer) -> None:
    text = "a photo of a turquoise moka pot and a zebra"
    for part in ("tokenizer", "tokenizer_2"):
        again = CLIPTokenizer.from_pretrained(folder / part)
        assert again(text).input_ids == tokenizer(text).input_ids


def test_no_configuration_tells_where_it_was_made(folder: Path) -> None:
    files = list(folder.rglob("*.json"))
    assert len(files) > 8
    assert not [file for file in files if "name_or_path" in file.read_text()]
    here = str(folder.parent)
    assert not [file for file in files if here in file.read_text()]


def test_forgetting_origins_keeps_everything_else(tmp_path: Path) -> None:
    config = {"_class_name": "AutoencoderTiny", "_name_or_path": "/home/me/vae", "shape": [1, 2], "f": 0.5}
    (tmp_path / "vae").mkdir()
    file, other = tmp_path / "vae" / "config.json", tmp_path / "list.json"
    file.write_text(json.dumps(config))
    other.write_text("[1,2]")
    forget_origins(tmp_path)
    del config["_name_or_path"]
    assert json.loads(file.read_text()) == config
    assert other.read_text() == "[1,2]"
