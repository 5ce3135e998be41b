"""Tests of realedit.models.folder: architecture, damage and fingerprints, on real folders."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from realedit.errors import ModelUnavailableError
from realedit.models import choice as models
from realedit.models import folder as model_folder
from realedit.models import loading
from realedit.models.architecture import architecture_problem

TABLETOP = Path(__file__).resolve().parents[3] / "realedit" / "assets" / "tabletop"
ANOTHER = "pass a folder written by StableDiffusionXLPipeline.save_pretrained, or --model tabletop"
AGAIN = "copy or download the model again"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SDXL_COMMAND = f'hf download {SDXL} --include "*.json" --include "*.txt" --include "*/*.fp16.safetensors"'

# The public configs of stabilityai/stable-diffusion-xl-base-1.0, as far as they differ from the classes'
# defaults.
SDXL_UNET: dict[str, Any] = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280],
    "cross_attention_dim": 2048,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "in_channels": 4,
    "layers_per_block": 2,
    "out_channels": 4,
    "projection_class_embeddings_input_dim": 2816,
    "sample_size": 128,
    "transformer_layers_per_block": [1, 2, 10],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "use_linear_projection": True,
}
SDXL_OTHERS: dict[str, dict[str, Any]] = {
    "vae": {"latent_channels": 4},
    "text_encoder": {"hidden_size": 768, "projection_dim": 768},
    "text_encoder_2": {"hidden_size": 1280, "projection_dim": 1280},
}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("REALEDIT_MODEL", raising=False)
    # huggingface_hub reads the environment when it is first imported, so its own constant is what counts
    # here.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the embedded model that a test may damage."""
    return Path(shutil.copytree(TABLETOP, tmp_path / "copy"))


def edit_json(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def failure(ref: models.ModelRef) -> str:
    with pytest.raises(ModelUnavailableError) as caught:
        loading.load_pipeline(ref)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- the architecture
# ------------------------------------------------------------------------------------------


def test_the_real_sdxl_is_accepted_and_is_the_size_it_should_be() -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**SDXL_UNET)
    assert sum(parameter.numel() for parameter in unet.parameters()) == 2_567_463_684
    assert architecture_problem({"unet": dict(unet.config), **SDXL_OTHERS}) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"addition_embed_type": None},
            "its UNet has no text_time embedding, so it is not SDXL's architecture",
        ),
        (
            {"in_channels": 9},
            "it is an inpainting model, which paints holes: give it as --inpainter",
        ),
        (
            {"in_channels": 8},
            "its UNet takes 8 channels and gives 4, its VAE has 4: an instruction model cannot be used here",
        ),
        ({"cross_attention_dim": 1280}, "its UNet reads 1280-wide text, its two encoders give 2048"),
        (
            {"projection_class_embeddings_input_dim": 2560},
            "its UNet reads 2560 added-condition values, its encoders and sizes give 2816",
        ),
    ],
)
def test_another_architecture_is_named(changes: dict[str, Any], problem: str) -> None:
    assert architecture_problem({"unet": {**SDXL_UNET, **changes}, **SDXL_OTHERS}) == problem


def test_an_sd15_pipeline_is_refused(tmp_path: Path) -> None:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    sizes: dict[str, Any] = {"block_out_channels": (8, 16), "norm_num_groups": 4}
    blocks: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
    }
    unet = UNet2DConditionModel(
        **sizes,
        layers_per_block=1,
        sample_size=8,
        cross_attention_dim=16,
        attention_head_dim=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    vae = AutoencoderKL(**sizes, **blocks)
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, vocab_size=704
        )
    )
    parts: Any = {"scheduler": DDIMScheduler(steps_offset=1, clip_sample=False), "safety_checker": None}
    StableDiffusionPipeline(
        **parts,
        vae=vae,
        text_encoder=text,
        tokenizer=CLIPTokenizer.from_pretrained(TABLETOP / "tokenizer"),
        unet=unet,
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    ).save_pretrained(tmp_path / "sd15")
    assert failure(models.resolve_model(tmp_path / "sd15")) == (
        f"sd15 is a StableDiffusionPipeline, not an SDXL pipeline; {ANOTHER}"
    )


# --- folders that are not what they should be
# --------------------------------------------------------------------


def no_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def broken_index(folder: Path) -> None:
    (folder / "model_index.json").write_text('{"_class_name": ')


def pickled(folder: Path) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()


def cut_short(folder: Path) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def bad_header(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(b"\xff" * 16 + path.read_bytes()[16:])


def empty_weights(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")


def no_unet(folder: Path) -> None:
    shutil.rmtree(folder / "unet")


def no_tokenizer(folder: Path) -> None:
    shutil.rmtree(folder / "tokenizer_2")


def refiner(folder: Path) -> None:
    edit_json(folder / "model_index.json", text_encoder=[None, None])


def own_code(folder: Path) -> None:
    edit_json(folder / "model_index.json", unet=["my_unet", "MyUNet"])
    (folder / "unet" / "my_unet.py").write_text("raise SystemExit('ran')")


def other_vae(folder: Path) -> None:
    edit_json(folder / "model_index.json", vae=["diffusers", "VQModel"])


def without_text_time(folder: Path) -> None:
    edit_json(folder / "unet" / "config.json", addition_embed_type=None)


def unknown_scheduler(folder: Path) -> None:
    edit_json(folder / "model_index.json", scheduler=["diffusers", "DiffusionPipeline"])


def weights_lacking(folder: Path) -> None:
    path = folder / "text_encoder_2" / "model.safetensors"
    weights = load_file(path)
    del weights["text_projection.weight"]
    save_file(weights, path, {"format": "pt"})


def unet_weights_lacking(folder: Path) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    del weights["conv_in.bias"], weights["conv_out.bias"]
    save_file(weights, path, {"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (no_index, f"copy is not a diffusers pipeline: it has no model_index.json; {ANOTHER}"),
        (broken_index, f"copy: copy/model_index.json cannot be read; {AGAIN}"),
        (
            pickled,
            "copy: unet has no safetensors weights, only unet/diffusion_pytorch_model.bin, "
            "which realedit refuses to "
            "read (pickle files can run code); convert it once with diffusers' save_pretrained(..., "
            "safe_serialization=True)",
        ),
        (no_unet, f"copy is incomplete: missing unet; {AGAIN}"),
        (no_tokenizer, f"copy is incomplete: missing tokenizer_2; {AGAIN}"),
        (
            refiner,
            "copy: model_index.json names no text_encoder, which SDXL needs (its refiner has fewer parts); "
            f"{ANOTHER}",
        ),
        (
            own_code,
            f"copy: unet is my_unet.MyUNet, code of the model's own, which realedit does not run; {ANOTHER}",
        ),
        (other_vae, f"copy: vae is a VQModel, not AutoencoderKL or AutoencoderTiny; {ANOTHER}"),
        (
            without_text_time,
            f"copy: its UNet has no text_time embedding, so it is not SDXL's architecture; {ANOTHER}",
        ),
        (unknown_scheduler, "copy: this diffusers has no scheduler DiffusionPipeline"),
        (weights_lacking, f"copy: text_encoder_2 lacks 1 weights, such as text_projection.weight; {AGAIN}"),
        (unet_weights_lacking, f"copy: unet lacks 2 weights, such as conv_in.bias; {AGAIN}"),
    ],
)
def test_a_wrong_folder_is_refused_in_one_line(
    folder: Path, damage: Callable[[Path], None], line: str
) -> None:
    damage(folder)
    assert failure(models.resolve_model(folder)) == line


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (cut_short, "unet/diffusion_pytorch_model.safetensors"),
        (bad_header, "vae/diffusion_pytorch_model.safetensors"),
        (empty_weights, "vae/diffusion_pytorch_model.safetensors"),
    ],
)
def test_damaged_weights_are_named(folder: Path, damage: Callable[[Path], None], file: str) -> None:
    damage(folder)
    line = failure(models.resolve_model(folder))
    assert line.startswith(f"copy: {file} is damaged or cut short (")
    assert line.endswith(f"); {AGAIN}")


def test_a_tensor_of_another_shape_is_named(folder: Path) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights["conv_in.weight"] = torch.zeros(7, 4, 3, 3)
    save_file(weights, path, {"format": "pt"})
    line = failure(models.resolve_model(folder))
    assert line.startswith("copy: unet cannot be loaded (")
    assert line.endswith(f"); {AGAIN}")


# --- fingerprints
# ----------------------------------------------------------------------------------------------


def test_a_fingerprint_is_of_the_content_and_not_the_place(folder: Path) -> None:
    ref = models.resolve_model()
    assert models.fingerprint(ref) == models.fingerprint(models.resolve_model(folder))
    started = time.perf_counter()
    models.fingerprint(ref)
    # Read and hashed whole: 31 MB took 44 ms on two busy cores; the margin is for busier ones.
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    "name",
    [
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "tokenizer/tokenizer.json",
        "model_index.json",
    ],
)
def test_any_changed_byte_changes_the_fingerprint(folder: Path, name: str) -> None:
    path = folder / name
    before, status = models.fingerprint(models.resolve_model(folder)), path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert models.fingerprint(models.resolve_model(folder)) != before


def test_files_that_do_not_matter_leave_the_fingerprint_alone(folder: Path) -> None:
    before = models.fingerprint(models.resolve_model(folder))
    (folder / "README.md").write_text("notes")
    (folder / "samples").mkdir()
    (folder / "samples" / "config.json").write_text("{}")
    assert models.fingerprint(models.resolve_model(folder)) == before


def test_a_large_model_is_sampled_quickly_and_still_told_apart(folder: Path) -> None:
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({"w": torch.zeros(2**29, dtype=torch.float16)}, path)
    ref = models.resolve_model(folder)
    started = time.perf_counter()
    before = models.fingerprint(ref)
    assert time.perf_counter() - started < 1.0
    status = path.stat()
    assert models.fingerprint(ref) == before
    with path.open("r+b") as file:
        file.seek(status.st_size // 3)
        file.write(b"\1")
    # One byte between two samples is told by the modification time ...
    assert models.fingerprint(ref) != before
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    save_file({"w": torch.full((2**29,), 2.0, dtype=torch.float16)}, path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    # ... and other weights of the same size and time by the samples.
    assert models.fingerprint(ref) != before


def test_a_fingerprint_of_what_is_not_here_is_refused(folder: Path) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        models.fingerprint(models.resolve_model("sdxl"))
    assert str(caught.value) == f"sdxl is not in the local Hugging Face cache; get it with: {SDXL_COMMAND}"
    ref = models.resolve_model(folder)
    shutil.rmtree(folder)
    with pytest.raises(
        ModelUnavailableError, match=r"^copy is not a diffusers pipeline: it has no model_index.json$"
    ):
        models.fingerprint(ref)
    assert failure(ref) == f"copy: no such folder; {ANOTHER}"


def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TABLETOP, tmp_path / "model"))


@pytest.mark.parametrize(
    "target", ["evil.bin", "../evil.safetensors", "/tmp/x.safetensors", "absent.safetensors", 7, None, ["a"]]
)
@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_an_index_of_shards_leads_to_checked_safetensors_alone(
    tmp_path: Path, part: str, target: object
) -> None:
    root = _copy(tmp_path)
    (root / part / "evil.bin").write_bytes(b"\x80\x04.")
    stem = "diffusion_pytorch_model" if part == "unet" else "model"
    index = root / part / f"{stem}.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"a.weight": target}}))
    with pytest.raises(ModelUnavailableError, match=r"none of the model.s safetensors files") as told:
        model_folder.read_layout(root, "own", half=False)
    assert told.value.exit_code == 6
    assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize("weight_map", [None, [], "x", 3])
def test_an_index_without_a_map_of_shards_is_refused(tmp_path: Path, weight_map: object) -> None:
    root = _copy(tmp_path)
    index = root / "unet" / "diffusion_pytorch_model.safetensors.index.fp16.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ModelUnavailableError, match="no weight_map"):
        model_folder.read_layout(root, "own", half=False)


def test_an_adapter_beside_the_weights_is_refused(tmp_path: Path) -> None:
    root = _copy(tmp_path)
    (root / "text_encoder" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelUnavailableError, match="adapter"):
        model_folder.read_layout(root, "own", half=False)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "text_encoder_2"])
@pytest.mark.parametrize("value", ["wide", -1, 2**40, 1.5, [], {}, [[[1]]], [1] * 99, True, None])
def test_a_config_whose_sizes_have_wrong_types_or_no_measure_is_refused(
    tmp_path: Path, part: str, value: object
) -> None:
    root = tmp_path / "model"
    for name in ("unet", "vae", "text_encoder", "text_encoder_2"):
        (root / name).mkdir(parents=True)
        shutil.copy(TABLETOP / name / "config.json", root / name)
    file = root / part / "config.json"
    config = json.loads(file.read_text())
    sizes = [name for name in config if name in {"hidden_size", "block_out_channels", "latent_channels"}]
    for name in sizes:
        file.write_text(json.dumps({**config, name: value}))
        if part == "vae" and name == "block_out_channels" and value in ([], None):
            continue  # as good as not said: the library's default
        if part == "unet" and name == "block_out_channels" and value == []:
            continue
        with pytest.raises(ModelUnavailableError):
            model_folder.check_architecture(root, "own")


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a": ' + "1" * 5000 + "}", "[]", "NaN", ""])
@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json"])
def test_json_that_is_none_or_beyond_the_limits_is_refused(tmp_path: Path, name: str, text: str) -> None:
    root = _copy(tmp_path)
    (root / name).write_text(text)
    with pytest.raises(ModelUnavailableError) as told:
        model_folder.read_layout(root, "own", half=False)
    assert told.value.exit_code == 6


def test_a_config_that_asks_for_a_billion_layers_is_refused_at_once(tmp_path: Path) -> None:
    root = _copy(tmp_path)
    file = root / "unet" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "layers_per_block": 10**9}))
    with pytest.raises(ModelUnavailableError, match="layers_per_block"):
        model_folder.read_layout(root, "own", half=False)


def test_a_text_encoder_that_asks_for_code_from_the_hub_is_refused(tmp_path: Path) -> None:
    root = _copy(tmp_path)
    file = root / "text_encoder" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "_attn_implementation": "own/kernel"}))
    with pytest.raises(ModelUnavailableError, match="code from the hub"):
        model_folder.read_layout(root, "own", half=False)
