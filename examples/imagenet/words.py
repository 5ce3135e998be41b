"""Make the table of words that realedit reads of the one that people edit.

    python -m examples.imagenet.words PHOTOGRAPHS [FOLDER]

``FOLDER/words.txt`` holds words and the names of ImageNet's classes, ``FOLDER/words.json`` what is made of
it: their numbers, and each meaning's usual log-odds at its likeliest place, the mean over photographs of
anything. PHOTOGRAPHS is a folder of freely licensed ones, such as ``examples/tabletop/photographs.py``
gathers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torchvision.models._meta import _IMAGENET_CATEGORIES as CATEGORIES

from realedit.find.names import NameFinder
from realedit.models.imagenet import FOLDER, Imagenet
from realedit.models.recogniser import Recogniser
from realedit.models.words import FILE, Meaning, Words

_LEAST_SIDE = 200
"""Pixels of a photograph's shorter side below which it is a thumbnail."""
TEXT = "words.txt"
_EMBEDDED = FOLDER.parent / "tabletop"


def entries(text: str) -> Iterator[tuple[list[str], list[int], bool]]:
    """The lines' words, class numbers, and whether those only stand in for them.

    Raises:
        ValueError: a line is not of the table's form, or names no class of ImageNet.
    """
    numbers = {name: number for number, name in enumerate(CATEGORIES)}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        sign = "~" if " ~ " in line else "="
        words, separator, classes = line.partition(f" {sign} ")
        if not separator:
            raise ValueError(f"neither '=' nor '~' in {line!r}")
        found: set[int] = set()
        for part in classes.split(";"):
            ends = [numbers.get(name.strip()) for name in part.split("..")]
            if None in ends:
                raise ValueError(f"no class of ImageNet is called {part.strip()!r}")
            first, last = ends[0], ends[-1]
            found.update(range(first or 0, (last or 0) + 1))
        yield [word.strip() for word in words.split(",")], sorted(found), sign == "~"


def ranges(numbers: list[int]) -> list[list[int]]:
    """Ascending numbers as [first, last] of each unbroken run."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def usual(finder: NameFinder, photographs: Iterable[Path], classes: list[list[int]]) -> np.ndarray:
    """Each group of classes' mean log-odds at its likeliest place, ``[groups]``."""
    rows: list[list[float]] = []
    for path in photographs:
        rgb = np.asarray(Image.open(path).convert("RGB"))
        if min(rgb.shape[:2]) < _LEAST_SIDE:
            continue
        seen = finder.look(rgb)
        rows.append([seen.log_odds(Meaning("", tuple(group), False, 0.0)) for group in classes])
    return np.mean(rows, axis=0)


def main(photographs: Path, folder: Path) -> None:
    """Write the table."""
    table = list(entries((folder / TEXT).read_text(encoding="utf-8")))
    recogniser = Recogniser.load(_EMBEDDED)
    if recogniser is None:
        raise SystemExit(f"no recogniser in {_EMBEDDED}")
    finder = NameFinder(recogniser.features, Imagenet.load(), Words({}))
    means = usual(finder, sorted(photographs.glob("*.png")), [classes for _, classes, _ in table])
    lines: list[dict[str, Any]] = [
        {"words": words, "classes": ranges(classes), "stand_in": stand_in, "usual": round(float(mean), 3)}
        for (words, classes, stand_in), mean in zip(table, means, strict=True)
    ]
    text = ",\n".join(json.dumps(line) for line in lines)
    (folder / FILE).write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER)
