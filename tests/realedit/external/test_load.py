"""Tests of realedit.external.load and kinds: what is taken, what is refused, and in which words."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from realedit.errors import ModelUnavailableError, NumericalError, RealEditError, UsageError
from realedit.external.kinds import KINDS, Role, kind_of
from realedit.external.load import Loaded, load

ROOT = Path(__file__).resolve().parents[3]
AGAIN = "copy or download the model again"

Folder = Callable[[str], Path]


@pytest.fixture
def copy(folder_of: Folder, tmp_path: Path) -> Folder:
    """A model's folder that a test may damage, called "copy"."""
    return lambda model_type: Path(shutil.copytree(folder_of(model_type), tmp_path / "copy"))


def refused(name: str | Path, role: Role, kind: type[RealEditError], offline: bool | None = True) -> str:
    with pytest.raises(kind) as caught:
        load(name, role, offline=offline)
    return str(caught.value)


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


# --- what loads


@pytest.mark.parametrize("model_type", [name for name in KINDS if name != "sam2_video"])
def test_each_architecture_loads_frozen_as_its_own_class(
    loaded_of: Callable[[str], Loaded], model_type: str
) -> None:
    loaded = loaded_of(model_type)
    assert loaded.label == model_type
    assert loaded.kind is KINDS[model_type]
    assert type(loaded.model).__name__ == loaded.kind.model
    assert type(loaded.processor).__name__ == loaded.kind.processor
    assert not loaded.model.training
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in loaded.model.parameters())


def test_the_weights_are_the_folder_s_own(folder_of: Folder, loaded_of: Callable[[str], Loaded]) -> None:
    stored = load_file(folder_of("clipseg") / "model.safetensors")
    state = loaded_of("clipseg").model.state_dict()
    assert len(stored) > 50
    for name, value in stored.items():
        assert torch.equal(value, state[name]), name


def test_half_precision_weights_are_brought_to_float32(copy: Folder) -> None:
    folder = copy("clipseg")
    weights = load_file(folder / "model.safetensors")
    half = {name: v.half() if v.is_floating_point() else v for name, v in weights.items()}
    save_file(half, folder / "model.safetensors", {"format": "pt"})
    rewrite(folder / "config.json", dtype="float16")
    assert {p.dtype for p in load(folder, "segmenter").model.parameters()} == {torch.float32}


def test_a_video_model_of_sam_2_is_read_as_one_for_pictures(copy: Folder) -> None:
    folder = copy("sam2")
    rewrite(folder / "config.json", model_type="sam2_video")
    loaded = load(folder, "segmenter")
    assert (type(loaded.model).__name__, type(loaded.processor).__name__) == ("Sam2Model", "Sam2Processor")


def test_an_fp16_variant_serves_where_there_is_no_other(copy: Folder) -> None:
    folder = copy("clipseg")
    (folder / "model.safetensors").rename(folder / "model.fp16.safetensors")
    assert load(folder, "segmenter").kind.model_type == "clipseg"


# --- what is refused


@pytest.mark.parametrize("name", ["/no/such/folder", "owlv2", "", Path("owner/name")])
def test_a_name_that_is_nothing_is_told_with_a_way_out(name: str | Path) -> None:
    assert refused(name, "detector", ModelUnavailableError) == (
        f"no detector '{str(name).strip()}': no such folder and not a hub id; pass a folder written by "
        "save_pretrained, or a hub id such as google/owlv2-base-patch16-ensemble"
    )


def test_a_single_file_is_told_to_be_no_folder(folder_of: Folder) -> None:
    line = refused(folder_of("sam") / "model.safetensors", "segmenter", ModelUnavailableError)
    assert line == (
        "model.safetensors is a single file, and a segmenter is a folder; pass the folder that it lies in"
    )


def test_a_folder_without_a_config_is_no_model(tmp_path: Path) -> None:
    hint = "pass a folder written by save_pretrained, or a hub id such as facebook/sam-vit-base"
    (tmp_path / "bare").mkdir()
    assert refused(tmp_path / "bare", "segmenter", ModelUnavailableError) == (
        f"bare is not a transformers model: it has no config.json; {hint}"
    )
    assert refused(ROOT / "realedit" / "assets" / "tabletop", "segmenter", ModelUnavailableError) == (
        f"tabletop is not a transformers model but a diffusers pipeline: it has no config.json; {hint}"
    )


def test_an_unknown_model_type_is_told_with_the_supported_ones(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "detr"}')
    assert refused(tmp_path, "detector", UsageError) == (
        f"{tmp_path.name} is a detr model, which realedit cannot use as a detector; "
        "use one of: owlvit, owlv2, grounding-dino, mm-grounding-dino"
    )
    (tmp_path / "config.json").write_text('{"model_type": ["owlv2"]}')
    assert "use one of: blip, florence2" in refused(tmp_path, "captioner", UsageError)
    (tmp_path / "config.json").write_text("{}")
    assert refused(tmp_path, "segmenter", UsageError) == (
        f"{tmp_path.name} is a model without a model_type in its config.json, which realedit cannot use as "
        "a segmenter; use one of: clipseg, sam, sam_hq, sam2, sam2_video"
    )


def test_a_model_for_another_flag_is_told_which(folder_of: Folder) -> None:
    assert refused(folder_of("clipseg"), "detector", UsageError) == (
        "clipseg is a clipseg model, which is a segmenter and no detector; give it as --segmenter; "
        "a detector is one of: owlvit, owlv2, grounding-dino, mm-grounding-dino"
    )


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_config_is_one_line(copy: Folder, content: str) -> None:
    folder = copy("sam")
    (folder / "config.json").write_text(content)
    line = refused(folder, "segmenter", ModelUnavailableError)
    assert line.startswith("copy: copy/config.json ")
    assert line.endswith(AGAIN)


class Bomb:
    """What a pickle can do."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_pickled_weights_are_refused_and_never_opened(copy: Folder, tmp_path: Path) -> None:
    folder = copy("sam")
    mark = tmp_path / "run"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    assert load(folder, "segmenter").kind.model_type == "sam"  # beside safetensors they do no harm
    (folder / "model.safetensors").unlink()
    assert refused(folder, "segmenter", ModelUnavailableError) == (
        "copy has no safetensors weights, only pytorch_model.bin, which realedit refuses to read (pickle "
        "files can run code); convert it once with transformers' save_pretrained, or use another model"
    )
    assert not mark.exists()
    pickle.loads((folder / "pytorch_model.bin").read_bytes())
    assert mark.exists()  # it would have


def test_code_that_came_with_a_model_is_never_run(copy: Folder, tmp_path: Path) -> None:
    folder = copy("clipseg")
    mark = tmp_path / "run"
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\nclass Own: pass\n")
    own = {"AutoConfig": "own.Own", "AutoModel": "own.Own", "AutoProcessor": "own.Own"}
    for file in ("config.json", "processor_config.json", "tokenizer_config.json"):
        rewrite(folder / file, auto_map={**own, "AutoTokenizer": ["own.Own", "own.Own"]})
    assert type(load(folder, "segmenter").model).__name__ == "CLIPSegForImageSegmentation"
    content = json.loads((folder / "processor_config.json").read_text())
    pictures = {**content["image_processor"], "image_processor_type": "Own"}
    pictures["auto_map"] = {"AutoImageProcessor": "own.Own"}
    rewrite(folder / "processor_config.json", image_processor=pictures)
    rewrite(folder / "config.json", model_type="clipseg")
    line = refused(folder, "segmenter", ModelUnavailableError)
    assert line == (
        "copy needs code of its own, which realedit does not run; "
        "use a model that transformers knows by itself"
    )
    assert not mark.exists()


def test_attention_from_the_hub_is_refused() -> None:
    for config in (
        {"model_type": "sam", "attn_implementation": "someone/flash-attn@main:forward"},
        {"model_type": "sam", "vision_config": {"_attn_implementation": "someone/flash-attn"}},
    ):
        with pytest.raises(
            ModelUnavailableError, match=r"^it computes its attention .* \(someone/flash-attn\)"
        ):
            kind_of(config, "it", "segmenter")
    assert kind_of({"model_type": "sam", "attn_implementation": "sdpa"}, "it", "segmenter") is KINDS["sam"]


def test_what_a_folder_lacks_is_named(copy: Folder) -> None:
    folder = copy("clipseg")
    (folder / "tokenizer.json").unlink()
    assert refused(folder, "segmenter", ModelUnavailableError) == (
        f"copy is incomplete: missing tokenizer.json or vocab.json or vocab.txt; {AGAIN}"
    )
    (folder / "processor_config.json").unlink()
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    assert refused(folder, "segmenter", ModelUnavailableError) == (
        "copy is incomplete: missing processor_config.json or preprocessor_config.json, tokenizer.json or "
        f"vocab.json or vocab.txt, model.safetensors; {AGAIN}"
    )


def test_missing_weights_are_not_made_up(copy: Folder) -> None:
    folder = copy("clipseg")
    weights = load_file(folder / "model.safetensors")
    del weights["decoder.film_mul.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert refused(folder, "segmenter", ModelUnavailableError) == (
        "copy lacks 1 weights of CLIPSegForImageSegmentation, such as decoder.film_mul.weight; "
        "use a model that was saved for transformers, or copy it again"
    )


def test_cut_off_weights_are_one_line(copy: Folder) -> None:
    folder = copy("sam")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    line = refused(folder, "segmenter", ModelUnavailableError)
    assert line.startswith("copy cannot be loaded (")
    assert line.endswith(f"); {AGAIN}")
    assert "\n" not in line


def test_no_such_device(folder_of: Folder) -> None:
    with pytest.raises(UsageError, match="no such device: 'toaster'"):
        load(folder_of("sam"), "segmenter", "toaster")


def test_nan_is_told_and_infinity_is_not(loaded_of: Callable[[str], Loaded]) -> None:
    loaded = loaded_of("sam")
    loaded.check_numbers(torch.tensor([0.0, -torch.inf]))
    with pytest.raises(NumericalError, match=r"^sam produced NaN; use another segmenter$"):
        loaded.check_numbers(torch.tensor([0.0, torch.nan]))
