"""JSON from outside: read within limits, refused beyond them by a ValueError of one line."""

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realedit.system.outside_json import MOST_BYTES, parse_json, read_json

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_within_the_limits_is_read_as_python_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert parse_json(text) == json.loads(text)
    assert parse_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[" * 100_000, "deep"),
        ("[" * 500 + "]" * 500, "deep"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "deep"),
        ("1" * 5000, "5,000 digits"),
        ("-" + "1" * 41, "42 digits"),
        ("[1e999]", "too large"),
        ("NaN", "no number"),
        ("[-Infinity]", "no number"),
        (r'["\ud800"]', "surrogates not allowed"),
        (r'{"\udfff": 1}', "surrogates not allowed"),
        (b'"\xff"', "invalid start byte"),
        ("", "Expecting value"),
        ('{"a": 1,}', "property name"),
    ],
)
def test_what_is_beyond_them_is_a_value_error(text: str | bytes, what: str) -> None:
    with pytest.raises(ValueError, match=what) as told:
        parse_json(text)
    assert "\n" not in str(told.value)


def test_a_file_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as sparse:
        sparse.truncate(2**40)
    with pytest.raises(ValueError, match="more than 16 MB"):
        read_json(file)
    file.write_bytes(b"[1]".rjust(MOST_BYTES))
    assert read_json(file) == [1]


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"a": [1]}',))
    writer.start()
    assert read_json(pipe) == {"a": [1]}
    writer.join()
