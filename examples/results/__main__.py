"""Measure everything again, and write ``examples/results``.

    python -m examples.results --scanned CASES --tuning OTHER_CASES

Parts: ``search`` (settings of the peers and the classical ways, on the tuning cases), ``scanned`` (move
and remove against all of them), ``ablation``, ``inversion``, ``edits`` (all kinds, on ``examples/cases``),
``photographs`` (moves of ReS and COCOEE against the classical ways, where their folders are given).
What a run stopped half way did is kept; the page is written from all runs in ``--runs``, whenever they were
made.
Needs ``pip install -e ".[bench]"``, the nouns of replaced objects ``".[tabletop]"``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import Parameter

from examples.results.page import write_page
from examples.results.parts import PARTS, Plan
from realedit.errors import RealEditError

HERE = Path(__file__).parent
Part = Literal["search", "scanned", "ablation", "inversion", "edits", "photographs"]

app = cyclopts.App(name="results", help=__doc__, help_format="plaintext")


@app.default
def main(
    *,
    scanned: Annotated[Path | None, Parameter(help="cases to report on")] = None,
    tuning: Annotated[
        tuple[Path, ...], Parameter(negative=(), help="cases to choose settings on; may be repeated")
    ] = (),
    part: Annotated[tuple[Part, ...], Parameter(negative=(), help="only these; may be repeated")] = (),
    page: Annotated[bool, Parameter(negative=(), help="run nothing, write the page alone")] = False,
    runs: Annotated[Path, Parameter(help="folder of all pictures and records")] = Path("bench-results"),
    output: Annotated[Path, Parameter(help="folder of the page and the tables")] = HERE,
    limit: Annotated[int | None, Parameter(help="only so many cases of a kind")] = None,
    tuning_limit: Annotated[int, Parameter(help="only so many cases of a kind in the search")] = 6,
    jobs: Annotated[int, Parameter(help="processes of one thread")] = 1,
    model: Annotated[str | None, Parameter(help="as realedit takes it")] = None,
    working_size: Annotated[int | None, Parameter(help="as realedit takes it; small to try this out")] = None,
    classifier: Annotated[Path | None, Parameter(help="output of train-classifier")] = None,
    res: Annotated[Path | None, Parameter(help="PixelMan's ReS")] = None,
    cocoee: Annotated[Path | None, Parameter(help="PixelMan's COCOEE")] = None,
    side: Annotated[int, Parameter(help="longer side of photographs, in pixels")] = 1024,
) -> None:
    """Run the parts and write the page."""
    plan = Plan(
        runs,
        output,
        scanned,
        tuning,
        limit,
        tuning_limit,
        jobs,
        model,
        working_size,
        classifier,
        res,
        cocoee,
        side,
    )
    every = tuple(name for name in PARTS if name != "photographs" or res or cocoee)
    try:
        for name in () if page else part or every:
            PARTS[name](plan)
    except RealEditError as error:
        sys.exit(f"results: {error}")
    print(write_page(runs, output))


if __name__ == "__main__":
    app()
