"""Make some hundred runs of every kind, and keep a digest of whatever each of them makes.

    python scripts/same_edits.py OUT.json [--cases FOLDER] [--only NAME ...] [--against BASELINE.json]

Run it before a change that is to change nothing, and again after it with ``--against``: it fails where the
bytes of a picture or an exit code are others. What is said (messages, JSON, figures) is compared too, and
where it differs that is shown, but it is no failure: messages may be reworded on purpose.

It uses what users use: the names of :mod:`realedit`, :func:`realedit.cli.main` and :mod:`guidance`'s edits.
Each run has an empty folder and an empty cache of its own, so that ``--only`` (names or patterns of them)
gives the same digests as the whole. The same bytes want the same machine, versions and threads: it sets one
thread and no GPU, and says where the baseline was made with something else.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import difflib
import hashlib
import io
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageDraw

import realedit
from guidance.edits import move as move_terms
from realedit import (
    EditResult,
    GuidanceWarning,
    Like,
    Move,
    Paste,
    RealEditError,
    RealEditPipeline,
    Remove,
    Reshape,
    Resize,
    Restyle,
    Retouch,
    Rotate,
    SelfGuidanceStableDiffusionXLPipeline,
    Settings,
    Swap,
    load_photo,
)
from realedit.cli import main as command

ROOT = Path(__file__).resolve().parent.parent
TREE = Path(realedit.__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
STABLE = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
UNWANTED = ("REALEDIT_MODEL", "REALEDIT_CACHE_GIB")
PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".gif", ".bmp"}
TEXTS = {".json", ".jsonl", ".html"}
TIMED = ("*.report.png", "out/*.png", "out/index.html")
"""Files with seconds drawn or written in them: a report's panel, the bench's plots and page."""
VOLATILE = {"seconds", "timings", "times", "last_used", "peak_memory", "made"}
LINES_SHOWN = 14
CASES = 4
IN = "../inputs/"
SMALL, MUG, OTHER = f"{IN}small.png", f"{IN}mug.jpg", f"{IN}other.jpg"
MUG_BOX = "0.23,0.42,0.42,0.72"
QUICK = ("--steps", "6")
COMMANDS = ("locate", "invert", "batch", "models", "bench", "cache")
METHODS = ("direct", "null_text", "negative_prompt", "ddim", "fixed_point", "ddpm", "noised")


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass
class Record:
    """What came of a case.

    Attributes:
        kind: what the case is of.
        codes: exit codes of its steps, in their order.
        photos: digests by the picture's or array's name.
        words: what was said, by where.
        seconds: that it took.
    """

    kind: str
    codes: list[int] = field(default_factory=list)
    photos: dict[str, dict[str, str]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def array(self, name: str, values: np.ndarray | Image.Image) -> None:
        """Keep the digest of an array's pixels, or a Pillow picture's."""
        found = np.ascontiguousarray(values)
        shape = f"{found.dtype} {'x'.join(map(str, found.shape))}"
        self.photos[name] = {"shape": shape, "pixels": digest(found.tobytes())}

    def say(self, name: str, value: object) -> None:
        """Keep something that JSON can say."""
        self.words[name] = normal(json.dumps(value, default=str))

    def picture(self, name: str, data: bytes) -> None:
        """Keep the digests of a picture's file and of its pixels."""
        with Image.open(io.BytesIO(data)) as image:
            pixels = f"{image.mode} {image.size}".encode() + image.tobytes()
        self.photos[name] = {"bytes": digest(data), "pixels": digest(pixels)}


Step = tuple[str, ...] | Callable[[Record], None]


@dataclass(frozen=True)
class Case:
    """Something to run.

    Args:
        name: by which ``--only`` chooses it.
        kind: what it is of.
        steps: command lines, and calls; done in their order in one folder.
    """

    name: str
    kind: str
    steps: tuple[Step, ...]


def normal(text: str) -> str:
    """A text without what differs from run to run: seconds, folders, the order of JSON's keys."""
    for folder, name in ((str(Path.cwd().parent), "<work>"), (str(TREE), "<tree>"), (str(ROOT), "<tree>")):
        text = text.replace(folder, name)
    try:
        return json.dumps(steady(json.loads(text)), indent=1, sort_keys=True)
    except ValueError:
        pass
    try:
        lines = [json.dumps(steady(json.loads(line)), sort_keys=True) for line in text.splitlines()]
        return "\n".join(lines)
    except ValueError:
        text = re.sub(r"[^\r\n]*%\|[^\r\n]*[\r\n]*", "", text)  # bars of progress
        text = re.sub(r"(?m)^  time .*", lambda line: re.sub(r"\d+\.\d+", "#", line[0]), text)
        return re.sub(r"\b\d+(\.\d+)? s\b", "# s", text)


def steady(value: object) -> object:
    """A JSON value without what tells time or memory."""
    match value:
        case dict():
            # a batch's keys are of its photos' folders and times of change
            left_out = VOLATILE | ({"key"} if {"files", "output"} & set(value) else set())
            kept = [key for key in value if key not in left_out and ".report." not in str(key)]
            return {key: steady(value[key]) for key in kept}
        case list():
            return [steady(item) for item in value if not _of_time(item)]
    return value


def _of_time(item: object) -> bool:
    return isinstance(item, dict) and bool(re.search("second|memory", str(item.get("figure", ""))))


def collect(folder: Path, record: Record) -> None:
    """Keep the digests of the files that a case left."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        # the bench's names end in a digest of its settings
        name = re.sub(r"-[0-9a-f]{8}(?=[-.])", "", str(file.relative_to(folder)))
        if any(Path(name).match(pattern) for pattern in TIMED):
            record.words[name] = "made"
        elif file.suffix in PICTURES:
            record.picture(name, file.read_bytes())
        elif file.suffix in TEXTS:
            text = file.read_text(encoding="utf-8")
            record.words[name] = normal(_without_pictures(text, name, record))
        else:
            record.words[name] = "made"


def _without_pictures(text: str, name: str, record: Record) -> str:
    """A page without the pictures inside it, whose digests are kept."""
    found = re.findall(r"data:image/\w+;base64,([A-Za-z0-9+/=]+)", text)
    for number, data in enumerate(found):
        record.picture(f"{name} picture {number}", base64.b64decode(data))
        text = text.replace(data, str(number))
    return text


def run(case: Case, work: Path) -> Record:
    """Do a case in a folder and a cache of its own."""
    folder = work / case.name
    folder.mkdir()
    os.chdir(folder)
    os.environ["REALEDIT_CACHE"] = str(work / "caches" / case.name)
    record, began = Record(case.kind), time.perf_counter()
    for number, step in enumerate(case.steps, 1):
        _do(step, number, record)
    collect(folder, record)
    record.seconds = round(time.perf_counter() - began, 1)
    os.chdir(work)
    shutil.rmtree(work / "caches", ignore_errors=True)
    return record


def _do(step: Step, number: int, record: Record) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = (step(record) or 0) if callable(step) else command(step)
        except Exception as error:
            code = -1
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    record.codes.append(code)
    for name, stream in (("stdout", out), ("stderr", err)):
        if stream.getvalue():
            record.words[f"{number} {name}"] = normal(stream.getvalue())


def make_inputs(folder: Path, cases: Path | None) -> None:
    """Make the photos, masks and files that the cases read."""
    folder.mkdir()
    for name, source in (("examples", EXAMPLES / "cases"), ("cases", cases)):
        if source is not None:
            _first_cases(source, folder / name)
    for name in ("mug", "bowl", "bottle"):
        shutil.copy(EXAMPLES / "photos" / f"{name}.jpg", folder)
    small = Image.open(folder / "mug.jpg").resize((480, 320), Image.Resampling.LANCZOS)
    small.save(folder / "small.png")
    other = Image.open(folder / "bowl.jpg").resize((320, 400), Image.Resampling.LANCZOS)
    other.save(folder / "other.jpg", quality=95)
    _formats(small, folder)
    for name, box in (("mask", (115, 136, 198, 226)), ("shape", (105, 150, 208, 228))):
        drawn = Image.new("L", small.size)
        ImageDraw.Draw(drawn).ellipse(box, fill=255)
        drawn.save(folder / f"{name}.png")
    Image.new("L", (32, 32), 255).save(folder / "tiny.png")
    listed = [{"move": "mug", "dx": 0.1, "dy": 0.02}, {"resize": "mug", "scale": 0.9}, {"remove": "bowl"}]
    (folder / "edits.json").write_text(json.dumps(listed))
    besides = {"edits": listed[:1], "seed": 5, "steps": 7, "settings": {"pin": 0.5}, "prompt": "a red mug"}
    (folder / "besides.json").write_text(json.dumps(besides))
    (folder / "wrong.json").write_text(json.dumps([{"move": "mug", "scale": 2}]))
    (folder / "broken.jpg").write_text("no picture")


def _first_cases(source: Path, to: Path) -> None:
    """Copy the first cases of a data set: no path of this machine is to be in what the runs say."""
    to.mkdir()
    lines = (source / "cases.jsonl").read_text(encoding="utf-8").splitlines()[:CASES]
    (to / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for line in lines:
        for file in source.glob(f"{json.loads(line)['id']}_*"):
            shutil.copy(file, to)


def _formats(small: Image.Image, folder: Path) -> None:
    """Write a photo as files of every kind."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    turned = small.transpose(Image.Transpose.ROTATE_90)
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((7, 230, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # when it was made
    turned.save(folder / "turned.jpg", quality=90, exif=exif, icc_profile=bytes(profile))
    small.convert("CMYK").save(folder / "cmyk.jpg", quality=92)
    small.convert("L").save(folder / "grey.png")
    small.quantize(128, Image.Quantize.MEDIANCUT).save(folder / "palette.png")
    small.save(folder / "photo.tif", compression="tiff_lzw")
    small.save(folder / "photo.webp", lossless=True)
    small.save(folder / "photo.bmp")
    faded = small.convert("RGBA")
    faded.putalpha(Image.linear_gradient("L").resize(small.size))
    faded.save(folder / "rgba.png")
    fine = np.arange(480, dtype=np.uint16)[:, None] % 256
    deep = np.asarray(small)[..., ::-1].astype(np.uint16) * 256 + fine
    cv2.imwrite(str(folder / "deep.png"), deep)
    cv2.imwrite(str(folder / "deep.tif"), deep)


def edit(photo: str, *arguments: str, to: str = "edited.png", quick: bool = True) -> tuple[str, ...]:
    """The command line of an edit that prints JSON."""
    return (photo, *arguments, *(QUICK if quick else ()), "--json", "-o", to)


def by_defaults() -> list[Case]:
    """Edits of whole photos as users make them."""
    bowl = f"{IN}bowl.jpg"
    asked = {
        "move": (MUG, "--move", "mug", "--dx", "0.2"),
        "remove": (MUG, "--remove", "mug"),
        "resize": (bowl, "--resize", "bowl", "--scale", "1.3"),
        "restyle": (MUG, "--restyle", "mug", "--as", "a blue mug"),
        "paste": (MUG, "--paste", "bowl", "--from", bowl, "--x", "0.6", "--y", "0.75"),
        "swap": (MUG, "--swap", "mug", "--with", "bowl"),
        "move-bottle": (f"{IN}bottle.jpg", "--move", "bottle", "--dx", "-0.2"),
    }
    return [
        Case(f"default-{name}", name.split("-")[0], (edit(*flags, to="edited.jpg", quick=False),))
        for name, flags in asked.items()
    ]


KINDS: dict[str, tuple[str, ...]] = {
    "move": ("--move", "mug", "--dx", "0.1", "--dy", "0.05"),
    "resize": ("--resize", "bowl", "--scale", "0.7"),
    "rotate": ("--rotate", "mug", "--angle", "25"),
    "copy": ("--copy", "mug", "--dx", "0.2", "--dy", "0.05", "--scale", "0.9"),
    "perspective": ("--move", "mug", "--dy", "0.1", "--perspective", "0.1"),
    "resize-centre": ("--resize", "bowl", "--scale", "0.7", "--anchor", "centre"),
    "flip": ("--flip", "mug"),
    "flip-vertical": ("--flip", "bowl", "--direction", "vertical"),
    "reshape": ("--reshape", "mug", "--shape", f"{IN}shape.png"),
    "remove": ("--remove", "bowl"),
    "swap": ("--swap", "mug", "--with", "bowl"),
    "paste": ("--paste", "bowl", "--from", OTHER, "--x", "0.6", "--y", "0.8", "--scale", "0.6"),
    "restyle": ("--restyle", "mug", "--as", "a blue mug"),
    "like-other": ("--restyle", "mug", "--like", OTHER, "--object", "bowl"),
    "like-same": ("--restyle", "mug", "--object", "bowl"),
    "replace": ("--replace", "mug", "--with", "a green bottle"),
    "background": ("--background", "a marble table", "--keep", "mug"),
    "retouch": ("--retouch", "an apple", "--box", "0.5,0.6,0.7,0.9"),
    "swap_looks": ("--swap-looks", "mug", "--with", "bowl"),
    "look_of": ("--look-of", OTHER),
}

SHOWN: dict[str, tuple[str, ...]] = {
    "qualified": ("--move", "left mug", "--dx", "0.1"),
    "prompt": ("--move", "mug", "--dx", "0.1", "--prompt", "a red mug and a bowl on a wooden table"),
    "mask": ("--move", "mug", "--dx", "0.1", "--mask", f"{IN}mask.png"),
    "mask-alone": ("--mask", f"{IN}mask.png", "--dx", "-0.1"),
    "box": ("--move", "mug", "--dx", "0.1", "--box", MUG_BOX),
    "point": ("--move", "mug", "--dx", "0.1", "--point", "0.31,0.55"),
    "point-alone": ("--point", "0.82,0.5", "--dx", "-0.2", "--dy", "0.1"),
    "box-resize": ("--resize", "mug", "--scale", "1.2", "--box", MUG_BOX),
    "mask-remove": ("--remove", "mug", "--mask", f"{IN}mask.png"),
    "mask-restyle": ("--restyle", "mug", "--as", "a green mug", "--mask", f"{IN}mask.png"),
    "mask-replace": ("--replace", "mug", "--with", "a can", "--mask", f"{IN}mask.png"),
}

HOW: dict[str, tuple[str, ...]] = {
    "several": ("--rotate", "mug", "--angle", "15", "--remove", "bowl", "--resize", "mug", "--scale", "0.8"),
    "edits-file": ("--edits", f"{IN}edits.json"),
    "edits-besides": ("--edits", f"{IN}besides.json"),
    "reflection": ("--move", "mug", "--dx", "0.15", "--reflection"),
    "strength-0": ("--move", "mug", "--dx", "0.1", "--strength", "0"),
    "strength-0.7": ("--move", "mug", "--dx", "0.1", "--strength", "0.7", "--seed", "7"),
    "crop": ("--move", "mug", "--dx", "-0.33", "--allow-crop"),
    "working-size": ("--move", "mug", "--dx", "0.1", "--working-size", "192"),
    "no-cache": ("--move", "mug", "--dx", "0.1", "--no-cache"),
    "report": ("--move", "mug", "--dx", "0.1", "--report"),
    "dry-run": ("--move", "mug", "--dx", "0.1", "--remove", "bowl", "--dry-run", "--report"),
}


def of_edits() -> list[Case]:
    """Edits in few steps of a small photo: every kind, shown in each way, made in each way."""
    kinds = [Case(name, name.split("-")[0], (edit(SMALL, *flags),)) for name, flags in KINDS.items()]
    shown = [Case(f"by-{name}", "shown", (edit(SMALL, *flags),)) for name, flags in SHOWN.items()]
    how = [Case(name, "how", (edit(SMALL, *flags),)) for name, flags in HOW.items()]
    inversions = [
        Case(f"inversion-{name}", "inversion", (edit(SMALL, *KINDS["move"], "--inversion", name),))
        for name in METHODS
    ]
    recipe = (edit(SMALL, *SHOWN["box"], "--seed", "3"),)
    again = edit(SMALL, "--edits", "edited.png.realedit.json", to="again.png")
    other = edit(SMALL, "--edits", "edited.png.realedit.json", "--seed", "4", to="other.png", quick=False)
    return [*kinds, *shown, *how, *inversions, Case("recipe", "how", (*recipe, again, other))]


def of_formats() -> list[Case]:
    """The same move of a photo in files of every kind."""
    files = {
        "turned.jpg": "edited.jpg",
        "cmyk.jpg": "edited.jpg",
        "grey.png": "edited.png",
        "palette.png": "edited.png",
        "photo.tif": "edited.tif",
        "photo.webp": "edited.webp",
        "photo.bmp": "edited.bmp",
        "rgba.png": "edited.png",
        "deep.png": "edited.png",
        "deep.tif": "edited.tif",
        "small.png": "edited.jpg",
    }
    return [
        Case(f"format-{name}", "format", (edit(f"{IN}{name}", *SHOWN["box"], "--strength", "0.2", to=to),))
        for name, to in files.items()
    ]


def of_commands() -> list[Case]:
    """What the other commands print and write."""
    move = ("--move", "mug", "--dx", "0.1", *QUICK)
    batch = ("batch", SMALL, OTHER, "--output", "done", "--move", "biggest bowl", "--dx", "0.05", *QUICK)
    commands: dict[str, tuple[Step, ...]] = {
        "said": (
            _copies("small.png"),
            ("small.png", *move),
            ("small.png", *move),
            ("small.png", *move, "--force", "-q"),
            ("small.png", *move, "--dry-run", "-o", "other.png"),
            ("small.png", *move, "-o", "small.png", "--force"),
        ),
        "locate": (
            ("locate", SMALL, "mug", "--json", "-o", "mug.png"),
            ("locate", SMALL, "right bowl", "-o", "bowl.png"),
            ("locate", SMALL, "--point", "0.82,0.5", "--json", "-o", "point.png"),
            ("locate", SMALL, "--box", MUG_BOX, "-o", "box.png", "-q"),
        ),
        "invert": (
            ("invert", SMALL, "mug", *QUICK, "--json"),
            ("invert", SMALL, "mug", *QUICK),
            ("invert", SMALL, "--prompt", "a red mug", "--inversion", "ddim", *QUICK, "--json"),
            ("cache", "list", "--json"),
            ("cache", "prune", "--json"),
            ("cache", "path"),
            ("cache", "clear"),
            ("cache", "list", "--json"),
        ),
        "batch": ((*batch, "--json"), batch, (*batch, "--force", "--report", "-q")),
        "batch-some": (("batch", SMALL, f"{IN}broken.jpg", "-o", "done", *move, "--json"),),
        "schema": (("schema",),),
        "models": (("models", "--json"), ("models",), ("--version",)),
        "help": (("--help",), *((name, "--help") for name in COMMANDS)),
    }
    return [Case(name, "command", steps) for name, steps in commands.items()]


def _copies(name: str) -> Callable[[Record], None]:
    def copy(_: Record) -> None:
        shutil.copy(IN + name, name)

    return copy


def of_refusals() -> list[Case]:
    """What is refused, and how it is said."""
    move = ("--move", "mug", "--dx", "0.1", *QUICK)
    refused: dict[str, tuple[str, ...]] = {
        "not-found": (SMALL, "--move", "spoon", "--dx", "0.1", *QUICK),
        "ambiguous-order": (SMALL, "--remove", "mug", "--move", "mug", "--dx", "0.1", *QUICK),
        "out-of-frame": (SMALL, "--move", "mug", "--dx", "-0.6", *QUICK),
        "no-edit": (SMALL,),
        "no-amount": (SMALL, "--resize", "mug"),
        "range": (SMALL, "--resize", "mug", "--scale", "20"),
        "number": (SMALL, "--move", "mug", "--dx", "far"),
        "two-ways": (SMALL, *move, "--box", MUG_BOX, "--point", "0.3,0.5"),
        "option": (SMALL, *move, "--colour", "red"),
        "command": ("localise", SMALL, "mug"),
        "no-photo": (f"{IN}absent.jpg", *move),
        "broken-photo": (f"{IN}broken.jpg", *move),
        "mask-size": (SMALL, *move, "--mask", f"{IN}tiny.png"),
        "output-is-photo": (SMALL, *move, "-o", SMALL),
        "output-kind": (SMALL, *move, "-o", "edited.docx"),
        "model": (SMALL, *move, "--model", "./absent"),
        "edits-wrong": (SMALL, "--edits", f"{IN}wrong.json"),
        "edits-both": (SMALL, *move, "--edits", f"{IN}edits.json"),
        "edits-not-json": (SMALL, "--edits", f"{IN}broken.jpg"),
        "paste-absent": (SMALL, "--paste", "bowl", "--from", f"{IN}absent.jpg", *QUICK),
        "swap-itself": (SMALL, "--swap", "mug", "--with", "mug"),
        "locate-nothing": ("locate", SMALL),
        "batch-nowhere": ("batch", SMALL, *move),
        "bench-nothing": ("bench", IN, "-o", "out"),
    }
    return [Case(f"refused-{name}", "refused", (arguments,)) for name, arguments in refused.items()]


def keep(record: Record, name: str, result: EditResult) -> None:
    """Keep all that an edit returns."""
    result.save(f"{name}.png")
    record.array(f"{name} image", result.image)
    record.array(f"{name} mask_before", result.mask_before)
    record.array(f"{name} mask_after", result.mask_after)
    record.array(f"{name} region", result.region)
    record.array(f"{name} reconstruction", result.reconstruction)
    if result.before_composite is not None:
        record.array(f"{name} before_composite", result.before_composite)
    told = {"metrics": result.metrics, "recipe": result.recipe, "warnings": result.warnings}
    record.say(f"{name} told", {**told, "seed": result.seed, "changes": len(result.changes)})


def api_many(record: Record) -> None:
    """Invert once, edit many."""
    pipe = RealEditPipeline.from_pretrained(device="cpu", cache=False)
    inverted = pipe.invert(SMALL, "a photo of a red mug and a bowl on a wooden table", steps=6)
    record.array("reconstruct", pipe.reconstruct(inverted))
    found = pipe.locate(inverted, "mug")
    record.array("located", found.mask)
    record.say("located", {"box": found.box, "centroid": found.centroid, "score": found.score})
    asked = {
        "two": [Move("mug", dx=0.1), Resize("mug", 1.1)],
        "three": [Rotate("mug", 10), Remove("bowl"), Restyle("mug", "a blue mug")],
        "swap": Swap("mug", "bowl"),
        "like": Like("mug", OTHER, "bowl"),
        "paste": Paste("bowl", np.asarray(Image.open(OTHER)), 0.6, 0.8, 0.6),
    }
    for name, edits in asked.items():
        keep(record, name, pipe.edit(inverted, edits, seed=2))
    pipe.edit(inverted, Move("mug", dy=0.1)).show_report("page.html")
    Path("page.png").unlink()  # seconds are drawn in it


def api_shown(record: Record) -> None:
    """Arrays and Pillow pictures in place of files, every knob, and errors."""
    pipe = RealEditPipeline.from_pretrained(cache="cache", working_size=192)
    photo = load_photo(SMALL)
    record.array("photo", photo.rgb)
    mask = np.asarray(Image.open(f"{IN}mask.png"))
    shape = np.asarray(Image.open(f"{IN}shape.png"))
    keep(record, "array", pipe.edit(photo.rgb, Move(None, 0.1), mask=mask, steps=5))
    keep(record, "pillow", pipe.edit(Image.open(SMALL), Reshape(None, shape), mask=mask, steps=5))
    keep(record, "box", pipe.edit(photo, Retouch("an apple"), box=(0.5, 0.6, 0.7, 0.9), steps=5))
    base: dict[str, Any] = {"strength": 0.5, "self_guidance": 1.0}
    for name in ("automatic", "attention", "leak_proof", "hold", "pixels", "fill", "shadow"):
        off: dict[str, Any] = {name: False}
        knobs = Settings(**base, **off)
        keep(record, f"no {name}", pipe.edit(photo, Move("mug", 0.1), settings=knobs, steps=5))
    shutil.rmtree("cache")
    for make in (lambda: Move("mug", dx=2), lambda: Settings(pin=2), lambda: pipe.invert(SMALL, method="no")):
        try:
            make()
        except RealEditError as error:
            print(error.exit_code, error)


def generate(record: Record) -> None:
    """A sampling, and one under terms."""
    listed = io.StringIO()
    with contextlib.redirect_stdout(listed):
        command(["models", "--json"])
    folder = next(one["location"] for one in json.loads(listed.getvalue())["models"] if one["default"])
    import torch

    pipe = SelfGuidanceStableDiffusionXLPipeline.from_pretrained(folder, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    text = "a photo of a red mug and a blue book on a wood table"
    how: dict[str, Any] = {"num_inference_steps": 8, "guidance_scale": 5.0, "output_type": "np"}
    first, seen = pipe.observe(text, generator=torch.Generator().manual_seed(3), **how)
    record.array("observed", first.images)
    terms = move_terms(pipe.tokens(text, "mug"), dx=0.2, others=[pipe.tokens(text, "book")])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        noise = torch.Generator().manual_seed(3)
        second = pipe(text, generator=noise, terms=terms, reference=seen, **how)
    record.array("moved", second.images)
    told = sum(issubclass(one.category, GuidanceWarning) for one in warned)
    record.say("trace", {"targets": [str(t) for t in pipe.trace.targets.values()], "warnings": told})


def of_python() -> list[Case]:
    """Calls of the Python API."""
    calls = {"api-many": api_many, "api-shown": api_shown, "api-generate": generate}
    return [Case(name, "python", (call,)) for name, call in calls.items()]


def of_cases(folder: Path | None) -> list[Case]:
    """Edits of cases whose truth is known, and the bench on one of them."""
    made = [_bench("bench", f"{IN}examples")]
    if folder is None:
        return made
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    for case in map(json.loads, lines[:CASES]):
        photo, mask = (f"{IN}cases/{case['id']}_{kind}.png" for kind in ("photo", "mask"))
        flags = (photo, "--move", case["object"], f"--dx={case['dx']}", "--prompt", case["prompt"])
        steps = edit(*flags), edit(*flags, "--mask", mask, to="shown.png")
        made.append(Case(f"case-{case['id']}", "case", steps))
    return [*made, _bench("bench-cases", f"{IN}cases")]


def _bench(name: str, folder: str) -> Case:
    methods = ("--method", "realedit", "--method", "classical")
    flags = ("--limit", "1", *methods, *QUICK, "--output", "out", "--json", "-q")
    return Case(name, "bench", (("bench", folder, *flags),))


def all_cases(folder: Path | None) -> list[Case]:
    """Every case, what is quickly told first."""
    made = [*of_refusals(), *of_commands(), *of_edits(), *of_formats(), *of_python()]
    return [*made, *of_cases(folder), *by_defaults()]


def surroundings() -> dict[str, str]:
    """What the bytes depend on besides the code."""
    packages = ("torch", "diffusers", "transformers", "numpy", "scipy", "pillow", "scikit-image")
    versions = {name: metadata.version(name) for name in packages}
    return {"python": platform.python_version(), "machine": _processor(), **versions}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    return names[0] if names else platform.machine()


def compare(before: dict[str, Any], after: dict[str, Any], *, whole: bool) -> bool:
    """Print what differs, and return whether all pictures and exit codes are the same."""
    for name, value in before["made with"].items():
        if after["made with"].get(name) != value:
            print(f"note: {name} was {value}, is {after['made with'].get(name)}: bytes may differ by that")
    old, new = before["cases"], after["cases"]
    broken = [row for name in new if name in old for row in _broken(name, old[name], new[name])]
    if whole:
        broken += [f"{name:24} was not run" for name in old if name not in new]
    print(*(f"new case, not compared: {name}" for name in new if name not in old), sep="\n", end="")
    changed = [name for name in new if name in old and new[name]["words"] != old[name]["words"]]
    print(f"\nWords changed in {len(changed)} cases{':' if changed else ''}")
    for name in changed:
        _tell_words(name, old[name]["words"], new[name]["words"])
    print(f"\nPictures and exit codes that differ: {len(broken)}")
    print(*broken, sep="\n")
    return not broken


def _broken(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterable[str]:
    """Rows that tell which pictures and exit codes of a case are others."""
    if old["codes"] != new["codes"]:
        yield f"{name:24} exit codes {old['codes']} -> {new['codes']}"
    for photo in sorted({*old["photos"], *new["photos"]}):
        was, now = (one["photos"].get(photo) for one in (old, new))
        if was is None or now is None:
            yield f"{name:24} {photo} {'is new' if was is None else 'is missing'}"
        elif was != now:
            yield f"{name:24} {photo} {' and '.join(key for key in was if was[key] != now.get(key))} differ"


def _tell_words(name: str, old: dict[str, str], new: dict[str, str]) -> None:
    for where in sorted({*old, *new}):
        was, now = (words.get(where, "").splitlines() for words in (old, new))
        lines = list(difflib.unified_diff(was, now, lineterm="", n=0))[2:]
        shown = [line for line in lines if not line.startswith("@@")]
        if shown:
            print(f"  {name}: {where}", *(f"    {line:.160}" for line in shown[:LINES_SHOWN]), sep="\n")
            if len(shown) > LINES_SHOWN:
                print(f"    ... {len(shown) - LINES_SHOWN} lines more")


def settle() -> None:
    """Start this process anew where its surroundings are not those that give the same bytes."""
    if any(os.environ.get(name) != value for name, value in STABLE.items()):
        os.environ.update(STABLE)
        os.execv(sys.executable, sys.orig_argv)
    for name in UNWANTED:
        os.environ.pop(name, None)


def make(cases: Sequence[Case], data: Path | None, to: Path) -> dict[str, Any]:
    """Run cases, those of a data set among them, tell of each, and write what came of them."""
    done: dict[str, Any] = {"made with": surroundings(), "cases": {}}
    with tempfile.TemporaryDirectory(prefix="same-edits-") as name:
        work = Path(name).resolve()
        make_inputs(work / "inputs", data)
        for number, case in enumerate(cases, 1):
            record = run(case, work)
            done["cases"][case.name] = asdict(record)
            codes = " ".join(map(str, record.codes))
            told = f"exit {codes}, {len(record.photos)} pictures, {record.seconds:.1f} s"
            print(f"[{number}/{len(cases)}] {case.name}: {told}", flush=True)
            to.write_text(json.dumps(done, indent=1))
        os.chdir(ROOT)
    return done


def main() -> int:
    """Parse, run, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--cases", type=Path, help="folder of rendered cases, with cases.jsonl")
    parser.add_argument("--only", action="append", default=[], help="name or pattern; may be repeated")
    parser.add_argument("--against", type=Path, help="what an earlier run wrote")
    given = parser.parse_args()
    settle()
    data = given.cases.resolve() if given.cases else None
    cases = all_cases(data)
    if given.only:
        cases = [case for case in cases if any(fnmatch(case.name, pattern) for pattern in given.only)]
    before = json.loads(given.against.read_text()) if given.against else None
    print(f"{len(cases)} cases of the code in {TREE}", flush=True)
    began = time.perf_counter()
    done = make(cases, data, given.out.resolve())
    print(f"{len(cases)} cases in {time.perf_counter() - began:.0f} s: {given.out}")
    return 0 if before is None or compare(before, done, whole=not given.only) else 1


if __name__ == "__main__":
    sys.exit(main())
