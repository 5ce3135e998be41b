r"""CLIP score: how well a picture fits a text; higher is better.

:math:`100 \max(\cos(E_{image}, E_{text}), 0)` (Hessel et al. 2021, arXiv 2104.08718), from 0 to 100.
PIE-Bench takes it with ``openai/clip-vit-large-patch14``, of the picture and of its edited part on black.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cosine_similarity

from realedit.bench.metrics.missing import MetricUnavailableError


class ClipScore:
    """The CLIP score by a model in a local folder.

    Args:
        folder: a model and its processor that transformers' ``CLIPModel`` and ``CLIPProcessor`` read.

    Raises:
        MetricUnavailableError: there is no such model.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import CLIPModel, CLIPProcessor

        try:
            self._model = CLIPModel.from_pretrained(folder, local_files_only=True).eval()
            self._processor: Any = CLIPProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise MetricUnavailableError(f"no CLIP model in {folder}") from error

    @torch.no_grad()
    def __call__(self, picture: np.ndarray, text: str, region: np.ndarray | None = None) -> float:
        """Scores a uint8 picture ``[H, W, 3]``, black outside a region, bool ``[H, W]``, if one is given."""
        shown = picture if region is None else picture * region[..., None].astype(np.uint8)
        inputs = self._processor(
            text=[text], images=[shown], return_tensors="pt", padding=True, truncation=True
        )
        output = self._model(**inputs)
        return 100 * max(0.0, float(cosine_similarity(output.image_embeds, output.text_embeds)))
