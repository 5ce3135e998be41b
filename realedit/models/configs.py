"""Checks what a model's configs and indices say before a library acts on it: types, sizes, weights' places.

A config is a stranger's file. One that names a layer count of a billion keeps a library busy for ever, one
whose width is a word ends in an error from deep inside, and an index of shards may lead to a pickle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, cast

_MOST_LAYERS = 128
"""Layers of one kind in a network: a config with more is refused, others are read. SDXL has 10, CLIP 32."""
_MOST_BLOCKS = 10
"""Entries of a list of sizes: a config with more is refused, others are read. SDXL has 4."""
_MOST_SIZE = 2**24
"""A width of a config: a larger one is refused, others are read. SDXL's largest is 49,408 words."""
_LAYERS = frozenset(
    {
        "layers_per_block",
        "transformer_layers_per_block",
        "reverse_transformer_layers_per_block",
        "num_hidden_layers",
        "num_layers",
        "num_encoder_blocks",
        "num_decoder_blocks",
        "encoder_layers",
        "decoder_layers",
        "depths",
    }
)
"""Keys whose numbers count layers."""
_SIZES = frozenset(
    {
        "attention_head_dim",
        "block_out_channels",
        "encoder_block_out_channels",
        "decoder_block_out_channels",
        "cross_attention_dim",
        "addition_time_embed_dim",
        "projection_class_embeddings_input_dim",
        "hidden_size",
        "intermediate_size",
        "in_channels",
        "out_channels",
        "latent_channels",
        "max_position_embeddings",
        "norm_num_groups",
        "num_attention_heads",
        "projection_dim",
        "sample_size",
        "vocab_size",
    }
)
"""Keys whose numbers are widths."""
_ATTENTION = "attn_implementation"


def config_problem(config: Mapping[str, Any]) -> str | None:
    """Says what in a network's config cannot be right, or returns None."""
    for name, value in _fields(config):
        if name in _LAYERS | _SIZES and not _is_sizes(value):
            return f"its config's {name} is no whole number from 0, nor a short list of them"
        most = _MOST_LAYERS if name in _LAYERS else _MOST_SIZE
        if name in _LAYERS | _SIZES and any(number > most for number in _whole_numbers(value)):
            return f"its config's {name} is beyond {most:,}"
    return None


def foreign_kernel(config: Mapping[str, Any]) -> str | None:
    """Returns the hub's code, "owner/name", that a config asks for to compute attention, or None."""
    for name, value in _fields(config):
        if name.lstrip("_") == _ATTENTION and (found := re.search(r"[\w.-]+/[\w.-]+", str(value))):
            return found[0]
    return None


def weight_map_problem(index: Mapping[str, Any], is_shard: Callable[[str], object]) -> str | None:
    """Says why an index of shards cannot be followed, or returns None.

    Args:
        index: the content of `*.safetensors.index.json`.
        is_shard: tells whether a name is one of safetensors weights in the index's own folder.
    """
    targets = index.get("weight_map")
    if not isinstance(targets, dict):
        return "has no weight_map"
    for target in cast("dict[str, object]", targets).values():
        if not isinstance(target, str) or not is_shard(target):
            shown = PurePosixPath(target).name if isinstance(target, str) else target
            return f"leads to {shown!r:.60}, which is none of the model's safetensors files"
    return None


def _fields(config: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yields every field of a config and of the configs in it."""
    for name, value in config.items():
        yield name, value
        if isinstance(value, Mapping):
            yield from _fields(cast("Mapping[str, Any]", value))


def _is_sizes(value: object, depth: int = 0) -> bool:
    if value is None:
        return True
    if isinstance(value, list):
        listed = cast("Sequence[object]", value)
        return depth < 2 and len(listed) <= _MOST_BLOCKS and all(_is_sizes(one, depth + 1) for one in listed)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _whole_numbers(value: object) -> Iterator[int]:
    if isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _whole_numbers(one)
    elif isinstance(value, int):
        yield value
