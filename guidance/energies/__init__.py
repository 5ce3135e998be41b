r"""Energies: the distance of what the denoiser sees from what an edit asks for.

Each is the distance of a property to a target into which no gradient flows, averaged over the captured layers
and the batch, in fp32 at least:

.. math:: g = \lVert p(A_t, \Psi_t) - p^* \rVert_1

===================== ================================== =============================================
family                energies                           target :math:`p^*`
===================== ================================== =============================================
self-guidance         :class:`Shape`, :class:`Centroid`, the source's own, moved; an :class:`Image`'s;
                      :class:`Size`, :class:`Absence`    or a given mask, place or share
feature guidance      :class:`Appearance`,               the source's own; an :class:`Image`'s; or
                      :class:`Features`                  given activations
background keep       :class:`Background`,               the source's own
                      :class:`Features`
mask guidance         :class:`Mask`                      the source's latent outside a region
classifier guidance   :class:`Classifier`,               a label
                      :class:`NoisyClassifier`
CLIP guidance         :class:`Clip`                      a text's or a picture's embedding
===================== ================================== =============================================

Reference: Epstein et al. 2023, *Diffusion Self-Guidance for Controllable Image Generation*, arXiv 2306.00986,
sections 3.2 and 3.3. The paper's "keep" terms are the same energies with the identity transform.
"""

from guidance.energies.appearance import Appearance, Background, Features, appearance_vectors
from guidance.energies.classifier import Classifier, NoisyClassifier
from guidance.energies.clip import Clip, Cutouts, spherical_distance
from guidance.energies.layout import Absence, Centroid, Shape, Size
from guidance.energies.mask import Mask
from guidance.energies.target import Activations, Image

__all__ = [
    "Absence",
    "Activations",
    "Appearance",
    "Background",
    "Centroid",
    "Classifier",
    "Clip",
    "Cutouts",
    "Features",
    "Image",
    "Mask",
    "NoisyClassifier",
    "Shape",
    "Size",
    "appearance_vectors",
    "spherical_distance",
]
