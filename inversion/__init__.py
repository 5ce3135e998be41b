"""A photo as a diffusion trajectory: inversion methods with one kind of result, and one replay that reads it.

Pure torch: no files, no images, no diffusers. A model takes part as a :class:`Denoiser`, a callable
``(x_t, t, conditioning) -> eps``. Conditionings are opaque, except for the token embedding, which null-text
inversion optimises.

Convention: a trajectory is indexed by its noise level ``k``: ``x_0`` is the photo's latent, ``x_N`` noise.
"""

from inversion.ddim import ddim
from inversion.ddpm import ddpm
from inversion.denoiser import Conditioning, Denoiser, Guidance, predict
from inversion.direct import direct
from inversion.fixed_point import fixed_point
from inversion.methods import METHODS, InversionMethod, invert
from inversion.negative_prompt import negative_prompt
from inversion.noised import noised
from inversion.null_text import null_text
from inversion.result import InversionResult, replay
from inversion.schedule import Schedule

__all__ = [
    "METHODS",
    "Conditioning",
    "Denoiser",
    "Guidance",
    "InversionMethod",
    "InversionResult",
    "Schedule",
    "ddim",
    "ddpm",
    "direct",
    "fixed_point",
    "invert",
    "negative_prompt",
    "noised",
    "null_text",
    "predict",
    "replay",
]
