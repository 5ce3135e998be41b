from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import pytest

from examples.tabletop.qt_resource import read_resource

COMPRESSED, FOLDER, ZSTD = 1, 2, 4


@dataclass
class Entry:
    """A file (with content) or a folder of a resource to write."""

    name: str
    content: bytes | None = None
    flags: int = 0
    children: list[Entry] = field(default_factory=list)


def resource(root: Entry, version: int) -> bytes:
    """A file as Qt's `rcc --binary` lays it out: header, data, names, and the tree level by level."""
    order = [root]
    for entry in order:
        order.extend(entry.children)
    data, names, tree = b"", b"", b""
    first_child = 1
    for entry in order:
        label = len(names)
        names += struct.pack(">HI", len(entry.name), 0) + entry.name.encode("utf-16-be")
        if entry.content is None:
            tree += struct.pack(">IHII", label, FOLDER, len(entry.children), first_child)
            first_child += len(entry.children)
        else:
            packed = entry.content
            if entry.flags & COMPRESSED:
                packed = struct.pack(">I", len(packed)) + zlib.compress(packed)
            tree += struct.pack(">IHHHI", label, entry.flags, 0, 1, len(data))
            data += struct.pack(">I", len(packed)) + packed
        if version >= 2:
            tree += struct.pack(">Q", 1_700_000_000)
    start = 20
    header = struct.pack(">4s4I", b"qres", version, start + len(data) + len(names), start, start + len(data))
    return header + data + names + tree


def example() -> Entry:
    pictures = Entry(
        "bilder",
        children=[
            Entry("käse.jpg", b"cheese" * 50, COMPRESSED),
            Entry("plain.jpg", b"\xff\xd8plain"),
            Entry("modern.jpg", b"whatever", ZSTD),
        ],
    )
    return Entry("", children=[Entry("readme", b""), pictures, Entry("empty")])


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_come_out_with_their_paths(version: int) -> None:
    assert dict(read_resource(resource(example(), version))) == {
        "/readme": b"",
        "/bilder/käse.jpg": b"cheese" * 50,
        "/bilder/plain.jpg": b"\xff\xd8plain",
    }


def test_other_data_is_refused() -> None:
    with pytest.raises(ValueError, match="not a Qt resource file"):
        list(read_resource(b"PK\x03\x04 a zip file, say"))
