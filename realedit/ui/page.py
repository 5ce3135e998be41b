"""The page: Gradio shows one component of ours, which is a canvas with its own script (``assets``).

The script talks to the HTTP API, so that a page, a program and the command line do the same; none of Gradio's
own ways to bring files and to run functions are used, and :mod:`realedit.ui.guard` serves none of them.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

ASSETS = Path(__file__).parent / "assets"
"""What the page is made of: its structure, its script, its style, and its texts in each language."""
_HEAD = """<link rel="stylesheet" href="ui/app.css">
<link rel="modulepreload" href="ui/app.js">
<meta name="color-scheme" content="light dark">"""
_START = 'import(new URL("ui/app.js", document.baseURI).href).then((app) => app.start(element, {facts}))'


def add_page(app: FastAPI, facts: dict[str, Any]) -> FastAPI:
    """Adds the page to an app, and what it is made of under ``/ui``.

    Args:
        app: the app, which has the API.
        facts: what the script is told: limits, kinds of edits...
    """
    app.mount("/ui", StaticFiles(directory=ASSETS), name="ui")
    # Gradio reads it when it is imported: it would tell its authors of every start
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of packages that Gradio imports
        import gradio as untyped

        gradio: Any = untyped  # its types are incomplete

        blocks = _blocks(gradio, facts)
        mounted: FastAPI = gradio.mount_gradio_app(
            app,
            blocks,
            path="/",
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            show_error=False,
            pwa=False,
            mcp_server=False,
            theme=_theme(gradio),
            head=_HEAD,
            favicon_path=str(ASSETS / "icon.png"),
        )
    return mounted


def _blocks(gradio: Any, facts: dict[str, Any]) -> Any:  # noqa: ANN401 - of a package without types
    structure = (ASSETS / "app.html").read_text(encoding="utf-8")
    with gradio.Blocks(title="realedit", analytics_enabled=False, fill_width=True) as blocks:
        gradio.HTML(
            html_template=structure,
            js_on_load=_START.replace("{facts}", json.dumps(facts)),
            apply_default_css=False,
            elem_id="realedit-page",
        )
    return blocks


def _theme(gradio: Any) -> Any:  # noqa: ANN401 - likewise
    """Returns a theme whose fonts are the machine's own: the others would be fetched."""
    fonts = ["system-ui", "sans-serif"]
    return gradio.themes.Base(font=fonts, font_mono=["ui-monospace", "monospace"])
