"""A glance: a lightly noised picture through the U-Net's first half, asked only what is in it.

Recognition is what the model learns slowest, and most of a training step teaches it nothing: half of the
noise levels leave nothing to see, and half of the U-Net comes after what is seen. A glance costs a third of a
step, all of it for what the encoder and the middle block recognise; the decoder reads from them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor

from examples.tabletop.alignment import Projection, alignment_loss
from examples.tabletop.attention_loss import Kept
from examples.tabletop.batches import Batch
from examples.tabletop.mixed_precision import MasterWeights
from examples.tabletop.model import BETAS, TabletopModel
from examples.tabletop.recognition_loss import recognition_loss

LATEST = 400
"""Of 1000 noise levels, those below are glanced at: a third of the picture's variance is left there."""


class Glances:
    """Takes a model's glances, and trains the projection to the teacher's features along with it.

    Args:
        model: its weights are on their device.
        kept: what its cross-attention keeps.
        seen: some of the teacher's features, ``[N, 112, 16, 16]``.
    """

    def __init__(self, model: TabletopModel, kept: Kept, seen: np.ndarray) -> None:
        wide: Any = model.unet.config["block_out_channels"]
        self._model, self._kept = model, kept
        self._device = next(model.parameters()).device
        self.projection = Projection((wide[2], wide[3]), seen).to(self._device)
        self.masters = MasterWeights(self.projection)
        for layer in self.projection.layers:
            layer.to(model.unet.dtype)

    def losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The recognition and the alignment loss of a batch at noise levels below ``LATEST``.

        Args:
            batch: whose captions name nothing, with what the teacher has seen.
            generator: of noise levels and noise.
        """
        timesteps: Any = torch.randint(LATEST, (len(batch.latents),), generator=generator)
        noise = torch.randn(batch.latents.shape, generator=generator)
        scheduler = DDPMScheduler(**BETAS)
        noisy = scheduler.add_noise(batch.latents, noise, timesteps)
        self._kept.clear()
        self._kept.vocabulary = batch.words.to(self._device).embedded(self._model)
        with hidden_states(self._model.unet, leave=True) as states:
            self._model(
                noisy.to(self._device, self._model.unet.dtype),
                timesteps.to(self._device),
                batch.ids.to(self._device),
                batch.named.to(self._device),
                batch.sizes.to(self._device),
            )
        things = batch.things.to(self._device)
        clarity = scheduler.alphas_cumprod[timesteps].to(self._device)
        return recognition_loss(self._kept.readings, things, clarity), self.alignment(states, batch)

    def alignment(self, states: Sequence[Tensor], batch: Batch) -> Tensor:
        """The alignment loss of what a batch's pictures have become in the U-Net, at whatever noise."""
        seen = self.projection.standardised(batch.seen.to(self._device))
        return alignment_loss(self.projection(states), seen, batch.objects.to(self._device))


class _Seen(Exception):  # noqa: N818 - not an error
    pass


@contextmanager
def hidden_states(unet: Any, *, leave: bool = False) -> Iterator[list[Tensor]]:  # noqa: ANN401 - not typed
    """A list that a pass fills with the encoder's last and the middle block's states, ``[B, C, h, w]`` each.

    Args:
        unet: diffusers' U-Net.
        leave: end the pass before the decoder.
    """
    states: list[Tensor] = []

    def keep(module: object, arguments: object, output: tuple[Tensor, ...]) -> None:
        states.append(output[0])

    def keep_last(module: object, arguments: object, named: dict[str, Tensor]) -> None:
        states.append(named["hidden_states"])
        if leave:
            raise _Seen

    hooks = [
        unet.down_blocks[2].attentions[-1].register_forward_hook(keep),
        unet.up_blocks[0].register_forward_pre_hook(keep_last, with_kwargs=True),
    ]
    try:
        yield states
    except _Seen:
        pass
    finally:
        for hook in hooks:
            hook.remove()
