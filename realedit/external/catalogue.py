"""The models that `realedit fetch` brings: what each is for, under which licence, and whether it is here.

Sizes are rounded, the captioner's and SDXL's estimated; before a download the hub is asked for the true ones.
All are brought as safetensors and kept in the hub's local cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realedit.errors import RealEditError, UsageError
from realedit.external import files
from realedit.external.kinds import EXAMPLES, SAM, Role
from realedit.models import folder as folders
from realedit.models import hub


@dataclass(frozen=True)
class Fetchable:
    """A model that can be fetched.

    Args:
        name: what to give to `realedit fetch`.
        hub_id: "owner/name".
        role: what it is to :mod:`realedit.external`; None for an editing model.
        licence: of its weights, as its authors state it.
        megabytes: about how much is downloaded, in 10^6 bytes.
        purpose: what it is for.
        use: how it is used once it is here.
    """

    name: str
    hub_id: str
    role: Role | None
    licence: str
    megabytes: int
    purpose: str
    use: str

    def folder(self) -> Path | None:
        """Returns where it lies, whole, in the local cache; None if it is not here. Uses no network."""
        if self.role is not None:
            try:
                return files.cached(self.hub_id, self.role)
            except RealEditError:
                return None
        root = hub.cached_snapshot(self.hub_id)
        if root is None or folders.missing_parts(folders.list_files(root), half=True):
            return None
        return root

    def bytes_to_fetch(self) -> int:
        """Returns how much its download takes, by the hub's own listing.

        Raises:
            ModelUnavailableError: the hub cannot be reached, or has no such model.
        """
        state = "is not in the local Hugging Face cache"
        sizes = hub.sizes(self.hub_id, self.hub_id, state, f"realedit fetch {self.name}")
        wanted = hub.wanted(sizes, half=True) if self.role is None else files.wanted(sizes)
        return sum(sizes[name] for name in wanted)

    def fetch(self) -> Path:
        """Downloads it and returns its folder; what is here already is not downloaded again.

        Raises:
            ModelUnavailableError: no network, or the download failed.
        """
        if self.role is not None:
            return files.located(self.hub_id, self.role)[0]
        return hub.ensure_snapshot(self.hub_id, self.name, half=True, offline=False)


CATALOGUE = (
    Fetchable(
        "sam",
        SAM,
        "segmenter",
        "Apache-2.0",
        156,
        "cuts objects out of a point, box, mask or word (SAM 2.1, tiny)",
        "by itself, once it is here; --cutout ours goes without it",
    ),
    Fetchable(
        "detector",
        EXAMPLES["detector"],
        "detector",
        "Apache-2.0",
        620,
        "finds what any words name (OWLv2)",
        f"--detector {EXAMPLES['detector']}",
    ),
    Fetchable(
        "captioner",
        EXAMPLES["captioner"],
        "captioner",
        "MIT",
        540,
        "says what a photo shows (Florence-2)",
        f"--captioner {EXAMPLES['captioner']}",
    ),
    Fetchable(
        "sdxl",
        hub.ALIASES["sdxl"],
        None,
        "CreativeML Open RAIL++-M",
        6940,
        "edits photos of anything (SDXL; needs a GPU to be quick)",
        "--model sdxl",
    ),
)
"""All of them, in the order in which they are listed."""


def named(name: str) -> Fetchable:
    """Returns a model of the catalogue.

    Raises:
        UsageError: it has none of that name.
    """
    for one in CATALOGUE:
        if one.name == name:
            return one
    raise UsageError(
        f"nothing called '{name}' can be fetched", f"one of: {', '.join(one.name for one in CATALOGUE)}"
    )
