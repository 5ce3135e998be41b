"""Tests of realedit.models: choice, folder and hub, on real folders and a real (local) hub server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from realedit.errors import ModelUnavailableError, UsageError
from realedit.models import choice as models
from realedit.models import folder as model_folder
from realedit.models import loading
from realedit.models.profile import identity

ROOT = Path(__file__).resolve().parents[3]
TABLETOP = ROOT / "realedit" / "assets" / "tabletop"
ANOTHER = "pass a folder written by StableDiffusionXLPipeline.save_pretrained, or --model tabletop"
AGAIN = "copy or download the model again"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SDXL_COMMAND = f'hf download {SDXL} --include "*.json" --include "*.txt" --include "*/*.fp16.safetensors"'


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


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "REALEDIT_"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**keep, "OMP_NUM_THREADS": "1", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def failure(ref: models.ModelRef) -> str:
    with pytest.raises(ModelUnavailableError) as caught:
        loading.load_pipeline(ref)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- which model
# -----------------------------------------------------------------------------------------------


def test_the_embedded_model_is_the_default() -> None:
    assert models.resolve_model() == models.ModelRef("tabletop", "embedded", str(TABLETOP), "default")


def test_the_flag_wins_over_the_variable_and_the_variable_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REALEDIT_MODEL", "sdxl")
    assert models.resolve_model() == models.ModelRef("sdxl", "hub", SDXL, "REALEDIT_MODEL")
    assert models.resolve_model("tabletop") == models.ModelRef("tabletop", "embedded", str(TABLETOP), "flag")
    monkeypatch.setenv("REALEDIT_MODEL", "  ")
    assert models.resolve_model().chosen_by == "default"


def test_a_folder_goes_by_its_own_name_and_never_its_path(folder: Path) -> None:
    for given in (folder, str(folder)):
        assert models.resolve_model(given) == models.ModelRef("copy", "folder", str(folder), "flag")


def test_an_alias_wins_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tabletop").mkdir()
    monkeypatch.chdir(tmp_path)
    assert models.resolve_model("tabletop").source == "embedded"
    assert models.resolve_model("./tabletop").location == str(tmp_path / "tabletop")
    assert models.resolve_model(Path("tabletop")).location == str(tmp_path / "tabletop")


def test_owner_and_name_is_a_hub_id() -> None:
    assert models.resolve_model("owner/name") == models.ModelRef("owner/name", "hub", "owner/name", "flag")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sdlx", "did you mean sdxl?"),
        ("Tabletop", "did you mean tabletop?"),
        ("nothing-like-it", "known names: tabletop, sdxl; or a folder; or a hub id owner/name"),
        ("/no/such/folder", "known names: tabletop, sdxl; or a folder; or a hub id owner/name"),
        ("", "known names: tabletop, sdxl; or a folder; or a hub id owner/name"),
    ],
)
def test_a_name_that_is_nothing_is_refused_with_a_way_out(name: str, hint: str) -> None:
    with pytest.raises(ModelUnavailableError) as caught:
        models.resolve_model(name)
    assert str(caught.value) == f"no model named '{name}': no such folder and not a hub id; {hint}"


def test_one_network_in_a_file_is_no_model() -> None:
    file = TABLETOP / "unet" / "diffusion_pytorch_model.safetensors"
    with pytest.raises(ModelUnavailableError, match="holds no UNet as SDXL's checkpoints name it"):
        models.resolve_model(file)


def test_resolving_listing_and_fingerprinting_import_no_torch() -> None:
    code = (
        "import sys; from realedit.models import choice as models, loading, profile\n"
        "models.list_models(); print(profile.identity(models.resolve_model()))\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    done = run_python(code)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1] == "[]"


def test_another_recogniser_is_another_model_to_edit_with_but_not_to_invert_with(folder: Path) -> None:
    ref = models.resolve_model(folder)
    inverted, edited = models.fingerprint(ref), identity(ref)
    shutil.rmtree(folder / model_folder.RECOGNISER)
    assert models.fingerprint(ref) == inverted
    assert identity(ref) != edited


# --- the list
# --------------------------------------------------------------------------------------------------


def test_the_list_names_what_is_here_with_its_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(path.stat().st_size for path in TABLETOP.rglob("*") if path.is_file())
    tabletop, sdxl = models.list_models()
    assert tabletop == models.ModelInfo("tabletop", "embedded", str(TABLETOP), True, size, True)
    assert sdxl == models.ModelInfo("sdxl", "hub", SDXL, False, 0, False, "not downloaded")
    monkeypatch.setenv("REALEDIT_MODEL", str(folder))
    tabletop, _, own = models.list_models()
    assert not tabletop.default
    assert own == models.ModelInfo("copy", "folder", str(folder), True, size, True)


def test_the_list_says_what_is_wrong_with_the_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALEDIT_MODEL", "sdlx")
    wrong = models.list_models()[-1]
    assert (wrong.name, wrong.source, wrong.available, wrong.default) == ("sdlx", "unknown", False, True)
    assert wrong.note == "no model named 'sdlx': no such folder and not a hub id; did you mean sdxl?"
    (folder / "vae" / "config.json").unlink()
    monkeypatch.setenv("REALEDIT_MODEL", str(folder))
    broken = models.list_models()[-1]
    assert not broken.available
    assert broken.note == f"copy is incomplete: missing vae; {AGAIN}"


# --- loading
# ---------------------------------------------------------------------------------------------------


def test_the_embedded_model_loads_frozen_with_its_own_weights() -> None:
    pipeline: Any = loading.load_pipeline(models.resolve_model())
    assert type(pipeline).__name__ == "StableDiffusionXLPipeline"
    assert pipeline.watermark is None
    assert pipeline._progress_bar_config == {"disable": True}
    assert pipeline.config.force_zeros_for_empty_prompt
    for part in model_folder.NETWORKS:
        network = getattr(pipeline, part)
        assert not network.training, part
        assert not any(parameter.requires_grad for parameter in network.parameters()), part
        assert network.dtype == torch.float32, part
    saved = load_file(TABLETOP / "unet" / "diffusion_pytorch_model.safetensors")
    loaded = pipeline.unet.state_dict()
    assert saved.keys() == loaded.keys()
    assert all(torch.equal(saved[name].float(), loaded[name]) for name in saved)
    # Words of the captions it was trained on are one token each, between begin and end.
    assert len(pipeline.tokenizer("mug").input_ids) == len(pipeline.tokenizer_2("mug").input_ids) == 3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_vae_stays_in_float32_when_the_rest_is_halved(dtype: torch.dtype) -> None:
    pipeline: Any = loading.load_pipeline(models.resolve_model(), dtype=dtype)
    assert {getattr(pipeline, part).dtype for part in ("unet", "text_encoder", "text_encoder_2")} == {dtype}
    assert pipeline.vae.dtype == torch.float32


def test_the_shipped_model_is_half_precision_and_names_no_machine() -> None:
    for path in TABLETOP.rglob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}
    for path in TABLETOP.rglob("*.json"):
        content = json.loads(path.read_text())
        assert not str(content.get("_name_or_path", "")).startswith(("/", "~", ".")), path


def test_loading_prints_nothing_and_leaves_no_filter_behind() -> None:
    code = (
        "import warnings, logging, numpy, torch; from realedit.models import choice as models, loading\n"
        "before = list(warnings.filters)\n"
        "loading.load_pipeline(models.resolve_model())\n"
        "from diffusers.utils import logging as d; from transformers.utils import logging as t\n"
        "print(warnings.filters == before, d.get_verbosity() == t.get_verbosity() == logging.WARNING,\n"
        "      d.is_progress_bar_enabled() and t.is_progress_bar_enabled())"
    )
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("True True True\n", "")


def test_filters_return_after_a_failure(folder: Path) -> None:
    path = folder / "text_encoder" / "model.safetensors"
    weights = load_file(path)
    weights["final_layer_norm.weight" if "final_layer_norm.weight" in weights else next(iter(weights))] = (
        torch.ones(5)
    )
    save_file(weights, path, {"format": "pt"})
    before = list(warnings.filters)
    failure(models.resolve_model(folder))
    assert warnings.filters == before


def test_a_pipeline_saved_as_fp16_variant_loads_in_both_precisions(tmp_path: Path) -> None:
    whole: Any = loading.load_pipeline(models.resolve_model())
    whole.save_pretrained(tmp_path / "variant", variant="fp16", safe_serialization=True)
    whole.unet.save_pretrained(tmp_path / "variant" / "unet", max_shard_size="8MB", variant="fp16")
    (tmp_path / "variant" / "unet" / "diffusion_pytorch_model.fp16.safetensors").unlink(missing_ok=True)
    assert len(list((tmp_path / "variant" / "unet").glob("*-of-*.safetensors"))) > 1
    ref = models.resolve_model(tmp_path / "variant")
    for dtype in (torch.float32, torch.float16):
        again: Any = loading.load_pipeline(ref, dtype=dtype)
        assert torch.equal(again.unet.conv_in.weight, whole.unet.conv_in.weight.to(dtype))
        assert torch.equal(again.vae.encoder.layers[0].weight, whole.vae.encoder.layers[0].weight)
    next((tmp_path / "variant" / "unet").glob("*-00002-of-*")).unlink()
    assert failure(ref) == f"variant is incomplete: missing unet; {AGAIN}"


def test_a_tokenizer_of_vocab_and_merges_loads_as_sdxl_ships_it(folder: Path) -> None:
    model = json.loads((folder / "tokenizer" / "tokenizer.json").read_text())["model"]
    for part in ("tokenizer", "tokenizer_2"):
        (folder / part / "tokenizer.json").unlink()
        (folder / part / "vocab.json").write_text(json.dumps(model["vocab"]))
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
        (folder / part / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    plain: Any = loading.load_pipeline(models.resolve_model())
    again: Any = loading.load_pipeline(models.resolve_model(folder))
    prompt = "a photo of a red mug and a bowl on a wooden table"
    assert again.tokenizer(prompt).input_ids == plain.tokenizer(prompt).input_ids


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^no such device: 'toaster'; use cpu, cuda, xpu or mps$"):
        loading.load_pipeline(models.resolve_model(), device="toaster")
    if not torch.backends.mps.is_available():
        with pytest.raises(
            UsageError, match=r"^device 'mps' was asked for, but torch sees none on this machine; "
        ):
            loading.load_pipeline(models.resolve_model(), device="mps")
