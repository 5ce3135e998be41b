"""Decides what cuts objects out: our own network, or a SAM where one is asked for or has been fetched.

The choice is made in this order: the `--cutout` flag, the environment variable REALEDIT_CUTOUT, the SAM that
`realedit fetch sam` has brought, our own network. Choosing loads nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from realedit.cutout.cutout import CutOut
from realedit.cutout.cuts_out import CutsOut
from realedit.errors import ModelUnavailableError, UsageError
from realedit.external import files
from realedit.external.kinds import SAM

if TYPE_CHECKING:
    import torch

VARIABLE = "REALEDIT_CUTOUT"
OURS = "ours"
FETCHED = "sam"
"""What the fetched SAM is called."""


@dataclass(frozen=True)
class CutOutChoice:
    """What cuts out; nothing of it has been loaded.

    Args:
        name: "ours", or the SAM's hub id or folder's name.
        folder: the SAM's folder; None for ours.
        chosen_by: what named it.
    """

    name: str
    folder: Path | None
    chosen_by: Literal["argument", "REALEDIT_CUTOUT", "default"]


def choose_cutout(asked: str | Path | None = None, offline: bool | None = None) -> CutOutChoice:
    """Decides what cuts out.

    Args:
        asked: "ours", "sam", or another SAM's folder or hub id; None for what REALEDIT_CUTOUT names, else
            the SAM that has been fetched, else ours.
        offline: never use the network.

    Raises:
        ModelUnavailableError: the SAM that is asked for is not here.
        UsageError: it is a model of another kind.
    """
    if asked is not None:
        return _named(asked, "argument", offline)
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return _named(named, "REALEDIT_CUTOUT", offline)
    root = files.cached(SAM, "segmenter")
    return CutOutChoice(OURS if root is None else SAM, root, "default")


def _named(
    asked: str | Path, chosen_by: Literal["argument", "REALEDIT_CUTOUT"], offline: bool | None
) -> CutOutChoice:
    if asked == OURS:
        return CutOutChoice(OURS, None, chosen_by)
    if asked == FETCHED:
        root = files.cached(SAM, "segmenter")
        if root is None:
            raise ModelUnavailableError(
                f"SAM ({SAM}) is not on this machine", "get it once: realedit fetch sam; or use --cutout ours"
            )
        return CutOutChoice(SAM, root, chosen_by)
    root, label, kind = files.located(asked, "segmenter", offline)
    if kind.worded:
        raise UsageError(
            f"{label} finds words and cuts nothing out of a point or box",
            "give it as --segmenter, or a SAM as --cutout",
        )
    return CutOutChoice(label, root, chosen_by)


def load_cutout(choice: CutOutChoice, device: str | torch.device = "cpu") -> CutsOut:
    """Loads what cuts out.

    Raises:
        ModelUnavailableError: it is damaged, pickled, or needs code of its own.
        UsageError: no such device.
    """
    if choice.folder is None:
        return CutOut.load()
    from realedit.external.load import load
    from realedit.external.prompted import PromptSegmenter
    from realedit.find.by_sam import SamCutOut

    return SamCutOut(PromptSegmenter(load(choice.folder, "segmenter", device, offline=True)), CutOut.load())
