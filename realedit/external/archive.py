"""Takes the weights out of a PyTorch archive (TorchScript or checkpoint) without running anything in it.

Such an archive is a zip file of raw numbers, ``data/0``, ``data/1``..., and a pickle, ``data.pkl``, which
says what they are called. A pickle is a program, so it is never unpickled here: its operations are read one
by one (`pickletools`), and of what they would build only the shape is kept: names, sizes and which numbers
belong to them. A function that it names is a word and is not called; TorchScript's code is not looked at.
"""

from __future__ import annotations

import math
import pickletools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import torch

from realedit.errors import ModelUnavailableError

_TYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
}
"""What a kind of storage holds; tensors of other kinds are no weights and are left out."""
_VALUES = {
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2", "LONG1", "LONG4"),
    *("INT", "LONG", "BINFLOAT", "FLOAT", "BINBYTES", "SHORT_BINBYTES", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "STRING"),
}
"""Operations that push their own argument."""
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,
    AttributeError,
    struct.error,
    zlib.error,
)
"""What a damaged archive ends in."""
_MARK = object()
_Argument = str | int | float | bytes | None
"""Of a pickle's operation."""


@dataclass
class _Built:
    """What a call of a function would have built; it was not called.

    Args:
        by: the function's name.
        of: its arguments.
        state: what would have been put into it.
    """

    by: str
    of: tuple[object, ...] = ()
    state: object = None


@dataclass
class _Name:
    """The name of a class or function, "module name"."""

    text: str


@dataclass
class _Stored:
    """Where a tensor's numbers lie, (kind, type, number of the file, device, length)."""

    of: tuple[object, ...]


def weights_in(path: Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of an archive by their names: "model.generator.model.1.ffc.convl2l.weight".

    Raises:
        ModelUnavailableError: it is no such archive, or is damaged.
    """
    try:
        with ZipFile(path) as archive:
            pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            root = pickled.removesuffix("data.pkl")
            found = _Reader().read(_content(archive, pickled))
            return dict(_tensors(found, "", archive, root, set()))
    except (BadZipFile, StopIteration) as error:
        raise ModelUnavailableError(
            f"{path.name} is no PyTorch archive", "bring LaMa as safetensors or as its authors' checkpoint"
        ) from error
    except _DAMAGE as error:
        raise ModelUnavailableError(
            f"{path.name} cannot be read as a PyTorch archive ({type(error).__name__})",
            "copy or download it again",
        ) from error


@dataclass
class _Reader:
    """Follows a pickle's operations and builds nothing but containers, names and values."""

    stack: list[object] = field(default_factory=list[object])
    memo: dict[int, object] = field(default_factory=dict[int, object])

    def read(self, pickled: bytes) -> object:
        """Returns what the pickle describes.

        Raises:
            ValueError: an operation is not one that PyTorch writes.
        """
        for operation, argument, _ in pickletools.genops(pickled):
            if operation.name == "STOP":
                return self.stack.pop()
            self._do(operation.name, cast("_Argument", argument))
        raise ValueError("a pickle without an end")

    def _do(self, name: str, argument: _Argument) -> None:
        if name in ("PROTO", "FRAME"):
            return
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name == "MARK":
            self.stack.append(_MARK)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[_number(argument)] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memo[_number(argument)])
        elif not self._contain(name):
            self._build(name, argument)

    def _contain(self, name: str) -> bool:
        """Does an operation on containers; returns whether it was one."""
        stack = self.stack
        if name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({} if name == "EMPTY_DICT" else [] if name == "EMPTY_LIST" else ())
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name in ("TUPLE", "LIST"):
            items = self._to_mark()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self._to_mark()
            pairs = dict(zip(items[::2], items[1::2], strict=True))
            self._into(stack[-1], pairs)
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else self._to_mark()
            self._into(stack[-1], dict(enumerate(items)))
        else:
            return False
        return True

    def _build(self, name: str, argument: _Argument) -> None:
        stack = self.stack
        if name == "GLOBAL":
            stack.append(_Name(str(argument)))
        elif name == "STACK_GLOBAL":
            inner = stack.pop()
            stack.append(_Name(f"{stack.pop()} {inner}"))
        elif name == "BINPERSID":
            stack.append(_Stored(_tuple(stack.pop())))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments, called = stack.pop(), stack.pop()
            # a method of something built is called too, and is no weight
            by = called.text if isinstance(called, _Name) else ""
            stack.append(_Built(by, _tuple(arguments)))
        elif name == "BUILD":
            state = stack.pop()
            if isinstance(built := stack[-1], _Built):
                built.state = state
        else:
            raise ValueError(f"the operation {name}")

    def _to_mark(self) -> list[object]:
        at = len(self.stack) - 1 - next(k for k, one in enumerate(reversed(self.stack)) if one is _MARK)
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    @staticmethod
    def _into(container: object, pairs: dict[object, object]) -> None:
        if isinstance(container, list):
            cast("list[object]", container).extend(pairs.values())
        elif isinstance(container, dict):
            cast("dict[object, object]", container).update(pairs)
        elif isinstance(container, _Built):  # an ordered dictionary, which a function makes
            before = cast("dict[object, object]", container.state) if container.state else {}
            container.state = {**before, **pairs}


def _tensors(
    one: object, name: str, archive: ZipFile, root: str, seen: set[int]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Goes through what a pickle describes and gives each tensor under its name."""
    if isinstance(one, _Built) and one.by == "torch._utils _rebuild_tensor_v2":
        tensor = _tensor(one, archive, root)
        if tensor is not None:
            yield name, tensor
        return
    if isinstance(one, _Built) and one.by == "torch._utils _rebuild_parameter":
        yield from _tensors(one.of[0], name, archive, root, seen)
        return
    inner = one.state if isinstance(one, _Built) else one
    if not isinstance(inner, dict) or id(inner) in seen:  # what refers to itself is gone through once
        return
    seen.add(id(inner))
    for key, value in cast("dict[object, object]", inner).items():
        if isinstance(key, str):
            yield from _tensors(value, f"{name}.{key}" if name else key, archive, root, seen)


def _tensor(one: _Built, archive: ZipFile, root: str) -> torch.Tensor | None:
    stored, offset, size, stride = one.of[:4]
    if not isinstance(stored, _Stored):
        raise TypeError("a tensor without numbers")
    kind = _TYPES.get(_text(stored.of[1]).rsplit(" ", 1)[-1])
    if kind is None:
        return None
    numbers = torch.frombuffer(bytearray(_content(archive, f"{root}data/{stored.of[2]}")), dtype=kind)
    sides, steps = (tuple(_number(side) for side in _tuple(sides)) for sides in (size, stride))
    if min(sides, default=0) < 0 or math.prod(sides) > len(numbers):
        raise ValueError("a tensor of more numbers than are stored")
    return numbers.as_strided(sides, steps, _number(offset)).clone()


def _content(archive: ZipFile, name: str) -> bytes:
    """Returns a file of an archive; PyTorch compresses none, so that none is longer than the archive.

    Raises:
        ValueError: it is compressed, which may be a bomb.
    """
    if archive.getinfo(name).compress_type != ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    return archive.read(name)


def _number(value: object) -> int:
    """Returns a whole number.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} for a number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, _Name):
        raise TypeError(f"{type(value).__name__} for a name")
    return value.text


def _tuple(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise TypeError(f"{type(value).__name__} for a tuple")
    return cast("tuple[object, ...]", value)
