"""The values that a photo's file holds (mode, depth, palette, alpha), their RGB view, and blending."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from realedit.photo.profile_conversion import converted

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "RGB;16", "RGBA;16")
"""Pillow's names, and two of ours for what Pillow lacks: 16 bits in each of three or four channels."""
_DEPTH_RATIO = 257
"""A 16-bit value over the 8-bit value of the same intensity, 65535 / 255: no more and no less. Set by the
formats."""
_STRIP_ROWS = 512
"""Rows that are mixed or compared at once: more take more memory, fewer more rounds. Not measured."""
_LEAST_COLOURS, _MOST_POOR = 16, 0.1
"""Colours of one opacity in a palette, and share of edited pixels: where a larger share has an opacity that
fewer colours have (and fewer than half of the palette), the photo is edited in full colour, else in its
palette's. Not measured."""


@dataclass(frozen=True, eq=False)
class Samples:
    """The values that the file itself holds, upright.

    Attributes:
        mode: one of :data:`MODES`.
        values: [H, W] or [H, W, C]; bool for `1`, uint16 for the `;16` modes, uint8 otherwise.
        palette: uint8 [n, 4], red, green, blue, alpha of each index; for mode `P` alone.
        icc: the profile that says what CMYK values look like; empty if there is none.
    """

    mode: str
    values: np.ndarray
    palette: np.ndarray | None = None
    icc: bytes = b""

    @property
    def alpha(self) -> np.ndarray | None:
        """Opacity [H, W] in the file's own depth, or None if nothing in the photo is transparent."""
        if self.mode in ("LA", "RGBA", "RGBA;16"):
            return self.values[..., -1]
        if self.palette is not None and (self.palette[:, 3] < 255).any():
            return self.palette[self.values, 3]
        return None

    def opaque(self, where: np.ndarray | None = None) -> bool:
        """Tells whether no sample is transparent at all.

        Args:
            where: the samples that are asked about, bool [H, W]; all by default.
        """
        alpha = self.alpha
        if alpha is None:
            return True
        return bool(((alpha if where is None else alpha[where]) == np.iinfo(alpha.dtype).max).all())

    def with_colours_for(self, where: np.ndarray) -> Samples:
        """Returns the samples in a mode that has colours for an edit: mostly as they are.

        Edited pixels keep their opacity, and a palette may have few colours of it, or only the one that the
        pixel has. If many pixels meet that, the samples become `RGBA`, each as it looks.

        Args:
            where: the samples that are edited, bool [H, W].
        """
        if self.palette is None:
            return self
        opacity = self.palette[:, 3]
        alike = (opacity[:, None] == opacity).sum(axis=1)
        poor = (alike < min(_LEAST_COLOURS, len(opacity) / 2)) & (opacity > 0)
        if not where.any() or poor[self.values[where]].mean() <= _MOST_POOR:
            return self
        return replace(self, mode="RGBA", values=self.palette[self.values], palette=None)

    def crop(self, rows: slice, columns: slice) -> Samples:
        """Returns the samples of a rectangle, sharing memory."""
        return replace(self, values=self.values[rows, columns])

    def to_rgb(self) -> np.ndarray:
        """Returns the RGB view, uint8 [H, W, 3]: colours as stored, transparency ignored.

        RGB values stay as they are, whatever their profile, and are the samples themselves, not a copy; CMYK
        is converted to sRGB, by its profile if the photo carries a usable one.
        """
        values = self.values
        match self.mode:
            case "1":
                return np.repeat(values[..., None].astype(np.uint8) * 255, 3, axis=-1)
            case "L":
                return np.repeat(values[..., None], 3, axis=-1)
            case "LA":
                return np.repeat(values[..., :1], 3, axis=-1)
            case "P" if self.palette is not None:
                return self.palette[values, :3]
            case "RGB":
                return values
            case "CMYK":
                return _convert_cmyk(values, self.icc, to_rgb=True)
            case "I;16":
                return np.repeat(_to_8_bits(values)[..., None], 3, axis=-1)
            case "RGB;16" | "RGBA;16":
                return _to_8_bits(values[..., :3])
            case _:
                return values[..., :3].copy()

    def to_pillow(self) -> Image.Image:
        """Returns the samples as a Pillow image of the same mode.

        Raises:
            ValueError: the mode is `RGB;16` or `RGBA;16`, which Pillow lacks.
        """
        height, width = self.values.shape[:2]
        if self.mode in ("RGB;16", "RGBA;16"):
            raise ValueError(f"Pillow has no mode for {self.mode}")
        if self.mode == "1":
            return Image.fromarray(self.values)
        data = self.values.astype("<u2") if self.mode == "I;16" else self.values
        image = Image.frombytes(self.mode, (width, height), np.ascontiguousarray(data).tobytes())
        if self.palette is not None:
            image.putpalette(self.palette[:, :3].tobytes(), "RGB")
        return image

    def blend(self, edited: np.ndarray, weight: np.ndarray) -> Samples:
        """Returns new samples: weight 0 keeps the sample to the bit, weight 1 takes the edited colour.

        A sample is also kept if the edited colour equals its RGB view, so that depth, ink mix and palette
        index survive inside the edited region wherever nothing changed. Alpha never changes.

        Args:
            edited: uint8 [H, W, 3].
            weight: float [H, W] in [0, 1].
        """
        view = self.to_rgb()
        changed = (weight > 0) & differs(edited, view)
        if self.mode in ("1", "P"):
            # few colours: mix first, then look for the nearest ones
            view[changed] = _mix(view[changed], edited[changed], weight[changed][:, None])
            return replace(self, values=self._nearest(view, changed))
        match self.mode:
            case "L" | "LA" | "I;16":
                target = np.asarray(Image.fromarray(edited).convert("L"))[..., None]
            case "CMYK":
                target = _convert_cmyk(edited, self.icc, to_rgb=False)
            case _:
                target = edited
        values = self.values.copy()
        for top in range(0, len(values), _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            here = changed[rows]
            own = values[rows] if values.ndim == 3 else values[rows, ..., None]
            aim = target[rows][here]
            if own.dtype == np.uint16:
                aim = aim.astype(np.uint16) * _DEPTH_RATIO
            colours = aim.shape[-1]
            own[here, :colours] = _mix(own[here, :colours], aim, weight[rows][here][:, None])
        return replace(self, values=values)

    def _nearest(self, colours: np.ndarray, changed: np.ndarray) -> np.ndarray:
        """Dithers the changed pixels to the photo's own colours, each of the opacity that its pixel had."""
        palette = self.palette
        if palette is None:
            return np.where(changed, np.asarray(Image.fromarray(colours).convert("1")), self.values)
        result = self.values.copy()
        opacity = palette[self.values, 3]
        for level in np.unique(opacity[changed]):
            candidates = np.flatnonzero(palette[:, 3] == level)
            reference = Image.new("P", (1, 1))
            # Pillow pads a short palette with black, which could be chosen too
            padded = np.resize(palette[candidates, :3], (256, 3))
            reference.putpalette(padded.tobytes(), "RGB")
            indexed = np.asarray(Image.fromarray(colours).quantize(palette=reference), np.intp)
            here = changed & (opacity == level)
            result[here] = candidates[indexed[here] % len(candidates)]
        return result


def differs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns where two pictures ``[H, W]`` or ``[H, W, C]`` of one size differ, bool ``[H, W]``."""
    if first.ndim == 2:
        return first != second
    out = np.empty(first.shape[:2], bool)
    for top in range(0, len(first), _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        np.any(first[rows] != second[rows], axis=-1, out=out[rows])
    return out


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) + _DEPTH_RATIO // 2) // _DEPTH_RATIO).astype(np.uint8)


def _mix(own: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    # float32 is exact enough for 8-bit values; in 16-bit ones its rounding would change the last bit
    real = np.float32 if own.dtype == np.uint8 else np.float64
    mixed = own + weight.astype(real) * (target.astype(real) - own)
    return np.rint(mixed).astype(own.dtype)


def _convert_cmyk(values: np.ndarray, icc: bytes, *, to_rgb: bool) -> np.ndarray:
    """Converts CMYK to sRGB or back by the profile, or by Pillow's plain formula without a usable one."""
    source, target = ("CMYK", "RGB") if to_rgb else ("RGB", "CMYK")
    image = Image.frombytes(source, values.shape[1::-1], np.ascontiguousarray(values).tobytes())
    if icc[16:20] == b"CMYK":
        own, other = (icc, b"") if to_rgb else (b"", icc)
        exact = converted(image, source=own, target=other, mode=target)
        if exact is not None:
            return np.array(exact)
    return np.array(image.convert(target))
