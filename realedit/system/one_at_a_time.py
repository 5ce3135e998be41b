"""Lets one thread at a time into methods that share a model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


class Locked(Protocol):
    """Has a lock that the same thread may take again."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """The lock."""
        ...


_Self = TypeVar("_Self", bound=Locked)


def one_at_a_time(
    method: Callable[Concatenate[_Self, _Given], _Returned],
) -> Callable[Concatenate[_Self, _Given], _Returned]:
    """Decorates a method: it runs while it holds its object's ``lock``."""

    @wraps(method)
    def locked(self: _Self, *args: _Given.args, **kwargs: _Given.kwargs) -> _Returned:
        with self.lock:
            return method(self, *args, **kwargs)

    return locked


def new_lock() -> AbstractContextManager[Any]:
    """Returns a lock that the thread that holds it may take again."""
    return threading.RLock()


CATCHING = new_lock()
"""Held around ``warnings.catch_warnings``: what is caught is caught in all threads, and one that leaves would
undo what another one has set."""
