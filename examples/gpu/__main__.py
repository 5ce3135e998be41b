"""Train the cut-out network and then the tabletop model in the minutes that a GPU is lent for.

    python -m examples.gpu pack DATA bundle.zip --most 50
    python -m examples.gpu train bundle.zip OUT --minutes 25

``pack`` makes one file of the training data (DATA as ``examples/cutout/README.md`` tells: ``photos``,
``masks``, ``scenes``, ``things``). ``train`` unpacks it, goes on from the weights that the package holds, and
writes to OUT, in files of less than 16 MB: ``cutout.tar`` and ``tabletop.tar.00``, ``.01``... (float16
safetensors; ``cat tabletop.tar.* | tar x`` joins them), ``report.json`` (how both do on what was held out,
before and after) and ``log.txt``. It needs ``pip install -e ".[tabletop]"`` and no network. Where a command
may not run as long, start it with ``setsid nohup`` and look at ``report.json``, written when all is done.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cyclopts
import torch

from examples.gpu.bundle import pack, unpack
from examples.gpu.parts import tar_in_parts

ASSETS = Path(__file__).parents[2] / "realedit" / "assets"
CUTOUT_SHARE = 0.6
"""Of the training time; the rest is the tabletop model's."""
RESERVE = 0.15
"""Of the minutes, for unpacking, exporting, measuring and packing up."""
GRACE = 45.0
"""Seconds that a training may take to stop after its minutes, before it is made to."""

app = cyclopts.App(name="gpu", help=__doc__, help_format="plaintext")


@dataclass(frozen=True)
class Sizes:
    """How much is done at once.

    Attributes:
        pictures: Of the cut-out network, a step.
        side: Of them, in pixels.
        scenes: Of the tabletop model, a step.
        shards: Of scenes that the tabletop model sees, at most.
        glances: Of it; 0 where the teacher's package is missing.
        held_batches: Of held-out pictures.
        held_scenes: Of held-out scenes.
    """

    pictures: int
    side: int
    scenes: int
    shards: int
    glances: int
    held_batches: int
    held_scenes: int

    @classmethod
    def on(cls, device: str) -> "Sizes":
        """What a device is good for."""
        taught = importlib.util.find_spec("efficientnet_lite_pytorch") is not None
        if device == "cuda":
            return cls(48, 352, 128, 1000, 64 if taught else 0, 24, 48)
        return cls(4, 192, 4, 1, 0, 2, 2)


@app.command(name="pack")
def pack_data(data: Path, output: Path, /, *, most: float = 50.0) -> None:
    """Make one file of the training data, of at most MOST megabytes."""
    counts = pack(data, output, most)
    print(json.dumps({"file": str(output), "megabytes": round(output.stat().st_size / 1e6, 1), **counts}))


@app.command
def train(
    bundle: Path,
    output: Path,
    /,
    *,
    minutes: float = 25.0,
    device: str | None = None,
    work: Path | None = None,
) -> None:
    """Train both and bring back what is needed.

    Args:
        bundle: What ``pack`` wrote.
        output: Gets the files.
        minutes: For all of it.
        device: cuda or cpu; by default a GPU where there is one.
        work: Folder of the data and the checkpoints, kept; by default one that is removed.
    """
    start = time.monotonic()
    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        unpack(bundle, folder)
        session = _Session(folder, output, chosen, Sizes.on(chosen), start + minutes * 60)
        told = session.run(minutes * 60 * (1 - RESERVE) - (time.monotonic() - start))
        told = {"device": chosen, "minutes": minutes, **told}
        _report(output, told)  # whatever becomes of the measuring, the weights are there
        if time.monotonic() < session.until:
            told |= session.measured()
    told["minutes_taken"] = round((time.monotonic() - start) / 60, 2)
    _report(output, told)
    print(json.dumps(told))


def _report(output: Path, told: dict[str, object]) -> None:
    (output / "report.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class _Session:
    """One training of both.

    Attributes:
        folder: Of the data and the checkpoints.
        output: Gets the files.
        device: Where to compute.
        sizes: How much at once.
        until: When all must be done, by the monotonic clock.
    """

    folder: Path
    output: Path
    device: str
    sizes: Sizes
    until: float

    def run(self, seconds: float) -> dict[str, object]:
        """Train for so many seconds, export, pack up; returns the report."""
        encoding = self._start(self._tabletop(0.0))  # latents are made beside the cut-out network's training
        cutout = seconds * CUTOUT_SHARE
        codes = {"cutout": self._finish(self._start(self._cutout(cutout)), cutout + GRACE)}
        codes["latents"] = self._finish(encoding, max(10.0, seconds - cutout))
        left = self.until - time.monotonic() - RESERVE * seconds
        codes["tabletop"] = self._finish(self._start(self._tabletop(left)), left + GRACE)
        return {"exit_codes": codes, "steps": self._steps(), **self._exported()}

    def _steps(self) -> dict[str, int]:
        """How far each came."""
        held = {name: self.folder / f"{name}-run" / "checkpoint.pt" for name in ("cutout", "tabletop")}
        return {
            name: torch.load(file, map_location="cpu", mmap=True)["step"] if file.exists() else 0
            for name, file in held.items()
        }

    def _cutout(self, seconds: float) -> list[str]:
        sizes, workers = self.sizes, max(0, (os.cpu_count() or 1) - 2) if self.device == "cuda" else 0
        return [
            *("examples.cutout.train", "--data", str(self.folder / "train"), "--device", self.device),
            *("--output", str(self.folder / "cutout-run"), "--init", str(ASSETS / "cutout"), "--total", "0"),
            *(
                "--minutes",
                f"{seconds / 60:.3f}",
                "--pictures",
                str(sizes.pictures),
                "--side",
                str(sizes.side),
            ),
            *("--workers", str(workers), "--rate", "5e-4"),
        ]

    def _tabletop(self, seconds: float) -> list[str]:
        shards = sorted((self.folder / "train" / "scenes").iterdir())[: self.sizes.shards]
        return [
            *("examples.tabletop.train_diffusion", "--output", str(self.folder / "tabletop-run")),
            *(part for shard in shards for part in ("--scenes", str(shard))),
            *("--vae", str(ASSETS / "tabletop" / "vae"), "--init", str(ASSETS / "tabletop")),
            *(
                "--size",
                "256",
                "--minutes",
                f"{max(0.0, seconds) / 60:.3f}",
                "--batch",
                str(self.sizes.scenes),
            ),
            *("--glances", str(self.sizes.glances), "--windows", "0.4", "--favour", "3", "--rate", "3e-4"),
            *("--device", self.device, "--threads", "1"),
        ]

    def _start(self, module: list[str]) -> subprocess.Popen[bytes]:
        with (self.output / "log.txt").open("ab") as log:
            log.write(f"\n{' '.join(module)}\n".encode())
            log.flush()
            return subprocess.Popen([sys.executable, "-m", *module], stdout=log, stderr=subprocess.STDOUT)

    def _finish(self, process: subprocess.Popen[bytes], seconds: float) -> int:
        """Wait, ask to stop, and at last stop a training; returns its exit code."""
        for wait, sign in ((seconds, signal.SIGTERM), (GRACE / 3, signal.SIGKILL)):
            try:
                return process.wait(max(1.0, wait))
            except subprocess.TimeoutExpired:
                process.send_signal(sign)
        return process.wait()

    def _exported(self) -> dict[str, object]:
        """Write what ships of either training, as far as it came to a checkpoint."""
        from examples.cutout.evaluate import load
        from examples.tabletop.export import export

        files: list[Path] = []
        for name in ("cutout", "tabletop"):
            run, made = self.folder / f"{name}-run", self.folder / name
            if (run / "checkpoint.pt").exists():
                if name == "cutout":
                    load(run / "checkpoint.pt").save(made)
                else:
                    export(run, ASSETS / "tabletop" / "vae", made)
                files += tar_in_parts(made, self.output / f"{name}.tar")
        return {"files": {file.name: file.stat().st_size for file in files}, "join": "cat NAME.tar.* | tar x"}

    def measured(self) -> dict[str, object]:
        """Measure what was held out, before and after."""
        from examples.cutout.evaluate import load
        from examples.gpu.held_out import cutout_figures, tabletop_figures
        from realedit.cutout.cutout import CutOut

        found: dict[str, object] = {}
        run = self.folder / "cutout-run" / "checkpoint.pt"
        if run.exists():
            networks = {"before": CutOut.load().network, "after": load(run).network}
            found["cutout"] = cutout_figures(
                networks, self.folder / "held", batches=self.sizes.held_batches, device=self.device
            )
        if (self.folder / "tabletop").is_dir():
            models = {"before": ASSETS / "tabletop", "after": self.folder / "tabletop"}
            found["tabletop"] = tabletop_figures(models, self.folder / "held", self.sizes.held_scenes)
            log = self.folder / "tabletop-run" / "log.jsonl"
            found["tabletop_log"] = log.read_text().splitlines()[-1:] if log.exists() else []
        return found


if __name__ == "__main__":
    app()
