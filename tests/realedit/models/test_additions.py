"""LoRAs and VAEs that are put on a model, and what tells an inversion with them from one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from realedit.errors import ModelUnavailableError, UsageError
from realedit.models.additions import Lora
from realedit.models.backbone import Backbone
from realedit.models.choice import fingerprint, resolve_model
from realedit.models.loading import load_pipeline
from small_sdxl import small_sdxl

LAYER = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    small_sdxl().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA of rank 2 on one layer of the UNet, of 64 x 64 weights, as diffusers writes it."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 64, generator=generator), torch.randn(64, 2, generator=generator)
    path = tmp_path_factory.mktemp("loras") / "style.safetensors"
    save_file({f"unet.{LAYER}.lora_A.weight": a, f"unet.{LAYER}.lora_B.weight": b}, path)
    return path


def weight(pipeline: Any) -> torch.Tensor:
    return pipeline.unet.get_submodule(LAYER).weight


def test_it_is_added_by_its_weight(model: Path, lora: Path) -> None:
    plain = weight(load_pipeline(resolve_model(model)))
    parts = load_file(lora)
    whole = parts[f"unet.{LAYER}.lora_B.weight"] @ parts[f"unet.{LAYER}.lora_A.weight"]
    for said, share in ((str(lora), 1.0), (f"{lora}:0.5", 0.5), (f"{lora}:-1", -1.0)):
        with_it = weight(load_pipeline(resolve_model(model, loras=[said])))
        assert torch.allclose(with_it, plain + share * whole, atol=1e-5)
    both = weight(load_pipeline(resolve_model(model, loras=[f"{lora}:0.25", f"{lora}:0.5"])))
    assert torch.allclose(both, plain + 0.75 * whole, atol=1e-5)


def test_the_networks_are_as_they_were_but_for_it(model: Path, lora: Path) -> None:
    one, other = (load_pipeline(resolve_model(model, loras=said)) for said in ([], [lora]))
    names = [dict(pipe.unet.named_parameters()) for pipe in (one, other)]
    assert names[0].keys() == names[1].keys()
    changed = [name for name in names[0] if not torch.equal(names[0][name], names[1][name])]
    assert changed == [f"{LAYER}.weight"]


def test_it_is_part_of_the_fingerprint(model: Path, lora: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({name: value * 2 for name, value in load_file(lora).items()}, other)
    said: list[list[str | Path]] = [[], [lora], [f"{lora}:0.5"], [other], [lora, other], [other, lora]]
    assert len({fingerprint(resolve_model(model, loras=loras)) for loras in said}) == len(said)
    assert fingerprint(resolve_model(model, loras=[lora])) == fingerprint(
        resolve_model(model, loras=[f"{lora}:1"])
    )


def test_so_is_another_vae(model: Path, tmp_path: Path) -> None:
    small_sdxl(seed=5).vae.save_pretrained(tmp_path / "vae")
    ref = resolve_model(model, vae=tmp_path / "vae")
    assert fingerprint(ref) != fingerprint(resolve_model(model))
    loaded: Any = load_pipeline(ref)
    assert torch.equal(loaded.vae.encoder.conv_in.weight, small_sdxl(seed=5).vae.encoder.conv_in.weight)
    assert loaded.vae.dtype == torch.float32
    half: Any = load_pipeline(ref, dtype=torch.bfloat16)  # its config says force_upcast
    assert (half.vae.dtype, half.unet.dtype) == (torch.float32, torch.bfloat16)
    coder = small_sdxl(seed=5).vae
    coder.register_to_config(force_upcast=False)  # as the fp16-fix VAE says
    coder.save_pretrained(tmp_path / "fixed")
    fixed: Any = load_pipeline(resolve_model(model, vae=tmp_path / "fixed"), dtype=torch.bfloat16)
    assert fixed.vae.dtype == torch.bfloat16


def test_one_put_on_by_hand_is_noticed(model: Path, lora: Path) -> None:
    backbone = Backbone(load_pipeline(resolve_model(model)))
    assert backbone.altered == ""
    pipeline: Any = backbone.pipeline
    pipeline.load_lora_weights(str(lora.parent), weight_name=lora.name, adapter_name="one")
    told = {backbone.altered}
    pipeline.set_adapters(["one"], [0.5])
    told.add(backbone.altered)
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()
    told.add(backbone.altered)
    assert len(told) == 3
    assert "" not in told


@pytest.mark.parametrize("said", ["none.safetensors", "style.safetensors:strong"])
def test_what_is_no_lora_is_told(said: str, tmp_path: Path) -> None:
    (tmp_path / "style.safetensors").write_bytes(b"")
    with pytest.raises((ModelUnavailableError, UsageError)) as caught:
        Lora.parse(tmp_path / said)
    assert "\n" not in str(caught.value)


def test_one_of_another_model_is_told(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "sd15.safetensors"
    save_file(
        {"some.layer.lora_A.weight": torch.zeros(2, 8), "some.layer.lora_B.weight": torch.zeros(8, 2)}, path
    )
    with pytest.raises(
        ModelUnavailableError, match=r"^sd15\.safetensors cannot be put on the model"
    ) as caught:
        load_pipeline(resolve_model(model, loras=[path]))
    assert "\n" not in str(caught.value)


def test_a_pickled_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    path.write_bytes(b"anything")
    with pytest.raises(ModelUnavailableError, match="pickles can run code"):
        Lora.parse(path)
