"""Finds models of the Hugging Face hub in the local cache, and downloads what is not there.

Only the safetensors, configs and tokenizers of an SDXL pipeline are fetched, in one variant: about 7 GB of
the 70 GB that SDXL's repository holds. The configs come first, so that a model of another kind costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatch
from pathlib import Path

from realedit.errors import ModelUnavailableError
from realedit.models import folder as folders

ALIASES = {"sdxl": "stabilityai/stable-diffusion-xl-base-1.0"}

_PROBE_SECONDS = 10.0
"""Seconds that the hub may take to list a model's files: after them the hub counts as out of reach. Not
measured."""
_LONGEST_LINE = 200
"""Characters of an error's line: longer ones are cut, shorter ones kept. Not measured."""
_PARTS = (*folders.NETWORKS, *folders.OTHERS)
_SMALL_FILES = [folders.INDEX, *(f"{part}/{kind}" for part in _PARTS for kind in ("*.json", "*.txt"))]


def is_hub_id(text: str) -> bool:
    """Tells whether `text` has the form "owner/name". A bare name is no id here, but a misspelt alias."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return text.count("/") == 1


def cached_snapshot(hub_id: str) -> Path | None:
    """Returns the model's folder in the local cache, complete or not, or None. Never uses the network."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(hub_id, folders.INDEX)
    return Path(path).parent if isinstance(path, str) else None


def fetch_hint(hub_id: str) -> str:
    """Returns the command that downloads a model without its copies in other formats."""
    weights = "*/*.fp16.safetensors" if hub_id in ALIASES.values() else "*/*.safetensors"
    return f'get it with: hf download {hub_id} --include "*.json" --include "*.txt" --include "{weights}"'


def ensure_snapshot(hub_id: str, label: str, *, half: bool, offline: bool) -> Path:
    """Returns the model's folder in the local cache, downloaded first if absent or incomplete.

    Raises:
        ModelUnavailableError: Offline and not complete here; no network; no such model, or a gated one; not
            an SDXL pipeline; pickled weights only; the download failed.
    """
    root = cached_snapshot(hub_id)
    place = "in the local Hugging Face cache"
    state = f"is not {place}" if label != hub_id else f"is no folder here and not {place}"
    if root is not None:
        # Before any download: a model of another kind is not worth completing.
        folders.check_index(label, folders.read_json(root / folders.INDEX, label))
        absent = folders.missing_parts(folders.list_files(root), half=half)
        if not absent:
            return root
        state = f"is only partly {place} (missing {', '.join(absent)})"
    if offline:
        raise ModelUnavailableError(f"{label} {state}, and realedit is offline", fetch_hint(hub_id))
    names = listing(hub_id, label, state, fetch_hint(hub_id))
    if folders.INDEX not in names:
        message = f"{label} on the hub is not a diffusers pipeline: it has no {folders.INDEX}"
        raise ModelUnavailableError(message, "use an SDXL pipeline, such as --model sdxl")
    folders.refuse_pickles(label, names, half=half)
    return _fetch(hub_id, label, names, half=half)


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's text, at most 200 characters, or its type if it has no text."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 3] + "..."


def network_errors() -> tuple[type[BaseException], ...]:
    """Returns the exceptions that the hub's library raises when the network fails."""
    from huggingface_hub.errors import HfHubHTTPError

    # OSError and the HTTP library's own base class, whichever library this huggingface_hub is built on.
    return (OSError, *(base for base in HfHubHTTPError.__bases__ if issubclass(base, Exception)))


def listing(hub_id: str, label: str, state: str, way: str) -> set[str]:
    """Lists the files of a hub model. One request, no retries: without a network it fails at once.

    Args:
        hub_id: "owner/name".
        label: what errors call it.
        state: why the hub is asked, such as "is not in the local cache".
        way: the command that downloads the model.

    Raises:
        ModelUnavailableError: there is no such model, it is gated, or the hub cannot be reached.
    """
    return set(_sizes(hub_id, label, state, way))


def sizes(hub_id: str, label: str, state: str, way: str) -> dict[str, int]:
    """Returns the bytes of each file of a hub model, likewise; arguments and errors as :func:`listing`."""
    return {name: size or 0 for name, size in _sizes(hub_id, label, state, way, files_metadata=True).items()}


def wanted(names: Collection[str], *, half: bool) -> list[str]:
    """Returns the files of an SDXL pipeline that :func:`ensure_snapshot` downloads."""
    small = {name for name in names if any(fnmatch(name, pattern) for pattern in _SMALL_FILES)}
    return sorted(small | set(_weights(names, half=half)))


def _weights(names: Collection[str], *, half: bool) -> list[str]:
    return [file for part in folders.NETWORKS for file in folders.choose_weights(part, names, half=half)[1]]


def _sizes(
    hub_id: str, label: str, state: str, way: str, *, files_metadata: bool = False
) -> dict[str, int | None]:
    from huggingface_hub import HfApi, errors

    try:
        info = HfApi().model_info(hub_id, timeout=_PROBE_SECONDS, files_metadata=files_metadata)
    except errors.GatedRepoError as error:
        terms = "accept its terms on huggingface.co, then: hf auth login"
        raise ModelUnavailableError(f"{label} is gated on the hub", terms) from error
    except errors.RepositoryNotFoundError as error:
        message = f"no model '{hub_id}' on the hub (or a private one), and no folder of that name"
        raise ModelUnavailableError(message, "for a private model: hf auth login") from error
    except network_errors() as error:
        message = f"{label} {state}, and the hub cannot be reached ({first_line(error)})"
        raise ModelUnavailableError(message, f"with a network, {way}") from error
    return {file.rfilename: file.size for file in info.siblings or ()}


def _fetch(hub_id: str, label: str, names: set[str], *, half: bool) -> Path:
    from huggingface_hub import snapshot_download

    weights = _weights(names, half=half)
    try:
        root = Path(snapshot_download(hub_id, allow_patterns=_SMALL_FILES))
        index = folders.read_json(root / folders.INDEX, label)
        folders.check_index(label, index)
        absent = folders.missing_parts(names, half=half)
        if absent:
            raise ModelUnavailableError(f"{label} on the hub is incomplete: missing {', '.join(absent)}")
        folders.check_architecture(root, label)
        folders.check_steps(root, label, index)
        return Path(snapshot_download(hub_id, allow_patterns=[*_SMALL_FILES, *weights]))
    except (*network_errors(), RuntimeError) as error:
        # RuntimeError: what hf_xet, the hub's transfer library, raises.
        raise ModelUnavailableError(
            f"{label} could not be downloaded ({first_line(error)})", fetch_hint(hub_id)
        ) from error
