"""Every error that realedit shows a user: one family, with an exit code for each kind.

Texts are English. A :class:`Sentence` also says which sentence it is, so that the page can say it in another
language.
"""

from __future__ import annotations


class Sentence(str):
    """A sentence for the user, the text of an error or of a warning, that says which one it is.

    Args:
        text: the sentence, in English.
        key: which sentence it is, whatever names and numbers are in it: "leaves_frame".
    """

    key: str

    def __new__(cls, text: str, key: str = "") -> Sentence:
        """Returns the sentence; without a key only where it is copied, which brings the key itself."""
        made = super().__new__(cls, text)
        made.key = key
        return made


def key_of(text: str) -> str:
    """Returns which sentence a text is; "" where it does not say."""
    return text.key if isinstance(text, Sentence) else ""


class RealEditError(Exception):
    """A problem that the user can understand and act on, told in one line.

    Attributes:
        exit_code: what the command line returns for this kind of problem.
        message: what went wrong.
        hint: the way out, where there is one.
        detail: the method's own figures, for ``--debug``; "" where there are none. Not part of the line.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None, *, detail: str = "") -> None:
        """Keep the message, what the user can do about it, and the figures behind it."""
        super().__init__(message, hint)
        self.message = message
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        """Return `message` or `message; hint`, always on one line."""
        text = self.message if self.hint is None else f"{self.message}; {self.hint}"
        return " ".join(text.split())


class UsageError(RealEditError):
    """Options contradict each other, a number is out of range, or an output cannot be written as asked."""

    exit_code = 2


class PhotoError(RealEditError):
    """A photo cannot be read or written: it is missing, no image, truncated or enormous."""

    exit_code = 3


class ObjectNotFoundError(RealEditError):
    """The model sees nothing in the photo that the word names."""

    exit_code = 4


class UnsureError(ObjectNotFoundError):
    """What was found is less sure than the user asks for."""


class OutOfFrameError(RealEditError):
    """The edit would put part of the object outside the photo."""

    exit_code = 5


class ModelUnavailableError(RealEditError):
    """The model is not on this machine and cannot be fetched, or realedit cannot use it."""

    exit_code = 6


class MemoryLimitError(RealEditError):
    """The machine or its accelerator has too little memory for the edit."""

    exit_code = 7


class OutputExistsError(RealEditError):
    """An output file exists already, and nobody asked to replace it."""

    exit_code = 8


class CacheError(RealEditError):
    """The cache folder cannot be used."""

    exit_code = 9


class NumericalError(RealEditError):
    """The model returned NaN or infinite values."""

    exit_code = 10


class ForeignPackageError(RealEditError):
    """A package that realedit works with is missing, or has a version that realedit cannot use."""

    exit_code = 11


class SomePhotosFailedError(RealEditError):
    """Some of many photos could not be edited; the others are done."""

    exit_code = 12
