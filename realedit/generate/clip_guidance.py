"""CLIP for guidance: transformers' model as the differentiable embedding that :class:`guidance.Clip` takes.

:mod:`realedit.generate` shows it in use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import crop, resize

if TYPE_CHECKING:
    from transformers import CLIPModel, CLIPProcessor

    from realedit.models.backbone import Backbone

_FILTERS = {2: InterpolationMode.BILINEAR, 3: InterpolationMode.BICUBIC}
"""The differentiable ones of PIL's resampling filters, by PIL's number."""


class ClipEmbedder:
    """Embeds pictures and texts as unit vectors in a CLIP model's common space.

    Pictures are preprocessed as the processor does it (size, filter, crop, mean and standard deviation), by
    differentiable operations and without its rounding to bytes.

    Args:
        model: transformers' ``CLIPModel``; it is set to evaluation, and its weights take no gradient.
        processor: the ``CLIPProcessor`` of the same model.

    Raises:
        ValueError: the processor resizes by a filter other than bilinear and bicubic.
    """

    def __init__(self, model: CLIPModel, processor: CLIPProcessor) -> None:
        self.model: Any = model.eval().requires_grad_(False)
        parts: Any = processor
        self._tokenizer, self._image = parts.tokenizer, parts.image_processor
        if self._image.do_resize and int(self._image.resample) not in _FILTERS:
            raise ValueError(f"expected a bilinear or bicubic processor, got {self._image.resample!r}")
        self._mean = torch.tensor(self._image.image_mean).view(1, 3, 1, 1)
        self._std = torch.tensor(self._image.image_std).view(1, 3, 1, 1)

    def preprocess(self, pictures: Tensor) -> Tensor:
        """Brings pictures ``[B, 3, H, W]`` in [-1, 1] to the vision model's input ``[B, 3, h, w]``.

        Values outside [-1, 1] are clipped, as when a picture is saved, and have no gradient.
        """
        x = ((pictures + 1) / 2).clamp(0, 1)
        if self._image.do_resize:
            # one number is the shorter side
            shortest = self._image.size.get("shortest_edge")
            size = [shortest] if shortest else [self._image.size["height"], self._image.size["width"]]
            # a bicubic filter overshoots
            x = resize(x, size, _FILTERS[int(self._image.resample)], antialias=True).clamp(0, 1)
        if self._image.do_center_crop:
            x = _centre_crop(x, self._image.crop_size["height"], self._image.crop_size["width"])
        return (x - self._mean.to(x)) / self._std.to(x)

    def pictures(self, pictures: Tensor) -> Tensor:
        """Embeds pictures ``[B, 3, H, W]`` in [-1, 1] as unit vectors ``[B, D]``; differentiable."""
        pixels = self.preprocess(pictures).to(self.model.device, self.model.dtype)
        return _unit(self.model.get_image_features(pixel_values=pixels))

    @torch.no_grad()
    def photo(self, rgb: np.ndarray) -> Tensor:
        """Embeds a photo, uint8 ``[H, W, 3]``, as a unit vector ``[1, D]``."""
        x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float()
        return self.pictures(x / 127.5 - 1)

    @torch.no_grad()
    def text(self, text: str) -> Tensor:
        """Embeds a text as a unit vector ``[1, D]``; a text longer than the model takes is cut off."""
        longest = self.model.config.text_config.max_position_embeddings
        tokens = self._tokenizer([text], truncation=True, max_length=longest, return_tensors="pt")
        ids, mask = (tokens[name].to(self.model.device) for name in ("input_ids", "attention_mask"))
        return _unit(self.model.get_text_features(input_ids=ids, attention_mask=mask))


def picture_decoder(backbone: Backbone) -> Callable[[Tensor], Tensor]:
    """Returns a backbone's VAE as a differentiable decoder.

    Args:
        backbone: the model.

    Returns:
        A function from latents ``[B, C, h, w]`` to pictures ``[B, 3, H, W]``, in [-1, 1] up to the VAE's
        overshoot.
    """
    vae = backbone.vae
    shift = getattr(vae.config, "shift_factor", None) or 0.0

    def decode(latent: Tensor) -> Tensor:
        z = latent / vae.config.scaling_factor + shift
        return vae.decode(z.to(vae.dtype)).sample.float()

    return decode


def _unit(output: object) -> Tensor:
    """Normalises the embedding in a model's output, which in older transformers is the embedding itself."""
    found: Any = output
    features: Tensor = found if isinstance(output, Tensor) else found.pooler_output
    return normalize(features.float(), dim=-1)


def _centre_crop(x: Tensor, height: int, width: int) -> Tensor:
    """Cuts out the middle, padded with black where the picture is smaller.

    torchvision's own ``center_crop`` rounds an odd margin half to even, transformers towards zero.
    """
    return crop(x, int((x.shape[-2] - height) / 2), int((x.shape[-1] - width) / 2), height, width)
