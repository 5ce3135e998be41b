"""Everything that realedit can tell a user went wrong: one family, one exit code each."""


class RealEditError(Exception):
    """A problem that the user can understand, told in one line.

    Attributes:
        exit_code: what the command line returns for this kind of problem.
        message: what went wrong.
        hint: the way out, where there is one.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Keep the message, and what the user can do about it."""
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return `message` or `message; hint`, always on one line."""
        text = self.message if self.hint is None else f"{self.message}; {self.hint}"
        return " ".join(text.split())


class UsageError(RealEditError):
    """Contradictory options, numbers out of range, an output that cannot be written as asked."""

    exit_code = 2


class PhotoError(RealEditError):
    """A photo that cannot be read or written: missing, not an image, truncated, enormous."""

    exit_code = 3


class ObjectNotFoundError(RealEditError):
    """The word names nothing that the model sees in the photo."""

    exit_code = 4


class OutOfFrameError(RealEditError):
    """The edit would put the object outside the photo."""

    exit_code = 5


class ModelUnavailableError(RealEditError):
    """The model is not on this machine and cannot be fetched, or is not one that realedit can use."""

    exit_code = 6


class MemoryLimitError(RealEditError):
    """The machine or its accelerator has too little memory for the edit."""

    exit_code = 7


class OutputExistsError(RealEditError):
    """An output file is already there and overwriting it was not asked for."""

    exit_code = 8


class CacheError(RealEditError):
    """The cache folder cannot be used."""

    exit_code = 9


class NumericalError(RealEditError):
    """The model produced NaN or infinite values."""

    exit_code = 10


class ForeignPackageError(RealEditError):
    """A package that realedit works with is missing or of a version that it cannot use."""

    exit_code = 11


class SomePhotosFailedError(RealEditError):
    """Of many photos, some could not be edited; the others are done."""

    exit_code = 12
