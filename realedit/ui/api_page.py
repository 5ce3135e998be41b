"""The API's own page: what its OpenAPI description says, without a script, so that it works offline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent / "assets"


def api_page(description: Mapping[str, Any], here: str) -> str:
    """Returns the page of an OpenAPI description.

    Args:
        description: what OpenAPI says.
        here: the server's address.
    """
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    calls = [
        {
            "method": method.upper(),
            "path": path,
            "text": call.get("description") or call.get("summary", ""),
            "body": _fields(call, description),
        }
        for path, methods in description["paths"].items()
        for method, call in methods.items()
    ]
    return environment.get_template("api.html.jinja").render(info=description["info"], calls=calls, here=here)


def _fields(call: Mapping[str, Any], description: Mapping[str, Any]) -> list[dict[str, str]]:
    """Returns the fields of a call's JSON body: their names, types and meanings."""
    content = call.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return [
        {"name": name, "type": _type(about), "text": about.get("description", "")}
        for name, about in schema.get("properties", {}).items()
    ]


def _type(about: Mapping[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_type(one) for one in about["anyOf"])
    return str(about.get("type", "object"))
