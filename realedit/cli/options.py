"""The options that several commands share: their names, their help, and the values that they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter, Token

from realedit.cli.lengths import Pixels, places
from realedit.errors import UsageError
from realedit.settings import LARGEST_STRENGTH

if TYPE_CHECKING:
    from realedit.photo.photo import Photo

InversionName = Literal["direct", "null_text", "negative_prompt", "ddim", "fixed_point", "ddpm", "noised"]
Precision = Literal["float32", "float16", "bfloat16"]

Place = float | Pixels
Box = tuple[Place, Place, Place, Place]
Point = tuple[Place, Place]
Points = tuple[Point, ...]

EDIT = Group("Edit", sort_key=1)
OBJECT = Group("The object", sort_key=2)
OUTPUT = Group("Output", sort_key=3)
SAMPLING = Group("Sampling", sort_key=4)
MODEL = Group("Model", sort_key=5)


def number(low: float, high: float, *, above_low: bool = False) -> Callable[[Any, Sequence[Token]], float]:
    """Returns a converter to a finite float from `low` (itself excluded with `above_low`) to `high`."""
    bounds = f"above {low:g}, at most {high:g}" if above_low else f"from {low:g} to {high:g}"

    def convert(_type: object, tokens: Sequence[Token]) -> float:
        text = tokens[0].value
        value = _float(text)
        # Written so that NaN fails too.
        if not (low < value <= high if above_low else low <= value <= high):
            raise ValueError(f"expected a number {bounds}, got '{text}'")
        return value

    return convert


def integer(low: int, high: int) -> Callable[[Any, Sequence[Token]], int]:
    """Returns a converter to a whole number from `low` to `high`."""

    def convert(_type: object, tokens: Sequence[Token]) -> int:
        text = tokens[0].value
        digits = text.removeprefix("-")
        # Stricter than int(), which takes "1_0" and other alphabets' digits.
        if not (digits.isascii() and digits.isdigit() and low <= int(text) <= high):
            raise ValueError(f"expected a whole number from {low} to {high}, got '{text}'")
        return int(text)

    return convert


def several_places(names: str) -> Callable[[Any, Sequence[Token]], tuple[tuple[float | Pixels, ...], ...]]:
    """Returns a converter of a flag that may be repeated, each time with what :func:`places` reads."""
    one = places(names)

    def convert(kind: object, tokens: Sequence[Token]) -> tuple[tuple[float | Pixels, ...], ...]:
        return tuple(one(kind, [token]) for token in tokens)

    return convert


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def flag(text: str, *names: str, **others: Any) -> Parameter:
    """Returns the parameter of a switch that is off unless given; `names` replace the field's own name."""
    return Parameter(name=names or None, negative="", show_default=False, help=text, **others)


def switch(on: str, off: str, text: str, **others: Any) -> Parameter:
    """Returns the parameter of a switch with a flag for on and one for off; None where neither is given."""
    return Parameter(name=on, negative=off, show_default=False, help=text, **others)


def value(convert: Callable[..., Any], metavar: str, text: str, **others: Any) -> Parameter:
    """Returns the parameter of a flag with one value, which `convert` reads."""
    return Parameter(
        converter=convert, n_tokens=1, accepts_keys=False, negative="", metavar=metavar, help=text, **others
    )


def _points(text: str) -> Parameter:
    """Returns the parameter of a flag that names points; it may be repeated."""
    return value(several_places("x,y"), "X,Y", text, show_default=False, consume_multiple=False)


Json = Annotated[bool, flag("Print one JSON object instead of text.")]
Debug = Annotated[bool, flag("Show figures behind warnings and errors, and tracebacks.")]
Force = Annotated[bool, flag("Replace files that exist.")]
ServerAddress = Annotated[
    str | None,
    Parameter(
        name="--server",
        metavar="URL",
        group=MODEL,
        help="Let a running 'realedit ui' do it, whose model is loaded already: the address it prints.",
    ),
]
_seed_in_range = integer(0, 2**63 - 1)
Seed = Annotated[int, value(_seed_in_range, "N", "The same seed gives the same picture.")]


@Parameter(name="*", group=OBJECT)
@dataclass(frozen=True)
class ObjectOptions:
    """How the object is found where its name alone is not enough."""

    prompt: Annotated[
        str | None,
        Parameter(metavar="TEXT", help="What the photo shows; the object is added if missing."),
    ] = None
    mask: Annotated[
        Path | None, Parameter(metavar="FILE", help="Picture of the photo's size, white where the object is.")
    ] = None
    box: Annotated[
        Box | None,
        value(
            places("x0,y0,x1,y1"),
            "X0,Y0,X1,Y1",
            "Box around the object: fractions of width and height (0.2), per cent (20%) or pixels (120px; "
            "numbers above 1 are pixels).",
        ),
    ] = None
    point: Annotated[
        Points,
        _points("A point on the object, likewise. May be repeated, and given with --box."),
    ] = ()
    not_point: Annotated[
        Points,
        _points(
            "A point that is not on the object (a negative point); with --point or --box. May be repeated."
        ),
    ] = ()
    refine: Annotated[
        bool | None,
        switch(
            "--refine",
            "--no-refine",
            "Bring the edge of --mask to the photo's edges, or keep it as it is. Default: where it is rough.",
        ),
    ] = None
    min_confidence: Annotated[
        float,
        value(
            number(0, 1),
            "SHARE",
            "Refuse what is found with less confidence, from 0 to 1. Default: 0, nothing is refused.",
            show_default=False,
        ),
    ] = 0.0

    @property
    def given(self) -> str | None:
        """The flag that shows the object, or None where only its name is given.

        Raises:
            UsageError: flags contradict each other, or say nothing alone.
        """
        named = {"--mask": self.mask, "--box": self.box, "--point": self.point, "--not-point": self.not_point}
        flags = [flag for flag, said in named.items() if said]
        if "--mask" in flags and len(flags) > 1:
            raise UsageError(f"{' and '.join(flags)} contradict each other", "give the mask, or the others")
        if flags == ["--not-point"]:
            raise UsageError("--not-point does not show the object", "add --point or --box")
        if self.refine is not None and self.mask is None:
            raise UsageError(
                f"--{'' if self.refine else 'no-'}refine is about a mask", "add --mask FILE, or leave it out"
            )
        return flags[0] if flags else None


@Parameter(name="*", group=MODEL)
@dataclass(frozen=True)
class BackboneOptions:
    """Which model edits, and where it runs."""

    model: Annotated[
        str | None,
        Parameter(
            metavar="NAME",
            help="tabletop, sdxl, a folder, a .safetensors file or a hub id. Default: REALEDIT_MODEL, then "
            "tabletop.",
        ),
    ] = None
    lora: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="FILE[:WEIGHT]",
            negative="",
            show_default=False,
            consume_multiple=False,
            help="A LoRA (.safetensors) that is added to the model, and how much of it. May be repeated.",
        ),
    ] = ()
    vae: Annotated[
        str | None,
        Parameter(
            metavar="NAME",
            help="Another VAE for the model: a folder, a .safetensors file or a hub id, such as "
            "madebyollin/sdxl-vae-fp16-fix.",
        ),
    ] = None
    profile: Annotated[
        str | None,
        Parameter(
            metavar="NAME",
            help="The model's defaults: a file that realedit calibrate wrote, sdxl or general. Default: what "
            "suits it (realedit models NAME).",
        ),
    ] = None
    device: Annotated[
        str | None, Parameter(metavar="NAME", help="cpu, cuda, cuda:1, xpu, mps. Default: the fastest here.")
    ] = None
    offload: Annotated[
        Literal["none", "model", "sequential"] | None,
        Parameter(
            help="Keep networks, or single layers, in the host's memory while they do not work: less of the "
            "card's memory, more time. Default: the fastest that fits."
        ),
    ] = None
    compile: Annotated[
        bool, flag("Compile parts of the model: takes minutes, and makes many edits faster.")
    ] = False
    dtype: Annotated[
        Precision | None, Parameter(help="Precision of the model. Default: float16 on a card, else float32.")
    ] = None
    working_size: Annotated[
        int | None,
        value(
            integer(32, 8192),
            "PIXELS",
            "Size at which the model sees the photo: the area of a square of this side. Default: its own.",
        ),
    ] = None
    offline: Annotated[bool, flag("Never use the network.")] = False


@Parameter(name="*", group=MODEL)
@dataclass(frozen=True)
class ModelOptions(BackboneOptions):
    """The model, the models that help it, and its cache."""

    detector: Annotated[
        str | None,
        Parameter(
            metavar="NAME",
            help="Finds objects instead of the model: OWLv2 or Grounding DINO, a folder or hub id.",
        ),
    ] = None
    segmenter: Annotated[
        str | None,
        Parameter(
            metavar="NAME",
            help="Finds objects too (CLIPSeg), or cuts out what --detector finds (SAM).",
        ),
    ] = None
    captioner: Annotated[
        str | None,
        Parameter(metavar="NAME", help="Says what the photo shows without --prompt: BLIP or Florence-2."),
    ] = None
    cutout: Annotated[
        str | None,
        Parameter(
            metavar="NAME",
            help="Cuts objects out: ours, sam, or a SAM's folder or hub id. Default: REALEDIT_CUTOUT, then "
            "sam where 'realedit fetch sam' has brought it.",
        ),
    ] = None
    inpainter: Annotated[
        Path | None,
        Parameter(
            metavar="NAME",
            help="Fills holes: a file with LaMa's weights, such as big-lama, or an SDXL inpainting model.",
        ),
    ] = None
    no_cache: Annotated[bool, flag("Neither use nor keep inverted photos (realedit cache).")] = False


_METHODS = (
    "How the photo is turned into the model's noise. direct and ddpm give the photo back exactly, "
    "fixed_point nearly, noised not at all. An edit starts from the noise alone; direct and ddim share it."
)
_Steps = Annotated[
    int | None,
    value(integer(2, 1000), "N", "Steps of the model; twice as many take twice as long. Default: 20."),
]


@Parameter(name="*", group=SAMPLING)
@dataclass(frozen=True)
class InversionOptions:
    """How the photo is inverted."""

    inversion: Annotated[InversionName, Parameter(help=_METHODS)] = "direct"
    steps: _Steps = None


@Parameter(name="*", group=SAMPLING)
@dataclass(frozen=True)
class EditSampling:
    """How the photo is inverted and the edited photo sampled; None where a recipe may say it."""

    inversion: Annotated[InversionName | None, Parameter(help=f"{_METHODS} Default: direct.")] = None
    steps: _Steps = None
    seed: Annotated[
        int | None, value(_seed_in_range, "N", "The same seed gives the same picture. Default: 0.")
    ] = None
    strength: Annotated[
        float | None,
        value(
            number(0, LARGEST_STRENGTH),
            "FRACTION",
            f"How much the model redraws after the edit in pixels: 0 nothing, {LARGEST_STRENGTH:g} most. "
            "Default: the model's own.",
        ),
    ] = None
    self_guidance: Annotated[
        float | None,
        value(
            number(0, 100),
            "SHARE",
            "How hard self-guidance may push, as a share of the noise; at 0 it is off and costs nothing. "
            "Default: the model's own.",
        ),
    ] = None
    guidance_scale: Annotated[
        float | None,
        value(
            number(0, 1000),
            "SCALE",
            "How firmly the model follows the prompt (classifier-free guidance); 1 takes half the time. "
            "Default: the model's own.",
        ),
    ] = None
    negative_prompt: Annotated[
        str | None, Parameter(metavar="TEXT", help="What the model is to stay away from.")
    ] = None
    shadow: Annotated[
        bool | None,
        switch(
            "--shadow",
            "--no-shadow",
            "Look for the object's shadow and take it along, or leave it where it is. Default: --shadow.",
            group=EDIT,
        ),
    ] = None
    reflection: Annotated[
        bool, flag("Take along the object's reflection in a polished table.", group=EDIT)
    ] = False


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class FileOptions:
    """How the edited photo is compressed, and what it says of itself."""

    quality: Annotated[
        int | None,
        value(
            integer(1, 100),
            "N",
            "Compress with loss, at this quality of 100. Default: as the photo is; a JPEG keeps its blocks.",
        ),
    ] = None
    lossless: Annotated[bool, flag("Compress without loss: WebP, AVIF, JPEG XL.")] = False
    strip_gps: Annotated[bool, flag("Leave out where the photo was taken: GPS and names of places.")] = False
    strip_metadata: Annotated[
        bool, flag("Leave out all that the photo says of itself but its colour profile and resolution.")
    ] = False

    def stripped(self, photo: Photo) -> Photo:
        """Returns a photo without what is to be left out."""
        if not (self.strip_gps or self.strip_metadata):
            return photo
        from realedit.photo.stripping import without_metadata, without_places

        return without_metadata(photo) if self.strip_metadata else without_places(photo)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class TalkOptions:
    """What is printed."""

    json: Json = False
    quiet: Annotated[bool, flag("Print only the path of the result.", "--quiet", "-q")] = False
    debug: Debug = False
