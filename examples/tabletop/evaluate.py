"""Measure the tabletop model: every figure of its card.

    python -m examples.tabletop.evaluate autoencoder MODEL --scenes scenes/900 --photos photographs
    python -m examples.tabletop.evaluate localisation MODEL --scenes scenes/900 [--bare] [--synonyms]
    python -m examples.tabletop.evaluate absent MODEL --scenes scenes/900
    python -m examples.tabletop.evaluate recogniser MODEL --scenes scenes/900
    python -m examples.tabletop.evaluate train-classifier --scenes scenes/0 scenes/1 --output classifier
    python -m examples.tabletop.evaluate text-control MODEL --classifier classifier --scenes scenes/900
    python -m examples.tabletop.evaluate distance MODEL --scenes scenes/900
    python -m examples.tabletop.evaluate levels MODEL --scenes scenes/900
    python -m examples.tabletop.evaluate samples MODEL --output sheet.png

MODEL is a ``StableDiffusionXLPipeline`` folder; ``--scenes`` takes folders that ``render`` wrote, with seeds
that no training run saw. Each command prints one JSON object of settings and figures, which ``--json`` also
saves; a figure whose name ends in ``_95`` is half the 95 % interval of the one without. Needs
``pip install "realedit[tabletop]"``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

# Each command imports what it measures with by itself: torch and diffusers take seconds.
app = cyclopts.App(name="evaluate", help=__doc__, help_format="plaintext")

Scenes = Annotated[list[Path], Parameter(consume_multiple=True, help="folders of rendered scenes")]
MoreScenes = Annotated[list[Path] | None, Parameter(consume_multiple=True, help="folders of rendered scenes")]
About = Annotated[
    Path | None, Parameter(help="start from noise about the mean latent of these scenes, not about 0")
]
JSONFile = Annotated[Path | None, Parameter(name="--json", help="save the figures here, too")]


@app.command
def autoencoder(
    model: Path, /, *, scenes: Scenes, photos: Path, limit: int = 200, json_file: JSONFile = None
) -> None:
    """PSNR of the autoencoder's round trip, on scenes and on the photographs held out."""
    from examples.tabletop.evaluate_autoencoder import autoencoder as measure

    given = {"model": model, "scenes": scenes, "photos": photos, "limit": limit}
    _tell(measure(model, scenes, photos, limit), given, json_file)


@app.command
def localisation(
    model: Path,
    /,
    *,
    scenes: Scenes,
    limit: int = 200,
    bare: Annotated[bool, Parameter(negative=(), help="prompt with the object's word alone")] = False,
    synonyms: Annotated[
        bool, Parameter(negative=(), help="ask for objects that have a synonym, by that")
    ] = False,
    json_file: JSONFile = None,
) -> None:
    """Pointing accuracy and IoU of objects found by their words, in LIMIT pictures."""
    from examples.tabletop.evaluate_localisation import localisation as measure

    given = {"model": model, "scenes": scenes, "limit": limit, "bare": bare, "synonyms": synonyms}
    figures = measure(model, scenes, limit, bare=bare, synonyms=synonyms)
    _tell(figures, given, json_file)


@app.command
def absent(
    model: Path, /, *, scenes: Scenes, limit: int = 200, seed: int = 0, json_file: JSONFile = None
) -> None:
    """Share of words found in pictures that do not show them, and scores to choose a threshold by."""
    from examples.tabletop.evaluate_localisation import absent as measure

    given = {"model": model, "scenes": scenes, "limit": limit, "seed": seed}
    _tell(measure(model, scenes, limit, seed), given, json_file)


@app.command
def recogniser(model: Path, /, *, scenes: Scenes, limit: int = 250, json_file: JSONFile = None) -> None:
    """Share of objects that the recogniser names, tells from others, and finds where they are not."""
    from examples.tabletop.evaluate_recogniser import recogniser as measure

    _tell(measure(model, scenes, limit), {"model": model, "scenes": scenes, "limit": limit}, json_file)


@app.command
def train_classifier(
    *,
    scenes: Scenes,
    output: Path,
    minutes: float = 8,
    held_out: MoreScenes = None,
    seed: int = 0,
    json_file: JSONFile = None,
) -> None:
    """Train the classifier that judges text control; its accuracy on scenes held out."""
    from examples.tabletop.train_classifier import train_classifier as train

    given = {"scenes": scenes, "minutes": minutes, "held_out": held_out or [], "seed": seed}
    _tell(train(scenes, output, minutes, held_out or [], seed), given, json_file)


@app.command
def text_control(
    model: Path,
    /,
    *,
    classifier: Annotated[Path, Parameter(help="output of train-classifier")],
    scenes: MoreScenes = None,
    count: int = 200,
    steps: int = 30,
    guidance_scale: float = 5.0,
    seed: int = 0,
    device: str = "cpu",
    about: About = None,
    window: Annotated[bool, Parameter(negative=(), help="sample only the middle, half as wide")] = False,
    output: Annotated[Path | None, Parameter(help="contact sheet, PNG")] = None,
    json_file: JSONFile = None,
) -> None:
    """Share of samples of one object that show the noun and the colour asked for, by the classifier."""
    from examples.tabletop.evaluate_control import text_control as measure
    from examples.tabletop.sampling import Sampling

    how = Sampling(steps, guidance_scale, seed, device, about=about, window=window)
    given = {"model": model, "classifier": classifier, "scenes": scenes or [], "count": count}
    figures = measure(model, classifier, count, how, scenes or [], output)
    _tell(figures, given | asdict(how), json_file)


@app.command
def distance(
    model: Path,
    /,
    *,
    scenes: Scenes,
    count: int = 500,
    steps: int = 30,
    guidance_scale: float = 3.0,
    seed: int = 0,
    device: str = "cpu",
    about: About = None,
    json_file: JSONFile = None,
) -> None:
    """KID and FID of samples to rendered scenes, beside those of rendered scenes to others."""
    from examples.tabletop.evaluate_distance import distance as measure
    from examples.tabletop.sampling import Sampling

    how = Sampling(steps, guidance_scale, seed, device, about=about)
    given = {"model": model, "scenes": scenes, "count": count}
    _tell(measure(model, scenes, count, how), given | asdict(how), json_file)


@app.command
def levels(
    model: Path, /, *, scenes: Scenes, limit: int = 100, seed: int = 0, json_file: JSONFile = None
) -> None:
    """What captions take from the error of noise prediction at several noise levels; quick and sensitive."""
    from examples.tabletop.evaluate_levels import levels as measure

    given = {"model": model, "scenes": scenes, "limit": limit, "seed": seed}
    _tell(measure(model, scenes, limit, seed), given, json_file)


@app.command
def samples(
    model: Path,
    /,
    *,
    output: Path,
    rows: int = 4,
    columns: int = 6,
    steps: int = 30,
    guidance_scale: float = 5.0,
    seed: int = 0,
    device: str = "cpu",
    about: About = None,
    json_file: JSONFile = None,
) -> None:
    """A sheet of samples of random prompts with one to three objects, under each its prompt."""
    from examples.tabletop.sampling import Sampling, draw_prompts, sample, sheet

    how = Sampling(steps, guidance_scale, seed, device, about=about)
    prompts = draw_prompts(rows * columns, 3, seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet(list(sample(model, prompts, how)), prompts, columns).save(output)
    _tell({"prompts": prompts}, {"model": model, "output": output} | asdict(how), json_file)


def _tell(figures: Mapping[str, Any], given: Mapping[str, Any], file: Path | None) -> None:
    text = json.dumps({"settings": given, **figures}, indent=1, default=str)
    print(text)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
