"""A diffusers pipeline on disk: which files make it up, whether it is an SDXL, whether it is whole.

Everything here reads JSON and safetensors headers only: no torch, no diffusers, no network. A folder that
passes `read_layout` can still fail to load (a tensor of the wrong shape);
`realedit.models.loading.load_pipeline` names that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from realedit.errors import ModelUnavailableError
from realedit.models import configs, distilled
from realedit.models.architecture import architecture_problem
from realedit.system import outside_json

INDEX = "model_index.json"
RECOGNISER = "recogniser"
"""Folder inside a model's folder with the network that recognises nouns; not part of the pipeline."""

PROFILE = "profile.json"
"""File inside a model's folder with the defaults that suit it; not part of the pipeline either."""

NETWORKS: dict[str, tuple[str, ...]] = {
    "unet": ("UNet2DConditionModel",),
    "vae": ("AutoencoderKL", "AutoencoderTiny"),
    "text_encoder": ("CLIPTextModel",),
    "text_encoder_2": ("CLIPTextModelWithProjection",),
}
"""The classes that each network may be of; any other would be code that diffusers does not ship."""
OTHERS: dict[str, tuple[str, ...]] = {
    "scheduler": ("scheduler_config.json",),
    "tokenizer": ("tokenizer.json", "vocab.json"),
    "tokenizer_2": ("tokenizer.json", "vocab.json"),
}
"""The files, any of which shows that a component is there, whichever version of the libraries wrote it."""

_WEIGHTS = re.compile(
    r"(?:model|diffusion_pytorch_model)(?:\.(?P<variant>fp16))?(?:-(?P<shard>\d{5})-of-(?P<of>\d{5}))?\.safetensors"
)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack")
FULL_HASH_BYTES = 64 * 2**20
"""Bytes of a model's weights: up to as many all are hashed, of larger models samples. Set so that the
embedded model is hashed whole; the time was not measured."""
_SAMPLES, _SAMPLE_BYTES = 64, 4096
"""How many samples of a large model's weights are hashed, and bytes of each: more find smaller changes, fewer
read less. Not measured."""
_MOST_HEADER_BYTES = 100 * 2**20
"""Bytes of a safetensors header that are hashed, at most: what lies beyond is not read.
Set by the format: its headers are no longer."""
ADAPTER = "adapter_config.json"
"""File by which the libraries lay further weights over a network, from pickles too."""
_ANOTHER = "pass a folder written by StableDiffusionXLPipeline.save_pretrained, or --model tabletop"
_INPAINTING = "pass LaMa's weights, or an SDXL inpainting model: a folder, or a .safetensors file"
_UNADAPTED = "merge it into the model's weights, or remove that file"
_AGAIN = "copy or download the model again"


@dataclass(frozen=True)
class Layout:
    """A complete pipeline folder.

    Attributes:
        root: The folder that holds `model_index.json`.
        index: That file's content.
        variants: For each of `NETWORKS`, the weight variant to load: "fp16" or None (plain file names).
        weights: The single file that holds all weights, where they are not in the folder; the root then has
            SDXL's configs alone.
        scheduler: What the scheduler's config says otherwise than its file.
    """

    root: Path
    index: dict[str, Any]
    variants: dict[str, str | None]
    weights: Path | None = None
    scheduler: Mapping[str, Any] = field(default_factory=dict[str, Any])


def choose_weights(component: str, names: Collection[str], *, half: bool) -> tuple[str | None, list[str]]:
    """Picks the safetensors files of one component, the fp16 variant first when `half`, else last.

    Args:
        component: Folder name inside the pipeline, such as "unet".
        names: All file names of the pipeline, relative, with "/".
        half: Whether the weights will run at 16 bits.

    Returns:
        The variant ("fp16" or None) and its files; no files when no variant is complete (all shards there).
    """
    found: dict[str | None, list[tuple[str, re.Match[str]]]] = {"fp16": [], None: []}
    for name in sorted(names):
        folder, _, file = name.rpartition("/")
        match = _WEIGHTS.fullmatch(file) if folder == component else None
        if match:
            found[match["variant"]].append((name, match))
    order: tuple[str | None, ...] = ("fp16", None) if half else (None, "fp16")
    for variant in order:
        shards = [match for _, match in found[variant] if match["shard"]]
        whole = len(shards) < len(found[variant])
        if whole or (shards and len(shards) == int(shards[0]["of"])):
            return variant, [name for name, _ in found[variant]]
    return None, []


def missing_parts(names: Collection[str], *, half: bool) -> list[str]:
    """Returns the components of an SDXL pipeline that a listing of file names does not hold completely."""
    absent = [part for part, files in OTHERS.items() if not any(f"{part}/{file}" in names for file in files)]
    for part in NETWORKS:
        if f"{part}/config.json" not in names or not choose_weights(part, names, half=half)[1]:
            absent.append(part)
    return sorted(absent)


def refuse_pickles(label: str, names: Collection[str], *, half: bool) -> None:
    """Raises ModelUnavailableError when a component has weights, but none as safetensors.

    Pickle files can run code when they are read; flax msgpack files are named with them because neither
    loads.
    """
    for part in NETWORKS:
        pickled = [n for n in names if n.startswith(f"{part}/") and n.endswith(_PICKLES)]
        if pickled and not choose_weights(part, names, half=half)[1]:
            raise ModelUnavailableError(
                f"{label}: {part} has no safetensors weights, only {sorted(pickled)[0]}, which realedit "
                "refuses to read (pickle files can run code)",
                "convert it once with diffusers' save_pretrained(..., safe_serialization=True)",
            )


def check_index(label: str, index: Mapping[str, Any]) -> None:
    """Raises ModelUnavailableError unless `model_index.json` describes an SDXL made of known classes."""
    name = index.get("_class_name")
    if not isinstance(name, str) or "StableDiffusionXL" not in name:
        raise ModelUnavailableError(
            f"{label} is a {name or 'nameless pipeline'}, not an SDXL pipeline", _ANOTHER
        )
    for part in (*NETWORKS, *OTHERS):
        entry = index.get(part)
        if not (isinstance(entry, list) and len(entry) == 2 and all(isinstance(item, str) for item in entry)):
            raise ModelUnavailableError(
                f"{label}: {INDEX} names no {part}, which SDXL needs (its refiner has fewer parts)",
                _ANOTHER,
            )
        library, kind = entry
        if library not in ("diffusers", "transformers"):
            raise ModelUnavailableError(
                f"{label}: {part} is {library}.{kind}, code of the model's own, which realedit does not run",
                _ANOTHER,
            )
        if part in NETWORKS and kind not in NETWORKS[part]:
            expected = " or ".join(NETWORKS[part])
            raise ModelUnavailableError(f"{label}: {part} is a {kind}, not {expected}", _ANOTHER)


def check_architecture(root: Path, label: str, *, paints: bool = False) -> None:
    """Raises ModelUnavailableError unless the configs below `root` are SDXL's architecture."""
    read = {part: read_json(root / part / "config.json", label) for part in NETWORKS}
    problem = architecture_problem(read, paints=paints)
    if problem:
        raise ModelUnavailableError(f"{label}: {problem}", _INPAINTING if paints else _ANOTHER)


def check_steps(root: Path, label: str, index: Mapping[str, Any]) -> None:
    """Raises ModelUnavailableError if a pipeline was distilled to a few steps, by its configs or its name."""
    scheduler = read_json(root / "scheduler" / OTHERS["scheduler"][0], label)
    unet = read_json(root / "unet" / "config.json", label)
    told = distilled.configured(unet, {**scheduler, "_class_name": index["scheduler"][1]})
    kind = told or distilled.named(label.rsplit("/", 1)[-1])
    if kind:
        raise ModelUnavailableError(
            f"{label} is made for a few steps ({kind}), which realedit does not invert",
            distilled.ANOTHER if told else f"{distilled.ANOTHER}; if it is none, rename its folder",
        )


def read_layout(root: Path, label: str, *, half: bool, paints: bool = False) -> Layout:
    """Checks a pipeline folder and chooses the weight files to load from it.

    Args:
        root: Folder with `model_index.json`.
        label: What to call the model in error lines.
        half: Prefer fp16 variants of the weights.
        paints: Whether it is to paint holes, and not to edit.

    Raises:
        ModelUnavailableError: No such folder, no pipeline, another architecture, pickled weights only, a
            missing component, unreadable JSON, or a safetensors file that is cut short or has a damaged
            header.
    """
    if not root.is_dir():
        raise ModelUnavailableError(f"{label}: no such folder", _ANOTHER)
    if not (root / INDEX).is_file():
        raise ModelUnavailableError(f"{label} is not a diffusers pipeline: it has no {INDEX}", _ANOTHER)
    index = read_json(root / INDEX, label)
    check_index(label, index)
    names = list_files(root)
    refuse_pickles(label, names, half=half)
    _check_weight_maps(root, label, names)
    absent = missing_parts(names, half=half)
    if absent:
        raise ModelUnavailableError(f"{label} is incomplete: missing {', '.join(absent)}", _AGAIN)
    check_architecture(root, label, paints=paints)
    if not paints:  # which inverts nothing
        check_steps(root, label, index)
    variants: dict[str, str | None] = {}
    for part in NETWORKS:
        variants[part], files = choose_weights(part, names, half=half)
        for name in files:
            _check_weights(root / name, label, name)
    return Layout(root, index, variants)


def read_json(path: Path, label: str) -> dict[str, Any]:
    """Reads one JSON object, or raises ModelUnavailableError."""
    try:
        content = outside_json.read_json(path)
    except (OSError, ValueError) as error:
        raise ModelUnavailableError(
            f"{label}: {path.parent.name}/{path.name} cannot be read", _AGAIN
        ) from error
    if not isinstance(content, dict):
        raise ModelUnavailableError(f"{label}: {path.parent.name}/{path.name} is not a JSON object", _AGAIN)
    return cast("dict[str, Any]", content)


def list_files(root: Path) -> set[str]:
    """Lists the files at the top of a pipeline folder and in its components' folders, names with "/"."""
    folders = [root, *(root / part for part in (*NETWORKS, *OTHERS))]
    files = (path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file())
    return {path.relative_to(root).as_posix() for path in files}


def fingerprint_folder(root: Path) -> str:
    """Returns a hash that changes when a weight or a config of the pipeline in `root` changes.

    Configs and tokenizers are hashed whole. A weight file counts by: its blob id, in a Hugging Face cache
    (the hub's own content hash); all its bytes, while the model has no more than 64 MiB of them; otherwise
    its safetensors header, size, modification time and 64 samples of 4 KiB. The last is not proof against
    someone who rewrites a few weights in place and puts the old time back; in exchange it reads 1 MB instead
    of 7 GB. Copying such a large folder may change its fingerprint, which costs a cache miss and never a
    wrong hit.
    """
    digest = hashlib.sha256(b"realedit model fingerprint 1")
    names = sorted(name for name in list_files(root) if "/" in name or name == INDEX)
    weights = [name for name in names if name.endswith(".safetensors")]
    small = sum((root / name).stat().st_size for name in weights) <= FULL_HASH_BYTES
    for name in names:
        path = root / name
        if name in weights:
            content = weights_identity(path, small=small)
        elif name.endswith((".json", ".txt", ".model")):
            with path.open("rb") as file:
                content = b"text:" + hashlib.file_digest(file, "sha256").digest()
        else:
            continue
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def folder_bytes(root: Path) -> int:
    """Sums the bytes on disk below a folder; a file reached through several links counts once."""
    files = {path.resolve() for path in root.rglob("*") if path.is_file()}
    return sum(path.stat().st_size for path in files)


def weights_identity(path: Path, *, small: bool) -> bytes:
    """Returns what tells a file of weights from another; see :func:`fingerprint_folder`.

    Args:
        path: the file.
        small: whether all its bytes are hashed, or samples of them.
    """
    target = path.resolve()
    if target.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{40,64}", target.name):
        return b"blob:" + target.name.encode()
    with path.open("rb") as file:
        if small:
            return b"full:" + hashlib.file_digest(file, "sha256").digest()
        status = path.stat()
        digest = hashlib.sha256(f"{status.st_size}:{status.st_mtime_ns}:".encode())
        header = min(int.from_bytes(file.read(8), "little"), _MOST_HEADER_BYTES)
        digest.update(file.read(header))
        for step in range(_SAMPLES):
            file.seek(8 + header + max(status.st_size - 8 - header, 0) * step // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
        return b"sampled:" + digest.digest()


def _check_weight_maps(root: Path, label: str, names: Collection[str]) -> None:
    """Makes sure that what the libraries read besides the chosen files is safetensors too.

    Raises:
        ModelUnavailableError: an index of shards leads elsewhere, or an adapter would be laid over the model.
    """
    for name in names:
        folder, _, file = name.rpartition("/")
        if file == ADAPTER:
            raise ModelUnavailableError(f"{label}: {name} would lay an adapter over the model", _UNADAPTED)
        if folder in NETWORKS and ".safetensors.index" in file:
            check_weight_map(root / name, f"{label}: {name}")


def check_weight_map(path: Path, label: str) -> None:
    """Makes sure that an index of shards leads to safetensors weights of its own folder, whole if there.

    Those of the variant that is not loaded may be absent.

    Args:
        path: the index.
        label: what to call it in error lines.

    Raises:
        ModelUnavailableError: it leads elsewhere, or to a damaged file.
    """
    index = read_json(path, label)
    problem = configs.weight_map_problem(index, _WEIGHTS.fullmatch)
    if problem:
        raise ModelUnavailableError(f"{label} {problem}", _AGAIN)
    for shard in sorted(set(index["weight_map"].values())):
        if path.with_name(shard).is_file():
            _check_weights(path.with_name(shard), label, shard)


def _check_weights(path: Path, label: str, name: str) -> None:
    # safetensors' own reader compares the header with the file's size, which finds every cut-off file.
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelUnavailableError(f"{label}: {name} is damaged or cut short ({error})", _AGAIN) from error
