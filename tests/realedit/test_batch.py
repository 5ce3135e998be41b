"""Many photos: which are edited, under which names; what a record keeps; what a rerun leaves out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from realedit.batch import JOURNAL, Editor, PhotoRecord, Task, edit_photos, tasks_for
from realedit.errors import (
    ModelUnavailableError,
    ObjectNotFoundError,
    OutputExistsError,
    PhotoError,
    UsageError,
)


def picture(file: Path, colour: str = "red") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 20), colour).save(file)
    return file


def outputs(tasks: list[Task], folder: Path) -> list[str]:
    return [task.output.relative_to(folder).as_posix() for task in tasks]


def test_a_folders_photos_keep_their_places(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("b.JPG", "a.png", "deep/c.tif", "deep/er/d.gif", ".realedit-1.tmp", "notes.txt"):
        file = photos / name
        if name.endswith(("txt", "tmp")):
            file.write_text("no photo")
        else:
            picture(file)
    out = photos / "edited"
    picture(out / "old.png")
    tasks = tasks_for([photos, picture(tmp_path / "alone.webp")], out)
    assert outputs(tasks, out) == ["a.png", "b.JPG", "deep/c.tif", "deep/er/d.png", "alone.webp"]
    assert [task.photo.name for task in tasks] == ["a.png", "b.JPG", "c.tif", "d.gif", "alone.webp"]


def test_what_cannot_be_meant_is_told(tmp_path: Path) -> None:
    first, second = picture(tmp_path / "one" / "a.png"), picture(tmp_path / "two" / "a.png")
    with pytest.raises(UsageError, match="would both become"):
        tasks_for([first, second], tmp_path / "out")
    with pytest.raises(UsageError, match="would replace the photo itself"):
        tasks_for([first], tmp_path / "one")
    with pytest.raises(UsageError, match="holds the photos themselves"):
        tasks_for([tmp_path / "one"], tmp_path / "one")
    with pytest.raises(PhotoError, match="no such file"):
        tasks_for([tmp_path / "missing.png"], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotoError, match="has no photos"):
        tasks_for([tmp_path / "empty"], tmp_path / "out")


def test_a_key_tells_photos_and_settings_apart(tmp_path: Path) -> None:
    photo, out = picture(tmp_path / "a.png"), tmp_path / "out"

    def key(**settings: object) -> str:
        return tasks_for([photo], out, **settings)[0].key

    first = key(dx=0.1)
    assert first == key(dx=0.1) != key(dx=0.2)
    picture(photo, "blue")
    os.utime(photo, ns=(1, 1))
    assert key(dx=0.1) != first


def saving(task: Task) -> PhotoRecord:
    """Edits: writes a file, but for photos that fail in one way or another."""
    match task.photo.stem:
        case "lost":
            raise ObjectNotFoundError("no 'mug'", "name another")
        case "bug":
            raise ZeroDivisionError("by zero")
        case "model":
            raise ModelUnavailableError("gone")
    task.output.write_bytes(task.photo.read_bytes())
    return PhotoRecord(task.key, str(task.photo), str(task.output), "done", metrics={"a": 1.0})


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[list[str], list[PhotoRecord]]]:
    """Edits photos of these names, and returns those done before and the new records."""
    out = tmp_path / "out"
    out.mkdir()

    def do(*names: str, force: bool = False) -> tuple[list[str], list[PhotoRecord]]:
        tasks = [Task(picture(tmp_path / f"{name}.png"), out / f"{name}.png", name) for name in names]
        told: list[PhotoRecord] = []
        steps: list[tuple[int, int]] = []

        def progress(stage: str, step: int, total: int) -> None:
            assert stage == "photos"
            steps.append((step, total))

        before, records = edit_photos(
            lambda: Editor(saving, out / JOURNAL), tasks, out, force=force, told=told.append,
            progress=progress,
        )  # fmt: skip
        assert told == records
        assert steps == [(n, len(tasks)) for n in range(len(before), len(tasks) + 1)]
        return [task.key for task in before], records

    return do


def test_one_that_fails_ends_nothing_and_is_tried_again(
    run: Callable[..., tuple[list[str], list[PhotoRecord]]], tmp_path: Path
) -> None:
    before, records = run("a", "lost", "bug", "b")
    assert before == []
    assert [(record.status, record.exit_code) for record in records] == [
        ("done", 0), ("failed", ObjectNotFoundError.exit_code), ("failed", 1), ("done", 0),
    ]  # fmt: skip
    assert records[1].error == "no 'mug'; name another"
    assert records[2].error == "ZeroDivisionError: by zero"
    lines = [json.loads(line) for line in (tmp_path / "out" / JOURNAL).read_text().splitlines()]
    assert [line["key"] for line in lines] == ["a", "lost", "bug", "b"]
    assert lines[0]["metrics"] == {"a": 1.0}

    before, records = run("a", "lost", "c", "b")
    assert before == ["a", "b"]
    assert [record.key for record in records] == ["lost", "c"]
    assert [record.key for record in run("a", "b", force=True)[1]] == ["a", "b"]


def test_one_whose_file_is_gone_is_done_again(
    run: Callable[..., tuple[list[str], list[PhotoRecord]]], tmp_path: Path
) -> None:
    run("a", "b")
    (tmp_path / "out" / "a.png").unlink()
    before, records = run("a", "b")
    assert (before, [record.key for record in records]) == (["b"], ["a"])


def test_what_the_next_photo_would_meet_ends_the_run(
    run: Callable[..., tuple[list[str], list[PhotoRecord]]],
) -> None:
    with pytest.raises(ModelUnavailableError):
        run("a", "model", "b")
    assert run("a", "b")[0] == ["a"]


def test_a_foreign_journal_is_not_touched(
    run: Callable[..., tuple[list[str], list[PhotoRecord]]], tmp_path: Path
) -> None:
    journal = tmp_path / "out" / JOURNAL
    journal.write_text('{"something": "else"}\n')
    with pytest.raises(OutputExistsError, match="is not a record"):
        run("a")
    assert journal.read_text() == '{"something": "else"}\n'
