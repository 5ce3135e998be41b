"""Tests of realedit.external.captioner: a photo to a prompt."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from realedit.errors import UsageError
from realedit.external.captioner import Captioner, prompt

PHOTO = np.random.default_rng(0).integers(0, 255, (40, 64, 3), dtype=np.uint8)


def saying(folder: Path, token: int, at: Path) -> Path:
    """A BLIP that says one word, whatever it sees."""
    out = Path(shutil.copytree(folder, at))
    weights = load_file(out / "model.safetensors")
    weights["text_decoder.cls.predictions.bias"][token] = 1e4
    save_file(weights, out / "model.safetensors", {"format": "pt"})
    return out


@pytest.mark.parametrize("model_type", ["blip", "florence2"])
def test_a_photo_becomes_the_same_line_each_time(folder_of: Callable[[str], Path], model_type: str) -> None:
    captioner = Captioner(folder_of(model_type), offline=True)
    said = captioner.caption(PHOTO)
    assert said
    assert said == prompt(said)
    assert captioner.caption(PHOTO) == said


def test_blip_s_tokens_become_words(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    tokenizer = Captioner(folder_of("blip")).loaded.processor.tokenizer
    folder = saying(folder_of("blip"), tokenizer.convert_tokens_to_ids("mug"), tmp_path / "mug")
    assert Captioner(folder).caption(PHOTO).split() == ["mug"] * 40


def test_nothing_said_is_told(folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    captioner = Captioner(saying(folder_of("blip"), 102, tmp_path / "mute"))  # [SEP]: the end
    with pytest.raises(UsageError) as caught:
        captioner.caption(PHOTO)
    assert str(caught.value) == "mute has nothing to say about the photo; describe the photo with --prompt"


def test_florence_is_asked_for_one_sentence_and_its_tokens_become_words(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = Captioner(folder_of("florence2"))
    tokenizer, model = captioner.loaded.processor.tokenizer, captioner.loaded.model
    given: list[torch.Tensor] = []

    def answer(**inputs: torch.Tensor) -> torch.Tensor:
        given.append(inputs["input_ids"])
        return torch.tensor(
            [tokenizer("</s><s>a mug on a table.</s><pad>", add_special_tokens=False).input_ids]
        )

    monkeypatch.setattr(model, "generate", answer)
    assert captioner.caption(PHOTO) == "a mug on a table"
    asked = tokenizer.batch_decode(given[0])[0]
    assert asked == "<image>" * 5 + "<s>What does the image describe?</s>"


def test_a_caption_becomes_a_prompt() -> None:
    assert prompt("  a mug on\na  table. ") == "a mug on a table"
    assert prompt(" . ") == ""
