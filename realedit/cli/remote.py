"""What a running server does for a command (`--server`): its model is loaded, its bytes are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from realedit.cli import pipes
from realedit.cli.found import Asked, Found
from realedit.cli.options import ModelOptions
from realedit.cli.server import Server
from realedit.errors import UsageError
from realedit.location import Box
from realedit.system.progress import Progress

if TYPE_CHECKING:
    from realedit.cli.options import ObjectOptions
    from realedit.cli.request import EditCommand
    from realedit.edits.prepared import Prepared, Shown
    from realedit.photo.encode import Compression


class _ChangeTold(BaseModel):
    edit: str
    word: str | None
    source: str | None
    score: float | None
    box_before: Box | None
    box_after: Box | None
    perspective: float | None = None


class _EditTold(BaseModel):
    """What a server tells of an edit, as far as it is used; it may tell more."""

    recipe: dict[str, Any]
    changes: list[_ChangeTold]
    warnings: list[str]
    timings: dict[str, float]
    metrics: dict[str, Any]
    seed: int
    box_before: Box | None
    box_after: Box | None
    object: dict[str, Any] | None


class _FindTold(BaseModel):
    """What a server tells of an object that it has found, as far as it is used."""

    word: str | None
    box: list[float]
    centroid: list[float]
    score: float
    source: str
    confidence: float
    warning: str | None


@dataclass(frozen=True)
class RemoteEdit:
    """What a server's edit came to.

    Args:
        photo: the edited photo's file.
        told: the job's result: recipe, changes, warnings, figures.
    """

    photo: bytes
    told: Mapping[str, Any]


def server_at(address: str, photo: Path, model: ModelOptions) -> Server:
    """Returns the server that a command names.

    Raises:
        UsageError: it is no address, or the command asks for what only the command itself does.
    """
    if photo == pipes.STANDARD:
        raise UsageError("--server takes a file, not standard input", "save the photo first")
    if model != ModelOptions():
        raise UsageError("--server works with its own model", "give its flags to 'realedit ui'")
    return Server(address)


def edit(
    server: Server,
    command: EditCommand,
    prepared: Prepared,
    photo: Path,
    suffix: str,
    compression: Compression,
    progress: Progress,
) -> RemoteEdit:
    """Lets a server do an edit.

    Args:
        server: which.
        command: what is asked for.
        prepared: the same, checked, for this photo.
        photo: the photo's file.
        suffix: of the edited photo's file.
        compression: what the user wants of that file.
        progress: told of each stage.

    Raises:
        RealEditError: what the server says is wrong, as the command itself would say it.
    """
    progress("asking the server", 0, 0)
    with server:
        request, files = _edit_request(command, prepared, suffix, compression)
        result = server.done("edit", request, {"photo": photo, **files}, progress)
        for later in command.then:
            request, files = _edit_request(later, None, suffix, compression)
            request["photo"] = result["photo"]["id"]
            result = _followed_by(result, server.done("edit", request, files, progress))
        checked_result(result)
        return RemoteEdit(server.photo(result["photo"]["id"]), result)


def locate(server: Server, asked: Asked, names: Sequence[str], progress: Progress) -> Found:
    """Lets a server find an object.

    Args:
        server: which; its session ends with it.
        asked: what is asked for.
        names: the files that are wanted: "mask", "cutout", "overlay".
        progress: told of each stage.

    Raises:
        RealEditError: what the server says is wrong, as the command itself would say it.
    """
    request, files = _find_request(asked)
    request["also"] = [name for name in names if name != "mask"]
    with server:
        told = server.done("locate", request, files, progress)
        return _found(told, {name: server.file(told["job"], f"{name}.png") for name in names})


def cut_out(server: Server, asked: Asked, options: Mapping[str, Any], progress: Progress) -> Found:
    """Lets a server cut an object out.

    Args:
        server: which; its session goes on.
        asked: what is asked for.
        options: "crop", "mask_only" and "background", as the request has them.
        progress: told of each stage.

    Raises:
        RealEditError: what the server says is wrong, as the command itself would say it.
    """
    request, files = _find_request(asked)
    told = server.done("cutout", {**request, **options}, files, progress)
    return _found(told, {"cutout": server.file(told["job"], "cutout.png")})


def _find_request(asked: Asked) -> tuple[dict[str, Any], dict[str, Path]]:
    """Returns what is asked for as the server reads it, and the files that go with it."""
    shows, files = _shows(asked.where, asked.shown, {"photo": asked.file})
    return _without_none({**shows, "word": asked.word}), files


def _found(told: Mapping[str, Any], files: Mapping[str, bytes]) -> Found:
    """Returns what a server has told of an object.

    Raises:
        ValueError: it lacks a field that is used, or one has another type.
    """
    fields = _FindTold.model_validate(told).model_dump()
    return Found(fields, fields.pop("warning"), files)


def checked_result(told: Mapping[str, Any]) -> None:
    """Makes sure that what a server tells of an edit has the fields that are used, each of its type.

    Raises:
        ValueError: it has not.
    """
    recipe = _EditTold.model_validate(told).recipe
    later: object = recipe.get("then", [])
    if not isinstance(later, list) or not all(isinstance(one, dict) for one in cast("list[object]", later)):
        raise ValueError("a recipe that is none")


def _followed_by(first: Mapping[str, Any], later: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns what two edits came to, as :meth:`realedit.result.EditResult.followed_by`."""
    recipe = {**first["recipe"], "then": [*first["recipe"].get("then", []), later["recipe"]]}
    times = {name: first["timings"].get(name, 0.0) + took for name, took in later["timings"].items()}
    return {
        **later,
        **{name: first[name] for name in ("object", "box_before", "seed")},
        "recipe": recipe,
        "timings": {**first["timings"], **times},
        "changes": [*first["changes"], *later["changes"]],
        "warnings": list(dict.fromkeys([*first["warnings"], *later["warnings"]])),
    }


def _edit_request(
    command: EditCommand, prepared: Prepared | None, suffix: str, compression: Compression
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Returns a request as the server reads it, and the files that go with it by their parts' names."""
    from realedit.edits.edit import givens
    from realedit.edits.entries import entries

    files: dict[str, Path] = {}
    edits = (command if prepared is None else prepared).plan.edits
    listed = entries(list(edits))
    for edit, entry in zip(edits, listed, strict=True):
        for about in givens(type(edit)).values():
            if about.picture and entry.get(about.name) is not None:
                entry[about.name] = _part(Path(str(entry[about.name])), files)
    shows, files = _shows(command.where, None if prepared is None else prepared.shown, files)
    how = command.how
    said = {
        **shows,
        "edits": listed,
        "allow_crop": command.allow_crop,
        "seed": command.sampling.seed,
        "strength": command.sampling.strength,
        "settings": None if command.settings is None else asdict(command.settings),
        "inversion": how.get("method"),
        "format": suffix,
        "quality": compression.quality,
        "lossless": compression.lossless or None,
        **{name: how[name] for name in ("steps", "guidance_scale", "inversion_scale") if name in how},
    }
    return _without_none(said), files


def _shows(
    where: ObjectOptions, shown: Shown | None, files: Mapping[str, Path]
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Returns where the object is as the server reads it, and the files with the mask among them.

    Args:
        where: what the flags say.
        shown: the same for this photo, in fractions of it; None where the flags say it in fractions.
        files: those that go along already.
    """
    files = dict(files)
    box, points, beside = (
        (where.box, where.point, where.not_point)
        if shown is None
        else (shown.box, shown.points, shown.not_points)
    )
    said = {
        "mask": None if where.mask is None else _part(where.mask, files),
        "box": box,
        "point": list(points),
        "not_point": list(beside),
        "refine": where.refine,
        "prompt": where.prompt,
        "min_confidence": where.min_confidence,
    }
    return _without_none(said), files


def _part(path: Path, files: dict[str, Path]) -> str:
    """Puts a file among those that go along, and returns its part's name."""
    name = f"file{len(files) + 1}"
    files[name] = path
    return name


def _without_none(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
