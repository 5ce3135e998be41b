"""The supported models of `transformers`, by the `model_type` that every config.json states.

The classes are named here, rather than left to the Auto classes: a hub folder of SAM 2 calls itself a video
model, CLIPSeg's decoder is in no Auto class, and a config can ask an Auto class for code of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from realedit.errors import ModelUnavailableError, UsageError
from realedit.models.configs import config_problem, foreign_kernel

Role = Literal["detector", "segmenter", "captioner"]


@dataclass(frozen=True)
class Kind:
    """One architecture.

    Attributes:
        model_type: what its config.json calls it.
        role: what it is good for, which is also the name of its flag.
        model: class of `transformers` that computes it.
        processor: class of `transformers` that prepares its input and reads its output.
        worded: whether it needs a tokenizer.
    """

    model_type: str
    role: Role
    model: str
    processor: str
    worded: bool = True


_ALL = (
    Kind("owlvit", "detector", "OwlViTForObjectDetection", "OwlViTProcessor"),
    Kind("owlv2", "detector", "Owlv2ForObjectDetection", "Owlv2Processor"),
    Kind("grounding-dino", "detector", "GroundingDinoForObjectDetection", "GroundingDinoProcessor"),
    Kind("mm-grounding-dino", "detector", "MMGroundingDinoForObjectDetection", "GroundingDinoProcessor"),
    Kind("clipseg", "segmenter", "CLIPSegForImageSegmentation", "CLIPSegProcessor"),
    Kind("sam", "segmenter", "SamModel", "SamProcessor", worded=False),
    Kind("sam_hq", "segmenter", "SamHQModel", "SamHQProcessor", worded=False),
    Kind("sam2", "segmenter", "Sam2Model", "Sam2Processor", worded=False),
    Kind("sam2_video", "segmenter", "Sam2Model", "Sam2Processor", worded=False),
    Kind("blip", "captioner", "BlipForConditionalGeneration", "BlipProcessor"),
    Kind("florence2", "captioner", "Florence2ForConditionalGeneration", "Florence2Processor"),
)
KINDS: Mapping[str, Kind] = {kind.model_type: kind for kind in _ALL}

SAM = "facebook/sam2.1-hiera-tiny"
"""The SAM that is fetched by that name: SAM 2.1, the smallest, since it has to run on a CPU."""

EXAMPLES: Mapping[Role, str] = {
    "detector": "google/owlv2-base-patch16-ensemble",
    "segmenter": "facebook/sam-vit-base",
    "captioner": "florence-community/Florence-2-base",
}
"""A hub id for each role, for messages."""


def supported(role: Role) -> str:
    """Lists the model types of a role for a message: "owlvit, owlv2, ..."."""
    return ", ".join(kind.model_type for kind in _ALL if kind.role == role)


def kind_of(config: Mapping[str, Any], label: str, role: Role) -> Kind:
    """Tells what a model is from its config.json.

    Args:
        config: the content of config.json.
        label: what to call the model in error lines.
        role: what it is wanted for.

    Raises:
        UsageError: a model type that is not supported, or one for another role.
        ModelUnavailableError: the config asks for code from the hub, or its sizes cannot be right.
    """
    named = config.get("model_type")
    kind = KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        what = f"a {named} model" if named else "a model without a model_type in its config.json"
        raise UsageError(
            f"{label} is {what}, which realedit cannot use as a {role}", f"use one of: {supported(role)}"
        )
    if kind.role != role:
        raise UsageError(
            f"{label} is a {named} model, which is a {kind.role} and no {role}",
            f"give it as --{kind.role}; a {role} is one of: {supported(role)}",
        )
    problem = config_problem(config)
    if problem:
        raise ModelUnavailableError(f"{label}: {problem}", f"use another {role}, such as {EXAMPLES[role]}")
    kernel = foreign_kernel(config)
    if kernel:
        raise ModelUnavailableError(
            f"{label} computes its attention with code from the hub ({kernel}), which realedit does not run",
            f"use another {role}, such as {EXAMPLES[role]}",
        )
    return kind
