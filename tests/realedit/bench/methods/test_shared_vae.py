"""The lent VAE: what its borrowers get, and that it stays as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import nn

from bench_data import asking
from realedit.bench.case import LoadedCase
from realedit.bench.edit_spec import EditSpec
from realedit.bench.methods import build, parse_method
from realedit.bench.methods.shared_vae import SharedVAE
from realedit.bench.workbench import ModelSettings, Workbench

# diffusers hands torch tensors to numpy's array constructor
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def kl() -> Any:
    """A tiny VAE of SDXL's own kind, with as many pixels a cell as the embedded model's."""
    torch.manual_seed(0)
    kind: Any = AutoencoderKL
    return kind(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(8, 8, 8),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        force_upcast=True,
    ).eval()


@pytest.fixture(scope="module")
def benches() -> dict[str, Workbench]:
    """The embedded model with its UNet in bfloat16, and the same with SDXL's kind of VAE."""
    found = {
        name: Workbench(ModelSettings("tabletop", "cpu", "bfloat16", offline=True, working_size=64))
        for name in ("AutoencoderTiny", "AutoencoderKL")
    }
    found["AutoencoderKL"].backbone.pipeline.register_modules(vae=kl())
    return found


@pytest.mark.parametrize("peer", ["inpaint:steps=2", "differential:steps=2", "ledits:steps=4"])
@pytest.mark.parametrize("vae", ["AutoencoderTiny", "AutoencoderKL"])
def test_a_peer_with_a_unet_of_16_bits_runs_and_leaves_the_vae_as_it_was(
    benches: dict[str, Workbench], mug: LoadedCase, vae: str, peer: str
) -> None:
    bench = benches[vae]
    lent: nn.Module = bench.backbone.vae
    before = {name: tensor.clone() for name, tensor in lent.state_dict().items()}
    outcome = build(parse_method(peer)[0]).edit(asking(mug, EditSpec("remove")), bench)
    assert np.isfinite(outcome.picture).all()
    assert (outcome.picture != mug.photo).any()
    assert bench.backbone.unet.dtype == torch.bfloat16
    assert bench.backbone.pipeline.vae is bench.backbone.vae is lent
    for name, tensor in lent.state_dict().items():
        assert tensor.dtype == torch.float32, name
        assert torch.equal(tensor, before[name]), name


def test_it_computes_in_its_own_precision_and_answers_in_the_callers() -> None:
    vae = kl()
    shared = SharedVAE(vae, 64)
    assert shared.to(torch.float16) is shared.to(dtype=torch.float16) is shared
    assert vae.dtype == torch.float32
    x = torch.rand(1, 3, 32, 32).to(torch.bfloat16)
    with torch.no_grad():
        found, own = shared.encode(x).latent_dist, vae.encode(x.float()).latent_dist
        drawn = [d.sample(torch.Generator().manual_seed(1)) for d in (found, own)]
        z = found.mode()
        pictures = shared.decode(z, return_dict=False)[0], shared.decode(z).sample
        own_picture = vae.decode(z.float()).sample
    assert torch.equal(z, own.mode().to(torch.bfloat16))
    assert torch.equal(drawn[0], drawn[1].to(torch.bfloat16))
    for picture in pictures:
        assert torch.equal(picture, own_picture.to(torch.bfloat16))


def test_a_vae_without_a_posterior_gives_its_one_latent_and_draws_nothing(bench: Workbench) -> None:
    vae = bench.backbone.vae
    posterior = SharedVAE(vae, 64).encode(torch.zeros(1, 3, 32, 32)).latent_dist
    generator = torch.Generator().manual_seed(1)
    state = generator.get_state()
    assert torch.equal(posterior.sample(generator), posterior.mode())
    assert torch.equal(generator.get_state(), state)


def test_what_it_has_not_is_the_vaes_own() -> None:
    vae = kl()
    shared = SharedVAE(vae, 48)
    config: Any = shared.config
    assert shared.post_quant_conv is vae.post_quant_conv
    assert (shared.dtype, shared.device) == (vae.dtype, vae.device)
    assert (config.sample_size, config.force_upcast) == (48, False)
    assert config.scaling_factor == vae.config.scaling_factor
    assert vae.config.force_upcast
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = shared.no_such_thing
