"""Self-guidance: what a denoiser sees, the objects' properties in it, energies over them, the guided sampler.

Epstein, Jabri, Poole, Efros and Holynski 2023, *Diffusion Self-Guidance for Controllable Image Generation*,
arXiv 2306.00986. Works on any UNet of diffusers' shape; imports :mod:`inversion` and torch only.
"""

from guidance.capture import Capture, Observation
from guidance.energies import Absence, Appearance, Centroid, Energy, Features, Shape, Size, State, Term
from guidance.layers import LayerSelection
from guidance.sampler import Anchors, Trace, self_guided_sample
from guidance.warp import Transform, warp
from guidance.windows import Window

__all__ = [
    "Absence",
    "Anchors",
    "Appearance",
    "Capture",
    "Centroid",
    "Energy",
    "Features",
    "LayerSelection",
    "Observation",
    "Shape",
    "Size",
    "State",
    "Term",
    "Trace",
    "Transform",
    "Window",
    "self_guided_sample",
    "warp",
]
