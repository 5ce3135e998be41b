"""A photo, and the command in a place of its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from command import Command
from realedit import RealEditPipeline
from realedit.engine import Engine
from realedit.models.backbone import Backbone
from realedit.models.choice import resolve_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pipeline(backbone: Backbone) -> RealEditPipeline:
    """The API on the embedded model, without a cache."""
    return RealEditPipeline(Engine(backbone, resolve_model("tabletop")))


@pytest.fixture
def sample() -> Path:
    """Return a photo of a mug, a sample that the project ships."""
    return ROOT / "examples" / "photos" / "mug.jpg"


@pytest.fixture
def realedit(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return the command, in an empty folder, with a cache and a home of its own and no network."""
    home = tmp_path_factory.mktemp("home")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("REALEDIT", "HF_"))}
    environment |= {
        "COLUMNS": "100",
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "REALEDIT_CACHE": str(home / "cache"),
    }
    if not shutil.which("realedit", path=str(Path(sys.executable).parent)):
        environment["PYTHONPATH"] = str(ROOT)
    return Command(tmp_path_factory.mktemp("work"), environment)
