"""Whether a sampled picture shows the noun and the colour that its prompt asked for, by an independent judge.

The judge is a classifier of rendered crops. It looks at every box of a grid and reads the few of which it is
surest that they hold some object: neither the diffusion model's attention nor the noun asked for has a say in
where it looks. Its figure on rendered pictures of one object is what a perfect model would get.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from examples.tabletop.captions import full_caption
from examples.tabletop.classifier import Classifier
from examples.tabletop.frames import Frame, half_width, read_frames, tracked
from examples.tabletop.object_crops import Box, ObjectCrops, cut
from examples.tabletop.sampling import Sampling, sample, sheet
from examples.tabletop.vocabulary import SURFACES

_SHARES = (0.28, 0.4, 0.56, 0.78, 1.0)  # a box's side over the picture's
_STEP = 1 / 3  # of a box's side, between neighbours
_READ = 5  # boxes: one alone is off by more than a margin too often
_SHOWN, _COLUMNS = 60, 10  # of the contact sheet


@dataclass(frozen=True, slots=True)
class Reading:
    """What the judge saw: the words, the surest box, and the probability of the noun."""

    noun: str
    colour: str
    box: Box
    sureness: float


def candidate_boxes(size: int) -> list[Box]:
    """Squares of several sizes, all over a picture of ``size`` pixels."""
    boxes = []
    for share in _SHARES:
        side = round(share * size)
        places = np.linspace(0, size - side, 1 + round((size - side) / (_STEP * side))).round().astype(int)
        boxes += [(int(left), int(top), side) for top in places for left in places]
    return boxes


def read_picture(classifier: Classifier, image: np.ndarray) -> Reading:
    """Look at every candidate box, and read those together that most surely hold an object of any kind."""
    boxes = candidate_boxes(min(image.shape[:2]))
    nouns, colours = classifier.probabilities(np.stack([cut(image, box) for box in boxes]))
    best = np.argsort(nouns[:, -1])[:_READ]  # the last noun is "nothing"
    noun, colour = nouns[best, :-1].mean(0), colours[best].mean(0)
    return Reading(
        classifier.nouns[int(noun.argmax())],
        classifier.colours[int(colour.argmax())],
        boxes[int(best[0])],
        float(noun.max()),
    )


def text_control(
    model: Path,
    classifier_folder: Path,
    count: int,
    how: Sampling,
    scenes: Sequence[Path],
    output: Path | None,
) -> dict[str, Any]:
    """Share of sampled pictures that show the noun, the colour and both as asked.

    Each noun is asked for as often as another, in the colours that it has in ``scenes``.

    Args:
        model: A pipeline's folder.
        classifier_folder: Output of ``train_classifier``.
        count: Pictures to sample, and rendered ones to read for comparison.
        how: How to sample.
        scenes: Folders of scenes that the classifier has not seen, to ask for what they hold and to compare.
        output: Where to put a contact sheet.
    """
    classifier = Classifier.load(classifier_folder)
    frames = read_frames(scenes)
    colours = colours_of(frames, classifier)
    rng = np.random.default_rng(how.seed)
    asked = [_draw(colours, rng) for _ in range(count)]
    prompts = [full_caption(scene) for scene in asked]
    pictures = sample(model, prompts, how)
    readings = [read_picture(classifier, picture) for picture in tracked(pictures, "reading", count)]
    wanted = [(scene["objects"][0]["noun"], scene["objects"][0]["colour"]) for scene in asked]
    if output is not None:
        _contact_sheet(pictures, wanted, readings).save(output)
    return {
        "generated": _shares(wanted, readings),
        "rendered": _ceiling(classifier, frames, count),
        "records": [
            {"prompt": prompt, "noun": noun, "colour": colour, "read": asdict(reading)}
            for prompt, (noun, colour), reading in zip(prompts, wanted, readings, strict=True)
        ],
    }


def colours_of(frames: Sequence[Frame], classifier: Classifier) -> dict[str, tuple[str, ...]]:
    """The colours of each noun in some scenes, as far as the classifier knows both; without scenes, any."""
    if not frames:
        return dict.fromkeys(classifier.nouns[:-1], classifier.colours)
    seen = {(thing["noun"], thing["colour"]) for frame in frames for thing in frame.scene["objects"]}
    found = {
        noun: tuple(colour for colour in classifier.colours if (noun, colour) in seen)
        for noun in classifier.nouns[:-1]
    }
    return {noun: colours for noun, colours in found.items() if colours}


def _draw(colours: Mapping[str, Sequence[str]], rng: np.random.Generator) -> dict[str, Any]:
    noun = str(rng.choice(list(colours)))
    colour = str(rng.choice(colours[noun]))
    return {"objects": [{"noun": noun, "colour": colour}], "surface": str(rng.choice(SURFACES))}


def _ceiling(classifier: Classifier, frames: Sequence[Frame], count: int) -> dict[str, Any] | None:
    """The same reading of rendered pictures of one object, and reading it at its true box."""
    crops = ObjectCrops([frame for frame in frames if _fair(frame, classifier)])
    if not crops.things:
        return None
    chosen = np.linspace(0, len(crops.things) - 1, min(count, len(crops.things))).round().astype(int)
    things = [crops.things[k] for k in chosen]
    wanted = [(thing.noun, str(thing.colour)) for thing in things]
    readings = [
        read_picture(classifier, crops.frames[thing.frame].image)
        for thing in tracked(things, "rendered", len(things))
    ]
    nouns, colours = classifier.probabilities(np.stack([crops.plain(thing).pixels for thing in things]))
    whole = [
        Reading(classifier.nouns[int(noun)], classifier.colours[int(colour)], (0, 0, 0), 1.0)
        for noun, colour in zip(nouns.argmax(1), colours.argmax(1), strict=True)
    ]
    return _shares(wanted, readings) | {"at_true_box": _shares(wanted, whole)}


def _fair(frame: Frame, classifier: Classifier) -> bool:
    """Whether a frame shows one object, whose noun and colour the classifier knows."""
    objects = frame.scene["objects"]
    return len(objects) == 1 and objects[0]["noun"] in classifier.nouns and objects[0]["colour"] is not None


def _shares(wanted: Sequence[tuple[str, str]], readings: Sequence[Reading]) -> dict[str, Any]:
    noun = np.array([reading.noun == want[0] for want, reading in zip(wanted, readings, strict=True)])
    colour = np.array([reading.colour == want[1] for want, reading in zip(wanted, readings, strict=True)])
    hits: Mapping[str, np.ndarray] = {"noun": noun, "colour": colour, "both": noun & colour}
    shares = {name: float(hit.mean()) for name, hit in hits.items()}
    return {
        "pictures": len(wanted),
        **shares,
        **{f"{name}_95": half_width(hit) for name, hit in hits.items()},
    }


def _contact_sheet(
    pictures: np.ndarray, wanted: Sequence[tuple[str, str]], readings: Sequence[Reading]
) -> Any:  # noqa: ANN401
    marked, labels = [], []
    for picture, (noun, colour), reading in list(zip(pictures, wanted, readings, strict=True))[:_SHOWN]:
        left, top, side = reading.box
        right = (reading.noun, reading.colour) == (noun, colour)
        shade = (0, 200, 0) if right else (230, 30, 30)
        end = (left + side - 1, top + side - 1)
        marked.append(cv2.rectangle(picture.copy(), (left, top), end, shade, 2))
        labels.append(f"asked: {colour} {noun}\nread: {reading.colour} {reading.noun} {reading.sureness:.2f}")
    return sheet(marked, labels, min(_COLUMNS, len(marked)), 192)
