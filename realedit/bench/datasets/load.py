"""Loads a data set by the layout that its manifest's name tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from realedit.bench.case import Case
from realedit.bench.datasets import counterfactual, manifest, pie_bench, pixelman
from realedit.errors import UsageError

LAYOUTS: Mapping[str, Callable[[Path], list[Case]]] = {
    manifest.MANIFEST: manifest.load_manifest,
    counterfactual.MANIFEST: counterfactual.load_counterfactual,
    pie_bench.MANIFEST: pie_bench.load_pie_bench,
    pixelman.COCOEE: pixelman.load_cocoee,
    pixelman.RES: pixelman.load_res,
}
"""Loader by the name of the file that tells a layout."""


def load_dataset(folder: Path) -> list[Case]:
    """Reads the cases of a folder, in the manifest's order.

    Raises:
        UsageError: it is no data set, holds no case, or its manifest has a mistake.
        PhotoError: a file that it names is missing.
    """
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}", "name a data set's folder")
    there = [name for name in LAYOUTS if (folder / name).is_file()]
    if len(there) != 1:
        known = ", ".join(LAYOUTS)
        what = f"both {' and '.join(there)}" if there else "no manifest"
        raise UsageError(f"{folder} has {what}", f"a data set has one of {known}")
    cases = LAYOUTS[there[0]](folder)
    if not cases:
        raise UsageError(f"{folder / there[0]} holds no case", "add one")
    return cases
