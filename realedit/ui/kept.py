"""Keeps what is costly to make, as long as it is used and there is room; it can always be made again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Kept(Generic[_Value]):
    """Values by keys, the longest unused of which go when there is no more room.

    Args:
        most: the size that all values together have at most; one that alone is larger is not kept.
        size_of: returns a value's size.
    """

    def __init__(self, most: int, size_of: Callable[[_Value], int]) -> None:
        self._most = most
        self._size_of = size_of
        self._values: OrderedDict[Hashable, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """Returns the value of a key, made now if it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        self.put(key, value)
        return value

    def put(self, key: Hashable, value: _Value) -> None:
        """Keeps a value."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while self._values and self.size > self._most:
                self._values.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Lets a value go, if it is kept."""
        with self._lock:
            self._values.pop(key, None)

    @property
    def size(self) -> int:
        """The size of all values together."""
        return sum(map(self._size_of, self._values.values()))
