"""Fixtures of tiny detectors, segmenters and captioners, for the conftests that want them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from realedit.external.kinds import KINDS
from realedit.external.load import Loaded, load


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model type; not to be written to."""
    root = tmp_path_factory.mktemp("external")

    def build(model_type: str) -> Path:
        from tiny_external import BUILD

        folder = root / model_type
        if not folder.exists():
            try:
                BUILD[model_type](folder)
            except (AttributeError, ImportError) as error:
                pytest.skip(f"this transformers builds no tiny {model_type}: {error}")
        return folder

    return build


@pytest.fixture(scope="session")
def loaded_of(folder_of: Callable[[str], Path]) -> Callable[[str], Loaded]:
    """The model of a type, loaded once; not to be changed."""
    kept: dict[str, Loaded] = {}

    def get(model_type: str) -> Loaded:
        if model_type not in kept:
            kept[model_type] = load(folder_of(model_type), KINDS[model_type].role, offline=True)
        return kept[model_type]

    return get
