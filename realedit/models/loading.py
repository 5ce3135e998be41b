"""Loads a diffusion model as diffusers' pipeline: safetensors only, frozen, without progress bars."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realedit.errors import ModelUnavailableError
from realedit.models import additions, clip_tokenizer, hub, single_file
from realedit.models import folder as folders
from realedit.models.choice import ModelRef
from realedit.models.description import Description, Unloaded
from realedit.models.devices import runs_in_half, usable_device
from realedit.models.frugality import SETTINGS, Frugality, arrange
from realedit.models.hub import first_line
from realedit.models.profile import Profile
from realedit.system.memory import out_of_memory
from realedit.system.one_at_a_time import CATCHING

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_inpaint import (
        StableDiffusionXLInpaintPipeline,
    )
    from diffusers.schedulers.scheduling_utils import SchedulerMixin
    from transformers import CLIPTokenizer


def load_pipeline(
    ref: ModelRef,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    offline: bool | None = None,
) -> StableDiffusionXLPipeline:
    """Loads a model as diffusers' StableDiffusionXLPipeline: frozen, in evaluation mode, without bars.

    The UNet and both text encoders run in `dtype`. The VAE always runs in float32: the fp16 SDXL VAE
    overflows. diffusers' own `pipeline(...)` call does not expect that mixture, so decode latents with the
    VAE's dtype.

    Args:
        ref: From `resolve_model`.
        device: A torch device.
        dtype: float32, float16 or bfloat16; None takes float16 on a card and float32 elsewhere. At 16
            bits the "fp16" variant of the weights is preferred, else the plain one, and the other way round
            at 32.
        offline: Never use the network. None follows HF_HUB_OFFLINE, which also wins over False.

    Raises:
        ModelUnavailableError: It is not here and cannot be fetched, or is no SDXL pipeline, incomplete,
            damaged or pickled.
        MemoryLimitError: The model does not fit.
        UsageError: No such device.
    """
    return _located(ref, device=device, dtype=dtype, offline=offline).load(SETTINGS[0])


def open_model(
    ref: ModelRef,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    offline: bool | None = None,
    compiled: bool = False,
) -> StableDiffusionXLPipeline | Unloaded:
    """Finds and checks a model as far as that takes no weights, and leaves these to be loaded when needed.

    Other arguments and errors are :func:`load_pipeline`'s; what only the weights show is raised when they are
    loaded.

    Args:
        ref: see :func:`load_pipeline`.
        device: see :func:`load_pipeline`.
        dtype: see :func:`load_pipeline`.
        offline: see :func:`load_pipeline`.
        compiled: whether blocks of the UNet are compiled, which takes minutes and makes later steps faster.
    """
    located = replace(_located(ref, device=device, dtype=dtype, offline=offline), compiled=compiled)
    description = Description.read(located.layout, located.device, located.dtype)
    if description is None:
        return located.load(SETTINGS[0])
    return Unloaded(description, located.load, located.tokenizers, located.layout)


def open_inpainting(
    place: Path, device: str | torch.device
) -> Callable[[], StableDiffusionXLInpaintPipeline]:
    """Finds and checks an SDXL that paints holes, and returns what loads it, in one precision.

    Args:
        place: a folder that diffusers wrote, or a checkpoint in one file.
        device: a torch device; on a card it runs in float16.

    Raises:
        ModelUnavailableError: it is no inpainting SDXL, incomplete, damaged or pickled.
        UsageError: no such device.
    """
    half = runs_in_half(device, small=False)
    if place.is_dir():
        ref = ModelRef(place.resolve().name, "folder", str(place.resolve()), "flag")
        layout = folders.read_layout(Path(ref.location), ref.name, half=half, paints=True)
    else:
        ref = ModelRef(place.name, "file", str(place.resolve()), "flag")
        layout = single_file.read_layout(Path(ref.location), vae=False, paints=True)
    import torch

    dtype = torch.float16 if half else torch.float32
    located = _Located(ref, layout, usable_device(device), dtype)
    return located.load_inpainting


@dataclass(frozen=True)
class _Located:
    """A model's folder, and how it is to run."""

    ref: ModelRef
    layout: folders.Layout
    device: torch.device
    dtype: torch.dtype
    compiled: bool = False

    def load(self, setting: Frugality) -> StableDiffusionXLPipeline:
        with quiet_libraries():
            from diffusers.pipelines.stable_diffusion_xl import pipeline_stable_diffusion_xl as diffusers_sdxl

            pipeline = self._assembled(diffusers_sdxl.StableDiffusionXLPipeline)
            additions.put_on(pipeline, self.ref.loras)
            try:
                arrange(pipeline, setting, self.device, compiled=self.compiled)
                return pipeline
            except (RuntimeError, MemoryError) as error:
                limit = out_of_memory(error)
                if limit is None:
                    raise
                raise limit from error

    def load_inpainting(self) -> StableDiffusionXLInpaintPipeline:
        with quiet_libraries():
            from diffusers.pipelines.stable_diffusion_xl import (
                pipeline_stable_diffusion_xl_inpaint as painting,
            )

            pipeline = self._assembled(painting.StableDiffusionXLInpaintPipeline)
            return pipeline.to(self.device, self.dtype)

    def _assembled(self, kind: Any) -> Any:  # noqa: ANN401 - one of diffusers' pipelines
        parts: dict[str, Any] = {}
        for part in folders.NETWORKS:
            parts[part] = self._network(part)
        for part in folders.OTHERS:
            parts[part] = self._other(part)
        zeros = self.layout.index.get("force_zeros_for_empty_prompt", True)
        pipeline = kind(**parts, force_zeros_for_empty_prompt=zeros, add_watermarker=False)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _network(self, part: str) -> torch.nn.Module:
        import torch

        if part == "vae" and self.ref.vae is not None:
            half = self.dtype if self.dtype.itemsize == 2 else None
            return additions.load_vae(self.ref.vae, half, self.layout.root).eval().requires_grad_(False)
        # the fp16 SDXL VAE overflows
        dtype = getattr(torch, Profile.of(self.ref).vae_dtype) if part == "vae" else self.dtype
        if self.layout.weights is not None:
            return _from_single_file(self.ref, self.layout, part, dtype)
        return _load_network(self.ref, self.layout, part, dtype)

    def _other(self, part: str) -> object:
        if part != "scheduler" and not (self.layout.root / part).is_dir():  # beside a single file
            return clip_tokenizer.clip_tokenizer(**({} if part == "tokenizer" else {"pad": "!"}))
        other: Any = _load_other(self.ref, self.layout, part)
        if part == "scheduler" and self.layout.scheduler:
            return type(other).from_config(other.config, **self.layout.scheduler)
        return other

    def tokenizers(self) -> tuple[CLIPTokenizer, ...]:
        with quiet_libraries(diffusers=False):
            first: Any = self._other("tokenizer")
            second: Any = self._other("tokenizer_2")
        return first, second


def _located(
    ref: ModelRef, *, device: str | torch.device, dtype: torch.dtype | None, offline: bool | None
) -> _Located:
    half = dtype.itemsize == 2 if dtype is not None else runs_in_half(device, small=ref.source == "embedded")
    # first, and without torch: a missing model is reported at once
    layout = _local_layout(ref, half=half, offline=offline)
    import torch

    target = usable_device(device)
    return _Located(ref, layout, target, dtype or (torch.float16 if half else torch.float32))


def _local_layout(ref: ModelRef, *, half: bool, offline: bool | None) -> folders.Layout:
    if ref.source == "file":
        return single_file.read_layout(Path(ref.location), vae=ref.vae is not None)
    if ref.source != "hub":
        return folders.read_layout(Path(ref.location), ref.name, half=half)
    from huggingface_hub import constants

    barred = bool(offline) or constants.HF_HUB_OFFLINE
    root = hub.ensure_snapshot(ref.location, ref.name, half=half, offline=barred)
    return folders.read_layout(root, ref.name, half=half)


def _load_network(ref: ModelRef, layout: folders.Layout, part: str, dtype: torch.dtype) -> torch.nn.Module:
    import diffusers
    import transformers

    library, kind = layout.index[part]
    loader: Any = getattr(diffusers if library == "diffusers" else transformers, kind)
    try:
        network, report = loader.from_pretrained(
            str(layout.root),
            subfolder=part,
            variant=layout.variants[part],
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:
        # loaders raise nearly every built-in type over a damaged folder; the cause stays chained for --debug
        raise out_of_memory(error) or _unloadable(ref, part, error) from error
    if report["missing_keys"]:
        # The libraries fill what is missing with random numbers and go on.
        first = sorted(report["missing_keys"])[0]
        raise ModelUnavailableError(
            f"{ref.name}: {part} lacks {len(report['missing_keys'])} weights, such as {first}",
            "copy or download the model again",
        )
    return network.eval().requires_grad_(False)


def _from_single_file(
    ref: ModelRef, layout: folders.Layout, part: str, dtype: torch.dtype
) -> torch.nn.Module:
    if layout.weights is None:
        raise ValueError("the layout names no single file")
    try:
        network = single_file.network(layout.weights, part, dtype, layout.root)
    except Exception as error:
        raise out_of_memory(error) or _unloadable(ref, part, error) from error
    lacking = [name for name, weight in network.named_parameters() if weight.is_meta]
    if lacking:
        raise ModelUnavailableError(
            f"{ref.name}: {part} lacks {len(lacking)} weights, such as {lacking[0]}",
            "copy or download the model again",
        )
    return network.eval().requires_grad_(False)


def _load_other(ref: ModelRef, layout: folders.Layout, part: str) -> object:
    """Loads a tokenizer or a scheduler."""
    loader: Any
    if part == "scheduler":
        loader = _scheduler_class(ref, layout)
    else:
        # The class is fixed: an index may name CLIPTokenizerFast, which newer transformers has merged.
        from transformers import CLIPTokenizer

        loader = CLIPTokenizer
    try:
        return loader.from_pretrained(str(layout.root), subfolder=part, local_files_only=True)
    except Exception as error:
        raise _unloadable(ref, part, error) from error


def _scheduler_class(ref: ModelRef, layout: folders.Layout) -> type[SchedulerMixin]:
    import diffusers
    from diffusers.schedulers.scheduling_utils import SchedulerMixin

    name = layout.index["scheduler"][1]
    loader: object = getattr(diffusers, name, None)
    if not (isinstance(loader, type) and issubclass(loader, SchedulerMixin)):
        raise ModelUnavailableError(f"{ref.name}: this diffusers has no scheduler {name}")
    return loader


def _unloadable(ref: ModelRef, part: str, error: Exception) -> ModelUnavailableError:
    message = f"{ref.name}: {part} cannot be loaded ({first_line(error)})"
    return ModelUnavailableError(message, "copy or download the model again")


@contextmanager
def quiet_libraries(*, diffusers: bool = True) -> Iterator[None]:
    """Silences the libraries' warnings, logs and bars while they are at work, and restores everything.

    Args:
        diffusers: whether diffusers' too; if not, that is not imported, which takes seconds.
    """
    with CATCHING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from huggingface_hub import utils as hub_utils
        from transformers.utils import logging as transformers_log

        logs: list[Any] = [transformers_log]
        if diffusers:
            from diffusers.utils import logging as diffusers_log

            logs.append(diffusers_log)
        before = [(log, log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
        hub_bars = not hub_utils.are_progress_bars_disabled()
        try:
            for log in logs:
                log.set_verbosity_error()
                log.disable_progress_bar()
            if hub_bars:
                # transformers switches the hub's bars off with its own; a download of gigabytes shows one.
                hub_utils.enable_progress_bars()
            yield
        finally:
            for log, verbosity, bars in before:
                log.set_verbosity(verbosity)
                if bars:
                    log.enable_progress_bar()
            if not hub_bars:
                hub_utils.disable_progress_bars()
