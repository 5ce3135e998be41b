"""What names a file or a folder may be too long for any, or begin in the home of nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from realedit.errors import RealEditError
from realedit.external.files import located
from realedit.external.inpainter import Inpainter
from realedit.models.additions import Lora, vae_place
from realedit.models.choice import resolve_model
from realedit.models.profile import said_profile

READERS: dict[str, Callable[[str], object]] = {
    "model": resolve_model,
    "model's folder": lambda name: resolve_model(Path(name)),
    "profile": said_profile,
    "LoRA": Lora.parse,
    "VAE": lambda name: vae_place(Path(name), offline=True),
    "detector": lambda name: located(Path(name), "detector", offline=True),
    "inpainter": Inpainter,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["n" * 300, "ü" * 200 + ".safetensors", "~nobody-has-this-name/a", "a\0b"])
def test_a_name_that_no_file_can_have_is_told(reader: str, name: str) -> None:
    with pytest.raises(RealEditError):
        READERS[reader](name)
