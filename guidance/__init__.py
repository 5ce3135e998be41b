"""Guidance: what a denoiser sees, the objects' properties in it, energies over them, the guided sampler.

Epstein, Jabri, Poole, Efros and Holynski 2023, *Diffusion Self-Guidance for Controllable Image Generation*,
arXiv 2306.00986, and the other energies that a term can be made of: mask, classifier, CLIP, feature and image
guidance; with classifier-free guidance as the combiner of conditions. Works on any UNet of diffusers' shape;
imports :mod:`inversion` and torch only.
"""

from guidance import edits
from guidance.capture import Capture, Observation
from guidance.classifier_free import ClassifierFree, Condition
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
