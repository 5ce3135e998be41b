"""Whether a word's attention finds its object, and whether it finds nothing where there is no such thing.

The pipeline runs under the thresholds of realedit's embedded model, whichever folder the weights come from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from examples.tabletop.captions import full_caption
from examples.tabletop.frames import Frame, half_width, read_frames, tracked
from examples.tabletop.vocabulary import NOUNS, SYNONYMS
from realedit.engine import Engine
from realedit.errors import ObjectNotFoundError
from realedit.find.attention import heat as heat_of
from realedit.find.attention import mean_attention
from realedit.pipeline import InvertedPhoto, RealEditPipeline
from realedit.prompts import with_words

THRESHOLDS = np.arange(0.02, 1, 0.02)
SITUATIONS = ("alone", "touching", "border", "thin", "same noun", "small")
"""Touching: another object within two pixels. Border: cut by the frame. Thin: at most twelve pixels wide.
Small: less than a hundredth of the picture. Same noun: the picture shows another. Alone: none of these."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model made of one object's word.

    Attributes:
        noun: The object's canonical noun.
        score: The attention's peak.
        found: Whether that was enough for the pipeline.
        pointed: Whether the centre of the heat's highest cell lies on the object.
        attention: IoU of the heat, enlarged bicubically, above each of ``THRESHOLDS``.
        refined: IoU of the pipeline's mask; 0 where it found nothing.
        situations: What makes the object hard to cut out, of ``SITUATIONS``.
    """

    noun: str
    score: float
    found: bool
    pointed: bool
    attention: np.ndarray
    refined: float
    situations: frozenset[str] = frozenset()


def load_editor(model: Path) -> RealEditPipeline:
    """A folder's model, held to the embedded model's thresholds."""
    loaded = RealEditPipeline.from_pretrained(model, cache=False)
    return RealEditPipeline(Engine(loaded.backbone, replace(loaded.ref, source="embedded")))


def localisation(
    model: Path, scenes: Sequence[Path], limit: int, *, bare: bool, synonyms: bool
) -> dict[str, Any]:
    """Pointing accuracy, IoU of the attention alone, and IoU of the pipeline's mask.

    Args:
        model: A pipeline's folder.
        scenes: Folders of scenes that the model has not seen.
        limit: Pictures, at most.
        bare: Prompt with the object's words alone, as the pipeline does where no prompt is given; else with a
            caption of the whole scene.
        synonyms: Ask for the objects that have a synonym, by that.
    """
    pipeline, answers = load_editor(model), []
    frames = read_frames(scenes, limit)
    for frame in tracked(frames, "localisation", len(frames)):
        captioned = None if bare else pipeline.invert(frame.image, _caption(frame, synonyms))
        for noun, word, mask in _questions(frame, synonyms):
            inverted = captioned or pipeline.invert(frame.image, with_words("", word))
            answer = _answer(pipeline, inverted, noun, word, mask)
            answers.append(replace(answer, situations=situations(frame, noun, mask)))
    if not answers:
        raise SystemExit("no object to ask for is visible in these scenes")
    return {"pictures": len(frames), **_summary(answers)}


def absent(model: Path, scenes: Sequence[Path], limit: int, seed: int) -> dict[str, Any]:
    """Peaks of attention of a word that is in each picture and of one that is not, and what they decide.

    The prompt is the word alone. A word that shares a part with one in the picture ("glass" with
    "wine glass") is not asked for.
    """
    pipeline, rng = load_editor(model), np.random.default_rng(seed)
    scores: dict[bool, list[float]] = {True: [], False: []}
    found: dict[bool, list[bool]] = {True: [], False: []}
    wrong: dict[str, int] = {}
    frames = read_frames(scenes, limit)
    for frame in tracked(frames, "absent words", len(frames)):
        present = [thing["noun"] for thing, _ in frame.visible()]
        parts = {part for thing in frame.scene["objects"] for part in thing["noun"].split()}
        others = [noun for noun in NOUNS if not parts & set(noun.split())]
        for there, nouns in ((True, present), (False, others)):
            if not nouns:
                continue
            word = str(rng.choice(nouns))
            inverted = pipeline.invert(frame.image, with_words("", word))
            scores[there].append(_heat(pipeline, inverted, word)[1])
            found[there].append(_refined(pipeline, inverted, word) is not None)
            if not there and found[there][-1]:
                wrong[word] = wrong.get(word, 0) + 1
    if not scores[True]:
        raise SystemExit("no object is visible in these scenes")
    return {
        "pictures": len(frames),
        "words": {"present": len(scores[True]), "absent": len(scores[False])},
        "present_found": float(np.mean(found[True])),
        "absent_found": float(np.mean(found[False])),
        "absent_found_95": half_width(found[False]),
        "threshold": pipeline.engine.profile.found,
        "score_deciles": {
            "present": np.percentile(scores[True], range(0, 101, 10)).tolist(),
            "absent": np.percentile(scores[False], range(0, 101, 10)).tolist(),
        },
        "best": best_threshold(np.array(scores[True]), np.array(scores[False])),
        "wrongly_found": wrong,
    }


def best_threshold(present: np.ndarray, absent: np.ndarray) -> dict[str, float]:
    """The score at which the share of present words found exceeds that of absent ones by the most."""
    candidates = np.unique(np.concatenate([present, absent]))
    kept = (present[:, None] >= candidates).mean(0)
    mistaken = (absent[:, None] >= candidates).mean(0)
    best = int(np.argmax(kept - mistaken))
    return {
        "threshold": float(candidates[best]),
        "present_found": float(kept[best]),
        "absent_found": float(mistaken[best]),
    }


def situations(frame: Frame, noun: str, mask: np.ndarray) -> frozenset[str]:
    """What makes an object hard to cut out; see ``SITUATIONS``."""
    others = (frame.instances > 0) & ~mask
    reach = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    hard = {
        "touching": bool((others & reach).any()),
        "border": bool(border.any()),
        "thin": float(inside.max()) <= 6,
        "same noun": sum(thing["noun"] == noun for thing in frame.scene["objects"]) > 1,
        "small": float(mask.mean()) < 0.01,
    }
    return frozenset(name for name, is_so in hard.items() if is_so) or frozenset({"alone"})


def _worded(noun: str, synonyms: bool) -> str:
    return SYNONYMS[noun][0] if synonyms and noun in SYNONYMS else noun


def _caption(frame: Frame, synonyms: bool) -> str:
    objects = [thing | {"noun": _worded(thing["noun"], synonyms)} for thing in frame.scene["objects"]]
    return full_caption(frame.scene | {"objects": objects})


def _questions(frame: Frame, synonyms: bool) -> Iterator[tuple[str, str, np.ndarray]]:
    for thing, mask in frame.visible():
        if not synonyms or thing["noun"] in SYNONYMS:
            yield thing["noun"], _worded(thing["noun"], synonyms), mask


def _heat(pipeline: RealEditPipeline, inverted: InvertedPhoto, word: str) -> tuple[np.ndarray, float]:
    # as the pipeline reads it; an ObjectNotFoundError would carry neither heat nor score
    maps = mean_attention(inverted.inversion)
    tokens = pipeline.backbone.tokens(inverted.inversion.prompt, word)
    if not tokens:  # cut off, behind the longest prompt that the model reads
        return np.zeros(maps.shape[:2], np.float32), 0.0
    return heat_of(maps, tokens)


def _refined(pipeline: RealEditPipeline, inverted: InvertedPhoto, word: str) -> np.ndarray | None:
    try:
        return pipeline.locate(inverted, word).hard
    except ObjectNotFoundError:
        return None


def _answer(
    pipeline: RealEditPipeline, inverted: InvertedPhoto, noun: str, word: str, mask: np.ndarray
) -> Answer:
    heat, score = _heat(pipeline, inverted, word)
    height, width = mask.shape
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    y, x = int((row + 0.5) * height / heat.shape[0]), int((column + 0.5) * width / heat.shape[1])
    wide = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    hard = _refined(pipeline, inverted, word)
    return Answer(
        noun,
        score,
        hard is not None,
        bool(mask[y, x]),
        np.array([_iou(wide > threshold, mask) for threshold in THRESHOLDS]),
        0.0 if hard is None else _iou(hard, mask),
    )


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def _summary(answers: Sequence[Answer]) -> dict[str, Any]:
    pointed = [answer.pointed for answer in answers]
    refined = np.array([answer.refined for answer in answers])
    found = np.array([answer.found for answer in answers])
    curves = np.stack([answer.attention for answer in answers])
    best = int(curves.mean(0).argmax())
    return {
        "objects": len(answers),
        "found": float(found.mean()),
        "pointing": float(np.mean(pointed)),
        "pointing_95": half_width(pointed),
        "attention_iou": float(curves[:, best].mean()),
        "attention_threshold": round(float(THRESHOLDS[best]), 2),
        "attention_iou_own_threshold": float(curves.max(1).mean()),
        "refined_iou": float(refined.mean()),
        "refined_iou_95": half_width(refined),
        "refined_iou_median": float(np.median(refined)),
        "refined_iou_where_found": float(refined[found].mean()) if found.any() else None,
        "score_deciles": np.percentile([answer.score for answer in answers], range(0, 101, 10)).tolist(),
        "by_situation": _by_group(
            {name: [answer for answer in answers if name in answer.situations] for name in SITUATIONS}
        ),
        "by_noun": _by_group(
            {
                noun: [answer for answer in answers if answer.noun == noun]
                for noun in sorted({answer.noun for answer in answers})
            }
        ),
    }


def _by_group(groups: Mapping[str, Sequence[Answer]]) -> Mapping[str, dict[str, float]]:
    return {
        name: {
            "objects": len(group),
            "pointing": float(np.mean([answer.pointed for answer in group])),
            "refined_iou": float(np.mean([answer.refined for answer in group])),
            "refined_iou_95": half_width([answer.refined for answer in group]),
        }
        for name, group in groups.items()
        if group
    }
