"""Decides which model to use and where it lies: embedded, in a folder or a single file, or on the hub.

The choice is made in this order: the `--model` flag, the environment variable REALEDIT_MODEL, the embedded
`tabletop`. A hub model whose files are in the local cache is used from there, without the network; another is
downloaded once (safetensors, configs and tokenizers only). Nothing here runs code that came with a model or
reads a pickle. Loading, and with it torch and diffusers, is in `realedit.models.loading`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

from realedit.errors import ModelUnavailableError
from realedit.models import folder as folders
from realedit.models import hub
from realedit.models.additions import Lora, vae_digest, vae_place, weights_digest
from realedit.models.devices import runs_in_half
from realedit.models.hub import ALIASES
from realedit.models.single_file import SingleFile

EMBEDDED = "tabletop"
VARIABLE = "REALEDIT_MODEL"


@dataclass(frozen=True)
class ModelRef:
    """A model that was asked for; nothing of it has been read yet.

    Attributes:
        name: How to call it: an alias, a folder's own name (never its path), or a hub id.
        source: Where it comes from.
        location: Absolute folder or file, or hub id.
        chosen_by: What named it.
        loras: What is added to its weights.
        vae: Folder or file of the VAE that takes the place of its own, or None.
    """

    name: str
    source: Literal["embedded", "folder", "file", "hub"]
    location: str
    chosen_by: Literal["flag", "REALEDIT_MODEL", "default"]
    loras: tuple[Lora, ...] = ()
    vae: Path | None = None

    @property
    def folder(self) -> Path | None:
        """Its folder, in which files of ours may lie beside the model's; None where there is none."""
        return Path(self.location) if self.source in ("embedded", "folder") else None


@dataclass(frozen=True)
class ModelInfo:
    """One line of `realedit models`.

    Attributes:
        name: What to give to `--model`.
        source: "embedded", "folder", "file", "hub", or "unknown" where REALEDIT_MODEL names nothing usable.
        location: Absolute folder, or hub id.
        available: Whether it can be used on this machine without a network.
        bytes: Size on disk; 0 when nothing of it is here.
        default: Whether a run without `--model` uses it.
        note: Why it is not available, or "".
    """

    name: str
    source: Literal["embedded", "folder", "file", "hub", "unknown"]
    location: str
    available: bool
    bytes: int
    default: bool
    note: str = ""


def resolve_model(
    flag: str | Path | None = None,
    *,
    loras: Sequence[str | Path] = (),
    vae: str | Path | None = None,
    offline: bool = False,
) -> ModelRef:
    """Decides which model is meant: the flag, then REALEDIT_MODEL, then the embedded one.

    A name is an alias ("tabletop", "sdxl"), else an existing folder or safetensors file, else a hub id
    ("owner/name"). An alias wins over a folder of the same name in the current directory: write "./tabletop"
    for that one.

    Args:
        flag: The name.
        loras: What is added to its weights, each "FILE" or "FILE:weight".
        vae: A VAE that takes the place of its own: a folder, a file or a hub id.
        offline: Whether a VAE may not be downloaded.

    Raises:
        ModelUnavailableError: The name is none of these, or a LoRA or the VAE is not there.
        UsageError: A LoRA's weight is no number.
    """
    ref = _chosen(flag)
    if not loras and vae is None:
        return ref
    place = None if vae is None else vae_place(vae, offline=offline)
    return replace(ref, loras=tuple(Lora.parse(text) for text in loras), vae=place)


def _chosen(flag: str | Path | None) -> ModelRef:
    if flag is not None:
        return _named(flag, "flag")
    value = os.environ.get(VARIABLE, "").strip()
    if value:
        return _named(value, "REALEDIT_MODEL")
    return ModelRef(EMBEDDED, "embedded", str(embedded_folder()), "default")


def list_models() -> list[ModelInfo]:
    """Lists the embedded model, each alias, and what REALEDIT_MODEL names; never uses the network."""
    note = ""
    chosen: ModelRef | None = None
    try:
        chosen = resolve_model()
    except ModelUnavailableError as error:
        note = str(error)
    refs = [ModelRef(EMBEDDED, "embedded", str(embedded_folder()), "default")]
    refs += [ModelRef(name, "hub", hub_id, "default") for name, hub_id in ALIASES.items()]
    if chosen is not None and chosen.location not in {ref.location for ref in refs}:
        refs.append(chosen)
    default = chosen.location if chosen else None
    infos = [_describe(ref, default=ref.location == default) for ref in refs]
    if note:
        value = os.environ[VARIABLE]
        infos.append(ModelInfo(value, "unknown", value, available=False, bytes=0, default=True, note=note))
    return infos


def fingerprint(ref: ModelRef) -> str:
    """Hashes the model's configs, tokenizers and weights, its LoRAs and another VAE.

    See `fingerprint_folder` for what is read.

    The hash depends neither on the model's place nor on the device or dtype it will run with: a cache key
    needs the dtype beside it.

    Raises:
        ModelUnavailableError: A hub model that is not in the local cache, or a folder that is gone.
    """
    own = _own_fingerprint(ref)
    added = [lora.digest() for lora in ref.loras] + ([] if ref.vae is None else [vae_digest(ref.vae)])
    return own if not added else hashlib.sha256(b"+".join([own.encode(), *added])).hexdigest()


def _own_fingerprint(ref: ModelRef) -> str:
    root = hub.cached_snapshot(ref.location) if ref.source == "hub" else Path(ref.location)
    if root is None:
        raise ModelUnavailableError(
            f"{ref.name} is not in the local Hugging Face cache", hub.fetch_hint(ref.location)
        )
    if ref.source == "file":
        if not root.is_file():
            raise ModelUnavailableError(f"{ref.name}: the file is gone")
        return hashlib.sha256(b"single file:" + weights_digest(root)).hexdigest()
    if not (root / folders.INDEX).is_file():
        raise ModelUnavailableError(f"{ref.name} is not a diffusers pipeline: it has no {folders.INDEX}")
    return folders.fingerprint_folder(root)


def fetched(
    name: str | Path | None = None,
    *,
    device: str | None = None,
    dtype: str | None = None,
    loras: Sequence[str | Path] = (),
    vae: str | Path | None = None,
    offline: bool = False,
) -> ModelRef:
    """Resolves a model and downloads a hub's where it is not here.

    Args:
        name: As `resolve_model` takes it.
        device: Where it will run; None where that is not known.
        dtype: The precision it will run with, likewise: for 16 bits there may be smaller files.
        loras: As `resolve_model` takes them.
        vae: As `resolve_model` takes it.
        offline: Whether nothing may be downloaded.

    Raises:
        ModelUnavailableError: It is not here and cannot be downloaded.
    """
    ref = resolve_model(name, loras=loras, vae=vae, offline=offline)
    if ref.source == "hub":
        from huggingface_hub import constants

        half = dtype != "float32" if dtype is not None else runs_in_half(device, small=False)
        barred = offline or constants.HF_HUB_OFFLINE
        hub.ensure_snapshot(ref.location, ref.name, half=half, offline=barred)
    return ref


def _named(value: str | Path, chosen_by: Literal["flag", "REALEDIT_MODEL"]) -> ModelRef:
    text = str(value).strip()
    if text == EMBEDDED and not isinstance(value, Path):
        return ModelRef(EMBEDDED, "embedded", str(embedded_folder()), chosen_by)
    if text in ALIASES and not isinstance(value, Path):
        return ModelRef(text, "hub", ALIASES[text], chosen_by)
    path = Path(os.path.expanduser(text))
    if text and os.path.isdir(path):  # which bears names that are too long
        return ModelRef(path.resolve().name, "folder", str(path.resolve()), chosen_by)
    if os.path.isfile(path):
        SingleFile.read(path).check(vae=True)
        return ModelRef(path.stem, "file", str(path.resolve()), chosen_by)
    if not isinstance(value, Path) and hub.is_hub_id(text):
        return ModelRef(text, "hub", text, chosen_by)
    names = [EMBEDDED, *ALIASES]
    close = difflib.get_close_matches(text, names, n=1)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else f"known names: {', '.join(names)}; or a folder; or a hub id owner/name"
    )
    raise ModelUnavailableError(f"no model named '{text}': no such folder and not a hub id", hint)


def embedded_folder() -> Path:
    """Returns the folder of the embedded model.

    Raises:
        ModelUnavailableError: it is missing from this installation.
    """
    folder = Path(str(resources.files("realedit") / "assets" / EMBEDDED))
    if not (folder / folders.INDEX).is_file():
        raise ModelUnavailableError(
            f"the embedded model {EMBEDDED} is missing from this installation", "reinstall it"
        )
    return folder


def _describe(ref: ModelRef, *, default: bool) -> ModelInfo:
    root = hub.cached_snapshot(ref.location) if ref.source == "hub" else Path(ref.location)
    size, note = 0, ""
    if root is None:
        note = "not downloaded"
    elif ref.source == "file":
        size = root.stat().st_size
    else:
        size = folders.folder_bytes(root)
        absent = folders.missing_parts(folders.list_files(root), half=True)
        if ref.source == "hub" and absent:
            note = f"partly downloaded: missing {', '.join(absent)}"
        else:
            try:
                folders.read_layout(root, ref.name, half=True)
            except ModelUnavailableError as error:
                note = str(error)
    return ModelInfo(ref.name, ref.source, ref.location, not note, size, default, note)
