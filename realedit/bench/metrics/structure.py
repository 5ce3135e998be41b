r"""Structure distance: how much a picture's layout changed, by DINO's self-similarity; lower is better.

.. math::
    d(x, y) = \mathrm{mean}_{i, j} (S_{ij}(x) - S_{ij}(y))^2, \qquad
    S_{ij} = \cos(k_i, k_j)

with the keys :math:`k` of the last layer, heads concatenated (Tumanyan et al. 2022, *Splicing ViT Features*,
arXiv 2201.00424; PIE-Bench's ``structure_distance``, which uses ``dino_vitb8`` at 224 pixels). From 0 to 4;
published tables state it times 1000.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, mse_loss, normalize

from realedit.bench.metrics.missing import MetricUnavailableError

_SIDE, _LONGEST = 224, 480
"""Pixels: the shorter side is brought to the first, unless the longer side would then exceed the second. Set
by PIE-Bench and by Splicing ViT."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's red, green and blue, in [0, 1], as DINO sees them. Set by DINO's
training."""


class StructureDistance:
    """The structure distance by a vision transformer in a local folder.

    Args:
        folder: a model that transformers' ``AutoModel`` reads, such as ``facebook/dino-vitb8`` downloaded.

    Raises:
        MetricUnavailableError: there is no such model.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel

        try:
            self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError) as error:
            raise MetricUnavailableError(f"no vision transformer in {folder}") from error
        self._patch = int(self._model.config.patch_size)
        self._keys = _last_keys(self._model)

    def __call__(self, picture: np.ndarray, reference: np.ndarray) -> float:
        """Returns the distance of two uint8 pictures ``[H, W, 3]``."""
        return float(mse_loss(self.similarity(picture), self.similarity(reference)))

    @torch.no_grad()
    def similarity(self, rgb: np.ndarray) -> Tensor:
        """Returns cosine similarities of the last layer's keys, ``[T, T]``, class token first."""
        seen: list[Tensor] = []

        def see(_: nn.Module, __: object, output: Tensor) -> None:
            seen.append(output)

        hook = self._keys.register_forward_hook(see)
        try:
            self._model(pixel_values=self._prepared(rgb), interpolate_pos_encoding=True)
        finally:
            hook.remove()
        keys = normalize(seen[0][0].float(), dim=-1)
        return keys @ keys.T

    def _prepared(self, rgb: np.ndarray) -> Tensor:
        """Returns ``[1, 3, h, w]`` in whole patches, the shorter side 224, the longer at most 480."""
        x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255
        factor = min(_SIDE / min(x.shape[-2:]), _LONGEST / max(x.shape[-2:]))
        size = [max(1, round(side * factor) // self._patch) * self._patch for side in x.shape[-2:]]
        x = interpolate(x, size, mode="bilinear", antialias=True)
        return (x - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_DEVIATION)[:, None, None]


def _last_keys(model: nn.Module) -> nn.Module:
    """Returns the linear layer of the last attention's keys, by the names that transformers gives it."""
    found = [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in ("key", "k_proj")
    ]
    if not found:
        raise MetricUnavailableError(f"{type(model).__name__} has no layer of keys")
    return found[-1]
