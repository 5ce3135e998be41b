"""Sessions keep what is theirs apart, and leave nothing behind."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from realedit.errors import RealEditError
from realedit.ui.kept import Kept
from realedit.ui.limits import Limits
from realedit.ui.sessions import NoSuchThingError, Sessions, plain_name


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Iterator[Sessions]:
    found = Sessions(Limits(sessions=3, idle_seconds=100), clock)
    yield found
    found.close()


def test_a_photo_is_seen_by_its_own_session_alone(sessions: Sessions) -> None:
    one, other = sessions.new(), sessions.new()
    photo = one.keep(b"content", "a.jpg", (4, 3))
    assert one.photo(photo.id) == photo
    with pytest.raises(NoSuchThingError):
        other.photo(photo.id)


def test_the_folders_are_private_and_apart_and_gone_at_the_end(sessions: Sessions) -> None:
    one, other = sessions.new(), sessions.new()
    file = one.keep(b"content", "a.jpg", (4, 3)).file
    assert one.folder != other.folder
    for folder in (sessions.folder, one.folder, other.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    sessions.end(one)
    assert not file.exists()
    assert other.folder.exists()
    sessions.close()
    assert not sessions.folder.exists()


def test_nobody_can_guess_a_name(sessions: Sessions) -> None:
    one = sessions.new()
    names = {one.keep(b"", "a.jpg", (1, 1)).id for _ in range(50)}
    assert len(names) == 50
    assert min(map(len, names)) >= 20
    assert len(one.id) >= 40


def test_what_is_not_used_for_long_is_ended_and_what_is_used_stays(sessions: Sessions, clock: Clock) -> None:
    used, idle = sessions.new(), sessions.new()
    for session in (used, idle):
        session.keep(b"", "a.jpg", (1, 1))
    clock.now = 99
    assert sessions.get(used.id) is used
    clock.now = 101
    assert sessions.end_idle() == [idle]
    assert sessions.get(idle.id) is None
    assert sessions.get(used.id) is used


def test_a_session_that_nothing_was_brought_to_makes_room_after_a_minute(
    sessions: Sessions, clock: Clock
) -> None:
    for _ in range(3):
        sessions.new()
    with pytest.raises(RealEditError, match="too many people"):
        sessions.new()
    clock.now = 61
    sessions.new()
    assert len(sessions) == 1


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a b.png", "a b.png"),
        ("<script>.png", "_script_.png"),
        ("...", "photo"),
        ("", "photo"),
        ("Blüte (2).jpeg", "Blüte (2).jpeg"),
        ('it\'s "mine".jpg', 'it\'s "mine".jpg'),
        ("left\u202egpj.exe", "left_gpj.exe"),
        ("a\nb\0.jpg", "a_b_.jpg"),
    ],
)
def test_a_name_holds_nothing_of_a_path_or_a_page(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_a_long_name_keeps_its_suffix() -> None:
    assert plain_name("x" * 500 + ".tiff").endswith("x.tiff")
    assert len(plain_name("x" * 500 + ".tiff")) == 80


def test_a_name_never_becomes_a_file(sessions: Sessions, tmp_path: Path) -> None:
    session = sessions.new()
    photo = session.keep(b"", str(tmp_path / "evil.jpg"), (1, 1))
    assert photo.file.parent == session.folder
    assert "evil" not in photo.file.name
    assert not (tmp_path / "evil.jpg").exists()


def test_the_longest_unused_goes_when_there_is_no_room() -> None:
    kept: Kept[bytes] = Kept(10, len)
    made: list[str] = []

    def get(name: str, size: int) -> bytes:
        return kept.get(name, lambda: made.append(name) or bytes(size))

    get("a", 4)
    get("b", 4)
    get("a", 4)
    get("c", 4)
    assert made == ["a", "b", "c"]
    get("a", 4)
    get("b", 4)
    assert made == ["a", "b", "c", "b"]
    assert kept.size <= 10
    assert get("large", 11) == bytes(11)
    assert kept.size <= 10
