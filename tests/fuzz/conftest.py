"""The flag that makes the fuzzing longer: ``python -m pytest -n 0 tests/fuzz --fuzz 100000``."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=10_000, help="inputs that all readers get together")
    parser.addoption("--fuzz-from", type=int, default=0, help="number of the first input of each reader")
