"""Tests of LaMa: against numbers that its authors' code gave, closed forms, and files of all kinds."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from realedit.errors import ModelUnavailableError, UsageError
from realedit.external.archive import weights_in
from realedit.external.inpainter import Inpainter
from realedit.external.lama import FourierUnit, Lama

AUTHORS = (
    *(0.518844, 0.518667, 0.514813, 0.511915, 0.516014, 0.514987, 0.515238, 0.517453, 0.519398, 0.528677),
    *(0.528648, 0.531422, 0.542094, 0.541973, 0.542846, 0.534926, 0.534376, 0.536673, 0.513501, 0.513706),
    *(0.514945, 0.507762, 0.503774, 0.503976, 0.511213, 0.509516, 0.5054),
)
"""What FFCResNetGenerator of github.com/advimman/lama (786f593) gives for `numbered` weights and a wave."""
Written = Callable[[Lama, Path], None]


def numbered(network: nn.Module) -> None:
    """Sets each weight to a number that follows from its place."""
    for k, (name, value) in enumerate(sorted(network.state_dict().items())):
        if value.is_floating_point():
            wave = torch.sin(torch.arange(value.numel(), dtype=torch.float64) * 0.7 + k) * 0.1
            scale = name.endswith("running_var") or (name.endswith("weight") and value.ndim == 1)
            value.copy_((wave + scale).reshape(value.shape).float())


@pytest.fixture(scope="module")
def small() -> Lama:
    torch.manual_seed(0)
    return Lama(8, 2).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def photo() -> tuple[np.ndarray, np.ndarray]:
    rgb = np.random.default_rng(0).integers(0, 256, (70, 93, 3), dtype=np.uint8)
    hole = np.zeros((70, 93), bool)
    hole[20:50, 40:66] = True
    return rgb, hole


def as_safetensors(network: Lama, path: Path) -> None:
    save_file({f"generator.model.{name}": value for name, value in network.state_dict().items()}, path)


def as_checkpoint(network: Lama, path: Path) -> None:
    named = {f"generator.model.{name}": value for name, value in network.state_dict().items()}
    torch.save({"epoch": 3, "folder": Path("of the authors"), "state_dict": named}, path)


def as_torchscript(network: Lama, path: Path) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generator = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.generator(x)

    with pytest.warns(FutureWarning):
        traced = cast("torch.jit.ScriptModule", torch.jit.trace(Model().eval(), torch.rand(1, 4, 16, 16)))
    traced.save(path)


def test_the_network_is_the_authors() -> None:
    network = Lama(8, 2).eval()
    wave = torch.cos(torch.arange(4 * 24 * 32, dtype=torch.float64) * 0.3).reshape(1, 4, 24, 32).float()
    with torch.inference_mode():
        numbered(network)
        picture = network(wave)
    assert picture[0, :, 3::10, 5::12].flatten().tolist() == pytest.approx(AUTHORS, abs=5e-6)


def test_big_lama_has_as_many_weights_as_its_authors_say() -> None:
    with torch.device("meta"):
        network = Lama()
    assert sum(value.numel() for value in network.parameters()) == 50_975_875
    assert "22.conv2.ffc.convg2g.fu.conv_layer.weight" in network.state_dict()


def test_a_fourier_unit_passes_what_has_a_positive_spectrum() -> None:
    unit = FourierUnit(2).eval()
    with torch.inference_mode():
        unit.conv_layer.weight.copy_(torch.eye(4)[..., None, None])
        impulse = torch.zeros(1, 2, 6, 10)
        impulse[:, :, 0, 0] = 3  # its spectrum is even, real and positive
        assert torch.allclose(unit(impulse), impulse, atol=1e-4)


@pytest.mark.parametrize("written", [as_safetensors, as_checkpoint, as_torchscript])
def test_files_of_all_kinds_paint_the_same(
    tmp_path: Path, small: Lama, photo: tuple[np.ndarray, np.ndarray], written: Written
) -> None:
    suffixes: dict[Written, str] = {
        as_safetensors: "safetensors",
        as_checkpoint: "ckpt",
        as_torchscript: "pt",
    }
    path = tmp_path / f"l.{suffixes[written]}"
    written(small, path)
    rgb, hole = photo
    inpainter = Inpainter(path)
    given = np.zeros((1, 4, 72, 96), np.float32)
    given[0, :3] = np.pad(rgb * ~hole[..., None], ((0, 2), (0, 3), (0, 0)), "symmetric").transpose(2, 0, 1)
    given[0, :3] /= 255
    given[0, 3, :70, :93] = hole
    with torch.inference_mode():
        wanted = small(torch.from_numpy(given))[0].permute(1, 2, 0).numpy()[:70, :93] * 255
    painted = inpainter.paint(rgb, hole)
    assert np.abs(painted[hole] - wanted[hole]).max() <= 0.51
    assert (painted[~hole] == rgb[~hole]).all()


def test_what_is_in_the_hole_plays_no_part_and_detail_comes_from_outside(
    tmp_path: Path, small: Lama, photo: tuple[np.ndarray, np.ndarray]
) -> None:
    as_safetensors(small, tmp_path / "l.safetensors")
    inpainter = Inpainter(str(tmp_path / "l.safetensors"))
    noise, hole = photo
    rgb = (128 + noise.astype(int) // 32).astype(np.uint8)  # as grey as what random weights paint
    other = np.where(hole[..., None], 255 - rgb, rgb)
    left = np.zeros_like(hole)
    left[:, :20] = True
    first, second = inpainter(rgb, hole, left), inpainter(other, hole, left)
    assert (first.picture == second.picture).all()
    drawn = (first.steps[hole] != 0).any(-1)
    assert drawn.mean() > 0.9
    places = (np.argwhere(hole) + first.steps[hole])[drawn]
    assert not (hole | left)[tuple(places.T)].any()
    assert (inpainter.paint(rgb, np.zeros_like(hole)) == rgb).all()


def test_a_large_hole_is_seen_smaller(tmp_path: Path, small: Lama) -> None:
    as_safetensors(small, tmp_path / "l.safetensors")
    rgb = np.random.default_rng(0).integers(0, 256, (400, 900, 3), dtype=np.uint8)
    hole = np.zeros((400, 900), bool)
    hole[150:250, 200:700] = True
    painted = Inpainter(tmp_path / "l.safetensors").paint(rgb, hole)
    assert painted.shape == rgb.shape
    assert (painted[~hole] == rgb[~hole]).all()
    assert (painted[hole] != rgb[hole]).any(-1).mean() > 0.9


class Trap:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return Path.mkdir, (self.folder,)


def test_nothing_in_an_archive_is_run(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    pickled = io.BytesIO(pickle.dumps({"state_dict": Trap(trap)}, protocol=2)).getvalue()
    with zipfile.ZipFile(tmp_path / "trap.pt", "w") as archive:
        archive.writestr("trap/data.pkl", pickled)
    assert weights_in(tmp_path / "trap.pt") == {}
    with pytest.raises(ModelUnavailableError, match=r"trap\.pt holds no LaMa"):
        Inpainter(tmp_path / "trap.pt")
    assert not trap.exists()
    pickle.loads(pickled)
    assert trap.exists()  # the trap works


def test_what_is_no_lama_is_refused_in_one_line(tmp_path: Path, small: Lama) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(ModelUnavailableError) as caught:
            Inpainter(path)
        assert "\n" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value) or not path.exists()
        return str(caught.value)

    assert "no such file" in refused(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("LaMa")
    assert refused(tmp_path / "text.safetensors").startswith("text.safetensors cannot be read as safetensors")
    (tmp_path / "text.pt").write_text("LaMa")
    assert refused(tmp_path / "text.pt").startswith("text.pt is no PyTorch archive")
    save_file({"1.ffc.convl2l.weight": torch.zeros(8, 3, 7, 7)}, tmp_path / "other.safetensors")
    assert refused(tmp_path / "other.safetensors").startswith("other.safetensors holds no LaMa")
    weights = dict(small.state_dict())
    del weights["5.conv1.ffc.convl2g.weight"]
    save_file(weights, tmp_path / "part.safetensors")
    assert "1 weights are missing or of another shape, such as 5.conv1" in refused(
        tmp_path / "part.safetensors"
    )
    as_checkpoint(small, tmp_path / "cut.ckpt")
    with zipfile.ZipFile(tmp_path / "cut.ckpt") as whole, zipfile.ZipFile(tmp_path / "c.pt", "w") as cut:
        for name in whole.namelist():
            cut.writestr(name, whole.read(name)[: 9 if "/data/" in name else None])
    assert refused(tmp_path / "c.pt").startswith("c.pt cannot be read as a PyTorch archive")


def test_half_precision_and_lost_counts_do_not_matter(
    tmp_path: Path, small: Lama, photo: tuple[np.ndarray, np.ndarray]
) -> None:
    halves = {
        name: value.half() for name, value in small.state_dict().items() if not name.endswith("_tracked")
    }
    save_file(halves, tmp_path / "half.safetensors")
    as_safetensors(small, tmp_path / "full.safetensors")
    rgb, hole = photo
    half, full = (Inpainter(tmp_path / f"{name}.safetensors").paint(rgb, hole) for name in ("half", "full"))
    assert np.abs(half.astype(int) - full).max() <= 2


def test_an_unknown_device_is_named(tmp_path: Path, small: Lama) -> None:
    as_safetensors(small, tmp_path / "l.safetensors")
    with pytest.raises(UsageError, match="abacus"):
        Inpainter(tmp_path / "l.safetensors", "abacus")
