r"""Perceptual distance: LPIPS and its shift-tolerant variant; lower is better, 0 is equal.

.. math::
    d(x, y) = \sum_l \mathrm{mean}_{h, w} \lVert w_l \odot (\hat f_l(x) - \hat f_l(y)) \rVert_2^2

with unit-normalised activations :math:`\hat f_l` of a classifier. LPIPS: Zhang et al. 2018
(arXiv 1801.03924), package ``lpips``; its backbones are torchvision's and have to be downloaded once.
ST-LPIPS: Ghildyal and Liu 2022 (arXiv 2207.13686), package ``stlpips-pytorch``, weights in its wheel.

The distance over a region is the mean over it of the map that the packages' ``spatial`` mode gives; what a
map's cell sees reaches over the region's edge.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch

from realedit.bench.metrics.missing import MetricUnavailableError

Backbone = Literal["alex", "vgg", "squeeze"]

_WEIGHTS: dict[Backbone, str] = {
    "alex": "AlexNet_Weights",
    "vgg": "VGG16_Weights",
    "squeeze": "SqueezeNet1_1_Weights",
}


class Network(Protocol):
    """What both packages' ``LPIPS`` classes are.

    Attributes:
        spatial: whether the distance is a map or a number.
    """

    spatial: bool

    def __call__(self, picture: torch.Tensor, reference: torch.Tensor, /) -> torch.Tensor:
        """The distance of pictures ``[B, 3, H, W]`` in [-1, 1]: ``[B, 1, H, W]``, or ``[B, 1, 1, 1]``."""
        ...


class PerceptualDistance:
    """A network of the LPIPS family as a distance of pictures.

    Args:
        network: ``lpips.LPIPS`` or one of its shape, in evaluation mode.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def whole(self, picture: np.ndarray, reference: np.ndarray) -> float:
        """Returns the distance of two uint8 pictures ``[H, W, 3]``; at least 0."""
        return float(self._run(picture, reference, spatial=False).item())

    def map(self, picture: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Returns the distance at every pixel, float32 ``[H, W]``."""
        return self._run(picture, reference, spatial=True)[0, 0].cpu().numpy()

    @torch.no_grad()
    def _run(self, picture: np.ndarray, reference: np.ndarray, *, spatial: bool) -> torch.Tensor:
        self._network.spatial = spatial
        return self._network(_tensor(picture), _tensor(reference))


def lpips(backbone: Backbone, *, download: bool = False) -> PerceptualDistance:
    """Loads LPIPS on a backbone.

    Args:
        backbone: which classifier.
        download: fetch its weights where they are not in torch hub's cache.

    Raises:
        MetricUnavailableError: the weights are not here and may not, or cannot, be fetched.
    """
    import torchvision

    url = getattr(torchvision.models, _WEIGHTS[backbone]).IMAGENET1K_V1.url
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if not file.is_file() and not download:
        raise MetricUnavailableError(
            f"its weights are not here: no {file.name} in torch hub's cache (--download)"
        )
    import lpips as package

    try:
        return PerceptualDistance(_quietly(lambda: package.LPIPS(net=backbone, verbose=False).eval()))
    except OSError as error:  # no network, a broken file
        raise MetricUnavailableError(f"its weights cannot be had ({error})") from error


def st_lpips(backbone: Literal["alex", "vgg"] = "alex") -> PerceptualDistance:
    """Loads shift-tolerant LPIPS on a backbone.

    Raises:
        MetricUnavailableError: the package is not installed.
    """

    def build() -> Network:
        from stlpips_pytorch import stlpips

        return stlpips.LPIPS(net=backbone, variant="shift_tolerant", verbose=False).eval()

    try:
        return PerceptualDistance(_quietly(build))
    except ImportError as error:
        raise MetricUnavailableError(
            f"{error.name or error} is not installed (pip install 'realedit[bench]')"
        ) from error


def _quietly(build: Callable[[], Network]) -> Network:
    """Builds a network without its package's prints, and without torch's warnings about the package."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build()


def _tensor(rgb: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
