"""A model's profile: every default that is right for one model and not for another, with its source.

A profile is looked for in this order:

1. what ``realedit calibrate`` measured for this very model (by its fingerprint), in the user's own folder;
2. ``profile.json`` in the model's folder;
3. the package's own for the model's architecture (``assets/profiles``), by values of its configs;
4. the package's general one.

The first two may leave fields out: these are the third's or the fourth's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from realedit.errors import ModelUnavailableError, UsageError
from realedit.models import hub
from realedit.models.choice import ModelInfo, ModelRef, fingerprint
from realedit.models.folder import PROFILE, RECOGNISER
from realedit.models.single_file import configs_of
from realedit.settings import LARGEST_STRENGTH, FullSettings, Settings
from realedit.system.outside_json import read_json

VARIABLE = "REALEDIT_PROFILES"
"""Environment variable that names the folder of calibrated profiles."""
GENERAL = "general"
"""The package's profile of models that no other one is for."""
_CONFIGS = {"unet": "unet/config.json", "scheduler": "scheduler/scheduler_config.json"}
"""The configs that a profile's architecture may name values of."""

Configs = Mapping[str, Mapping[str, Any]]
"""A model's configs by its parts' names, as diffusers writes them."""
_Share = Annotated[float, Field(ge=0, le=1)]
_Strength = Annotated[float, Field(ge=0, le=LARGEST_STRENGTH)]
_Scale = Annotated[float, Field(ge=0, le=1000)]
_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Layers:
    """Layers of a UNet by part and by resolution; :class:`guidance.LayerSelection` with the same fields.

    Args:
        parts: the parts of the UNet.
        ranks: ranks of resolution, 0 the finest with cross-attention; None takes all of them.
    """

    parts: tuple[Literal["down", "mid", "up"], ...] = ("up",)
    ranks: tuple[_Count, ...] | None = None


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", strict=True))
class Profile:
    """Defaults that depend on the model. Where they come from is in :attr:`sources`.

    Args:
        name: what it is called.
        architecture: values of the configs of the models that it is for, by part; empty where it is chosen
            otherwise.
        sources: by field, where its value comes from.
        native_size: side in pixels of the square that the model works at; None for its config's own.
        least_size_conditioning: the shorter side in pixels that the model is told a picture has, at least.
        vae_dtype: the autoencoder's precision.
        plain_caption: what a photo shows where nobody says.
        caption: the same where an object is named, with ``{thing}`` in the place of its article and name.
        find: how words are found: by the decoder's finest attention, or by attention of all layers, weighed
            (:mod:`guidance.goca`).
        found: least of what tells that a word is there: of ``attention`` its peak in [0, 1], of ``goca`` its
            contrast against the caption's other words and against none.
        found_spelt: the same for a word that the tokenizer reads in pieces; None takes ``found``.
        find_layers: the layers whose attention is looked at by ``goca``.
        find_noise: share of the training's noise levels that a photo is noised to for ``goca``.
        find_affinity: how often ``goca`` spreads its heat by self-attention.
        glance: whether a photo in which only words are looked for is not inverted, but seen with noise.
        steps: noise levels of an inversion.
        least_time: the model's time up to which no level is visited: at 1 of 1000 nothing is left to do.
        method: how an edit inverts a photo, one of ``inversion.METHODS``.
        levels: the noise levels that are inverted and observed: all, or what an edit reads.
        observe: where what the model sees is recorded: at the trajectory's own states, a second evaluation
            each, or on the way up to them, at the noisier level's time (Qi et al. 2023, *FateZero*,
            arXiv 2303.09535), which costs nothing.
        native_window: whether large photos are worked on in a window of native size about the edited region.
        strength: of edits that carry an object's own pixels; see :class:`realedit.settings.Settings`.
        look_strength: of edits that change an object's look.
        hole_strength: of the hole; None takes the object's. So do the following fields mean what the
            settings of their names do.
        hole_free: share of the sampled steps, from the first, in which the hole is free and the old object's
            keys are masked out.
        hole_margin: what the old object's mask is grown by to give the hole that is painted and whose keys
            are masked out, in longer sides.
        mask_keys: as the setting.
        shared: layers whose self-attention reads the source's keys and values.
        shared_from: share of the sampled steps before it does.
        pin: as the setting.
        pin_low: as the setting; None takes ``pin``.
        pin_blur: standard deviation, in latent cells, of the Gaussian that tells low frequencies from high.
        smooth: as the setting.
        guidance_scale: as the setting.
        guidance_noise: the noise over signal, from and to, in which that scale acts, beyond which the prompt
            alone is evaluated; None is everywhere.
        self_guidance: as the setting.
        guided: layers that the energies look at.
        window: as the setting.
        passes: how many backward passes a guided step takes: one for each term, or one for all
            (:class:`guidance.Combined`).
        shared_pass: whether a guided step's prediction is that of the pass that its energies look at.
        remeasure: whether what the energies have reached is measured on the finished sample.
        repaint: as the setting.
        repaint_scale: as the setting.
    """

    name: str
    architecture: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    sources: Mapping[str, str] = Field(default_factory=dict)
    native_size: Annotated[int, Field(ge=1)] | None
    least_size_conditioning: _Count
    vae_dtype: Literal["float32", "float16", "bfloat16"]
    plain_caption: str
    caption: Annotated[str, Field(pattern=r"\{thing\}")]
    find: Literal["attention", "goca"]
    found: float
    found_spelt: float | None
    find_layers: Layers
    find_noise: _Share
    find_affinity: _Count
    glance: bool
    steps: Annotated[int, Field(ge=2)]
    least_time: _Count
    method: Literal["ddim", "direct"]
    levels: Literal["all", "read"]
    observe: Literal["own", "upward"]
    native_window: bool
    strength: _Strength
    look_strength: _Strength
    hole_strength: _Share | None
    hole_free: _Share
    hole_margin: _Share
    mask_keys: bool
    shared: Layers
    shared_from: _Share
    pin: _Share
    pin_low: _Share | None
    pin_blur: Annotated[float, Field(gt=0)]
    smooth: Annotated[float, Field(ge=0)]
    guidance_scale: _Scale
    guidance_noise: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]] | None
    self_guidance: Annotated[float, Field(ge=0)]
    guided: Layers
    window: _Share
    passes: Literal["each", "one"]
    shared_pass: bool
    remeasure: bool
    repaint: Annotated[float, Field(gt=0, le=1)]
    repaint_scale: _Scale

    @property
    def look(self) -> dict[str, Any]:
        """Keywords of :meth:`realedit.engine.Engine.inverted_for` where only words are looked for."""
        return {"method": "noised", "glance": True} if self.glance else {}

    def filled(self, settings: Settings, *, by_model: bool) -> FullSettings:
        """Returns settings in which what the user left open is the model's.

        Args:
            settings: the user's.
            by_model: see :attr:`realedit.edits.edit.Edit.by_model`.
        """
        if isinstance(settings, FullSettings):
            return settings
        said = {knob.name: getattr(settings, knob.name) for knob in fields(Settings)}
        own = {name: getattr(self, name, None) for name, value in said.items() if value is None}
        full = {**said, **own}
        if settings.strength is None and by_model:
            full["strength"] = self.look_strength
        # a strength of 0 that the user gives means that the model is not to run
        if full["hole_strength"] is None or (settings.hole_strength is None and settings.strength == 0):
            full["hole_strength"] = full["strength"]
        if full["pin_low"] is None or (settings.pin_low is None and settings.pin is not None):
            full["pin_low"] = full["pin"]
        return FullSettings(**full)

    @classmethod
    def of(cls, ref: ModelRef, configs: Configs | None = None) -> Profile:
        """Returns a model's.

        Args:
            ref: which model it is.
            configs: its configs, where they are known better than from its folder.

        Raises:
            ModelUnavailableError: a file of it cannot be read.
        """
        base = by_architecture(configs or _configs_in(_config_folder(ref)))
        if calibrated := calibrated_file(ref):
            return _over(base, calibrated, ref)
        # the hub's copies are not looked at: nothing of ours is in them
        file = None if ref.folder is None else ref.folder / PROFILE
        return base if file is None or not file.is_file() else _over(base, file, ref)

    @staticmethod
    def named_for(info: ModelInfo) -> str | None:
        """Returns the name of a listed model's profile; None where it is not here or cannot be read."""
        if info.source == "unknown" or not info.available:
            return None
        try:
            return Profile.of(ModelRef(info.name, info.source, info.location, "default")).name
        except ModelUnavailableError:
            return None

    def values(self) -> dict[str, Any]:
        """Returns its name and its defaults, as JSON has them."""
        told = TypeAdapter(Profile).dump_python(self, mode="json")
        return {key: value for key, value in told.items() if key not in ("architecture", "sources")}

    def dump(self) -> str:
        """Returns it as JSON, to be read again."""
        return json.dumps(TypeAdapter(Profile).dump_python(self, mode="json"), indent=1) + "\n"


def said_profile(said: str | Path) -> Profile:
    """Returns a profile by the name of one of the package's, or by its file.

    Raises:
        UsageError: there is neither.
        ModelUnavailableError: the file cannot be read.
    """
    if not isinstance(said, Path) and said in {profile.name for profile in packaged()}:
        return named(said)
    file = Path(os.path.expanduser(said))
    if not os.path.isfile(file):  # which bears names that are too long
        names = ", ".join(profile.name for profile in packaged())
        raise UsageError(f"no profile '{said}'", f"use {names}, or a file that realedit calibrate wrote")
    return _over(general(), file, ModelRef(file.stem, "folder", str(file.parent), "flag"))


def identity(ref: ModelRef, said: str | Path | None = None) -> str:
    """Hashes all that decides an edit: the model's fingerprint, the recogniser, if any, and the profile.

    An inversion depends on neither of these two; which object is edited, and how, does.

    Args:
        ref: which model it is.
        said: the profile that the user names; see :func:`said_profile`.

    Raises:
        ModelUnavailableError: as :func:`realedit.models.choice.fingerprint` does.
    """
    profile = Profile.of(ref) if said is None else said_profile(said)
    digest = hashlib.sha256(fingerprint(ref).encode())
    beside = None if ref.folder is None else ref.folder / RECOGNISER
    if beside is not None and beside.is_dir():
        for file in sorted(path for path in beside.iterdir() if path.is_file()):
            digest.update(f":{file.name}:".encode() + hashlib.sha256(file.read_bytes()).digest())
    digest.update(f":{PROFILE}:{replace(profile, name='', sources={}).dump()}".encode())
    return digest.hexdigest()


def packaged() -> Sequence[Profile]:
    """Returns the package's own profiles, the general one last."""
    return _packaged()


@cache
def _packaged() -> tuple[Profile, ...]:
    folder = resources.files("realedit") / "assets" / "profiles"
    found = [
        TypeAdapter(Profile).validate_json(file.read_bytes())
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".json")
    ]
    return tuple(sorted(found, key=lambda profile: profile.name == GENERAL))


def general() -> Profile:
    """Returns the profile of models that no other one is for."""
    return packaged()[-1]


def named(name: str) -> Profile:
    """Returns one of the package's own.

    Raises:
        KeyError: there is none of that name.
    """
    return {profile.name: profile for profile in packaged()}[name]


def by_architecture(configs: Configs) -> Profile:
    """Returns the package's profile for a model's configs: of those that are true of them the most specific.

    A profile that names no architecture is for no model in particular, and the general one for all others.
    """
    true = [profile for profile in packaged() if profile.architecture and _is(profile, configs)]
    count = {profile.name: sum(map(len, profile.architecture.values())) for profile in true}
    return max(true, key=lambda profile: count[profile.name], default=general())


def _is(profile: Profile, configs: Configs) -> bool:
    """Whether a model's configs have all the values that a profile names."""
    return all(
        part in configs and configs[part].get(key) == value
        for part, values in profile.architecture.items()
        for key, value in values.items()
    )


def _config_folder(ref: ModelRef) -> Path | None:
    """Returns the folder of a model's configs; None where it is not here."""
    if ref.source == "file":
        return configs_of(Path(ref.location))
    return hub.cached_snapshot(ref.location) if ref.source == "hub" else Path(ref.location)


def _configs_in(root: Path | None) -> Configs:
    """Reads the configs in a model's folder; what cannot be read is left out: loading will tell of it."""
    found: dict[str, Mapping[str, Any]] = {}
    for part, name in _CONFIGS.items():
        try:
            config = read_json(root / name) if root is not None else None
        except (OSError, ValueError):
            continue
        if isinstance(config, dict):
            found[part] = cast("dict[str, Any]", config)
    return found


def calibrated_folder() -> Path:
    """Returns the folder of the profiles that ``realedit calibrate`` writes, which need not exist."""
    said = os.environ.get(VARIABLE, "").strip()
    if said:
        return Path(os.path.expanduser(said)).absolute()
    from platformdirs import user_config_path

    return user_config_path("realedit", appauthor=False) / "profiles"


def calibrated_path(digest: str) -> Path:
    """Returns the file of the profile of a model with that fingerprint; it need not exist."""
    return calibrated_folder() / f"{digest}.json"


def calibrated_file(ref: ModelRef) -> Path | None:
    """Returns the file of a model's calibrated profile, None without one.

    The model's weights are looked at only where anything was calibrated.
    """
    folder = calibrated_folder()
    if not folder.is_dir() or not any(folder.glob("*.json")):
        return None
    try:
        file = calibrated_path(fingerprint(ref))
    except (ModelUnavailableError, OSError):
        return None  # loading tells of it
    return file if file.is_file() else None


def _over(base: Profile, file: Path, ref: ModelRef) -> Profile:
    """Reads a profile whose missing fields are another's.

    Raises:
        ModelUnavailableError: the file cannot be read.
    """
    try:
        said = read_json(file)
        if not isinstance(said, dict):
            raise ValueError("it is no JSON object")
        # of the base's only what was not said, sources too
        own = TypeAdapter(dict[str, Any]).validate_python(said)
        whole = {**json.loads(base.dump()), "name": ref.name, "architecture": {}, **own}
        kept = {field: source for field, source in base.sources.items() if field not in own}
        whole["sources"] = {**kept, **own.get("sources", {})}
        return TypeAdapter(Profile).validate_json(json.dumps(whole))
    except (OSError, ValueError, TypeError, ValidationError) as error:
        raise ModelUnavailableError(
            f"{ref.name}: {file.name} cannot be read ({str(error).splitlines()[0]})",
            f"remove {file}, and calibrate again" if file.parent == calibrated_folder() else "make it again",
        ) from error
