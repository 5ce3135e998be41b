"""Everything of realedit that reads what others have made, with whole files of each kind to begin from."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from realedit.batch.records import Earlier, PhotoRecord, WriteRecord
from realedit.edits.manifest import read_manifest
from realedit.edits.recipe import read_file
from realedit.errors import RealEditError
from realedit.models import configs, folder
from realedit.photo import load_photo, xmp
from realedit.photo.inputs import as_mask
from realedit.photo.provenance import mark_packet, read_recipe
from realedit.photo.save import save_photo
from realedit.system.outside_json import parse_json

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
    ]


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


def read_photo(file: Path) -> None:
    """Reads a photo, and writes it again with all that it says."""
    photo = load_photo(file)
    if photo.rgb.size > 2**24:  # writing what a header of thousands of pixels claims takes seconds
        return
    kind = {"JPEG": ".jpg", "TIFF": ".tif", "WEBP": ".webp"}.get(photo.metadata.format or "", ".png")
    if photo.native.mode == "CMYK":
        kind = ".tif"
    save_photo(photo, file.with_name(f"out{kind}"), force=True, sidecar=False)


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
        folder.architecture_problem({**_whole_configs(), part: found})
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
)
