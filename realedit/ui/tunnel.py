"""Gradio's tunnel to a server on this machine (`--share`)."""

from __future__ import annotations

import secrets
from typing import Any

from realedit.errors import UsageError


def opened(host: str, port: int) -> str:
    """Opens a tunnel and returns the public address; it ends with this process.

    Gradio fetches the tunnel's program and asks its own service for a way out: this needs a network.

    Args:
        host: where the server listens.
        port: its port.

    Raises:
        UsageError: there is no tunnel to be had.
    """
    from gradio import networking as untyped

    networking: Any = untyped  # its types are incomplete
    try:
        return str(networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None))
    except Exception as error:  # whatever the network, its service or its program says
        raise UsageError(
            f"Gradio's tunnel cannot be had ({type(error).__name__})",
            "leave --share out; --host 0.0.0.0 lets others of this network in, with a token",
        ) from error
