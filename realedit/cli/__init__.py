"""The `realedit` command."""

from __future__ import annotations

from realedit.cli.main import app, main

__all__ = ["app", "main"]
