"""A diffusers SDXL pipeline as the project sees it: prompts, tokens, latents, a schedule, a denoiser.

Everything is read from the pipeline's own configs, so that SDXL and the embedded model take one path.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from inversion import Conditioning, Schedule
from inversion.schedule import LEAST_ABAR
from realedit.errors import MemoryLimitError, ModelUnavailableError, NumericalError, UsageError
from realedit.models.description import Description, Unloaded
from realedit.models.devices import give_back
from realedit.models.frugality import SETTINGS, TEXT_ENCODERS, Frugality, arrange
from realedit.models.loading import quiet_libraries
from realedit.models.weights_state import weights_state
from realedit.system.memory import translated
from realedit.system.one_at_a_time import new_lock

if TYPE_CHECKING:
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
    from transformers import CLIPTokenizer

BACKWARD = 2
"""What a backward pass through the UNet counts, in noise predictions: its usual cost, one product of matrices
by the activations and one by the weights, of which guidance needs the first alone. Set by convention."""
_LAST_WORDS = 4
"""Words of a text by which a user is told up to where it is read: more are longer, fewer less plain. Set by
eye."""

_LOG = logging.getLogger(__name__)
_Done = TypeVar("_Done")


@dataclass(frozen=True)
class Prompt:
    """A prompt, its conditioning for both branches, and how many of its tokens carry text."""

    text: str
    conditioning: Conditioning
    null: Conditioning
    tokens: int


class Backbone:
    """The model behind an edit.

    Args:
        model: a loaded ``StableDiffusionXLPipeline`` (VAE in fp32), or one that is loaded when its weights
            are first needed. Its sizes, tokens and device are known before.
        settings: how it is laid out over a card's and the host's memory, and what is tried next where that
            is too much.
        note: why the first of these was chosen, for the user; "" for nothing to tell.

    Attributes:
        lock: held by whoever works with the model: it is watched and changed while it runs, so that a second
            thread must wait. The thread that holds it may take it again.
        least_size: the shorter side in pixels that the model is told a picture has, at least.
    """

    def __init__(
        self,
        model: StableDiffusionXLPipeline | Unloaded,
        settings: Sequence[Frugality] = SETTINGS[:1],
        *,
        note: str = "",
    ) -> None:
        self._model = model
        self._settings = list(settings)
        self.note = note
        self._as_loaded = "" if isinstance(model, Unloaded) else weights_state(model)
        self.lock = new_lock()
        self.least_size = 0
        self.forwards = 0
        self.backwards = 0

    @property
    def evaluations(self) -> int:
        """What it has computed so far, in noise predictions of one picture; a backward pass is two."""
        return self.forwards + BACKWARD * self.backwards

    @property
    def loaded(self) -> bool:
        """Whether its weights are."""
        return not isinstance(self._model, Unloaded)

    @property
    def pipeline(self) -> StableDiffusionXLPipeline:
        """The loaded pipeline."""
        model = self._model
        if isinstance(model, Unloaded):
            unloaded = model
            self._model = model = self.within_memory(lambda: unloaded.load(self.frugality))
            self._as_loaded = weights_state(model)
        return model

    @property
    def frugality(self) -> Frugality:
        """How it is laid out over the memory."""
        return self._settings[0]

    @property
    def altered(self) -> str:
        """What someone did to its weights since they were loaded, such as a LoRA; "" for nothing."""
        state = "" if isinstance(self._model, Unloaded) else weights_state(self._model)
        return "" if state == self._as_loaded else state

    def within_memory(self, work: Callable[[], _Done]) -> _Done:
        """Does work; where the card has too little memory, again with a setting that takes less, with a line.

        Raises:
            MemoryLimitError: no setting takes little enough.
            NumericalError: a number is not finite.
        """
        while True:
            try:
                with translated():
                    return work()
            except MemoryLimitError as error:
                if len(self._settings) == 1:
                    raise
                _LOG.warning("%s; going on with %s", error.message, self._settings[1])
            # here the error is gone, and with it the frames that held tensors
            del self._settings[0]
            give_back()
            if not isinstance(self._model, Unloaded):
                arrange(self._model, self.frugality, self.device)

    @property
    def unet(self) -> Any:  # noqa: ANN401 - diffusers types its configs as plain dicts
        """Its UNet."""
        return self.pipeline.unet

    @property
    def vae(self) -> Any:  # noqa: ANN401 - likewise
        """Its autoencoder, in fp32."""
        return self.pipeline.vae

    @property
    def description(self) -> Description:
        """Its sizes, and how it runs."""
        return self._model.description if isinstance(self._model, Unloaded) else Description.of(self._model)

    @property
    def configs(self) -> dict[str, dict[str, Any]] | None:
        """The configs of its UNet and scheduler, as JSON has them; None while its weights are not loaded."""
        if isinstance(self._model, Unloaded):
            return None
        parts = {"unet": self._model.unet, "scheduler": self._model.scheduler}
        return {name: json.loads(part.to_json_string()) for name, part in parts.items()}

    @cached_property
    def _tokenizers(self) -> tuple[CLIPTokenizer | None, ...]:
        if isinstance(self._model, Unloaded):
            return self._model.load_tokenizers()
        return self._model.tokenizer, self._model.tokenizer_2

    @property
    def device(self) -> torch.device:
        """Where the UNet runs."""
        return self.description.device

    @property
    def dtype(self) -> torch.dtype:
        """The UNet's precision."""
        return self.description.dtype

    @property
    def scale_factor(self) -> int:
        """Pixels per latent cell along one side."""
        return self.description.scale_factor

    @property
    def native_size(self) -> int:
        """The side in pixels of the square that the model was trained on."""
        return self.description.sample_size * self.scale_factor

    @property
    def multiple(self) -> int:
        """Pixel sizes must divide by this, so that every level of the UNet has whole cells."""
        return self.scale_factor * 2 ** (self.description.depth - 1)

    def working_size(self, height: int, width: int, side: int | None = None) -> tuple[int, int]:
        """Returns (height, width) in the photo's aspect ratio, near the model's area, in its multiples."""
        area = (side or self.native_size) ** 2
        aspect = width / height
        return self._whole(math.sqrt(area / aspect)), self._whole(math.sqrt(area * aspect))

    def _whole(self, length: float) -> int:
        """Rounds a length in pixels to the model's multiples, at least one."""
        return max(self.multiple, round(length / self.multiple) * self.multiple)

    def schedule(self, steps: int, least_time: int = 0) -> Schedule:
        """Returns the model's own noise levels, ``steps`` of them, without those up to ``least_time``.

        Raises:
            ModelUnavailableError: its scheduler is of another kind than SDXL's.
            UsageError: the model cannot take so many steps.
        """
        self._check_scheduler()
        from diffusers.schedulers.scheduling_ddim import DDIMScheduler

        # from_config is typed as if it always returned the unused keywords too
        scheduler: Any = DDIMScheduler.from_config(self.pipeline.scheduler.config)
        trained = scheduler.config.num_train_timesteps
        if not 2 <= steps <= trained // 2:
            raise UsageError(f"steps must lie in 2..{trained // 2}, got {steps}")
        scheduler.set_timesteps(steps)
        times = scheduler.timesteps.tolist()
        # where the first training level is visited itself, the photo lies below it
        clean = 1.0 if 0 in times else None
        visited = [time for time in times if time > least_time] if least_time else times
        return Schedule.from_training(scheduler.alphas_cumprod, visited or times, clean)

    def noised(self, x_0: Tensor, eps: Tensor, share: float) -> tuple[Tensor, int]:
        """Returns a latent at one of the training's noise levels, and its time.

        Args:
            x_0: ``[B, C, h, w]``.
            eps: the noise, likewise.
            share: of the levels, 0 the least noise and 1 the most.
        """
        self._check_scheduler()
        levels = self._alphas_cumprod
        t = min(round(share * len(levels)), len(levels) - 1)
        abar = float(levels[t])
        return math.sqrt(abar) * x_0 + math.sqrt(1 - abar) * eps, t

    def _check_scheduler(self) -> None:
        scheduler = self.pipeline.scheduler
        predicts = getattr(scheduler.config, "prediction_type", None)
        if not hasattr(scheduler, "alphas_cumprod") or predicts not in ("epsilon", "v_prediction"):
            raise ModelUnavailableError(
                f"the model samples by {type(scheduler).__name__} from predictions of {predicts}",
                "take one with SDXL's noise (alphas_cumprod) that predicts epsilon or v_prediction",
            )

    def prompt(self, text: str, size: tuple[int, int], negative: str = "") -> Prompt:
        """Encodes a prompt and the empty one for a picture of ``size`` (height, width) pixels.

        Of a text that is too long, what the tokenizers have room for is read; the libraries' warnings of that
        are kept back. :meth:`tokens` tells what is read.

        Args:
            text: the prompt.
            size: the picture's.
            negative: what stands in the empty prompt's place.
        """
        with quiet_libraries():
            embedding, null, pooled, null_pooled = self._encode(text, negative)
        h, w = told_size(size, self.least_size)
        dtype = embedding.dtype
        time_ids = torch.tensor([[h, w, 0, 0, h, w]], dtype=dtype, device=self.device)
        count = len(self.pipeline.tokenizer(text, truncation=True).input_ids)
        return Prompt(
            text,
            Conditioning(embedding.float(), {"text_embeds": pooled, "time_ids": time_ids}),
            Conditioning(null.float(), {"text_embeds": null_pooled, "time_ids": time_ids}),
            count,
        )

    @torch.no_grad()
    def _encode(self, text: str, negative: str) -> tuple[Tensor, ...]:
        """Returns (embedding, null, pooled, null's pooled); meanwhile the encoders are on the card."""
        encode: Any = self.pipeline.encode_prompt
        brought = self.frugality.on_host and self.frugality.offload == "none"
        encoders: list[Any] = [getattr(self.pipeline, name) for name in TEXT_ENCODERS] if brought else []
        for encoder in encoders:
            encoder.to(self.device)
        try:
            return encode(
                text,
                device=self.device,
                do_classifier_free_guidance=True,
                **({"negative_prompt": negative} if negative else {}),
            )
        finally:
            for encoder in encoders:
                encoder.to("cpu")

    def tokens(self, prompt: str, words: str) -> list[int]:
        """Finds the positions of ``words`` in the prompt's token sequence; empty when they are not in it.

        Both tokenizers are asked, and must agree: the two encoders' embeddings are concatenated position by
        position.
        """
        tokenizers = [tokenizer for tokenizer in self._tokenizers if tokenizer is not None]
        found = [_subsequence(tokenizer, prompt, words) for tokenizer in tokenizers]
        return sorted(set.intersection(*map(set, found))) if found else []

    def last_read(self, text: str) -> str | None:
        """Returns the last words of a text that is longer than the model reads; None of one that is not."""
        tokenizer = next(one for one in self._tokenizers if one is not None)
        ids: list[int] = tokenizer(text, verbose=False).input_ids
        most: int = tokenizer.model_max_length
        if len(ids) <= most:
            return None
        read = tokenizer.decode(ids[1 : most - 1])
        return " ".join(str(read).split()[-_LAST_WORDS:])

    def seen_words(self, words: str) -> list[str]:
        """Returns the pieces in which the model's tokenizer reads ``words``."""
        tokenizer = next(one for one in reversed(self._tokenizers) if one is not None)
        return [piece.replace("</w>", "") for piece in tokenizer.tokenize(words, verbose=False)]

    @torch.no_grad()
    def encode(self, rgb: np.ndarray) -> Tensor:
        """Encodes uint8 ``[H, W, 3]`` as a latent ``[1, C, h, w]``."""
        x = torch.from_numpy(rgb.copy()).to(self.device).permute(2, 0, 1)[None].float() / 127.5 - 1
        encoded = self.vae.encode(x.to(self.vae.dtype))
        latent = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
        return _finite((latent.float() - self._shift) * self.vae.config.scaling_factor, "the VAE's encoding")

    @torch.no_grad()
    def decode(self, latent: Tensor) -> np.ndarray:
        """Decodes a latent ``[1, C, h, w]`` to float32 ``[H, W, 3]`` in 0..255."""
        z = (latent / self.vae.config.scaling_factor + self._shift).to(self.vae.dtype)
        x = _finite(self.vae.decode(z).sample[0].float(), "the VAE's decoding")
        return ((x.permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).cpu().numpy()

    @property
    def _shift(self) -> float:
        return getattr(self.vae.config, "shift_factor", None) or 0.0

    def __call__(self, x_t: Tensor, t: int, conditioning: Conditioning) -> Tensor:
        """Predicts the noise (an :class:`inversion.Denoiser`), counting each pass per batch item."""
        self.forwards += x_t.shape[0]
        dtype = self.unet.dtype
        extra = {name: value.to(dtype) for name, value in conditioning.extra.items()}
        embedding = conditioning.embedding
        if x_t.requires_grad:
            x_t = self._counting_backward(x_t)
        elif embedding.requires_grad:
            embedding = self._counting_backward(embedding)
        embedding = embedding.to(dtype)
        out = self.unet(x_t.to(dtype), t, embedding, added_cond_kwargs=extra).sample.float()
        if self.pipeline.scheduler.config.prediction_type == "v_prediction":
            abar = float(self._alphas_cumprod[t])
            return math.sqrt(abar) * out + math.sqrt(1 - abar) * x_t.float()
        return out

    def _counting_backward(self, tensor: Tensor) -> Tensor:
        """Returns the same values, and counts a backward pass whenever a gradient comes back to them."""

        def count(_: Tensor) -> None:
            self.backwards += tensor.shape[0]

        seen = tensor.view_as(tensor)
        seen.register_hook(count)
        return seen

    @property
    def _alphas_cumprod(self) -> Tensor:
        return self.pipeline.scheduler.alphas_cumprod.clamp_min(LEAST_ABAR)


def told_size(size: tuple[int, int], least: int) -> tuple[int, int]:
    """Returns the (height, width) that the model is told a picture has: enlarged to a shorter side.

    SDXL was told the sizes of its pictures before they were enlarged, and gives what is told to be small the
    blur of such pictures (Podell et al. 2023, arXiv 2307.01952).

    Args:
        size: in pixels, at which it works.
        least: pixels of the shorter side, at least.
    """
    factor = max(1.0, least / min(size))
    return round(size[0] * factor), round(size[1] * factor)


def _subsequence(tokenizer: CLIPTokenizer, prompt: str, words: str) -> list[int]:
    """Finds the positions at which a tokenizer's words stand in its prompt; empty where they do not."""
    ids = tokenizer(prompt, truncation=True).input_ids
    wanted = tokenizer(words, verbose=False).input_ids[1:-1]
    if not wanted:
        return []
    for start in range(1, len(ids) - len(wanted)):
        if ids[start : start + len(wanted)] == wanted:
            return list(range(start, start + len(wanted)))
    return []


def _finite(x: Tensor, what: str) -> Tensor:
    if not torch.isfinite(x).all():
        raise NumericalError(
            f"{what} is not finite", "run the VAE in fp32 (--dtype float32), or use another model"
        )
    return x
