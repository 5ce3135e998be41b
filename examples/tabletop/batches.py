"""Training batches: random scenes, half mirrored, each with a new caption and the masks of what it names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTokenizer

from examples.tabletop.attention_loss import Nouns
from examples.tabletop.captions import NONE_NAMED, Caption, write_caption
from examples.tabletop.latents import Shard
from examples.tabletop.recognition_loss import Things, Words, draw_words
from examples.tabletop.views import View, whole, window
from examples.tabletop.vocabulary import NOUNS

TEXT_DROPPED = 0.1
"""Share of samples that train without their text, for classifier-free guidance."""

_ALONE = 0.5
_TRIES = 1000  # of ten scenes, some seven have an object that fits into a window


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step trains on.

    Attributes:
        latents: float ``[B, 4, h, w]``, scaled.
        sizes: float ``[B, 6]``, SDXL's size conditioning.
        ids: int ``[B, tokens]``.
        named: bool ``[B]``; false where the text is dropped.
        nouns: Those of the captions kept.
        things: The objects whose nouns the captions kept do not tell.
        words: The vocabulary.
        objects: float ``[B, 1, H, W]``, 1 where something stands.
        seen: float ``[B, 112, 16, 16]``, of windows ``[B, 112, 8, 8]``, what the teacher made of each; empty
            where it saw none.
    """

    latents: Tensor
    sizes: Tensor
    ids: Tensor
    named: Tensor
    nouns: Nouns
    things: Things
    words: Words
    objects: Tensor
    seen: Tensor


def draw_batch(
    shards: Sequence[Shard],
    tokenizer: CLIPTokenizer,
    count: int,
    rng: np.random.Generator,
    none_named: float = NONE_NAMED,
    windows: bool = False,
) -> Batch:
    """``count`` scenes, half of them mirrored; one of a single object is drawn half as often as another.

    Args:
        shards: Where they come from.
        tokenizer: Of the captions.
        count: How many.
        rng: The source of chance.
        none_named: Share of captions that name no object.
        windows: Draw windows of half the side instead of whole pictures.

    Raises:
        ValueError: No object fits into a window, in ``_TRIES`` scenes one after the other.
    """
    views = [_draw_view(shards, rng, windows) for _ in range(count)]
    captions = [write_caption(view.scene, rng, none_named) for view in views]
    instances = [view.instances for view in views]
    seen = [torch.from_numpy(view.seen) for view in views if view.seen is not None]
    named = rng.random(count) >= TEXT_DROPPED
    ids = tokenizer(
        [caption.text for caption in captions],
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids
    samples, weights, masks = [], [], []
    for b in np.flatnonzero(named):
        for number, places in noun_places(ids[b].tolist(), captions[b].nouns, tokenizer):
            samples.append(int(b))
            weights.append(_token_weights(places, ids.shape[1]))
            masks.append(instances[b] == number)
    height, width = instances[0].shape
    nouns = Nouns(
        torch.tensor(samples, dtype=torch.long),
        torch.from_numpy(np.array(weights, np.float32).reshape(-1, ids.shape[1])),
        torch.from_numpy(np.array(masks, np.float32).reshape(-1, 1, height, width)),
    )
    return Batch(
        torch.from_numpy(np.stack([view.latents for view in views])),
        torch.tensor([view.sizes for view in views], dtype=torch.float32),
        ids,
        torch.from_numpy(named),
        nouns,
        _untold(views, [c if kept else None for c, kept in zip(captions, named, strict=True)]),
        draw_words(tokenizer, rng),
        torch.from_numpy((np.stack(instances) > 0).astype(np.float32))[:, None],
        torch.stack(seen) if seen else torch.empty(0),
    )


def _untold(views: Sequence[View], captions: Sequence[Caption | None]) -> Things:
    """The objects that have to be recognised by sight: told a noun, the model need only find its place."""
    samples, nouns, masks = [], [], []
    for b, (view, caption) in enumerate(zip(views, captions, strict=True)):
        things = view.scene["objects"]
        told = {things[number - 1]["noun"] for number, _ in caption.nouns} if caption else set()
        for number, thing in enumerate(things, 1):
            if thing["noun"] not in told:
                samples.append(b)
                nouns.append(NOUNS.index(thing["noun"]))
                masks.append(view.instances == number)
    height, width = views[0].instances.shape
    return Things(
        torch.tensor(samples, dtype=torch.long),
        torch.tensor(nouns, dtype=torch.long),
        torch.from_numpy(np.array(masks, np.float32).reshape(-1, 1, height, width)),
    )


def _draw_view(shards: Sequence[Shard], rng: np.random.Generator, windows: bool) -> View:
    for _ in range(_TRIES):
        shard, k = _draw_scene(shards, rng)
        view = whole(shard, k, mirrored=bool(rng.integers(2)))
        found = window(view, rng) if windows else view
        if found is not None:
            return found
    raise ValueError("no object fits into a window of half the picture's side: train without --windows")


def _draw_scene(shards: Sequence[Shard], rng: np.random.Generator) -> tuple[Shard, int]:
    """A shard and a scene's number in it."""
    ends = np.cumsum([len(shard.scenes) for shard in shards])
    while True:
        index = int(rng.integers(ends[-1]))
        place = int(np.searchsorted(ends, index, side="right"))
        shard = shards[place]
        k = index - int(ends[place]) + len(shard.scenes)
        # Where there is nothing else, a noun's attention learns to find things, but not which.
        if len(shard.scenes[k]["objects"]) > 1 or rng.random() < _ALONE:
            return shard, k


def noun_places(
    ids: Sequence[int], nouns: Sequence[tuple[int, str]], tokenizer: CLIPTokenizer
) -> list[tuple[int, range]]:
    """Each noun's object number and its places among a caption's tokens; nouns cut off are left out.

    The nouns come in the order of the caption, so that of two equal ones each finds its own.
    """
    found, start = [], 1
    for number, words in nouns:
        wanted = tokenizer(words, add_special_tokens=False).input_ids
        for place in range(start, len(ids) - len(wanted) + 1):
            if list(ids[place : place + len(wanted)]) == wanted:
                found.append((number, range(place, place + len(wanted))))
                start = place + len(wanted)
                break
    return found


def _token_weights(places: range, tokens: int) -> np.ndarray:
    weights = np.zeros(tokens, np.float32)
    weights[places.start : places.stop] = 1 / len(places)
    return weights
