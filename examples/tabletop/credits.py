"""Write the credits of everything that the embedded model learnt from, as Markdown.

python -m examples.tabletop.credits CREDITS.md --photos photographs
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import cyclopts

from examples.tabletop.furniture import load
from examples.tabletop.render import FURNITURE

_HEAD = """\
# Credits

What the embedded model was trained on, beside the shapes and surfaces that this project generates. Models
were scaled, turned, recoloured, and rendered; photographs were shrunk and cropped. Written by `credits.py`.
"""


def table(head: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A titled Markdown table of sorted rows."""
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in sorted(set(rows))]
    rule = "|" + "---|" * len(columns)
    return "\n".join([f"## {head}", "", f"| {' | '.join(columns)} |", rule, *lines, ""])


def main(
    output: Path,
    /,
    *,
    photos: Path,
    furniture: Annotated[
        Path, cyclopts.Parameter(help="sweethome3d-furniture's folder of .sh3f files")
    ] = FURNITURE,
) -> None:
    """Write OUTPUT from the assets' catalogues and the photographs' ``credits.jsonl``."""
    credits = [asset.credit for asset in load(furniture) if asset.credit]
    models = [(credit.title, credit.author, credit.licence, credit.source) for credit in credits]
    lines = (photos / "credits.jsonl").read_text(encoding="utf-8").splitlines()
    pictures = [json.loads(line) for line in lines]
    rows = [(Path(row["path"]).name, row["author"], row["licence"], row["source"]) for row in pictures]
    parts = [
        _HEAD,
        table("Models of things", ("model", "author", "licence", "catalogue"), models),
        table("Photographs (autoencoder only)", ("photograph", "author", "licence", "source"), rows),
    ]
    output.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    cyclopts.run(main)
