"""Everything of realedit that reads what others have made, with whole files of each kind to begin from.

No targets are: what ships with the package (words, recogniser, cut-out networks, its own profiles), and LoRAs
and VAEs, whose libraries may raise anything and are caught whole (:mod:`realedit.models.additions`).
"""

from __future__ import annotations

import io
import json
import struct
import tempfile
import urllib.error
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin
from pydantic import ValidationError

from realedit.batch.records import Earlier, PhotoRecord, WriteRecord
from realedit.bench.datasets import counterfactual, pie_bench, pixelman
from realedit.bench.datasets.load import load_dataset
from realedit.bench.records import RECORDS, Record, read_records
from realedit.calibrate.records import Records
from realedit.cli import remote, server
from realedit.edits.manifest import read_manifest
from realedit.edits.recipe import read_file
from realedit.errors import RealEditError
from realedit.models import architecture, configs, folder
from realedit.models.profile import packaged, said_profile
from realedit.photo import composite, load_photo, xmp
from realedit.photo.colour_profile import in_colours_of
from realedit.photo.formats import FORMATS, own_suffix
from realedit.photo.inputs import as_mask
from realedit.photo.jpeg.further_pictures import with_pictures
from realedit.photo.jpeg.gain_map import directory
from realedit.photo.jpeg_xl import with_jpeg
from realedit.photo.provenance import mark_packet, read_recipe
from realedit.photo.save import save_measured
from realedit.photo.stripping import without_metadata, without_places
from realedit.system.outside_json import parse_json
from realedit.ui.requests import CutoutRequest, EditRequest, LocateRequest, OutlineRequest

TABLETOP = Path(__file__).resolve().parents[2] / "realedit" / "assets" / "tabletop"
NETWORKS = ("unet", "vae", "text_encoder", "text_encoder_2")


@dataclass(frozen=True)
class Target:
    """A reader.

    Args:
        name: of what it reads.
        seeds: makes whole files of that kind.
        read: reads a file; what it raises but errors of realedit's own is a fault.
        suffix: of the file.
        share: how often it is tried, beside the others.
        wrap: makes a file of what was damaged: with checksums and lengths that fit it.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[Path], object]
    suffix: str
    share: int = 1
    wrap: Callable[[bytes], bytes] = bytes

    def run(self, file: Path) -> bool:
        """Reads a file; returns whether it was taken, not refused."""
        try:
            self.read(file)
        except RealEditError as error:
            text = str(error)
            if "\n" in text or not text:
                raise AssertionError(f"an error that is no line: {text!r}") from error
            return False
        return True


def noise(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    """The same random numbers each time."""
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def packet() -> bytes:
    """XMP with attributes, elements, nesting and a recipe."""
    recipe = {"edits": [{"move": "mug", "dx": 0.1}], "seed": 3}
    return mark_packet(
        xmp.set_property(b"", xmp.Name("http://ns.adobe.com/tiff/1.0/", "tiff", "Orientation"), "6"), recipe
    )


def exif() -> Image.Exif:
    """EXIF with nested directories, of which one is GPS."""
    found = Image.Exif()
    found[0x010F], found[0x0112], found[0x9C9B] = "Acme", 6, b"t\0\0\0"
    found.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0x927C: b"maker", 0xA002: 24, 0xA003: 20})
    found.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.5)})
    return found


@cache
def metadata() -> dict[str, Any]:
    """All that a photo may say besides its pixels."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": exif().tobytes(), "icc_profile": profile, "xmp": packet(), "dpi": (300, 300)}


def jpegs() -> list[bytes]:
    rgb, grey = Image.fromarray(noise(20, 24, 3)), Image.fromarray(noise(20, 24))
    return [
        saved(rgb, "JPEG", **metadata()),
        saved(rgb, "JPEG", progressive=True, subsampling=0, quality=80),
        saved(rgb, "JPEG", subsampling=2, restart_marker_blocks=1),
        saved(grey, "JPEG", optimize=True),
        saved(rgb.convert("CMYK"), "JPEG"),
        saved(rgb, "MPO", save_all=True, append_images=[rgb]),
        _hdr(rgb),
        _arithmetic(),
    ]


def _arithmetic() -> bytes:
    """A JPEG with arithmetic coding."""
    import jpeglib

    with tempfile.TemporaryDirectory() as place, jpeglib.version("turbo210"):
        written: Any = jpeglib.from_spatial(noise(20, 24, 3))
        written.write_spatial(f"{place}/a.jpg", qt=80, flags=["+ARITH_CODE"])
        return Path(place, "a.jpg").read_bytes()


def _hdr(rgb: Image.Image) -> bytes:
    """A JPEG with an HDR gain map behind it."""
    gain_map = saved(rgb.convert("L").resize((12, 10)), "JPEG")
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        + directory(len(gain_map)).encode()
        + b"</rdf:RDF></x:xmpmeta>"
    )
    return with_pictures(saved(rgb, "JPEG", xmp=packet), [gain_map], listed=True)


def pngs() -> list[bytes]:
    rgb = Image.fromarray(noise(20, 24, 3))
    return [
        saved(rgb, "PNG", **{k: v for k, v in metadata().items() if k != "xmp"}),
        saved(Image.fromarray(noise(20, 24, 4)), "PNG"),
        saved(rgb.quantize(16), "PNG", transparency=bytes(range(16))),
        saved(Image.fromarray(noise(20, 24, dtype=np.uint16)), "PNG"),
        saved(rgb.convert("1"), "PNG"),
        _deep_png(),
    ]


def _deep_png() -> bytes:
    import cv2

    return cv2.imencode(".png", noise(20, 24, 3, dtype=np.uint16))[1].tobytes()


def with_sums(data: bytes) -> bytes:
    """A PNG whose chunks have the lengths and checksums that fit, as far as it has chunks."""
    head, at, chunks = data[:8], 8, []
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        chunks.append(
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )
        at += 12 + length
    return head + b"".join(chunks)


def tiffs() -> list[bytes]:
    import tifffile

    rgb = Image.fromarray(noise(20, 24, 3))
    deep = io.BytesIO()
    tifffile.imwrite(deep, noise(20, 24, 3, dtype=np.uint16), photometric="rgb")
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700], tags[254], tags[270] = packet(), 0, "a photo"
    return [
        saved(rgb, "TIFF", tiffinfo=tags, dpi=(300, 300), icc_profile=metadata()["icc_profile"]),
        saved(rgb, "TIFF", compression="tiff_lzw"),
        saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
        saved(rgb, "TIFF", compression="jpeg"),
        saved(rgb.convert("1"), "TIFF", compression="group4"),
        saved(rgb.quantize(16), "TIFF"),
        saved(rgb, "TIFF", save_all=True, append_images=[rgb]),
        saved(Image.fromarray(noise(20, 24, dtype=np.uint16)), "TIFF"),
        deep.getvalue(),
    ]


def others() -> list[bytes]:
    """The formats that are seldom photos."""
    rgb = Image.fromarray(noise(20, 24, 3))
    return [
        saved(rgb, "BMP"),
        saved(rgb.quantize(16), "BMP"),
        saved(rgb.quantize(16), "GIF", transparency=3),
        saved(rgb, "GIF", save_all=True, append_images=[rgb.rotate(90)]),
        saved(rgb, "TGA"),
        saved(rgb, "PPM"),
        saved(rgb, "JPEG2000"),
    ]


def webps() -> list[bytes]:
    rgb = Image.fromarray(noise(20, 24, 3))
    more = {key: value for key, value in metadata().items() if key != "dpi"}
    return [
        saved(rgb, "WEBP", lossless=True, **more),
        saved(rgb, "WEBP", quality=60),
        saved(Image.fromarray(noise(20, 24, 4)), "WEBP"),
    ]


def containers() -> list[bytes]:
    """HEIC and AVIF."""
    import pillow_heif

    rgb = Image.fromarray(noise(64, 64, 3))
    file = io.BytesIO()
    library: Any = pillow_heif
    library.from_pillow(rgb).save(file, quality=60, exif=exif().tobytes(), xmp=packet())
    return [file.getvalue(), saved(rgb, "AVIF", quality=60, exif=exif().tobytes())]


def jxls() -> list[bytes]:
    """JPEG XL: samples with and without loss, and a JPEG in it."""
    rgb = Image.fromarray(noise(20, 24, 3))
    library: Any = pytest.importorskip("pillow_jxl")
    assert library
    return [
        saved(rgb, "JXL", lossless=True, exif=exif().tobytes(), xmp=packet()),
        saved(Image.fromarray(noise(20, 24, 4)), "JXL", quality=70),
        with_jpeg(jpegs()[0], 24, 20),
    ]


def read_photo(file: Path) -> None:
    """Reads a photo, changes part of it, and writes it with all that it says, in its format or another."""
    photo = load_photo(file)
    if photo.rgb.size > 2**24:  # writing what a header of thousands of pixels claims takes seconds
        return
    number = zlib.crc32(file.read_bytes())
    kind = own_suffix(photo.metadata.format, file) if number % 2 else _SUFFIXES[number // 2 % len(_SUFFIXES)]
    photo = (lambda one: one, without_places, without_metadata)[number // 64 % 3](photo)
    alpha = np.zeros(photo.rgb.shape[:2], np.float32)
    alpha[: 1 + photo.height // 2, : 1 + photo.width // 2] = 1
    edited = composite(photo, 255 - photo.rgb, alpha)
    save_measured(edited, file.with_name(f"out{kind}"), alpha > 0, force=True)
    in_colours_of(photo, load_photo(np.zeros((1, 1, 3), np.uint8)))


_SUFFIXES = [form.suffixes[0] for form in FORMATS.values()]


def read_mask(file: Path) -> None:
    """Reads a mask of a photo of its size."""
    photo = load_photo(np.zeros((20, 24, 3), np.uint8))
    as_mask(file, photo)


def packets() -> list[bytes]:
    return [
        packet(),
        packet().decode().encode("utf-16"),
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:a="urn:a" a:b="c">'
        b"<a:d><rdf:Seq><rdf:li>e</rdf:li></rdf:Seq></a:d>"
        b"</rdf:Description></rdf:RDF></x:xmpmeta>",
    ]


def read_packet(file: Path) -> None:
    """Reads XMP, takes a property out and puts one in."""
    data = file.read_bytes()
    name = xmp.Name("http://ns.adobe.com/tiff/1.0/", "tiff", "Orientation")
    xmp.get_property(data, name)
    read_recipe(data)
    mark_packet(xmp.drop_property(data, name), {"seed": 1})


def edits() -> list[bytes]:
    listed = [
        {"move": "mug", "dx": 0.2},
        {"resize": "bowl", "scale": 1.3, "anchor": "foot"},
        {"remove": None},
    ]
    recipe = {
        "recipe": {"edits": listed, "seed": 3, "box": [0.1, 0.2, 0.3, 0.4], "settings": {"strength": 0.1}}
    }
    more = {
        "edits": [{"restyle": "mug", "as": "a blue mug"}, {"swap": "a", "with": "b"}],
        "point": [0.1, 0.2],
    }
    return [json.dumps(one).encode() for one in (listed, recipe, more, listed[:1])]


def manifests() -> list[bytes]:
    rows = [
        {"photo": "a.jpg", "move": "mug", "dx": 0.1, "box": [0, 0, 1, 1]},
        {"photo": "b.jpg", "remove": "b"},
    ]
    return [
        b'photo,output,move,dx,remove,box,seed,allow_crop\na.jpg,b.jpg,mug,0.1,,"0,0,1,1",3,true\nc.jpg,,,,mug,,,\n',
        "\n".join(map(json.dumps, rows)).encode(),
        json.dumps(rows[0]).encode(),
    ]


def journals() -> list[bytes]:
    written = asdict(WriteRecord("a", {"a.png": "00"}))
    done = asdict(PhotoRecord("a", "a.png", "out/a.png", "done", metrics={"x": 1.0}, warnings=["w"]))
    return [
        "".join(f"{json.dumps(line)}\n" for line in lines).encode() for lines in ([written, done], [done])
    ]


def model_files() -> list[bytes]:
    index = {"metadata": {"total_size": 4}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}
    found = [(TABLETOP / part / "config.json").read_bytes() for part in NETWORKS]
    return [*found, (TABLETOP / folder.INDEX).read_bytes(), json.dumps(index).encode()]


@cache
def _whole_configs() -> dict[str, dict[str, Any]]:
    return {part: json.loads((TABLETOP / part / "config.json").read_text()) for part in NETWORKS}


def read_model_file(file: Path) -> None:
    """Checks a model's index, its index of shards, and its configs with this one in each place."""
    from realedit.external.kinds import kind_of

    found = folder.read_json(file, "own")
    configs.weight_map_problem(found, bool)
    for part in NETWORKS:
        architecture.architecture_problem({**_whole_configs(), part: found})
    for check in (lambda: folder.check_index("own", found), lambda: kind_of(found, "own", "detector")):
        try:
            check()
        except RealEditError:
            pass


KEY = "0" * 64


@cache
def _entry() -> bytes:
    import tempfile

    import torch

    from realedit.inverted.cache import Cache

    with tempfile.TemporaryDirectory() as place:
        tensors = {"x": torch.arange(12.0).reshape(3, 4), "y": torch.ones(5, dtype=torch.float16)}
        return Cache(Path(place) / "cache").put(KEY, tensors, {"prompt": "a mug", "steps": "20"}).read_bytes()


def read_cached(file: Path) -> None:
    """Reads an entry of a cache."""
    from realedit.inverted.cache import Cache

    file.chmod(0o600)
    cache = Cache(file.parent)
    cache.entries()
    cache.get(KEY)


def checkpoints() -> list[bytes]:
    from safetensors.numpy import save

    names = {
        "model.diffusion_model.input_blocks.0.0.weight": (8, 4, 3, 3),
        "conditioner.embedders.0.transformer.text_model.x": (3,),
        "conditioner.embedders.1.model.x": (3,),
        "first_stage_model.x": (2,),
    }
    tensors = {name: np.zeros(shape, np.float16) for name, shape in names.items()}
    return [save(tensors, {"modelspec.prediction_type": "v"}), save({"a": np.zeros(3, np.float32)})]


def read_checkpoint(file: Path) -> None:
    """Reads the header of a checkpoint in one file."""
    from realedit.models.single_file import SingleFile

    found = SingleFile.read(file)
    _ = found.prediction, found.title
    found.check(vae=False)


@cache
def archives() -> list[bytes]:
    import torch

    file = io.BytesIO()
    torch.save({"state_dict": {"a.weight": torch.ones(2, 3), "b": torch.zeros(4, dtype=torch.float16)}}, file)
    return [file.getvalue()]


def pickles() -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archives()[0])) as archive:
        return [archive.read("archive/data.pkl")]


def with_pickle(data: bytes) -> bytes:
    """An archive with another pickle in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archives()[0])) as whole, zipfile.ZipFile(file, "w") as made:
        for name in whole.namelist():
            made.writestr(name, data if name.endswith("data.pkl") else whole.read(name))
    return file.getvalue()


def headers() -> list[bytes]:
    return [file[8 : 8 + int.from_bytes(file[:8], "little")] for file in (*checkpoints(), _entry())]


def with_header(data: bytes) -> bytes:
    """A safetensors file with this header, and as many numbers as it says, if it says so."""
    try:
        ends = [
            tensor["data_offsets"][1] for name, tensor in json.loads(data).items() if name != "__metadata__"
        ]
        length = min(max(0, *ends), 10_000)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        length = 608
    return len(data).to_bytes(8, "little") + data + bytes(length)


def read_archive(file: Path) -> None:
    """Reads the weights of a PyTorch archive."""
    from realedit.external.archive import weights_in

    weights_in(file)


def data_sets() -> list[bytes]:
    line = {
        "id": "a",
        "photo": "a.png",
        "prompt": "a mug",
        "object": "mug",
        "edit": {"kind": "move", "dx": 0.1},
    }
    return [
        f"{json.dumps(line)}\n".encode(),
        f"{json.dumps({**line, 'mask': 'a.png', 'truth': 'a.png'})}\n".encode(),
    ]


def read_data_set(file: Path) -> None:
    """Reads the manifest of a data set."""
    from realedit.bench.datasets.manifest import load_manifest

    if not file.with_name("a.png").exists():
        file.with_name("a.png").write_bytes(pngs()[0])
    load_manifest(file.parent)


def published() -> list[bytes]:
    """The lists of three published data sets, whose names tell their layouts."""
    pie = {
        "image_path": "a.png",
        "original_prompt": "a [mug] on a table",
        "editing_prompt": "a [bowl] on a table",
        "editing_type_id": "1",
        "mask": [0, 20, 512, 30],
    }
    cocoee = {
        "original_image_path": "a.png",
        "mask_path": "a.png",
        "max_resolution": 20,
        "prompt": "a mug",
        "words": ["mug"],
        "selected_points": [[3, 4], [8, 9]],
    }
    line = {"id": "a", "prompt": "a mug", "object": "mug", "dx": 0.1, "dy": 0}
    return [json.dumps({"1": pie}).encode(), json.dumps({"1": cocoee}).encode(), json.dumps(line).encode()]


def read_published(file: Path) -> None:
    """Reads a list under the name of each layout."""
    for name, folders in (
        (pie_bench.MANIFEST, [pie_bench.PICTURES]),
        (pixelman.COCOEE, ["COCOEE_images", "COCOEE_masks"]),
        (pixelman.RES, ["."]),
        (counterfactual.MANIFEST, ["."]),
    ):
        place = file.parent / name.partition(".")[0]
        for inner in folders:
            (place / inner).mkdir(parents=True, exist_ok=True)
            for picture in ("a.png", "a_input.png"):
                if not (place / inner / picture).exists():
                    (place / inner / picture).write_bytes(pngs()[0])
        (place / name).write_bytes(file.read_bytes())
        try:
            load_dataset(place)
        except RealEditError:
            pass


def profiles() -> list[bytes]:
    return [profile.dump().encode() for profile in packaged()] + [b'{"steps": 20}']


def bench_records() -> list[bytes]:
    record = asdict(Record("k", "a", {"kind": "move", "dx": 0.1}, "realedit", "ok", figures={"psnr": 30.0}))
    return [f"{json.dumps(record)}\n".encode(), f"{json.dumps({'key': 'k', 'error': 0.1})}\n".encode()]


def read_bench_records(file: Path) -> None:
    """Reads the records of a bench's run, and those of calibrating."""
    for read in (lambda: read_records(file.parent), lambda: Records(file.parent, {}).read()):
        try:
            read()
        except RealEditError:
            pass


def requests() -> list[bytes]:
    """What a page or a program asks of the server."""
    edit = {
        "edits": [{"move": "mug", "dx": 0.1}, {"restyle": "mug", "like": "file1"}],
        "box": [0.1, 0.2, 0.5, 0.6],
        "point": [[0.2, 0.3]],
        "seed": 3,
        "steps": 20,
        "settings": {"shadow": False},
        "quality": 90,
        "format": ".jpg",
    }
    return [
        json.dumps(one).encode() for one in (edit, {"word": "mug", "preview": True}, {"point": [[0.1, 0.2]]})
    ]


def read_request(file: Path) -> None:
    """Reads a request of each kind as far as it can be without a model."""
    content = file.read_bytes()
    photo = load_photo(noise(20, 24, 3))
    opened = lambda _reference: (photo, "photo.png")  # noqa: E731
    for kind in (EditRequest, LocateRequest, CutoutRequest):
        try:
            asked = kind.model_validate_json(content)
            asked.shown(photo, opened)
            if isinstance(asked, EditRequest):
                for read in (asked.planned, asked.how, asked.options, asked.compression):
                    read()
                asked.named(str)
                asked.prepared(photo, opened)
        except (ValidationError, RealEditError):
            pass
    try:
        OutlineRequest.model_validate_json(content).points()
    except (ValidationError, RealEditError):
        pass


def answers() -> list[bytes]:
    """What a server answers to `--server`: its events, the last of which is the result."""
    recipe = {"edits": [{"move": "mug", "dx": 0.1}], "seed": 3, "then": []}
    change = {
        "edit": "move",
        "word": "mug",
        "source": "mask",
        "score": 1.0,
        "box_before": [0, 0, 1, 1],
        "box_after": None,
    }
    result = {
        "photo": {"id": "a"},
        "recipe": recipe,
        "changes": [change],
        "warnings": ["w"],
        "timings": {"edit": 1.0},
        "seed": 3,
        "object": None,
        "box_before": None,
        "box_after": [0, 0, 1, 1],
        "metrics": {},
    }
    return [
        json.dumps(result).encode(),
        json.dumps({"error": {"kind": "Usage", "message": "m", "hint": None}}).encode(),
    ]


class _Stream(io.BytesIO):
    """An answer of a server, as a stream of lines."""


def read_answer(file: Path) -> None:
    """Reads what a server answers: as its result, as an event, and as a refusal."""
    content = file.read_bytes()
    lines = b"event: done\ndata: " + content.replace(b"\n", b" ") + b"\n"
    try:
        for _, told in server._events(cast("Any", _Stream(lines))):
            remote.checked_result(told)
    except (ValueError, RealEditError):  # which the command tells in its own words
        pass
    refusal = urllib.error.HTTPError("http://a", 422, "no", Message(), io.BytesIO(content))
    str(server._refused(refusal))


def any_json() -> list[bytes]:
    return [*edits(), struct.pack("<I", 7), b'"\\ud83d\\ude00"']


def read_any_json(file: Path) -> None:
    """Reads JSON, which must be JSON's own error where it cannot be."""
    try:
        parse_json(file.read_bytes())
    except ValueError as error:
        if "\n" in str(error):
            raise AssertionError(f"more than a line: {error}") from error


TARGETS = (
    Target("jpeg", jpegs, read_photo, "photo.jpg", 5),
    Target("png", pngs, read_photo, "photo.png", 1),
    Target("png with sums", pngs, read_photo, "photo.png", 4, with_sums),
    Target("tiff", tiffs, read_photo, "photo.tif", 6),
    Target("jpeg xl", jxls, read_photo, "photo.jxl", 1),
    Target("webp", webps, read_photo, "photo.webp", 2),
    Target("heic and avif", containers, read_photo, "photo.heic", 1),
    Target("other formats", others, read_photo, "photo.bmp", 2),
    Target("mask", pngs, read_mask, "mask.png", 1, with_sums),
    Target("xmp", packets, read_packet, "packet.xml", 3),
    Target("edits", edits, lambda file: read_file(file), "edits.json", 4),
    Target("manifest", manifests, lambda file: read_manifest(file), "edits.csv", 3),
    Target("journal", journals, lambda file: Earlier.read(file), "journal.jsonl", 2),
    Target("json", any_json, read_any_json, "any.json", 2),
    Target("model files", model_files, read_model_file, "config.json", 4),
    Target("cache entry", lambda: [_entry()], read_cached, f"{KEY}.safetensors", 1),
    Target("cache header", headers, read_cached, f"{KEY}.safetensors", 2, with_header),
    Target("checkpoint", checkpoints, read_checkpoint, "model.safetensors", 1),
    Target("checkpoint header", headers, read_checkpoint, "model.safetensors", 2, with_header),
    Target("archive", archives, read_archive, "lama.pt", 1),
    Target("archive pickle", pickles, read_archive, "lama.pt", 3, with_pickle),
    Target("data set", data_sets, read_data_set, "manifest.jsonl", 2),
    Target("published data set", published, read_published, "list.json", 2),
    Target("profile", profiles, lambda file: said_profile(file), "profile.json", 2),
    Target("records", bench_records, read_bench_records, RECORDS, 1),
    Target("answer", answers, read_answer, "answer.json", 1),
    Target("request", requests, read_request, "request.json", 2),
)
