from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from inversion import METHODS
from realedit.errors import ModelUnavailableError, UsageError
from realedit.models.backbone import told_size
from realedit.models.choice import ModelRef, fingerprint, resolve_model
from realedit.models.profile import (
    VARIABLE,
    Profile,
    by_architecture,
    calibrated_path,
    general,
    identity,
    named,
    packaged,
    said_profile,
)
from realedit.settings import Settings

SDXL = {
    "unet": {
        "block_out_channels": [320, 640, 1280],
        "transformer_layers_per_block": [1, 2, 10],
        "cross_attention_dim": 2048,
        "in_channels": 4,
    }
}


def folder_with(text: str | None, folder: Path, configs: dict[str, Any] | None = None) -> ModelRef:
    if text is not None:
        (folder / "profile.json").write_text(text)
    for part, config in (configs or {}).items():
        (folder / part).mkdir(exist_ok=True)
        (folder / part / "config.json").write_text(json.dumps(config))
    return ModelRef("mine", "folder", str(folder), "flag")


@pytest.mark.parametrize("profile", [*packaged(), Profile.of(resolve_model("tabletop"))])
def test_every_value_has_its_source(profile: Profile) -> None:
    values = {value.name for value in fields(Profile)} - {"name", "architecture", "sources"}
    assert set(profile.sources) == values
    assert all(source.strip() for source in profile.sources.values())


def test_a_model_of_sdxls_architecture_has_sdxls_and_others_the_general_one(tmp_path: Path) -> None:
    assert Profile.of(folder_with(None, tmp_path)) == general() == named("general")
    assert Profile.of(folder_with(None, tmp_path, SDXL)) == named("sdxl") == by_architecture(SDXL)
    narrower = {"unet": {**SDXL["unet"], "block_out_channels": [32, 64, 128]}}
    assert Profile.of(folder_with(None, tmp_path, narrower)) == general()
    assert named("sdxl").hole_strength == 1
    assert named("sdxl").mask_keys
    assert (named("sdxl").pin_low or 0) < named("sdxl").pin


def test_the_embedded_models_own_is_read_whole() -> None:
    ref = resolve_model("tabletop")
    profile = Profile.of(ref)
    said = json.loads((Path(ref.location) / "profile.json").read_text())
    assert set(said) | {"architecture"} == {value.name for value in fields(Profile)}
    assert (profile.name, profile.strength, profile.look_strength) == ("tabletop", 0, 0.4)
    assert profile.look["method"] in METHODS
    assert general().look == {}


def test_what_a_folders_file_leaves_out_is_the_architectures(tmp_path: Path) -> None:
    profile = Profile.of(folder_with('{"steps": 30, "sources": {"steps": "tried"}}', tmp_path, SDXL))
    expected = replace(named("sdxl"), name="mine", architecture={}, steps=30)
    assert profile == replace(expected, sources=dict(expected.sources) | {"steps": "tried"})


def test_a_value_without_a_source_does_not_keep_anothers(tmp_path: Path) -> None:
    assert "steps" not in Profile.of(folder_with('{"steps": 30}', tmp_path)).sources


def test_what_the_user_says_wins() -> None:
    profile = replace(general(), strength=0.1, look_strength=0.3)
    assert profile.filled(Settings(), by_model=False).strength == 0.1
    assert profile.filled(Settings(), by_model=True).strength == 0.3
    assert profile.filled(Settings(strength=0.0), by_model=True).strength == 0
    assert profile.filled(Settings(pin=0.1, smooth=3.0), by_model=False).pin == 0.1


def test_settings_that_a_profile_leaves_open_follow_the_ones_beside_them() -> None:
    plain = general().filled(Settings(strength=0.2, pin=0.6), by_model=False)
    assert (plain.hole_strength, plain.pin_low) == (0.2, 0.6)
    profile = replace(general(), hole_strength=1.0, pin_low=0.4)
    assert profile.filled(Settings(), by_model=False).hole_strength == 1
    assert profile.filled(Settings(), by_model=False).pin_low == 0.4
    # one who says how firmly all is pinned means the low frequencies too
    assert profile.filled(Settings(pin=0.1), by_model=False).pin_low == 0.1


def test_a_strength_of_nothing_keeps_the_model_off_whatever_the_profile_says_of_holes() -> None:
    off = named("sdxl").filled(Settings(strength=0.0), by_model=False)
    assert not off.resamples
    assert named("sdxl").filled(Settings(), by_model=False).resamples
    assert named("sdxl").filled(Settings(strength=0.0, hole_strength=0.5), by_model=False).resamples


def test_nothing_is_left_open() -> None:
    for profile in packaged():
        full = profile.filled(Settings(), by_model=False)
        assert None not in [getattr(full, knob.name) for knob in fields(full)]
        assert profile.filled(full, by_model=True) is full


@pytest.mark.parametrize("text", ['{"strength": 2}', '{"strength": "0"}', '{"speed": 1}', "[]", "{"])
def test_one_that_cannot_be_read_is_told_of_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"^mine: profile\.json cannot be read \(") as caught:
        Profile.of(folder_with(text, tmp_path))
    assert "\n" not in str(caught.value)


def test_it_is_part_of_what_decides_an_edit(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    before = identity(folder_with('{"strength": 0}', tmp_path))
    assert identity(folder_with('{"strength": 0.1}', tmp_path)) != before
    assert identity(folder_with('{"strength": 0, "sources": {"strength": "tried"}}', tmp_path)) == before


def test_one_that_was_calibrated_for_this_very_model_is_used_before_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, model = tmp_path / "kept", tmp_path / "model"
    model.mkdir()
    (model / "model_index.json").write_text("{}")
    ref = folder_with('{"steps": 30}', model)
    monkeypatch.setenv(VARIABLE, str(kept))
    assert Profile.of(ref).steps == 30
    kept.mkdir()
    calibrated_path(fingerprint(ref)).write_text(replace(general(), name="calibrated", steps=7).dump())
    assert Profile.of(ref) == replace(general(), name="calibrated", steps=7)
    (model / "model_index.json").write_text('{"another": 1}')
    assert Profile.of(ref).steps == 30


def test_one_comes_back_from_its_json_the_same(tmp_path: Path) -> None:
    for profile in packaged():
        assert Profile.of(folder_with(profile.dump(), tmp_path)) == profile


def test_a_profile_can_be_named_by_its_file_or_as_one_of_the_packages(tmp_path: Path) -> None:
    assert said_profile("sdxl") == named("sdxl")
    (tmp_path / "mine.json").write_text('{"steps": 30}')
    assert said_profile(tmp_path / "mine.json") == replace(
        general(),
        name="mine",
        architecture={},
        steps=30,
        sources={k: v for k, v in general().sources.items() if k != "steps"},
    )
    with pytest.raises(UsageError, match="no profile 'sdx'"):
        said_profile("sdx")


@pytest.mark.parametrize(
    ("size", "least", "told"),
    [((256, 384), 0, (256, 384)), ((256, 384), 1024, (1024, 1536)), ((1216, 832), 1024, (1497, 1024))],
)
def test_a_model_is_told_no_smaller_size_than_its_profile_says(
    size: tuple[int, int], least: int, told: tuple[int, int]
) -> None:
    assert told_size(size, least) == told
