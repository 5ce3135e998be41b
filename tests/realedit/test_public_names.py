"""The names that other people's code may import: a change of this list is a change for them."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from types import ModuleType

import pytest

import guidance
import inversion
import realedit

REALEDIT = """
    Background Copy Edit EditResult Flip GuidanceWarning InvertedPhoto Like Location LookOf Move Paste
    RealEditError RealEditPipeline Remove Replace Reshape Resize Restyle Retouch Rotate
    SelfGuidanceStableDiffusionXLPipeline Settings Swap SwapLooks load_photo
""".split()
GUIDANCE = """
    Absence Activations Appearance Automatic Background Capture Centroid Classifier ClassifierFree Clip
    Combined Condition Cutouts Energy Features GradientScale Guide Image LayerSelection Mask Measured
    NoiseShare NoiseStep NoisyClassifier Observation Shape Size State Strength Target Term Ties Trace
    Transform Window appearance_vectors edits self_guided_sample warp
""".split()
INVERSION = """
    Conditioning Denoiser Guidance InversionMethod InversionResult METHODS Schedule ddim ddpm direct
    fixed_point invert negative_prompt noised null_text predict replay
""".split()


@pytest.mark.parametrize(
    ("module", "names"),
    [(realedit, REALEDIT), (guidance, GUIDANCE), (inversion, INVERSION)],
    ids=["realedit", "guidance", "inversion"],
)
def test_the_public_names_are_these_and_can_be_imported(module: ModuleType, names: list[str]) -> None:
    assert sorted(module.__all__) == sorted(names)
    for name in names:
        assert getattr(module, name) is not None


def test_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(AttributeError, match=r"^module 'realedit' has no attribute 'Mov'$"):
        _ = realedit.Mov


def test_the_version_is_the_installed_one() -> None:
    try:
        installed = metadata.version("realedit")
    except metadata.PackageNotFoundError:
        installed = "unknown (not installed)"
    assert realedit.__version__ == installed


def test_all_names_come_with_a_star_import() -> None:
    script = (
        f"from realedit import *; missing = set({REALEDIT!r}) - set(globals()); assert not missing, missing"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
