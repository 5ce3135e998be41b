"""Reads and writes a photo's file to the bit: :func:`load_photo`, :func:`save_photo`, :func:`composite`."""

from __future__ import annotations

from realedit.photo.photo import Photo, composite, hidden_by_alpha, load_photo, read_photo
from realedit.photo.save import save_photo

__all__ = ["Photo", "composite", "hidden_by_alpha", "load_photo", "read_photo", "save_photo"]
