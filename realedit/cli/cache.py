"""`realedit cache`: shows what is kept of earlier runs, and makes room."""

from __future__ import annotations

import time
from pathlib import Path

import cyclopts

from realedit.cli import output
from realedit.cli.options import Debug, Json

cache_app = cyclopts.App(
    name="cache",
    help="List, prune or clear what is kept on disk of photos: inversions, and what names saw. "
    "REALEDIT_CACHE names their folder, REALEDIT_CACHE_GIB the GiB that it may take (8, or a quarter of the "
    "free disk).",
    help_epilogue="Example: realedit cache clear",
)


_MADE = ("model", "method", "steps", "prompt")
"""What the list says about how an inversion was made."""


@cache_app.default
@cache_app.command(name="list")
def list_entries(*, json: Json = False, debug: Debug = False) -> None:
    """List what is kept of photos, the most recently used first."""
    from realedit.inverted.cache import Cache

    cache = Cache()
    entries = cache.entries()
    if json:
        fields = [
            {"key": e.key, "bytes": e.bytes, "last_used": e.last_used, "metadata": e.metadata}
            for e in entries
        ]
        output.print_json(
            {"path": str(cache.root), "bytes": cache.size(), "limit": cache.max_bytes, "entries": fields}
        )
        return
    rows = [
        (
            entry.key[:12],
            output.megabytes(entry.bytes),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.last_used)),
            *(entry.metadata.get(name, "?") for name in _MADE),
        )
        for entry in entries
    ]
    if rows:
        output.print_table(("key", "size", "last used", *_MADE), rows)
    used = output.megabytes(sum(entry.bytes for entry in entries))
    print(f"{len(entries)} kept, {used} of {output.megabytes(cache.max_bytes)}, in {cache.root}")


@cache_app.command
def path(*, debug: Debug = False) -> None:
    """Print their folder."""
    from realedit.inverted.cache import default_root

    print(default_root())


@cache_app.command
def clear(*, json: Json = False, debug: Debug = False) -> None:
    """Remove all of them."""
    from realedit.inverted.cache import Cache

    cache = Cache()
    _freed(cache.clear(), cache.root, json=json)


@cache_app.command
def prune(*, json: Json = False, debug: Debug = False) -> None:
    """Remove the least recently used until the folder is within its limit."""
    from realedit.inverted.cache import Cache

    cache = Cache()
    _freed(cache.prune(), cache.root, json=json)


def _freed(freed: int, root: Path, *, json: bool) -> None:
    if json:
        output.print_json({"path": str(root), "freed_bytes": freed})
    else:
        print(f"freed {output.megabytes(freed)} in {root}")
