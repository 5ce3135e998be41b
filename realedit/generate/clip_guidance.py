"""CLIP for guidance: transformers' model as the differentiable embedding that :class:`guidance.Clip` takes.

Example::

    embedder = ClipEmbedder(CLIPModel.from_pretrained(name), CLIPProcessor.from_pretrained(name))
    energy = Clip(picture_decoder(backbone), embedder.pictures, embedder.text("a bowl of cherries"))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize, pad

if TYPE_CHECKING:
    from transformers import CLIPModel

    from realedit.models.backbone import Backbone

_MODES = {2: "bilinear", 3: "bicubic"}
"""PIL's resampling filters as torch names them."""


class ClipEmbedder:
    """Unit embeddings of pictures and texts in a CLIP model's common space.

    Preprocessing is the processor's own (size, filter, crop, mean and standard deviation), made of
    differentiable operations.

    Args:
        model: transformers' ``CLIPModel``; set to evaluation, its weights taken out of the graph.
        processor: its ``CLIPProcessor``.

    Raises:
        ValueError: the processor resizes by a filter other than bilinear and bicubic.
    """

    def __init__(self, model: CLIPModel, processor: Any) -> None:  # noqa: ANN401 - typed as a mixin only
        self.model: Any = model.eval().requires_grad_(False)
        self._tokenizer = processor.tokenizer
        self._image = processor.image_processor
        if self._image.do_resize and int(self._image.resample) not in _MODES:
            raise ValueError(f"expected a bilinear or bicubic processor, got {self._image.resample!r}")
        self._mean = torch.tensor(self._image.image_mean).view(1, 3, 1, 1)
        self._std = torch.tensor(self._image.image_std).view(1, 3, 1, 1)

    def preprocess(self, pictures: Tensor) -> Tensor:
        """Pictures ``[B, 3, H, W]`` in [-1, 1] as the vision model takes them ``[B, 3, h, w]``.

        What lies outside [-1, 1] is clipped as it is when a picture is saved, and has no gradient.
        """
        x = ((pictures + 1) / 2).clamp(0, 1)
        if self._image.do_resize:
            size = _resized(x.shape[-2], x.shape[-1], self._image.size)
            mode = _MODES[int(self._image.resample)]
            x = interpolate(x, size, mode=mode, align_corners=False, antialias=True).clamp(0, 1)
        if self._image.do_center_crop:
            x = _centre_crop(x, self._image.crop_size["height"], self._image.crop_size["width"])
        return (x - self._mean.to(x)) / self._std.to(x)

    def pictures(self, pictures: Tensor) -> Tensor:
        """Pictures ``[B, 3, H, W]`` in [-1, 1] to unit embeddings ``[B, D]``, differentiable."""
        pixels = self.preprocess(pictures).to(self.model.device, self.model.dtype)
        return _unit(self.model.get_image_features(pixel_values=pixels))

    @torch.no_grad()
    def photo(self, rgb: np.ndarray) -> Tensor:
        """A photo, uint8 ``[H, W, 3]``, to its unit embedding ``[1, D]``."""
        x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float()
        return self.pictures(x / 127.5 - 1)

    @torch.no_grad()
    def text(self, text: str) -> Tensor:
        """A text to its unit embedding ``[1, D]``; what is longer than the model takes is cut off."""
        longest = self.model.config.text_config.max_position_embeddings
        tokens = self._tokenizer([text], truncation=True, max_length=longest, return_tensors="pt")
        ids, mask = (tokens[name].to(self.model.device) for name in ("input_ids", "attention_mask"))
        return _unit(self.model.get_text_features(input_ids=ids, attention_mask=mask))


def picture_decoder(backbone: Backbone) -> Callable[[Tensor], Tensor]:
    """A backbone's VAE as a differentiable latent ``[B, C, h, w]`` to picture ``[B, 3, H, W]`` in [-1, 1]."""
    vae = backbone.vae
    shift = getattr(vae.config, "shift_factor", None) or 0.0

    def decode(latent: Tensor) -> Tensor:
        z = latent / vae.config.scaling_factor + shift
        return vae.decode(z.to(vae.dtype)).sample.float()

    return decode


def _unit(output: Any) -> Tensor:  # noqa: ANN401 - an output class, in older transformers a tensor
    features = output if isinstance(output, Tensor) else output.pooler_output
    return normalize(features.float(), dim=-1)


def _resized(h: int, w: int, size: Any) -> tuple[int, int]:  # noqa: ANN401 - a dict or transformers' own
    """(height, width) before cropping; the longer side is rounded down, as transformers does."""
    shortest = size.get("shortest_edge")
    if not shortest:
        return size["height"], size["width"]
    return (shortest, int(shortest * w / h)) if h <= w else (int(shortest * h / w), shortest)


def _centre_crop(x: Tensor, height: int, width: int) -> Tensor:
    """The middle ``height`` x ``width``, on black where the picture is smaller."""
    tall, wide = max(0, height - x.shape[-2]), max(0, width - x.shape[-1])
    x = pad(x, (wide // 2, wide - wide // 2, tall // 2, tall - tall // 2))
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    return x[..., top : top + height, left : left + width]
