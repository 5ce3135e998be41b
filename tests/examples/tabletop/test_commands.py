"""The commands that the recipe tells its readers to run are such as its programs take."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path

import cyclopts
import pytest

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "tabletop"
COMMAND = re.compile(r"python -m (examples\.tabletop\.\w+)((?:[^\n#]*\\\n)*[^\n#]*)")


def commands() -> list[tuple[str, str]]:
    """Module and arguments of each command in the README and in the modules' docstrings."""
    sources = [file.read_text("utf-8") for file in sorted(FOLDER.glob("*.py"))]
    texts = [ast.get_docstring(ast.parse(source)) or "" for source in sources]
    readme = FOLDER / "README.md"
    if readme.exists():
        texts.append(readme.read_text("utf-8"))
    return [(found[1], found[2]) for text in texts for found in COMMAND.finditer(text)]


def test_there_are_commands() -> None:
    assert len(commands()) > 5


@pytest.mark.parametrize(("module", "arguments"), commands())
def test_a_command_is_one_that_its_program_takes(
    module: str, arguments: str, request: pytest.FixtureRequest
) -> None:
    if module.rpartition(".")[2] in ("render", "cases", "credits"):
        request.getfixturevalue("opengl")  # they import MuJoCo
        pytest.importorskip("trimesh")
    if module.endswith("evaluate"):
        pytest.importorskip("torchmetrics")
    program = importlib.import_module(module)
    app = getattr(program, "app", None)
    if app is None:
        app = cyclopts.App()
        app.default(getattr(program, "main", None) or getattr(program, module.rpartition(".")[2]))
    plain = re.sub(r"\[|\]|\.\.\.|`+", "", arguments.replace("\\\n", " "))
    app.parse_args(shlex.split(plain), exit_on_error=False, print_error=False)
