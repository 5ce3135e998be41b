"""Finds the files of a `transformers` model in a folder or the local Hugging Face cache, or downloads them.

Only configs, tokenizers and safetensors are ever fetched. What lies in the cache is used with no look at the
network; the config comes before the weights, so that a model of another kind costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from fnmatch import fnmatch
from pathlib import Path

from realedit.errors import ModelUnavailableError
from realedit.external.kinds import EXAMPLES, Kind, Role, kind_of
from realedit.models import folder as folders
from realedit.models import hub

CONFIG = "config.json"
_PREPARING = ("processor_config.json", "preprocessor_config.json")
_TOKENS = ("tokenizer.json", "vocab.json", "vocab.txt")
_SMALL = ("*.json", "*.txt")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
_AGAIN = "copy or download the model again"


def located(name: str | Path, role: Role, offline: bool | None = None) -> tuple[Path, str, Kind]:
    """Finds a model, and downloads it where it is not here.

    Args:
        name: folder, or hub id "owner/name".
        role: what it is wanted for.
        offline: never use the network. None follows HF_HUB_OFFLINE, which also wins over False.

    Returns:
        Its folder, what to call it (never a path), and what it is.

    Raises:
        ModelUnavailableError: no such folder or hub model, not here and offline, incomplete, or pickled.
        UsageError: not a model for this role.
    """
    path = Path(os.path.expanduser(name))
    text = str(name).strip()
    if text and os.path.isdir(path):  # which bears names that are too long
        label = path.resolve().name
        return path, label, _checked(path, label, role)
    if os.path.isfile(path):
        raise ModelUnavailableError(
            f"{path.name} is a single file, and a {role} is a folder", "pass the folder that it lies in"
        )
    if isinstance(name, Path) or not hub.is_hub_id(text):
        raise ModelUnavailableError(
            f"no {role} '{text}': no such folder and not a hub id",
            f"pass a folder written by save_pretrained, or a hub id such as {EXAMPLES[role]}",
        )
    root = _snapshot(text, role, offline)
    return root, text, _checked(root, text, role)


def cached(hub_id: str, role: Role) -> Path | None:
    """Returns the folder of a hub model that is whole in the local cache, or None. Never uses the network.

    Raises:
        UsageError: what is there is not a model for this role.
        ModelUnavailableError: it asks for code from the hub.
    """
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(hub_id, CONFIG)
    if not isinstance(config, str):
        return None
    root = Path(config).parent
    kind = kind_of(folders.read_json(root / CONFIG, hub_id), hub_id, role)
    return None if _absent(_names(root), kind) else root


def wanted(names: Collection[str]) -> list[str]:
    """Returns the files of a hub model that are downloaded."""
    small = {name for name in names if any(fnmatch(name, pattern) for pattern in _SMALL)}
    return sorted(small | set(folders.choose_weights("", names, half=False)[1]))


def fetch_hint(hub_id: str) -> str:
    """Returns the command that downloads a model without its copies in other formats."""
    includes = " ".join(f'--include "{pattern}"' for pattern in (*_SMALL, "*.safetensors"))
    return f"get it with: hf download {hub_id} {includes}"


def _checked(root: Path, label: str, role: Role) -> Kind:
    """Returns what the model in a folder is, after checking that the folder holds all of it."""
    if not (root / CONFIG).is_file():
        pipeline = " but a diffusers pipeline" if (root / folders.INDEX).is_file() else ""
        raise ModelUnavailableError(
            f"{label} is not a transformers model{pipeline}: it has no {CONFIG}",
            f"pass a folder written by save_pretrained, or a hub id such as {EXAMPLES[role]}",
        )
    kind = kind_of(folders.read_json(root / CONFIG, label), label, role)
    names = _names(root)
    _refuse_pickles(label, names)
    _check_weight_maps(root, label, names)
    absent = _absent(names, kind)
    if absent:
        raise ModelUnavailableError(f"{label} is incomplete: missing {', '.join(absent)}", _AGAIN)
    return kind


def _check_weight_maps(root: Path, label: str, names: Collection[str]) -> None:
    """See :func:`realedit.models.folder.check_weight_map`."""
    for name in names:
        if name == folders.ADAPTER:
            raise ModelUnavailableError(
                f"{label}: {name} would lay an adapter over the model", "merge it into the model's weights"
            )
        if ".safetensors.index" in name:
            folders.check_weight_map(root / name, f"{label}: {name}")


def _names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir() if path.is_file()}


def _absent(names: Collection[str], kind: Kind) -> list[str]:
    """Returns the parts of a model that a listing of file names does not hold."""
    wanted = [(CONFIG,), _PREPARING, _TOKENS] if kind.worded else [(CONFIG,), _PREPARING]
    absent = [" or ".join(files) for files in wanted if not set(files) & set(names)]
    return absent if folders.choose_weights("", names, half=False)[1] else [*absent, "model.safetensors"]


def _refuse_pickles(label: str, names: Collection[str]) -> None:
    pickled = sorted(name for name in names if "/" not in name and name.endswith(_PICKLES))
    if pickled and not folders.choose_weights("", names, half=False)[1]:
        raise ModelUnavailableError(
            f"{label} has no safetensors weights, only {pickled[0]}, which realedit refuses to read (pickle "
            "files can run code)",
            "convert it once with transformers' save_pretrained, or use another model",
        )


def _snapshot(hub_id: str, role: Role, offline: bool | None) -> Path:
    from huggingface_hub import constants, try_to_load_from_cache

    config = try_to_load_from_cache(hub_id, CONFIG)
    state = "is no folder here and not in the local Hugging Face cache"
    if isinstance(config, str):
        root = Path(config).parent
        kind = kind_of(folders.read_json(root / CONFIG, hub_id), hub_id, role)
        absent = _absent(_names(root), kind)
        if not absent:
            return root
        state = f"is only partly in the local Hugging Face cache (missing {', '.join(absent)})"
    if offline or constants.HF_HUB_OFFLINE:
        raise ModelUnavailableError(f"{hub_id} {state}, and realedit is offline", fetch_hint(hub_id))
    return _fetched(hub_id, role, hub.listing(hub_id, hub_id, state, fetch_hint(hub_id)))


def _fetched(hub_id: str, role: Role, names: Collection[str]) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download

    if CONFIG not in names:
        raise ModelUnavailableError(
            f"{hub_id} on the hub is not a transformers model: it has no {CONFIG}",
            f"use another {role}, such as {EXAMPLES[role]}",
        )
    try:
        config = Path(hf_hub_download(hub_id, CONFIG))
        kind = kind_of(folders.read_json(config, hub_id), hub_id, role)
        _refuse_pickles(hub_id, names)
        absent = _absent(names, kind)
        if absent:
            raise ModelUnavailableError(
                f"{hub_id} on the hub is incomplete: missing {', '.join(absent)}",
                f"use another {role}, such as {EXAMPLES[role]}",
            )
        weights = folders.choose_weights("", names, half=False)[1]
        # The patterns of the small files also match in the folders of other formats; their weights do not.
        return Path(snapshot_download(hub_id, allow_patterns=[*_SMALL, *weights]))
    except (*hub.network_errors(), RuntimeError) as error:
        # RuntimeError: what hf_xet, the hub's transfer library, raises.
        message = f"{hub_id} could not be downloaded ({hub.first_line(error)})"
        raise ModelUnavailableError(message, fetch_hint(hub_id)) from error
