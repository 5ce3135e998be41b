"""Many photos: which are edited, under which names; what a record keeps; what a rerun leaves out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from realedit.batch import JOURNAL, Editor, PhotoRecord, Task, edit_photos, skipped, tasks_for, write_outputs
from realedit.batch.records import sha256_of
from realedit.errors import (
    MemoryLimitError,
    ModelUnavailableError,
    ObjectNotFoundError,
    OutputExistsError,
    PhotoError,
    UnsureError,
    UsageError,
)
from realedit.system.json_lines import append_line, read_lines
from realedit.system.whole_files import ABANDONED_SECONDS


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
    first = picture(tmp_path / "one" / "a.png")
    with pytest.raises(UsageError, match="would replace the photo itself"):
        tasks_for([first], tmp_path / "one")
    with pytest.raises(UsageError, match="holds the photos themselves"):
        tasks_for([tmp_path / "one"], tmp_path / "one")
    with pytest.raises(PhotoError, match="no such file"):
        tasks_for([tmp_path / "missing.png"], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotoError, match="has no photos"):
        tasks_for([tmp_path / "empty"], tmp_path / "out")


def test_a_collision_leaves_out_that_photo_alone(tmp_path: Path) -> None:
    first, second = picture(tmp_path / "one" / "a.png"), picture(tmp_path / "two" / "a.png")
    missing, other = tmp_path / "missing.png", picture(tmp_path / "b.png")
    tasks = tasks_for([first, missing, second, other], tmp_path / "out")
    assert [task.problem is None for task in tasks] == [True, False, False, True]
    assert "no such file" in str(tasks[1].problem)
    assert "would both become" in str(tasks[2].problem)
    assert len({task.key for task in tasks}) == 4


def test_a_name_that_a_change_of_format_would_take_is_kept_in_full(tmp_path: Path) -> None:
    photos = [picture(tmp_path / name) for name in ("a.gif", "a.png", "b.gif")]
    tasks = tasks_for(photos, tmp_path / "out")
    assert [task.output.name for task in tasks] == ["a.gif.png", "a.png", "b.png"]
    assert [task.problem for task in tasks] == [None] * 3


def test_each_photo_has_its_own_mask(tmp_path: Path) -> None:
    photos = [picture(tmp_path / "in" / name) for name in ("a.jpg", "deep/b.jpg", "c.jpg")]
    for name in ("a.png", "deep/b-mask.png"):
        picture(tmp_path / "masks" / name)
    tasks = tasks_for([tmp_path / "in"], tmp_path / "out", masks=tmp_path / "masks")
    assert [task.photo for task in tasks] == [photos[0], photos[2], photos[1]]
    masks = [None if task.mask is None else task.mask.relative_to(tmp_path / "masks") for task in tasks]
    assert masks == [Path("a.png"), None, Path("deep/b-mask.png")]
    assert "no mask for" in str(tasks[1].problem)
    key = tasks[0].key
    picture(tmp_path / "masks" / "a.png", "blue")
    assert tasks_for([tmp_path / "in"], tmp_path / "out", masks=tmp_path / "masks")[0].key != key


def test_a_key_tells_photos_and_settings_apart(tmp_path: Path) -> None:
    photo, out = picture(tmp_path / "a.png"), tmp_path / "out"

    def key(**settings: float) -> str:
        return tasks_for([photo], out, files=(), masks=None, **settings)[0].key

    first = key(dx=0.1)
    assert first == key(dx=0.1) != key(dx=0.2)
    picture(photo, "blue")
    os.utime(photo, ns=(1, 1))
    assert key(dx=0.1) != first


def test_a_key_tells_the_content_of_named_files_and_the_version_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, other = picture(tmp_path / "a.png"), picture(tmp_path / "other.png")

    def key(*files: str | Path) -> str:
        return tasks_for([photo], tmp_path / "out", files=files, dx=0.1)[0].key

    first, none = key(other), key()
    assert first == key(str(other), other) != none
    about = other.stat()
    data = other.read_bytes()
    other.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert key(other) not in (first, none)
    other.write_bytes(data)
    assert key(other) == first
    monkeypatch.setattr("realedit.batch.tasks.distribution_version", lambda name: f"{name} 99")
    assert key(other) != first
    other.unlink()
    with pytest.raises(PhotoError, match=r"other.png cannot be read \(No such file"):
        key(other)


def saving(task: Task) -> PhotoRecord:
    """Edits: writes a file, but for photos that fail in one way or another."""
    match task.photo.stem:
        case "unsure":
            raise UnsureError("not sure enough", "show it")
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
            lambda: Editor(saving, out / JOURNAL),
            tasks,
            out,
            force=force,
            on_record=told.append,
            progress=progress,
        )
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
        ("done", 0),
        ("failed", ObjectNotFoundError.exit_code),
        ("failed", 1),
        ("done", 0),
    ]
    assert records[1].error == "no 'mug'; name another"
    assert records[2].error == "ZeroDivisionError: by zero"
    lines = [json.loads(line) for line in (tmp_path / "out" / JOURNAL).read_text().splitlines()]
    assert [line["key"] for line in lines] == ["a", "lost", "bug", "b"]
    assert lines[0]["metrics"] == {"a": 1.0}

    before, records = run("a", "lost", "c", "b")
    assert before == ["a", "b"]
    assert [record.key for record in records] == ["lost", "c"]
    assert [record.key for record in run("a", "b", force=True)[1]] == ["a", "b"]


def test_an_unsure_photo_is_refused_with_the_reason(
    run: Callable[..., tuple[list[str], list[PhotoRecord]]],
) -> None:
    _, (done, refused) = run("a", "unsure")
    assert (done.status, refused.status) == ("done", "refused")
    assert (refused.error, refused.exit_code) == ("not sure enough; show it", UnsureError.exit_code)
    before, again = run("a", "unsure")
    assert (before, [record.status for record in again]) == (["a"], ["refused"])


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


class Interrupted(BaseException):
    """Ends the run where it is, as Ctrl-C does."""


@pytest.fixture
def task(tmp_path: Path) -> Task:
    (tmp_path / "out").mkdir()
    return Task(picture(tmp_path / "a.png"), tmp_path / "out" / "a.png", "key")


def do(
    task: Task, content: bytes, end: BaseException | None = None, *, force: bool = False
) -> list[PhotoRecord]:
    """Edits the photo to these bytes, with a second file beside it; may end before there is a record."""
    journal = task.output.parent / JOURNAL

    def edit(given: Task) -> PhotoRecord:
        files = {given.output: content, given.output.with_name("a.png.json"): b"{}"}
        write_outputs(given, files, journal, force=force)
        if end is not None:
            raise end
        return PhotoRecord(given.key, str(given.photo), str(given.output), "done")

    told: list[PhotoRecord] = []
    edit_photos(lambda: Editor(edit, journal), [task], journal.parent, force=force, on_record=told.append)
    return told


def test_an_output_without_a_record_is_replaced(task: Task) -> None:
    with pytest.raises(Interrupted):
        do(task, b"first", Interrupted())
    assert task.output.read_bytes() == b"first"
    assert [record.status for record in do(task, b"second")] == ["done"]
    assert task.output.read_bytes() == b"second"
    assert do(task, b"third") == []
    assert task.output.read_bytes() == b"second"
    # the file beside it is the task's own, too
    task.output.unlink()
    assert [record.status for record in do(task, b"third")] == ["done"]
    assert task.output.read_bytes() == b"third"


def test_what_an_interrupted_replacement_left_is_replaced(task: Task) -> None:
    do(task, b"first")
    with pytest.raises(Interrupted):
        do(task, b"second", Interrupted(), force=True)
    assert task.output.read_bytes() == b"second"
    assert [record.status for record in do(task, b"third")] == ["done"]
    assert task.output.read_bytes() == b"third"


def test_a_file_that_the_task_did_not_write_is_never_replaced(task: Task) -> None:
    with pytest.raises(Interrupted):
        do(task, b"first", Interrupted())
    task.output.write_bytes(b"precious")
    (record,) = do(task, b"second")
    assert record.status == "failed"
    assert "FileExistsError" in str(record.error)
    assert task.output.read_bytes() == b"precious"
    # nor one beside a file of its own
    task.output.write_bytes(b"first")
    beside = task.output.with_name("a.png.json")
    beside.write_bytes(b"precious")
    assert [record.status for record in do(task, b"second")] == ["failed"]
    assert (task.output.read_bytes(), beside.read_bytes()) == (b"first", b"precious")


def test_a_finished_photo_whose_files_are_not_as_written_is_done_again(task: Task) -> None:
    do(task, b"first")
    beside = task.output.with_name("a.png.json")
    beside.unlink()
    assert [record.status for record in do(task, b"second")] == ["done"]
    assert (task.output.read_bytes(), beside.read_bytes()) == (b"second", b"{}")
    task.output.write_bytes(b"")
    assert [record.status for record in do(task, b"third")] == ["done"]
    assert sorted(file.name for file in task.output.parent.iterdir()) == ["a.png", "a.png.json", JOURNAL]
    # what may be somebody's work is kept, under another name
    task.output.write_bytes(b"retouched")
    assert [record.status for record in do(task, b"fourth")] == ["done"]
    assert task.output.read_bytes() == b"fourth"
    assert task.output.with_name("a-changed-1.png").read_bytes() == b"retouched"
    assert do(task, b"fifth") == []


def test_what_cannot_be_done_is_recorded_and_ends_nothing(task: Task) -> None:
    journal = task.output.parent / JOURNAL
    lost = Task(task.photo, task.output.with_name("b.png"), "lost", problem=PhotoError("gone", "look"))
    told: list[PhotoRecord] = []

    def edit(given: Task) -> PhotoRecord:
        write_outputs(given, {given.output: b"1"}, journal)
        return PhotoRecord(given.key, str(given.photo), str(given.output), "done")

    edit_photos(lambda: Editor(edit, journal), [lost, task], journal.parent, on_record=told.append)
    assert [(record.key, record.status, record.exit_code) for record in told] == [
        ("lost", "failed", 3),
        ("key", "done", 0),
    ]
    assert [fields["key"] for _, fields in read_lines(journal)] == ["lost", "key", "key"]


def test_nothing_is_loaded_when_nothing_is_left(task: Task) -> None:
    do(task, b"first")

    def load() -> Editor:
        raise AssertionError("loaded")

    before, records = edit_photos(load, [task], task.output.parent, on_record=lambda _: None)
    assert (before, records) == ([task], [])


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("std::bad_alloc"), OSError(12, "no memory")])
def test_want_of_memory_has_its_own_exit_code(task: Task, error: Exception) -> None:
    def edit(given: Task) -> PhotoRecord:
        raise error

    told: list[PhotoRecord] = []
    edit_photos(lambda: Editor(edit, None), [task], task.output.parent, on_record=told.append)
    assert [record.exit_code for record in told] == [MemoryLimitError.exit_code]


def test_a_dry_run_writes_nothing_even_of_problems(task: Task) -> None:
    lost = Task(task.photo, task.output, "lost", problem=PhotoError("gone"))
    old = task.output.with_name(".realedit-old.tmp")
    old.write_bytes(b"")
    os.utime(old, (1, 1))
    edit_photos(lambda: Editor(saving, None), [lost], old.parent, dry_run=True, on_record=lambda _: None)
    assert [file.name for file in old.parent.iterdir()] == [old.name]


@pytest.mark.parametrize(
    "line", ['{"key": 1, "files": 2, "status": "writing"}', "[" * 9999, '{"key": ' + "1" * 5000]
)
def test_a_journal_of_another_kind_is_told(task: Task, line: str) -> None:
    (task.output.parent / JOURNAL).write_text(line + "\n")
    with pytest.raises(OutputExistsError, match="is not a record"):
        do(task, b"first")


def test_files_of_another_task_are_not_the_tasks_own(task: Task) -> None:
    with pytest.raises(Interrupted):
        do(task, b"first", Interrupted())
    other = Task(task.photo, task.output, "other key")
    assert [record.status for record in do(other, b"second")] == ["failed"]
    assert task.output.read_bytes() == b"first"


def test_what_another_run_is_writing_is_left_to_it(task: Task) -> None:
    young, old = (task.output.with_name(f".realedit-{name}.tmp") for name in ("young", "old"))
    for file in (young, old):
        file.write_bytes(b"half")
    when = time.time() - ABANDONED_SECONDS - 60
    os.utime(old, (when, when))
    do(task, b"first")
    assert (young.exists(), old.exists()) == (True, False)


@pytest.mark.skipif(sys.platform != "linux", reason="names of other systems are text")
def test_a_name_in_no_encoding_of_ours_is_a_photo_like_another(tmp_path: Path) -> None:
    photo = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    photo.write_bytes(b"1")
    (task,) = tasks_for([photo], tmp_path / "edited")
    journal = tmp_path / JOURNAL
    append_line(journal, {"photo": str(task.photo)})
    assert list(read_lines(journal)) == [(1, {"photo": str(photo)})]


def test_a_line_that_a_full_disk_cuts_short_is_taken_back_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / JOURNAL
    append_line(journal, {"key": "first"})
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:5]))
        with pytest.raises(PhotoError, match="could not be written"):
            append_line(journal, {"key": "second"})
    append_line(journal, {"key": "third"})
    assert [fields["key"] for _, fields in read_lines(journal)] == ["first", "third"]


def test_photos_are_known_by_their_content_and_what_is_skipped_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (20, 20)).save(folder / "a.jfif", "JPEG")
    Image.new("RGB", (20, 20)).save(folder / "b.jpg", "PNG")
    Image.new("RGB", (20, 20)).save(folder / "c.avif", "AVIF")
    Image.new("RGB", (20, 20)).save(folder / "noname", "WEBP")
    Image.new("RGB", (20, 20)).save(folder / ".realedit-1.tmp", "PNG")
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty.jpg").touch()
    (folder / "z.jpg").write_bytes(b"no picture either, but called one")
    (folder / "a.jfif.realedit.json").write_text("{}")
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "round.jpg").symlink_to(folder / "round.jpg")
    os.mkfifo(folder / "pipe.jpg")
    tasks = tasks_for([folder], tmp_path / "out", files=())
    assert [(task.photo.name, task.output.name) for task in tasks] == [
        ("a.jfif", "a.jfif"),
        ("b.jpg", "b.png"),
        ("c.avif", "c.avif"),
        ("noname", "noname.webp"),
        ("z.jpg", "z.jpg"),
    ]
    assert skipped([folder], tmp_path / "out") == [
        (folder / "empty.jpg", "empty"),
        (folder / "gone.jpg", "a link that leads nowhere"),
        (folder / "notes.txt", "no picture that realedit reads"),
        (folder / "pipe.jpg", "no file but a pipe, socket or device"),
        (folder / "round.jpg", "a link that leads nowhere"),
    ]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end")
def test_a_file_without_an_end_that_an_edit_names_is_told(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    with pytest.raises(PhotoError, match=r"/dev/zero cannot be read \(it is no plain file"):
        tasks_for([tmp_path / "a.png"], tmp_path / "out", files=[Path("/dev/zero")])
    with pytest.raises(OSError, match="no plain file"):
        sha256_of(Path("/dev/zero"))
