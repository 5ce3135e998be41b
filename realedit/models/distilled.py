"""Tells models that were distilled to a few steps: Turbo, Lightning, LCM, Hyper, DMD, TCD.

They were taught to jump from a handful of noise levels to a picture, without guidance. An inversion asks them
for small steps at levels between these, of which they learned nothing, so they are refused. What betrays them
is their scheduler, a UNet that reads a guidance scale, or their name: weights alone do not tell.

References: Sauer et al. 2023, arXiv 2311.17042 (Turbo); Lin et al. 2024, arXiv 2402.13929 (Lightning); Luo et
al. 2023, arXiv 2310.04378 (LCM); Ren et al. 2024, arXiv 2404.13686 (Hyper-SD); Yin et al. 2024, arXiv
2405.14867 (DMD2); Zheng et al. 2024, arXiv 2402.19159 (TCD).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ANOTHER = "use the model that it was made from, such as --model sdxl"
"""The way out."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""A word of a name, whether its words are parted by signs, digits or capitals."""
_WORDS = {"lcm": "LCM", "dmd": "DMD", "tcd": "TCD"}
"""Words that tell by themselves."""
_BEGINNINGS = {"turbo": "Turbo", "lightning": "Lightning", "hypersd": "Hyper"}
"""What tells a word by its beginning."""
_AFTER_HYPER = ("", "sd", "sdxl", "xl")
"""What follows "hyper" in the names of such models, or a number: "hyper realism" is something else."""
_SCHEDULERS = {"LCMScheduler": "LCM", "TCDScheduler": "TCD"}
_TURBO = {
    "_class_name": "EulerAncestralDiscreteScheduler",
    "timestep_spacing": "trailing",
    "prediction_type": "epsilon",
}
"""SDXL Turbo's scheduler, as far as no other model has it."""


def named(name: str) -> str | None:
    """Returns which kind of distilled model a name names, or None."""
    words = [word.lower() for word in _WORD.findall(name)]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in _WORDS:
            return _WORDS[word]
        if word == "hyper" and (following in _AFTER_HYPER or following.isdigit()):
            return "Hyper"
        for beginning, kind in _BEGINNINGS.items():
            if word.startswith(beginning):
                return kind
    return None


def configured(unet: Mapping[str, Any], scheduler: Mapping[str, Any]) -> str | None:
    """Returns which kind of distilled model a pipeline's configs are of, or None.

    Args:
        unet: the UNet's.
        scheduler: the scheduler's, with its class as ``_class_name``.
    """
    if unet.get("time_cond_proj_dim") is not None:  # it reads a guidance scale
        return "LCM"
    if all(scheduler.get(key) == value for key, value in _TURBO.items()):
        return None if scheduler.get("rescale_betas_zero_snr") else "Turbo"
    return _SCHEDULERS.get(str(scheduler.get("_class_name")))
