"""Damaged and hostile files of every kind are read, or refused by an error of realedit's own, soon.

Each reader gets its share of inputs, by mutation of whole files; the same each time. A longer run takes
others, too: ``--fuzz 100000``, in pieces with ``--fuzz-from``.
"""

from __future__ import annotations

import faulthandler
import random
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz_mutations import mutated
from fuzz_targets import TARGETS, Target

MOST_SECONDS = 10.0
MOST_BYTES = 4 * 2**30
SHARES = sum(target.share for target in TARGETS)
DEFAULT = 10_000


def peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _option(request: pytest.FixtureRequest, name: str, default: int) -> int:
    """A flag's value; the flag is known only where pytest is given this folder."""
    given = request.config.getoption(name, default)
    return default if given is None else int(given)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_damaged_file_is_read_or_refused(
    request: pytest.FixtureRequest, tmp_path: Path, target: Target
) -> None:
    total = _option(request, "--fuzz", DEFAULT)
    first = _option(request, "--fuzz-from", 0)
    count = -(-total * target.share // SHARES)
    seeds = list(target.seeds())
    others = [b'{"a": [1, "b", null]}', b"PK\3\4", b"\xff\xd8\xff\xd9", b"II*\0\x08\0\0\0"]
    before = peak_bytes()  # the process may have done other tests
    faults: list[str] = []
    place = tmp_path / "in"
    place.mkdir()
    file = place / target.suffix
    for data in seeds:
        file.write_bytes(target.wrap(data))
        target.run(file)  # whole files are never a fault
    for number in range(first, first + count):
        data = target.wrap(mutated(seeds, random.Random(f"{target.name} {number}"), others))
        file.write_bytes(data)
        faulthandler.dump_traceback_later(60, exit=True)  # a reader that never ends ends the run
        began = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                target.run(file)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            faults.append(
                f"input {number}: {type(error).__name__}: {error!s:.200} at {where.filename}:{where.lineno}"
            )
            (tmp_path / f"{number}{file.suffix}").write_bytes(data)
        finally:
            faulthandler.cancel_dump_traceback_later()
        took = time.process_time() - began
        if took > MOST_SECONDS:
            faults.append(f"input {number}: took {took:.1f} s")
    assert not faults, "\n".join([f"{len(faults)} of {count} in {tmp_path}:", *faults[:20]])
    assert peak_bytes() - before < MOST_BYTES


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["edits", "recipe", "move", "dx", "scale", "resize", "seed", "box", "point", "photo", "settings"]
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
@pytest.mark.parametrize("name", ["edits", "manifest", "journal", "model files", "data set"])
def test_json_of_any_shape_is_read_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    import json

    (target,) = (one for one in TARGETS if one.name == name)
    value = data.draw(
        json_values | st.dictionaries(KEYS, json_values) | st.lists(st.dictionaries(KEYS, json_values))
    )
    file = tmp_path / target.suffix
    file.write_text(json.dumps(value))
    target.run(file)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.binary(max_size=300))
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_bytes_of_any_kind_are_read_or_refused(tmp_path: Path, target: Target, data: bytes) -> None:
    file = tmp_path / target.suffix
    file.write_bytes(data)
    target.run(file)
