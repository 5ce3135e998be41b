"""`realedit fetch`: brings models that do not ship, once, and lists which there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from realedit.cli import output
from realedit.cli.boundary import say
from realedit.cli.options import Debug, Json

if TYPE_CHECKING:
    from realedit.external.catalogue import Fetchable


def fetch(
    name: Annotated[
        str | None, Parameter(help="What to fetch: sam, detector, captioner or sdxl. Without it: a list.")
    ] = None,
    /,
    *,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Download a model once, after telling its size and licence; or list what can be fetched."""
    from realedit.external.catalogue import CATALOGUE, named

    if name is None:
        _list(CATALOGUE, json=json)
        return
    one = named(name)
    root = one.folder()
    before = root is not None
    if root is None:
        count = one.bytes_to_fetch()
        say(f"realedit: fetching {one.hub_id}, {count / 10**6:.0f} MB, licence {one.licence}")
        root = one.fetch()
    if json:
        output.print_json({**_fields(one), "available": True, "fetched": not before, "path": root})
        return
    print(f"{one.name} is {'here already' if before else 'here now'}: {one.use}")


def _list(catalogue: tuple[Fetchable, ...], *, json: bool) -> None:
    if json:
        output.print_json(
            {"models": [{**_fields(one), "available": one.folder() is not None} for one in catalogue]}
        )
        return
    rows = [
        (
            one.name,
            f"about {one.megabytes} MB",
            one.licence,
            "here" if one.folder() is not None else "-",
            one.purpose,
            one.use,
        )
        for one in catalogue
    ]
    output.print_table(("name", "size", "licence", "state", "what for", "how"), rows)


def _fields(one: Fetchable) -> dict[str, object]:
    """Returns what is known about a model without asking anyone."""
    said = asdict(one)
    return {key: said[key] for key in ("name", "hub_id", "licence", "megabytes", "purpose", "use")}
