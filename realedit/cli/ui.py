"""`realedit ui`: a page to edit photos by hand, and the HTTP API."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from importlib import util
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from realedit.cli.boundary import say
from realedit.cli.options import Debug, ModelOptions, flag, integer, value
from realedit.errors import ForeignPackageError, PhotoError

SERVER = Group("Server", sort_key=1)
_NEEDED = ("gradio", "fastapi", "uvicorn")


def ui(
    photo: Annotated[Path | None, Parameter(help="A photo to begin with.")] = None,
    /,
    *,
    host: Annotated[
        str,
        Parameter(
            group=SERVER,
            metavar="ADDRESS",
            help="Where it listens. On another address than this machine's own a token is asked for.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, value(integer(0, 65535), "N", "Its port; 0 for a free one.", group=SERVER)] = 7860,
    share: Annotated[
        bool, flag("Also reach it through Gradio's tunnel, with a token; needs a network.", group=SERVER)
    ] = False,
    model: ModelOptions = ModelOptions(),
    debug: Debug = False,
) -> None:
    """Edit photos in the browser: point at a thing, drag it, see it done; the same as an HTTP API."""
    missing = [name for name in _NEEDED if util.find_spec(name) is None]
    if missing:
        raise ForeignPackageError(
            f"the page needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not here",
            "pip install 'realedit[ui]'",
        )
    opening = None if photo is None else (_content(photo), photo.name)
    from realedit.cli import session
    from realedit.system.progress import progress_bars
    from realedit.ui.server import Address, Service, serve

    address = Address.of(host, port, share=share)
    cache: Path | None = None
    with ExitStack() as stack:
        if address.token is not None:  # of others' photos nothing is left on this machine
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="realedit-ui-cache-"))
            cache = Path(folder)
        with progress_bars(quiet=False) as progress:
            pipeline = session.load(model, quiet=False, progress=progress, cache=cache)
        service = Service(pipeline, opening=opening)
        service.editor.warm_up()
        serve(service, address, on_ready=lambda url: say(f"realedit: open {url} (Ctrl-C ends it)"))


def _content(photo: Path) -> bytes:
    """Returns a photo's file, checked.

    Raises:
        PhotoError: it is no photo that can be edited.
    """
    from realedit.photo.inputs import as_photo

    as_photo(photo)
    try:
        return photo.read_bytes()
    except OSError as error:
        raise PhotoError(f"{photo} cannot be read ({error.strerror})", "check the file") from error
