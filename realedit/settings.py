"""The settings of an edit: what a user says of them, and what they are once the model has filled the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from realedit.errors import UsageError

LARGEST_STRENGTH = 0.7
"""Share of the noise levels that an edit in pixels goes back up at most: higher strengths are refused, and
only up to it an inversion keeps activations, keys and values. Set by eye."""


@dataclass(frozen=True)
class Settings:
    """What a user says of an edit; each ingredient has a switch, so that what it brings can be measured.

    What is None is left to the model's profile (:class:`realedit.models.profile.Profile`), which makes
    :class:`FullSettings` of it.

    Edits in pixels (move, copy, resize, rotate, flip, reshape, remove, swap, paste, looks) use all but
    ``repaint`` and ``repaint_scale``; a look is held no more firmly than ``pin`` 0.3. Edits that paint by
    text (restyle's colours, replace, background, retouch) use ``repaint``, ``repaint_scale``, ``attention``,
    ``leak_proof``, ``hold``, ``shadow`` and, for a restyle, ``self_guidance``, ``automatic`` and ``window``.

    Args:
        strength: share of the noise levels that the resampling goes back up, in [0, 0.7]; 0 keeps the anchor
            as it is.
        hole_strength: the same for the hole alone, in [0, 1]: at 1 it is painted from noise. Where neither
            the user nor the profile says one, it is the object's.
        guidance_scale: classifier-free guidance of the resampling.
        self_guidance: largest push of the energies as a share of the noise; 0 turns them off.
        automatic: whether each energy is pushed only as hard as it takes to reach its target
            (:class:`guidance.Automatic`); if not, all are pushed as hard as allowed
            (:class:`guidance.NoiseShare`).
        window: share of the sampled steps that are guided, counted from the first.
        attention: whether self-attention reads the source.
        pin: how firmly the moved object's predicted latent is held to the anchor's, in [0, 1].
        pin_low: the same for its low frequencies alone, so that light may change while detail is kept. Where
            neither the user nor the profile says one, it is ``pin``.
        leak_proof: whether the hole's queries are kept from seeing the object there.
        mask_keys: whether the old object's keys are masked out of every self-attention layer, also the
            sampling's own, and not of those alone that read the source.
        hold: whether every state outside the edited region is the source's.
        pixels: whether a moved object's own pixels are laid at its new place; if not, the model has to make
            it there, held to nothing (as with ``pin`` 0).
        fill: whether the hole is filled before the model sees it; if not, the object is still in it.
        shadow: whether the object's shadow is looked for and taken along.
        reflection: whether the mirror image below the object is taken along. Off by default: on a matt
            surface it would take along pixels that are no reflection.
        resample: share of the model's change that is added to the anchor's pixels, in [0, 1].
        smooth: standard deviation, in latent cells, of the blur that removes the VAE's texture from the
            model's change.
        repaint: share of the noise levels that an edit by text goes back up, in (0, 1].
        repaint_scale: classifier-free guidance of an edit by text.
        negative_prompt: what the model is guided away from, in the empty prompt's place.
    """

    strength: float | None = None
    hole_strength: float | None = None
    guidance_scale: float | None = None
    self_guidance: float | None = None
    automatic: bool = True
    window: float | None = None
    attention: bool = True
    pin: float | None = None
    pin_low: float | None = None
    leak_proof: bool = True
    mask_keys: bool | None = None
    hold: bool = True
    pixels: bool = True
    fill: bool = True
    shadow: bool = True
    reflection: bool = False
    resample: float = 1.0
    smooth: float | None = None
    repaint: float | None = None
    repaint_scale: float | None = None
    negative_prompt: str = ""

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value: float | None = getattr(self, name)
            if value is None:  # left to the model
                continue
            if not least <= value <= most:
                raise UsageError(f"{name} must lie in [{least:g}, {most:g}], got {value:g}")
        if self.repaint == 0:
            raise UsageError("repaint must be above 0: an edit by text without noise changes nothing")


@dataclass(frozen=True, kw_only=True)
class FullSettings(Settings):
    """Settings that leave nothing open; see :meth:`realedit.models.profile.Profile.filled`."""

    # field() takes the base's default None away: each of these must be given
    strength: float = field()
    hole_strength: float = field()
    guidance_scale: float = field()
    self_guidance: float = field()
    window: float = field()
    pin: float = field()
    pin_low: float = field()
    mask_keys: bool = field()
    smooth: float = field()
    repaint: float = field()
    repaint_scale: float = field()

    @property
    def resamples(self) -> bool:
        """Whether the model changes anything of an edit in pixels."""
        return (self.strength > 0 or self.hole_strength > 0) and self.resample > 0


_RANGES: dict[str, tuple[float, float]] = {
    "strength": (0, LARGEST_STRENGTH),
    "hole_strength": (0, 1),
    "guidance_scale": (0, 1000),
    "self_guidance": (0, 100),
    "window": (0, 1),
    "pin": (0, 1),
    "pin_low": (0, 1),
    "resample": (0, 1),
    "smooth": (0, 100),
    "repaint": (0, 1),
    "repaint_scale": (0, 1000),
}
"""Least and most of each setting that is a number; NaN is in none. Set by what each means."""
