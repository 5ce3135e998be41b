"""Make every kind of edit once, and show before and after on one page.

    python examples/gallery.py FOLDER [--only NAME ...] [--pairs FOLDER]

writes ``FOLDER/index.html``, ``FOLDER/sheet.png`` and the pictures of each edit. The photos are those of
``examples/photos``, rendered ones and photographs (``gallery.json`` there lists their edits, ``LICENSE.md``
their credits), and rendered ones of ``examples/cases``; a rendered case whose true edited photo is known
shows it too. An edit that is refused is on the page with the reason. ``--pairs`` makes the photographs'
alone, each before and after on one JPEG, as they lie in ``examples/results/gallery``.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment
from PIL import Image

from realedit import RealEditError, RealEditPipeline
from realedit.edits.entries import entries, read_entries
from realedit.edits.kinds import (
    Background,
    Copy,
    Edit,
    Flip,
    Like,
    LookOf,
    Move,
    Paste,
    Remove,
    Replace,
    Reshape,
    Resize,
    Restyle,
    Retouch,
    Rotate,
    Swap,
    SwapLooks,
)
from realedit.report.panel import Tile, panel

HERE = Path(__file__).parent
SIDE = 512
"""Longer side of a picture on the page; of a photograph's, PHOTOGRAPH."""
PHOTOGRAPH = 720
GAP, QUALITY = 6, 85
"""Between the two pictures of a pair, in pixels; of its JPEG."""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>realedit: every edit</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
figure { display: inline-block; margin: 0 1rem 1rem 0; } img { max-width: 20rem; display: block; }
code { background: #f4f4f2; padding: .1rem .3rem; }
</style>
<h1>realedit: every edit</h1>
{% for one in shown %}
<h2>{{ one.name }}</h2>
<p><code>{{ one.entries }}</code>{% if one.prompt %} &ldquo;{{ one.prompt }}&rdquo;{% endif %}</p>
{% if one.refused %}<p><strong>Refused:</strong> {{ one.refused }}</p>{% endif %}
{% for caption, file in one.pictures %}
<figure><img src="{{ file }}" alt="{{ one.name }}: {{ caption }}">
<figcaption>{{ caption }}</figcaption></figure>
{% endfor %}
{% endfor %}
</html>
"""


@dataclass(frozen=True)
class Example:
    """One edit to show."""

    name: str
    photo: Path
    edits: Edit | list[Edit]
    prompt: str | None = None
    truth: Path | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    photograph: bool = False


def of_cases() -> list[Example]:
    """The first two of each kind of counterfactual case."""
    found: list[Example] = []
    taken: dict[str, int] = {}
    for line in (HERE / "cases" / "cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        if taken.setdefault(case["edit"], 0) < 2:
            taken[case["edit"]] += 1
            photo, truth = (HERE / "cases" / f"{case['id']}_{kind}.webp" for kind in ("photo", "truth"))
            found.append(
                Example(f"{case['edit']} (case {case['id']})", photo, edit_of(case), case["prompt"], truth)
            )
    return found


def edit_of(case: dict[str, Any]) -> Edit:
    """The edit that a counterfactual case asks for."""
    word = case["object"]
    match case["edit"]:
        case "move":
            return Move(word, case["dx"], case["dy"])
        case "resize":
            return Resize(word, case["scale"])
        case "rotate":
            return Rotate(word, case["angle"])
        case "remove":
            return Remove(word)
        case "replace":
            return Replace(word, " ".join(filter(None, (case["new_colour"], case["new_object"]))))
        case "recolour":
            return Restyle(word, f"{case['new_colour']} {word}")
        case other:
            raise ValueError(f"no such edit: {other}")


def of_photos() -> list[Example]:
    """Edits of the sample photos."""
    mug, bowl, bottle = (HERE / "photos" / f"{name}.jpg" for name in ("mug", "bowl", "bottle"))
    says = {
        mug: "a photo of a red mug on a wooden table",
        bowl: "a photo of a bowl on a table",
        bottle: "a photo of a bottle on a table",
    }
    wanted: list[tuple[str, Path, Edit | list[Edit], dict[str, Any]]] = [
        ("move", mug, Move("mug", 0.2), {}),
        ("resize", mug, Resize("mug", 0.7), {}),
        ("rotate", mug, Rotate("mug", -20), {}),
        ("copy", mug, Copy("mug", -0.18, 0.08, scale=0.9), {}),
        ("flip", mug, Flip("mug"), {}),
        ("remove", mug, Remove("mug"), {}),
        ("move and resize", mug, [Move("mug", -0.1), Resize("mug", 1.2)], {}),
        ("restyle by text", mug, Restyle("mug", "a blue mug"), {}),
        ("like another photo's object", mug, Like("mug", bowl, "bowl"), {}),
        ("replace", mug, Replace("mug", "a bowl"), {}),
        ("background", mug, Background("mug", "a marble table"), {}),
        ("paste", bowl, Paste("mug", mug, 0.25, 0.6), {}),
        ("look of another photo", mug, LookOf(bowl), {}),
        ("move a bottle", bottle, Move("bottle", 0.15), {}),
        ("retouch", bowl, Retouch("a red apple"), {"box": (0.1, 0.5, 0.3, 0.8)}),
    ]
    return [Example(name, p, e, says[p], shown=kw) for name, p, e, kw in wanted]


def of_photographs() -> list[Example]:
    """Edits of photographs that a camera took."""
    folder = HERE / "photos"
    found: list[Example] = []
    for one in json.loads((folder / "gallery.json").read_text(encoding="utf-8")):
        entry = {
            name: str(folder / value) if (folder / str(value)).is_file() else value
            for name, value in one["edit"].items()
        }
        shown = {name: tuple(place) for name, place in one.get("shown", {}).items()}
        found.append(
            Example(one["name"], folder / one["photo"], read_entries([entry]), None, None, shown, True)
        )
    return found


def of_pairs() -> list[Example]:
    """Edits of two objects, and of an outline."""
    photo = HERE / "photos" / "mug.jpg"
    says = "a photo of a red mug and a white bowl on a wooden table"
    with Image.open(photo) as opened:
        width, height = opened.size
    rows, columns = np.mgrid[:height, :width] + 0.5
    x, y = columns / width - 0.33, rows / height - 0.6
    low = (np.abs(x) < 0.09) & (np.abs(y) < 0.08)
    return [
        Example("swap places", photo, Swap("mug", "bowl"), says, shown={"allow_crop": True}),
        Example("swap looks", photo, SwapLooks("mug", "bowl"), says),
        Example("reshape", photo, Reshape("mug", low.astype(np.uint8) * 255), says),
    ]


def show(pipeline: RealEditPipeline, example: Example, number: int, folder: Path) -> dict[str, Any]:
    """Make an edit and write its pictures; where it is refused, the photo and why."""
    told = {"name": example.name, "entries": json.dumps(entries(example.edits)), "prompt": example.prompt}
    try:
        result = pipeline.edit(example.photo, example.edits, prompt=example.prompt, **example.shown)
    except RealEditError as error:
        print(f"{example.name}: {error}", file=sys.stderr)
        before = Image.open(example.photo).convert("RGB")
        written = [write(before, "before", number, folder, photograph=example.photograph)]
        return told | {"refused": str(error), "pictures": written}
    pictures = {"before": Image.fromarray(result.source.rgb), "after": Image.fromarray(result.photo.rgb)}
    if example.truth is not None:
        pictures["truth"] = Image.open(example.truth).convert("RGB")
    print(example.name, file=sys.stderr)
    written = [
        write(picture, caption, number, folder, photograph=example.photograph)
        for caption, picture in pictures.items()
    ]
    return told | {"pictures": written}


def write(
    picture: Image.Image, caption: str, number: int, folder: Path, *, photograph: bool = False
) -> tuple[str, str]:
    """Write one of an edit's pictures; its caption and its file's name."""
    side = PHOTOGRAPH if photograph else SIDE
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = f"{number:02d}-{caption}.png"
    picture.save(folder / file)
    return caption, file


def main() -> None:
    """Parse, edit, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", help="edits whose names begin so")
    parser.add_argument("--pairs", type=Path, help="photographs alone; gets NAME.jpg of each")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    pipeline = RealEditPipeline.from_pretrained()
    examples = (
        of_photographs() if given.pairs else [*of_photos(), *of_photographs(), *of_pairs(), *of_cases()]
    )
    if given.only:
        examples = [one for one in examples if one.name.startswith(tuple(given.only))]
    shown = [show(pipeline, one, number, given.folder) for number, one in enumerate(examples)]
    if given.pairs:
        given.pairs.mkdir(parents=True, exist_ok=True)
        for one in shown:
            pair(given.folder, one).save(given.pairs / f"{one['name']}.jpg", quality=QUALITY)
        (given.pairs / "README.md").write_text(photograph_page(), encoding="utf-8")
    page = Environment(autoescape=True).from_string(PAGE).render(shown=shown)
    (given.folder / "index.html").write_text(page, encoding="utf-8")
    tiles = [
        Tile(f"{one['name']}: {caption}", Image.open(given.folder / file).resize((256, 256)))
        for one in shown
        for caption, file in one["pictures"]
    ]
    sheet(tiles).save(given.folder / "sheet.png")
    print(given.folder / "index.html")


def photograph_page() -> str:
    """Markdown beside the pairs: each with the command that makes it."""
    parts = [
        "# Edits of photographs",
        "",
        "Before and after, by `python examples/gallery.py FOLDER --pairs examples/results/gallery`.",
        "[Who took the photographs](../../photos/LICENSE.md), and what licences they and these are under.",
        "The cut-out network has seen them in training: they show what the edits are, not how well what is",
        "new to it is cut out.",
    ]
    for one in json.loads((HERE / "photos" / "gallery.json").read_text(encoding="utf-8")):
        parts += ["", f"`{command(one)}`", "", f"![{one['name']}: before and after]({one['name']}.jpg)"]
    return "\n".join(parts) + "\n"


def command(one: dict[str, Any]) -> str:
    """An entry of ``gallery.json`` as one types it."""
    words = ["realedit", f"examples/photos/{one['photo']}"]
    for name, value in one["edit"].items():
        said = f"examples/photos/{value}" if str(value).endswith(".jpg") else value
        words += [f"--{name.replace('_', '-')}", str(said)]
    for name, place in one.get("shown", {}).items():
        words += [f"--{name}", ",".join(map(str, place))]
    return " ".join(words)


def pair(folder: Path, shown: dict[str, Any]) -> Image.Image:
    """What was written of an edit, side by side."""
    pictures = [Image.open(folder / file).convert("RGB") for _, file in shown["pictures"]]
    whole = Image.new(
        "RGB", (sum(p.width for p in pictures) + GAP * (len(pictures) - 1), pictures[0].height), "white"
    )
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, 0))
        left += picture.width + GAP
    return whole


def sheet(tiles: list[Tile], columns: int = 6) -> Image.Image:
    """All pictures on one."""
    rows = [panel(tiles[k : k + columns], "", []) for k in range(0, len(tiles), columns)]
    whole = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    return whole


if __name__ == "__main__":
    main()
