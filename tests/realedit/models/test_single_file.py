"""Checkpoints in one file: read back as their folder is, and told from what is none of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from original_format import original
from realedit import Move, RealEditPipeline
from realedit.errors import ModelUnavailableError
from realedit.models import single_file
from realedit.models.backbone import Backbone
from realedit.models.choice import fingerprint, resolve_model
from realedit.models.clip_tokenizer import clip_tokenizer
from realedit.models.loading import load_pipeline
from realedit.models.profile import Profile
from small_sdxl import small_sdxl

NAMES = ("unet", "vae", "text_encoder", "text_encoder_2")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model in one file, with its folder beside it."""
    pipeline = small_sdxl()
    folder = tmp_path_factory.mktemp("models") / "mine"
    pipeline.save_pretrained(folder)
    path = folder.with_suffix(".safetensors")
    save_file({name: weight.clone() for name, weight in original(pipeline)}, path)
    return path


def with_header(path: Path, *names: str, **shapes: tuple[int, ...]) -> Path:
    """A file with some tensors of one value, or of a shape."""
    tensors = {name: torch.zeros(1) for name in names}
    tensors |= {name: torch.zeros(shape) for name, shape in shapes.items()}
    save_file(tensors, path)
    return path


def photo_like(mask: np.ndarray) -> np.ndarray:
    """Return the photo."""
    return np.random.default_rng(0).integers(0, 255, (*mask.shape, 3), dtype=np.uint8)


def edited(model: Path, mask: np.ndarray) -> np.ndarray:
    pipe = RealEditPipeline.from_pretrained(model, device="cpu", cache=False)
    how: Any = {"mask": mask, "prompt": "a red mug", "steps": 4, "strength": 0.5}
    return pipe.edit(photo_like(mask), Move("mug", dx=0.2), **how).photo.rgb


def test_it_edits_as_its_folder_does(file: Path) -> None:
    mask = np.zeros((128, 128), np.uint8)
    mask[40:90, 30:70] = 255
    one, other = edited(file, mask), edited(file.with_suffix(""), mask)
    # the weights are the same, but lie at other addresses in memory, and products round by these
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 1
    assert not np.array_equal(one, photo_like(mask))


def test_its_weights_are_the_folders(file: Path) -> None:
    one = load_pipeline(resolve_model(file))
    other = load_pipeline(resolve_model(file.with_suffix("")))
    for name in NAMES:
        ours, theirs = (getattr(pipe, name).state_dict() for pipe in (one, other))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_its_fingerprint_is_of_its_content(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(file.read_bytes())
    assert fingerprint(resolve_model(copy)) == fingerprint(resolve_model(file))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    assert fingerprint(resolve_model(copy)) != fingerprint(resolve_model(file))


@pytest.mark.parametrize(
    ("marks", "predicts", "spacing"),
    [
        ((), "epsilon", "leading"),
        (("v_pred",), "v_prediction", "leading"),
        (("v_pred", "ztsnr"), "v_prediction", "trailing"),
    ],
)
def test_v_prediction_is_read_from_its_marks(
    file: Path, tmp_path: Path, marks: tuple[str, ...], predicts: str, spacing: str
) -> None:
    from safetensors.torch import load_file

    path = tmp_path / "mine.safetensors"
    save_file({**load_file(file), **{mark: torch.zeros(0) for mark in marks}}, path)
    (tmp_path / "mine").symlink_to(file.with_suffix(""))
    scheduler = load_pipeline(resolve_model(path)).scheduler
    assert (scheduler.config.prediction_type, scheduler.config.timestep_spacing) == (predicts, spacing)
    assert Backbone(load_pipeline(resolve_model(path))).schedule(8).steps == 8


UNET, SECOND, VAE = (
    "model.diffusion_model.out.0.bias",
    "conditioner.embedders.1.model.ln_final.bias",
    "first_stage_model.x",
)
CONV_IN = "model.diffusion_model.input_blocks.0.0.weight"


def shaped(channels: int) -> Callable[[Path], Path]:
    return lambda path: with_header(path, UNET, SECOND, VAE, **{CONV_IN: (320, channels, 3, 3)})


def named(*names: str) -> Callable[[Path], Path]:
    return lambda path: with_header(path, *names)


def no_safetensors(path: Path) -> Path:
    path.write_bytes(b"no header")
    return path


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (named("lora_unet_down.weight"), "is a LoRA, not a model; give it beside a model"),
        (named(UNET, SECOND, VAE, "edm_mean"), "samples by EDM"),
        (named(UNET, "conditioner.embedders.0.model.ln_final.bias"), "is SDXL's refiner"),
        (named(UNET, "cond_stage_model.transformer.x"), "is not SDXL: it has no second text encoder"),
        (named("double_blocks.0.img_attn.qkv.weight"), "holds no UNet as SDXL's checkpoints name it"),
        (shaped(9), "is an inpainting model: it paints holes; give it as --inpainter x.safetensors"),
        (shaped(8), "takes 8 channels: an instruction model cannot be used here"),
        (no_safetensors, "is no safetensors file, damaged or cut short"),
    ],
)
def test_what_is_none_of_ours_is_told_in_one_line(make: Any, line: str, tmp_path: Path) -> None:
    path = make(tmp_path / "x.safetensors")
    with pytest.raises(ModelUnavailableError) as caught:
        resolve_model(path)
    assert str(caught.value).startswith(f"x.safetensors {line}")
    assert "\n" not in str(caught.value)


def test_one_without_a_vae_wants_one(tmp_path: Path) -> None:
    path = with_header(tmp_path / "x.safetensors", UNET, SECOND, **{CONV_IN: (320, 4, 3, 3)})
    with pytest.raises(ModelUnavailableError, match="has no VAE; add one: --vae FILE"):
        single_file.read_layout(path, vae=False)
    assert single_file.read_layout(path, vae=True).weights == path


def test_its_profile_is_that_of_its_sizes(file: Path, tmp_path: Path) -> None:
    """SDXL's where it has SDXL's; the small model's, whose sizes lie beside it, is the general one."""
    alone = with_header(tmp_path / "x.safetensors", UNET, SECOND, VAE, **{CONV_IN: (320, 4, 3, 3)})
    assert Profile.of(resolve_model(alone)).name == "sdxl"
    assert Profile.of(resolve_model(file)).name == "general"


def test_pickles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.ckpt"
    path.write_bytes(b"anything")
    with pytest.raises(ModelUnavailableError, match=r"old\.ckpt is a pickle, which realedit refuses to read"):
        resolve_model(path)


def test_the_tokenizer_is_clips() -> None:
    """Ids from OpenAI's own tokenizer; the second encoder's padding is "!", number 0."""
    tokenizer = clip_tokenizer()
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat, the year 2023!").input_ids == [
        49406, 320, 1125, 539, 320, 2368, 267, 518, 935, 273, 271, 273, 274, 256, 49407,
    ]  # fmt: skip
    second = clip_tokenizer("!")
    assert second("a cat", padding="max_length").input_ids == [49406, 320, 2368, 49407, *[0] * 73]
    assert isinstance(second, CLIPTokenizer)


def test_the_shipped_configs_are_sdxls() -> None:
    from realedit.models.architecture import architecture_problem
    from realedit.models.description import Description
    from realedit.models.folder import NETWORKS, check_index, read_json

    check_index("sdxl", read_json(single_file.CONFIGS / "model_index.json", "sdxl"))
    configs = {part: read_json(single_file.CONFIGS / part / "config.json", "sdxl") for part in NETWORKS}
    assert architecture_problem(configs) is None
    layout = single_file.Layout(single_file.CONFIGS, {}, {})
    described = Description.read(layout, torch.device("cpu"), torch.float32)
    assert described is not None
    assert (described.scale_factor, described.sample_size, described.depth) == (8, 128, 3)
