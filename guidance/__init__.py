"""Guidance: steers a denoiser by energies over what it sees.

:mod:`guidance.capture` records a UNet's attention and activations, :mod:`guidance.properties` reads objects'
place, size, shape and appearance from them, :mod:`guidance.energies` measures their distance from an edit's
targets, and :mod:`guidance.sampler` descends these energies while it samples. Besides self-guidance (Epstein,
Jabri, Poole, Efros and Holynski 2023, *Diffusion Self-Guidance for Controllable Image Generation*,
arXiv 2306.00986) a term can be made of mask, classifier, CLIP, feature and image guidance; conditions are
combined by classifier-free guidance. Works on any UNet of diffusers' shape; imports :mod:`inversion` and
torch only.
"""

from guidance import edits
from guidance.capture import Capture, Observation
from guidance.classifier_free import ClassifierFree, Condition
from guidance.combined import Combined
from guidance.energies import (
    Absence,
    Activations,
    Appearance,
    Background,
    Centroid,
    Classifier,
    Clip,
    Cutouts,
    Features,
    Image,
    Mask,
    NoisyClassifier,
    Shape,
    Size,
    appearance_vectors,
)
from guidance.guide import Guide, Target, Trace
from guidance.layers import LayerSelection
from guidance.sampler import Ties, self_guided_sample
from guidance.strength import Automatic, GradientScale, Measured, NoiseShare, NoiseStep, Strength
from guidance.terms import Energy, State, Term
from guidance.warp import Transform, warp
from guidance.windows import Window

__all__ = [
    "Absence",
    "Activations",
    "Appearance",
    "Automatic",
    "Background",
    "Capture",
    "Centroid",
    "Classifier",
    "ClassifierFree",
    "Clip",
    "Combined",
    "Condition",
    "Cutouts",
    "Energy",
    "Features",
    "GradientScale",
    "Guide",
    "Image",
    "LayerSelection",
    "Mask",
    "Measured",
    "NoiseShare",
    "NoiseStep",
    "NoisyClassifier",
    "Observation",
    "Shape",
    "Size",
    "State",
    "Strength",
    "Target",
    "Term",
    "Ties",
    "Trace",
    "Transform",
    "Window",
    "appearance_vectors",
    "edits",
    "self_guided_sample",
    "warp",
]
