r"""Self-guidance for generated pictures: diffusers' SDXL pipeline with terms.

.. math:: \hat\epsilon_t = \mathrm{CFG} + v\,\sigma_t\,\nabla_{z_t} g(z_t; t, y)

The parent's ``__call__`` runs unchanged. Meanwhile a forward hook on the UNet sees each noise prediction
before the scheduler does and adds the push to both of its halves, so that classifier-free guidance, which
scales their difference, leaves the push as it is. Under every scheduler the UNet is given
:math:`z_t = \alpha_t z_0 + \sigma_t \epsilon`, so that one hook serves all of them.

Example::

    pipe = SelfGuidanceStableDiffusionXLPipeline.from_pretrained(folder, dtype=torch.float32)
    text = "a mug and a book on a table"
    first, seen = pipe.observe(text, generator=torch.Generator().manual_seed(1))
    terms = edits.move(pipe.tokens(text, "mug"), dx=0.2, others=[pipe.tokens(text, "book")])
    second = pipe(text, generator=torch.Generator().manual_seed(1), terms=terms, reference=seen)
    print(*pipe.trace.targets.values(), sep="\n")

Reference: Epstein et al. 2023, arXiv 2306.00986, equation 4.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from torch import Tensor, nn

from guidance import (
    Automatic,
    Capture,
    Guide,
    Image,
    LayerSelection,
    NoiseStep,
    Observation,
    Strength,
    Term,
    Trace,
    Window,
)
from guidance.guide import Branch
from guidance.windows import ALWAYS
from inversion.schedule import LEAST_ABAR
from realedit.errors import ObjectNotFoundError, UsageError
from realedit.models.backbone import Backbone

F = TypeVar("F", bound=Callable[..., Any])

_AUTOMATIC = Automatic()


class GuidanceWarning(UserWarning):
    """Says that a term did not reach its target, or did not hold what it was to hold."""


@dataclass(frozen=True)
class Observed:
    """What the model saw during a sampling, step by step.

    Args:
        seen: the observations by level; the last step has level 1, the first the highest.
        noise: by the same levels, the noise in the sampling's state there: its difference from the finished
            sample, ``[B, C, h, w]``.
    """

    seen: Mapping[int, Observation]
    noise: Mapping[int, Tensor] = field(default_factory=dict[int, Tensor])

    def image(self, tokens: Sequence[int] = ()) -> Image:
        """Returns the picture as a target for the terms of another sampling.

        Args:
            tokens: positions of the object's words in the prompt of this picture.
        """
        return Image(self.seen.get, tuple(tokens))


@dataclass(frozen=True)
class _Moment:
    """One call of the UNet.

    Args:
        x_t: the state ``[B, C, h, w]``, scaled as the UNet takes it.
        prediction: the UNet's prediction, all branches (null, text) stacked along the batch.
        step: the noise levels.
        done: number of steps taken before.
        steps: number of steps in all.
        branch_at: level -> the conditional branch at this level.
    """

    x_t: Tensor
    prediction: Tensor
    step: NoiseStep
    done: int
    steps: int
    branch_at: Callable[[int], Branch]


Visit = Callable[[_Moment], Tensor | None]


def _same_call(method: F) -> F:
    """Gives a method the parent's signature with its own keywords added, for help and editors."""
    parent = list(inspect.signature(StableDiffusionXLPipeline.__call__).parameters.values())
    added = [p for p in inspect.signature(method).parameters.values() if p.kind is p.KEYWORD_ONLY]
    shown: Any = method
    shown.__signature__ = inspect.Signature([*parent[:-1], *added, parent[-1]])
    return method


class SelfGuidanceStableDiffusionXLPipeline(StableDiffusionXLPipeline):
    """diffusers' ``StableDiffusionXLPipeline``, whose samplings can be guided by terms.

    Without terms it draws the same picture as the parent, to the bit.

    Attributes:
        attention_layers: the layers whose cross-attention the terms look at.
        feature_layers: the layers whose activations the terms look at.
    """

    attention_layers = LayerSelection()
    feature_layers = LayerSelection()
    _trace: Trace | None = None

    @property
    def trace(self) -> Trace:
        """What the terms of the latest call did, and how far each came; empty without terms."""
        return self._trace or Trace()

    @_same_call
    def __call__(
        self,
        *args: Any,
        terms: Sequence[Term] = (),
        guidance_strength: float | Strength = _AUTOMATIC,
        reference: Observed | None = None,
        **kwargs: Any,
    ) -> Any:  # noqa: ANN401 - the parent's, which diffusers does not type
        """Samples as the parent does, guided by the given terms.

        Args:
            *args: the parent's.
            terms: energies with weights and windows; :mod:`guidance.edits` makes those of the paper's edits.
                The batch is guided as a whole: token positions hold for all of its prompts.
            guidance_strength: a rule of :mod:`guidance.strength`, or ``v`` of
                :class:`guidance.NoiseShare`; 0 turns the terms off.
            reference: the unedited picture as :meth:`observe` saw it, for terms without a target of their
                own. It must have as many steps as this call.
            **kwargs: the parent's.

        Returns:
            What the parent returns.

        Raises:
            UsageError: terms are combined with an IP-Adapter, or the scheduler has no ``alphas_cumprod``, the
                noise levels that SDXL is trained on.
            FloatingPointError: an energy or its gradient is not finite.

        Warns:
            GuidanceWarning: a target was not reached, or a hold term exceeded its budget.
        """
        self._trace = None
        if not terms:
            return super().__call__(*args, **kwargs)
        source = Observed({}) if reference is None else reference
        with Capture(self.unet, self.attention_layers, self.feature_layers) as capture:
            guide = Guide(capture, terms, guidance_strength, reference=source.seen.get)
            with self._each_step(lambda moment: self._guided(guide, moment, source)):
                output = super().__call__(*args, **kwargs)
        self._trace = guide.finish()
        for target in self._trace.missed:
            warnings.warn(str(target), GuidanceWarning, stacklevel=2)
        return output

    def observe(
        self,
        *args: Any,
        window: Window = ALWAYS,
        **kwargs: Any,
    ) -> tuple[Any, Observed]:
        """Samples as the parent does, to the bit, and keeps what the model sees on the way.

        Args:
            *args: the parent's.
            window: the steps to observe. Terms that compare with them must not act outside it.
            **kwargs: the parent's.

        Returns:
            What the parent returns, and what was seen: at 1024 px in half precision some 40 MB a step.

        Raises:
            UsageError: as :meth:`__call__` does.
        """
        seen: dict[int, Observation] = {}
        states: dict[int, tuple[Tensor, NoiseStep]] = {}
        finished: list[Tensor] = []
        with Capture(self.unet, self.attention_layers, self.feature_layers) as capture:

            def look(moment: _Moment) -> None:
                if window.contains(moment.done, moment.steps):
                    size = (moment.x_t.shape[-2], moment.x_t.shape[-1])
                    with torch.no_grad(), capture.record(size, partial=True) as seen[moment.step.level]:
                        moment.branch_at(moment.step.level)(moment.x_t)
                    states[moment.step.level] = moment.x_t, moment.step
                if moment.done == moment.steps - 1:
                    finished.append(self._finished(moment, moment.prediction))

            with self._each_step(look):
                output = super().__call__(*args, **kwargs)
        noise = {
            level: (x - step.alpha * x_0) / step.sigma
            for x_0 in finished
            for level, (x, step) in states.items()
        }
        return output, Observed(seen, noise)

    def tokens(self, prompt: str, words: str) -> tuple[int, ...]:
        """Returns the positions of ``words`` in a prompt, looked up in both tokenizers.

        Raises:
            ObjectNotFoundError: the prompt does not hold them.
        """
        found = tuple(Backbone(self).tokens(prompt, words))
        if not found:
            raise ObjectNotFoundError(f"'{words}' is not in the prompt '{prompt}'", "use words of the prompt")
        return found

    def _guided(self, guide: Guide, moment: _Moment, source: Observed) -> Tensor | None:
        """Adds the active terms' push to the UNet's prediction; None where nothing pushes."""
        step, answer = moment.step, moment.prediction
        push = guide.push(
            moment.branch_at(step.level), moment.x_t, step, guide.active(moment.done, moment.steps)
        )
        if push is not None:
            slope = {"epsilon": 1.0, "v_prediction": 1 / step.alpha, "sample": -step.sigma / step.alpha}
            change = (slope[self._predicts] * push).to(answer)
            answer = answer + torch.cat([change] * (len(answer) // len(change)))
        if moment.done == moment.steps - 1:
            guide.remeasure(moment.branch_at, self._finished(moment, answer), source.noise.get)
        return None if push is None else answer

    def _finished(self, moment: _Moment, answer: Tensor) -> Tensor:
        """Returns the clean sample that the last step's prediction leads to, ``[B, C, h, w]``."""
        null, text = answer.chunk(2) if self.do_classifier_free_guidance else (answer, answer)
        eps = self._noise(moment.x_t, null + self.guidance_scale * (text - null), moment.step)
        return (moment.x_t - moment.step.sigma * eps) / moment.step.alpha

    @contextmanager
    def _each_step(self, visit: Visit) -> Generator[None]:
        """Shows ``visit`` the UNet's prediction at each step; a returned tensor replaces the prediction."""
        calls, inside = 0, False

        def hook(
            _: nn.Module, args: tuple[Tensor, ...], kwargs: dict[str, Any], output: tuple[Tensor, ...]
        ) -> tuple[Tensor, ...] | None:
            nonlocal calls, inside
            if inside:
                return None
            calls, inside = calls + 1, True
            try:
                changed = visit(self._moment(calls - 1, args[0], kwargs, output[0]))
            finally:
                inside = False
            return None if changed is None else (changed, *output[1:])

        handle = self.unet.register_forward_hook(hook, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    def _moment(self, done: int, x: Tensor, kwargs: dict[str, Any], prediction: Tensor) -> _Moment:
        """Describes a call of the UNet by its input ``x``, its keywords and its prediction."""
        if "image_embeds" in kwargs["added_cond_kwargs"]:
            raise UsageError("terms cannot be combined with an IP-Adapter", "leave one of the two out")
        branches = 2 if self.do_classifier_free_guidance else 1
        text = kwargs | {
            "encoder_hidden_states": kwargs["encoder_hidden_states"].chunk(branches)[-1],
            "added_cond_kwargs": {
                key: value.chunk(branches)[-1] for key, value in kwargs["added_cond_kwargs"].items()
            },
        }
        timesteps = self.scheduler.timesteps[: self.num_timesteps]
        steps = [self._step(timesteps, at) for at in range(len(timesteps))]

        def branch_at(level: int) -> Branch:
            at = len(steps) - level

            def branch(x_t: Tensor) -> Tensor:
                answer = self.unet(x_t.to(x.dtype), timesteps[at], **text)[0].to(x_t.dtype)
                return self._noise(x_t, answer, steps[at])

            return branch

        return _Moment(x.chunk(branches)[-1], prediction, steps[done], done, len(steps), branch_at)

    @property
    def _predicts(self) -> str:
        return self.scheduler.config.prediction_type

    def _noise(self, x_t: Tensor, prediction: Tensor, step: NoiseStep) -> Tensor:
        """Returns the noise that the UNet's prediction implies, whatever it predicts."""
        if self._predicts == "v_prediction":
            return step.alpha * prediction + step.sigma * x_t
        return (x_t - step.alpha * prediction) / step.sigma if self._predicts == "sample" else prediction

    def _step(self, timesteps: Tensor, done: int) -> NoiseStep:
        """Returns the noise levels of a step.

        Schedulers of second order visit a timestep twice: the next level is that of the next timestep that
        differs, or the clean one.
        """
        now = float(timesteps[done])
        alpha, sigma = self._level(now)
        later = [t for t in timesteps[done + 1 :].tolist() if t != now]
        after = self._level(later[0]) if later else (1.0, 0.0)
        return NoiseStep(len(timesteps) - done, alpha, sigma, *after)

    def _level(self, t: float) -> tuple[float, float]:
        """Returns (alpha, sigma) at a timestep; between trained ones it interpolates as diffusers does."""
        abar = getattr(self.scheduler, "alphas_cumprod", None)
        if abar is None:
            raise UsageError(
                f"{type(self.scheduler).__name__} has no alphas_cumprod", "use a scheduler made for SDXL"
            )
        levels = abar.double().clamp_min(LEAST_ABAR).cpu().numpy()
        ratio = float(np.interp(t, np.arange(len(levels)), np.sqrt((1 - levels) / levels)))
        alpha = (1 + ratio**2) ** -0.5
        return alpha, ratio * alpha
