"""What a model's libraries raise, turned into errors that a user can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from realedit.environment import out_of_memory
from realedit.errors import NumericalError


@contextmanager
def translated() -> Iterator[None]:
    """Translate what is raised inside the block.

    Raises:
        MemoryLimitError: the machine's memory is used up.
        NumericalError: a value is not finite.
    """
    try:
        yield
    except FloatingPointError as error:
        raise NumericalError(str(error), "try --dtype float32, or another model") from error
    except (MemoryError, RuntimeError) as error:
        memory = out_of_memory(error)
        if memory is None:
            raise
        raise memory from error
