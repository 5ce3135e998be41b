"""Runs what people do with SDXL on its full architecture with random weights, on the CPU in bfloat16.

    python scripts/sdxl_random.py --folder /somewhere/sdxl                  # all parts at 256 pixels
    python scripts/sdxl_random.py --folder /somewhere/sdxl --only move,file --steps 6 --side 512

SDXL's own weights are not needed and nothing is fetched: the model is made from the package's configs in the
folder (7 GB; 14 with the single file) where it is not there yet. What a random model paints means nothing;
this shows that every path runs at full size, what it asks of the UNet, and how long it takes beside plain
sampling in the same process: diffusers' own pipeline, classifier-free guidance, the same steps. Without
``--folder`` all is in a temporary one. What was measured is kept there as JSON: parts may be run one by one,
and the table is of all.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from realedit import (
    EditResult,
    Move,
    RealEditPipeline,
    Remove,
    Replace,
    Restyle,
)
from realedit.bench.counting import Count, PeakMemory
from realedit.cli import main as realedit_command
from realedit.cli.calibrate import shipped_cases
from realedit.edits.edit import Edit
from realedit.errors import ObjectNotFoundError
from realedit.models.folder import INDEX
from realedit.models.loading import quiet_libraries

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from full_sdxl import make_lora, make_model, make_single_file

CASE, WORD, PROMPT = "001", "pitcher", "a photo of a yellow pitcher and a beige bowl on a stone table"
"""The photo, from the cases that ship: what is edited in it, and what it shows."""
UNKNOWN = "doohickey"
"""A word that no table of names holds, so that the model's own attention has to find it."""
PHOTO_SIDES = 1.5
"""Side of the photo in working sides: above 1 the model works in a window of it."""
PLAIN_SCALE = 5.0
"""Guidance scale of plain sampling, diffusers' default for SDXL: any above 1 costs the same."""
GIB = 2**30


@dataclass(frozen=True)
class Row:
    """What a part took, beside plain sampling in the same process."""

    part: str
    side: int
    steps: int
    seconds: float
    forwards: int
    backwards: int
    plain_seconds: float
    plain_forwards: int
    peak_bytes: int | None
    note: str

    def cells(self) -> list[str]:
        """Its line of the table."""
        evaluations = Count(self.forwards, self.backwards).evaluations
        peak = "" if self.peak_bytes is None else f"{self.peak_bytes / GIB:.1f}"
        return [
            self.part,
            f"{self.seconds:.0f}",
            f"**{self.seconds / self.plain_seconds:.2f}**",
            f"{self.forwards} + {self.backwards}",
            f"{evaluations / self.plain_forwards:.2f}",
            peak,
            self.note,
        ]


HEAD = (
    "what",
    "seconds",
    "to plain sampling",
    "forward + backward passes",
    "to plain sampling's",
    "peak GiB",
    "",
)


@contextlib.contextmanager
def passes() -> Iterator[Count]:
    """Counts the passes of any UNet of this process, whoever loads and calls it."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    count = Count()

    def before(module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if not isinstance(module, UNet2DConditionModel):
            return
        sample: torch.Tensor = given[0]
        pictures = len(sample)  # a hook that held the tensor would keep the model alive
        count.forwards += pictures

        def came_back(_: torch.Tensor) -> None:
            count.backwards += pictures

        if sample.requires_grad:
            sample.register_hook(came_back)

    handle = torch.nn.modules.module.register_module_forward_pre_hook(before)
    try:
        yield count
    finally:
        handle.remove()


@dataclass
class Bench:
    """The model, the photo, and what plain sampling takes in this process."""

    folder: Path
    side: int
    steps: int
    memory: PeakMemory = field(default_factory=lambda: PeakMemory(torch.device("cpu")))
    _opened: RealEditPipeline | None = None

    @property
    def model(self) -> Path:
        """The pipeline's folder, made where it is not there."""
        made = self.folder / "model"
        if not (made / INDEX).is_file():
            make_model(made)
        return made

    @cached_property
    def scene(self) -> tuple[Path, Path]:
        """The photo and the object's mask, as files."""
        side = round(PHOTO_SIDES * self.side)
        files: list[Path] = []
        for kind, how in (("photo", Image.Resampling.BICUBIC), ("mask", Image.Resampling.NEAREST)):
            path = self.folder / f"{kind}-{side}.png"
            with Image.open(shipped_cases() / f"{CASE}_{kind}.webp") as picture:
                picture.resize((side, side), how).save(path)
            files.append(path)
        return files[0], files[1]

    @property
    def pipe(self) -> RealEditPipeline:
        """The folder's model with an empty cache."""
        if self._opened is None:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            self._opened = self.opened(self.model, cache=self.folder / "cache")
        return self._opened

    def opened(self, model: Path, **how: Any) -> RealEditPipeline:
        """A model as users open it, its weights loaded."""
        if self._opened is not None and model != self.model:
            self.close()
        settings = {"device": "cpu", "dtype": "bfloat16", "working_size": self.side, "profile": "sdxl"}
        pipe = RealEditPipeline.from_pretrained(model, **{**settings, "cache": False, **how})
        _ = pipe.backbone.pipeline
        return pipe

    def close(self) -> None:
        """Lets the folder's model go: two do not fit into the memory."""
        self._opened = None
        gc.collect()

    @cached_property
    def plain(self) -> tuple[float, int]:
        """Seconds and forward passes of diffusers' own sampling at the working size, with decoding."""
        self._sample(2)  # the first passes prepare the libraries
        with passes() as count:
            began = time.perf_counter()
            self._sample(self.steps)
            return time.perf_counter() - began, count.forwards

    def _sample(self, steps: int) -> None:
        sampler: Any = self.pipe.backbone.pipeline
        with quiet_libraries():
            latent = sampler(
                PROMPT,
                num_inference_steps=steps,
                guidance_scale=PLAIN_SCALE,
                height=self.side,
                width=self.side,
                generator=torch.Generator().manual_seed(0),
                output_type="latent",
            ).images
        self.pipe.backbone.decode(latent.float())

    def measured(self, part: str, work: Callable[[], str]) -> Row:
        """Does a part, and says what it took; plain sampling is measured before."""
        plain_seconds, plain_forwards = self.plain
        self.memory.reset()
        with passes() as count:
            began = time.perf_counter()
            note = work()
            seconds = time.perf_counter() - began
        row = Row(
            part,
            self.side,
            self.steps,
            seconds,
            count.forwards,
            count.backwards,
            plain_seconds,
            plain_forwards,
            self.memory.bytes(),
            note,
        )
        print("  ".join(row.cells()), file=sys.stderr)
        return row

    def edit(self, pipe: RealEditPipeline, edit: Edit, **how: Any) -> EditResult:
        """Edits the photo, the object's mask given.

        Raises:
            RuntimeError: a sample outside the edited region is another.
        """
        photo, mask = self.scene
        result = pipe.edit(photo, edit, mask=mask, refine=False, prompt=PROMPT, steps=self.steps, **how)
        changed = (result.photo.rgb != result.source.rgb).any(-1)
        if changed[~result.region].any():
            raise RuntimeError("pixels outside the edited region have changed")
        return result

    def command(self, *more: str) -> str:
        """Runs the command on the photo, and returns what it says; its code is 0."""
        photo, mask = self.scene
        out = self.folder / "edited.png"
        given = [
            str(photo),
            "--mask",
            str(mask),
            "--no-refine",
            "--prompt",
            PROMPT,
            "-o",
            str(out),
            "--force",
        ]
        model = ["--model", str(self.model), "--profile", "sdxl", "--no-cache"]
        model += ["--device", "cpu", "--dtype", "bfloat16"]
        said, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(told):
            code = realedit_command([*given, *model, "--working-size", str(self.side), *more])
        if code:
            raise RuntimeError(f"realedit ended with {code}: {said.getvalue()}")
        return said.getvalue()


def _outside(result: EditResult) -> str:
    share = (result.photo.rgb != result.source.rgb).any(-1).mean()
    told = result.metrics.get("model_evaluations", 0)
    return f"{share:.1%} of the photo changed, nothing outside the region; it tells {told:g} evaluations"


def word(bench: Bench) -> list[Row]:
    """A word that the model's own attention has to find."""

    def look() -> str:
        try:
            found = bench.pipe.edit(
                bench.scene[0], Move(UNKNOWN, dx=0.1), prompt=f"{PROMPT} with a {UNKNOWN}", steps=bench.steps
            )
        except ObjectNotFoundError as error:
            return f"not found ({error.detail})"
        return f"found by chance, score {found.location.score:.2f}"

    return [bench.measured("a word, looked for by GoCA", look)]


def move(bench: Bench) -> list[Row]:
    """A move, and a second one from the cache."""
    first = bench.measured("move", lambda: _outside(bench.edit(bench.pipe, Move(WORD, dx=0.15))))
    again = bench.measured(
        "another move, from the cache", lambda: _outside(bench.edit(bench.pipe, Move(WORD, dx=0.16)))
    )
    return [first, again]


def _own(edit: Edit, name: str) -> Callable[[Bench], list[Row]]:
    def part(bench: Bench) -> list[Row]:
        shutil.rmtree(bench.folder / "cache", ignore_errors=True)
        return [bench.measured(name, lambda: _outside(bench.edit(bench.pipe, edit)))]

    return part


def single_file(bench: Bench) -> list[Row]:
    """A checkpoint in one file, and the same edit from its folder."""
    file = bench.folder / "single.safetensors"
    _ = bench.plain
    if not file.is_file():
        make_single_file(bench.pipe.backbone.pipeline, file)
    other = bench.edit(bench.pipe, Move(WORD, dx=0.15)).photo.rgb
    bench.close()
    began = time.perf_counter()
    pipe = bench.opened(file)
    loaded = time.perf_counter() - began

    def work() -> str:
        ours = bench.edit(pipe, Move(WORD, dx=0.15)).photo.rgb
        off = int(np.abs(ours.astype(int) - other.astype(int)).max())
        return f"loaded in {loaded:.0f} s; differs from its folder's by {off} of 255 at most"

    return [bench.measured("move, the model in one file", work)]


def lora(bench: Bench) -> list[Row]:
    """A LoRA put on the folder's model."""
    file = bench.folder / "lora.safetensors"
    _ = bench.plain
    make_lora(bench.pipe.backbone.pipeline, file)
    bench.close()
    began = time.perf_counter()
    pipe = bench.opened(bench.model, loras=[f"{file}:0.8"])
    loaded = time.perf_counter() - began

    def work() -> str:
        return f"loaded in {loaded:.0f} s; " + _outside(bench.edit(pipe, Move(WORD, dx=0.15)))

    return [bench.measured("move, with a LoRA", work)]


def _offload(kind: str) -> Callable[[Bench], list[Row]]:
    def part(bench: Bench) -> list[Row]:
        _ = bench.plain
        bench.close()

        def work() -> str:
            said = bench.command(
                "--move", WORD, "--dx", "0.15", "--steps", str(bench.steps), "--offload", kind
            )
            return next((line for line in said.splitlines() if "offload" in line), "accepted")

        return [bench.measured(f"`realedit ... --offload {kind}`, loading included", work)]

    return part


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "word": word,
    "move": move,
    "remove": _own(Remove(WORD), "remove"),
    "restyle": _own(Restyle(WORD, "a blue glass pitcher"), "restyle"),
    "replace": _own(Replace(WORD, "a teapot"), "replace"),
    "file": single_file,
    "lora": lora,
    "offload-model": _offload("model"),
    "offload-sequential": _offload("sequential"),
}


def table(rows: list[Row]) -> str:
    """All rows as Markdown."""
    lines = [f"| {' | '.join(HEAD)} |", f"|---|{'---:|' * (len(HEAD) - 2)}---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row.cells())} |" for row in rows)])


def run(folder: Path, parts: list[str], side: int, steps: int) -> list[Row]:
    """Does some parts; returns all that were done in this folder at this size and so many steps."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "measured.json"
    done: dict[str, list[dict[str, Any]]] = json.loads(kept.read_text()) if kept.is_file() else {}
    bench = Bench(folder, side, steps)
    for part in parts:
        done[f"{part} {side} {steps}"] = [asdict(row) for row in PARTS[part](bench)]
        kept.write_text(json.dumps(done, indent=1))
    return [Row(**row) for part in PARTS for row in done.get(f"{part} {side} {steps}", [])]


def main() -> int:
    """Do what the arguments say, and print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--folder", type=Path, help="for the model and what is measured; kept")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--side", type=int, default=256, help="working size in pixels")
    parser.add_argument("--steps", type=int, default=18, help="steps of edits and of plain sampling")
    asked = parser.parse_args()
    parts = [part for part in asked.only.split(",") if part]
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}")
    with contextlib.ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print(table(run(folder, parts, asked.side, asked.steps)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
