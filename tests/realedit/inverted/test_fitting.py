"""The account of a model's memory, and the choice of a layout from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from realedit.errors import MemoryLimitError
from realedit.inverted.account import GIB, LiveBytes, account
from realedit.inverted.fitting import TABLE, counted_at, fitting
from realedit.models.description import Description, Unloaded
from realedit.models.folder import NETWORKS, Layout
from realedit.models.frugality import SETTINGS
from realedit.models.single_file import CONFIGS
from small_sdxl import small_sdxl

HALF, FULL = torch.float16, torch.float32


def described(kind: str, dtype: torch.dtype = HALF) -> Unloaded:
    """SDXL, of which nothing but its configs is there."""

    def nothing(*_: object) -> Any:
        raise AssertionError("nothing is to be loaded")

    description = Description(8, 128, 3, torch.device(kind), dtype)
    return Unloaded(description, nothing, nothing, Layout(CONFIGS, {}, {}))


def test_bytes_live_as_long_as_their_tensors() -> None:
    known = torch.zeros(1000)
    with LiveBytes(known) as live:
        a = torch.ones(256)
        b = a.reshape(2, 128)  # the same storage
        assert live.now == 1024
        c = known + 1
        assert live.now == 5024
        del a, b
        assert live.now == 4000
        c = c[:1] * 2
        assert (live.now, live.peak) == (4, 5024)


def test_the_account_counts_what_a_small_model_takes() -> None:
    pipeline: Any = small_sdxl()
    configs = {name: getattr(pipeline, name).config for name in ("unet", "vae")}
    configs |= {name: getattr(pipeline, name).config.to_dict() for name in ("text_encoder", "text_encoder_2")}
    found = account(configs, (128, 128), FULL, FULL)
    for name in NETWORKS:
        assert found.weights[name] == sum(w.nbytes for w in getattr(pipeline, name).parameters())
    # less is kept where activations are computed twice, and more where there are more pixels
    assert found.stages["guide twice"] < found.stages["guide"] / 2
    larger = account(configs, (256, 256), FULL, FULL)
    for stage in ("observe", "guide", "decode"):
        assert 3 < larger.stages[stage] / found.stages[stage] < 5
    assert 3.5 < larger.level / found.level < 4.5


def test_sdxl_fits_the_cards_that_it_is_to_fit() -> None:
    """At 1024 pixels in half precision: 11 GiB, and 7 GiB with whole networks offloaded."""
    at = counted_at(described("cuda"), 1024, dtype=HALF, vae=FULL)
    assert at.peak(SETTINGS[1]) <= 11 * GIB
    assert at.peak(SETTINGS[3]) <= 7 * GIB
    peaks = [at.peak(setting) for setting in SETTINGS]
    assert peaks == sorted(peaks, reverse=True)


def test_the_table_is_between_its_rows_and_beyond() -> None:
    rows = {row["pixels"]: row for row in json.loads(TABLE.read_text())["sizes"]}
    exact = counted_at(described("cuda"), 768, dtype=HALF, vae=FULL)
    assert exact.stages == rows[768 * 768]["stages"]
    sides = (512, 600, 768, 900, 1024, 1280)
    peaks = [counted_at(described("cuda"), side, dtype=HALF, vae=FULL).peak(SETTINGS[0]) for side in sides]
    assert peaks == sorted(peaks)


@pytest.mark.parametrize(("free", "place"), [(24, 0), (11.5, 1), (8.6, 2), (7.2, 3), (4, 4)])
def test_the_fastest_that_fits_is_chosen_and_told(free: float, place: int) -> None:
    chosen = fitting(described("cuda"), 1024, None, int(free * GIB), "sdxl", vae=FULL)
    assert chosen.settings == SETTINGS[place:]
    assert (chosen.line == "") == (place == 0)
    assert str(SETTINGS[place]) in chosen.line or place == 0


def test_what_fits_nowhere_says_what_would() -> None:
    with pytest.raises(
        MemoryLimitError, match=r"^sdxl needs about .* at 1024 pixels with .*--offload model"
    ) as e:
        fitting(described("cuda"), 1024, "model", 5 * GIB, "sdxl", vae=FULL)
    assert "--offload sequential" in str(e.value)
    assert "\n" not in str(e.value)


def test_offloading_on_the_cpu_is_accepted_and_told() -> None:
    for offload, told in ((None, ""), ("none", ""), ("model", "--offload model does nothing on the CPU")):
        chosen = fitting(described("cpu", FULL), 1024, offload, None, "sdxl", vae=FULL)  # type: ignore[arg-type]
        assert (chosen.settings, chosen.line) == (SETTINGS[:1], told)


def test_where_the_free_memory_is_not_known_all_is_tried() -> None:
    assert fitting(described("mps"), 1024, None, None, "sdxl", vae=FULL).settings == SETTINGS
