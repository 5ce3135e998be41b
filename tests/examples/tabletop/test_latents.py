from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

from examples.tabletop.latents import (
    Shard,
    as_pictures,
    encode,
    encode_pictures,
    latent_file,
    load_vae,
    new_file,
)
from realedit.system.progress import silent

EMBEDDED = Path(__file__).resolve().parents[3] / "realedit" / "assets" / "tabletop" / "vae"
WriteScenes = Callable[[Path, Sequence[dict[str, Any]], int], Path]


def test_pictures_are_in_minus_one_to_one_averaged_by_area_and_mirrored() -> None:
    images = np.zeros((1, 4, 4, 3), np.uint8)
    images[0, :2, :2] = [[[255, 0, 0], [255, 0, 0]], [[255, 0, 0], [0, 0, 255]]]
    whole = as_pictures(images, 4, mirrored=False)
    assert whole.shape == (1, 3, 4, 4)
    assert whole[0, :, 0, 0].tolist() == [1, -1, -1]
    small = as_pictures(images, 2, mirrored=False)
    assert small[0, :, 0, 0].tolist() == pytest.approx([0.5, -1, -0.5])
    assert (small[0, :, 1] == -1).all()
    assert torch.equal(as_pictures(images, 2, mirrored=True), small.flip(-1))


def test_latents_are_the_autoencoders_scaled_and_those_of_the_mirror_image(
    tmp_path: Path, scene_folders: tuple[Path, Path], vae_folder: Path
) -> None:
    part = new_file(tmp_path / "deep" / "latents.npy", 3, 4, 16)
    encode_pictures(scene_folders[0], vae_folder, 64, part, (0, 1), silent)
    latents = np.load(part)
    assert (latents.dtype, latents.shape) == (np.float16, (2, 3, 4, 16, 16))
    vae: Any = AutoencoderKL.from_pretrained(vae_folder)
    images = np.load(scene_folders[0] / "images.npy")
    small = torch.from_numpy(images).double().reshape(3, 64, 4, 64, 4, 3).mean((2, 4)).permute(0, 3, 1, 2)
    for mirrored in (0, 1):
        pictures = (small.flip(-1) if mirrored else small) / 127.5 - 1
        with torch.no_grad():
            expected = 1.7 * vae.encode(pictures.float()).latent_dist.mode()
        error = torch.from_numpy(latents[mirrored]).float() - expected
        assert error.norm() < 0.03 * expected.norm()  # bfloat16
    assert np.abs(latents[1][..., ::-1] - latents[0]).max() > 0  # encoded anew, not turned round


def test_a_shift_is_taken_off_before_the_scale(
    tmp_path: Path, scene_folders: tuple[Path, Path], vae_folder: Path
) -> None:
    shifted = tmp_path / "vae"
    shutil.copytree(vae_folder, shifted)
    config = json.loads((shifted / "config.json").read_text())
    (shifted / "config.json").write_text(json.dumps({**config, "shift_factor": 0.25, "scaling_factor": 2.0}))
    found = []
    for number, folder in enumerate((vae_folder, shifted)):
        part = new_file(tmp_path / f"{number}.npy", 2, 4, 8)
        encode_pictures(scene_folders[1], folder, 32, part, (0, 1), silent)
        found.append(np.load(part).astype(float))
    np.testing.assert_allclose(found[1], (found[0] / 1.7 - 0.25) * 2, atol=3e-3)


def test_workers_shares_make_up_the_whole(tmp_path: Path, new_scenes: WriteScenes, vae_folder: Path) -> None:
    scene = {"objects": [{"noun": "mug", "colour": None}], "surface": "plain"}
    folder = new_scenes(tmp_path / "scenes", [scene] * 19, 4)
    alone, shared = (new_file(tmp_path / f"{name}.npy", 19, 4, 4) for name in ("alone", "shared"))
    encode_pictures(folder, vae_folder, 16, alone, (0, 1), silent)
    steps: list[tuple[str, int, int]] = []

    def record(stage: str, step: int, total: int) -> None:
        steps.append((stage, step, total))

    for worker in (0, 1):
        encode_pictures(folder, vae_folder, 16, shared, (worker, 2), record)
    assert np.load(alone).any((2, 3, 4)).all()
    np.testing.assert_array_equal(np.load(shared), np.load(alone))
    assert [step[1:] for step in steps] == [(1, 2), (2, 2), (1, 1)]


def test_the_file_is_full_before_it_has_its_name(tmp_path: Path) -> None:
    part = new_file(tmp_path / "cache" / "a.npy", 2, 4, 8)
    assert part == tmp_path / "cache" / "a.part"
    assert not (tmp_path / "cache" / "a.npy").exists()
    assert not np.load(part).any()


def test_another_autoencoder_size_or_folder_is_another_file(
    tmp_path: Path, scene_folders: tuple[Path, Path], vae_folder: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(vae_folder, other)
    config = (other / "config.json").read_text()
    (other / "config.json").write_text(config.replace("1.7", "1.8"))
    same_name = tmp_path / "0"
    shutil.copytree(scene_folders[0], same_name)
    first = latent_file(scene_folders[0], vae_folder, 64, tmp_path)
    files = [
        first,
        latent_file(scene_folders[0], vae_folder, 128, tmp_path),
        latent_file(scene_folders[0], other, 64, tmp_path),
        latent_file(scene_folders[1], vae_folder, 64, tmp_path),
        latent_file(same_name, vae_folder, 64, tmp_path),
    ]
    assert len(set(files)) == len(files)
    assert {file.parent for file in files} == {tmp_path}
    assert latent_file(scene_folders[0], vae_folder, 64, tmp_path) == first


def test_scenes_rendered_since_are_another_file(
    tmp_path: Path, scene_folders: tuple[Path, Path], vae_folder: Path
) -> None:
    """A renderer reserves room for all its pictures at once: only the list tells how many are there."""
    folder = tmp_path / "scenes"
    shutil.copytree(scene_folders[0], folder)
    whole = (folder / "scenes.jsonl").read_text()
    (folder / "scenes.jsonl").write_text(whole.splitlines(keepends=True)[0])
    early = latent_file(folder, vae_folder, 64, tmp_path)
    (folder / "scenes.jsonl").write_text(whole)
    assert latent_file(folder, vae_folder, 64, tmp_path) != early


def test_a_shard_lists_the_scenes_that_are_finished(tmp_path: Path, scene_folders: tuple[Path, Path]) -> None:
    folder = tmp_path / "scenes"
    shutil.copytree(scene_folders[0], folder)
    lines = (folder / "scenes.jsonl").read_text().splitlines()
    (folder / "scenes.jsonl").write_text(f"{lines[0]}\n{lines[1]}\n\n")
    np.save(tmp_path / "latents.npy", np.zeros((2, 3, 4, 8, 8), np.float16))
    shard = Shard.open(folder, tmp_path / "latents.npy")
    assert shard.scenes == (json.loads(lines[0]), json.loads(lines[1]))
    assert shard.instances.shape == (3, 256, 256)


def test_both_kinds_of_autoencoder_load_and_encode(vae_folder: Path) -> None:
    pictures = torch.rand(2, 3, 32, 32) * 2 - 1
    kinds = {}
    for folder in (vae_folder, EMBEDDED):
        vae = load_vae(folder)
        kinds[type(vae)] = encode(vae, pictures)
        assert next(vae.parameters()).dtype == torch.float32
        assert not vae.training
    assert kinds.keys() == {AutoencoderKL, AutoencoderTiny}
    assert all(z.shape == (2, 4, 8, 8) and not z.requires_grad for z in kinds.values())
    whole: Any = AutoencoderKL.from_pretrained(vae_folder)
    with torch.no_grad():
        expected = whole.encode(pictures).latent_dist.mode()
    torch.testing.assert_close(kinds[AutoencoderKL], expected)
