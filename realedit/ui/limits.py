"""What a server takes at most, so that no visitor can use up the machine."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 2**20
"""Bytes."""


@dataclass(frozen=True)
class Limits:
    """What is refused, and what is forgotten.

    Args:
        file_bytes: of an uploaded file; larger ones are refused while they arrive. Cameras' files have up to
            about 60 MB. Not measured.
        pixels: of an uploaded photo; larger ones are refused before they are decoded. A phone's have 12 to 50
            million. Not measured.
        photos: that a session holds; with one more, the oldest that nothing was made of goes. Not measured.
        sessions: at once; a further visitor is asked to come back. Not measured.
        waiting: jobs of one session that have not ended; a further one is refused. Not measured.
        idle_seconds: after which a session that nobody asks about is ended and its files removed; a page that
            is open asks once a minute. Not measured.
        kept_bytes: of decoded photos in memory; beyond it the longest unused are decoded again when they are
            needed. Not measured.
    """

    file_bytes: int = 100 * MEGABYTE
    pixels: int = 60_000_000
    photos: int = 40
    sessions: int = 64
    waiting: int = 16
    idle_seconds: float = 1800.0
    kept_bytes: int = 1536 * MEGABYTE
