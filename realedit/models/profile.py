"""What is right for one model and not for another: its profile, a file in its folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from realedit.errors import ModelUnavailableError
from realedit.models.choice import ModelRef
from realedit.models.folder import PROFILE
from realedit.settings import LARGEST_STRENGTH, STRENGTH, Settings

_Strength = Annotated[float, Field(ge=0, le=LARGEST_STRENGTH)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Profile:
    """Defaults that depend on the model; a model without the file has those below.

    Args:
        strength: of edits that carry an object's own pixels; see :class:`realedit.settings.Settings`.
        look_strength: of edits that change an object's look.
        glance: whether a photo in which only words are looked for is not inverted, but seen with noise.
    """

    strength: _Strength = STRENGTH
    look_strength: _Strength = STRENGTH
    glance: bool = False

    @property
    def look(self) -> dict[str, Any]:
        """Keywords of :meth:`realedit.engine.Engine.inverted_for` where only words are looked for."""
        return {"method": "noised", "glance": True} if self.glance else {}

    def filled(self, settings: Settings, *, by_model: bool) -> Settings:
        """Returns settings in which what the user left open is the model's.

        Args:
            settings: the user's.
            by_model: see :attr:`realedit.edits.edit.Edit.by_model`.
        """
        if settings.strength is not None:
            return settings
        return replace(settings, strength=self.look_strength if by_model else self.strength)

    @classmethod
    def of(cls, ref: ModelRef) -> Profile:
        """Reads a model's.

        Raises:
            ModelUnavailableError: the file cannot be read.
        """
        # the hub's copies are not looked at: nothing of ours is in them
        file = None if ref.folder is None else ref.folder / PROFILE
        if file is None or not file.is_file():
            return cls()
        try:
            return TypeAdapter(cls).validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelUnavailableError(
                f"{ref.name}: {PROFILE} cannot be read ({str(error).splitlines()[0]})", "install it again"
            ) from error
