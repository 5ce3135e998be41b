"""The frozen features that the cut-out network compares: the recogniser's EfficientNet-Lite0."""

from __future__ import annotations

from pathlib import Path

from realedit.errors import ModelUnavailableError
from realedit.models.efficientnet_lite import Features
from realedit.models.recogniser import Recogniser

__all__ = ["FOLDER", "Features", "load_features"]

FOLDER = Path(__file__).parent.parent / "assets" / "tabletop"
"""The model folder whose recogniser holds them."""


def load_features(folder: Path = FOLDER) -> Features:
    """Returns the features of a model folder's recogniser.

    Raises:
        ModelUnavailableError: It has none, or they cannot be read.
    """
    recogniser = Recogniser.load(folder)
    if recogniser is None:
        raise ModelUnavailableError(f"{folder} holds no recogniser", "install realedit again")
    return recogniser.features
