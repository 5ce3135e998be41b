"""Read Qt's binary resource files (``.rcc``), the containers that KDE's learning programs keep pictures in.

The layout is that of Qt's ``QResource``: a header, a tree of nodes, names in UTF-16, data with their lengths.
"""

import struct
import zlib
from collections.abc import Iterator

_COMPRESSED, _FOLDER, _COMPRESSED_ZSTD = 1, 2, 4


def read_resource(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file inside; those compressed with Zstandard are left out.

    Raises:
        ValueError: if the data is no Qt resource.
    """
    if data[:4] != b"qres":
        raise ValueError("not a Qt resource file: it does not begin with 'qres'")
    version, tree, payload, names = struct.unpack_from(">4I", data, 4)
    node_size = 14 if version < 2 else 22

    def name(offset: int) -> str:
        (length,) = struct.unpack_from(">H", data, names + offset)
        start = names + offset + 6
        return data[start : start + 2 * length].decode("utf-16-be")

    def walk(index: int, folder: str) -> Iterator[tuple[str, bytes]]:
        label, flags = struct.unpack_from(">IH", data, tree + index * node_size)
        path = f"{folder}/{name(label)}" if index else ""
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", data, tree + index * node_size + 6)
            for child in range(first, first + count):
                yield from walk(child, path)
        elif not flags & _COMPRESSED_ZSTD:
            (offset,) = struct.unpack_from(">I", data, tree + index * node_size + 10)
            (length,) = struct.unpack_from(">I", data, payload + offset)
            content = data[payload + offset + 4 : payload + offset + 4 + length]
            # Qt's qCompress puts the uncompressed length before the zlib stream.
            yield path, zlib.decompress(content[4:]) if flags & _COMPRESSED else content

    yield from walk(0, "")
