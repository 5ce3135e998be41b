"""Makes docs/thresholds.md: every number that a module holds as a constant, and the line below it there.

    python scripts/thresholds.py [--check]

Exits 1 where a constant of the core packages has no line below it that says what it does, and with
``--check`` where the page is out of date. Constants without a line in other packages are listed at the end of
the page.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "thresholds.md"
TREES = ("realedit", "guidance", "inversion")
CORE = tuple(f"realedit.{name}" for name in ("pixels", "compose", "find", "sample", "inverted", "steps"))
"""Packages in which a constant without a line is an error."""
COMMAND = "scripts/thresholds.py"
_LONGEST = 60
"""Characters of a value: a longer one is left to its file."""
_NAME = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*$")
_SET_ON = re.compile(r"(?<=[.:;] )(?=(?:Set|By eye|Not measured|Not tuned)\b)")

HEAD = f"""\
# Thresholds

Every number that a module of `realedit`, `guidance` or `inversion` holds as a constant: what it does, and
what it was set on. `python {COMMAND}` makes this page from the lines below the constants: change them
there.

A **unit** is 1/256 of a picture's longer side (`realedit.pixels.unit`). Numbers that a user can set are in
[`realedit/settings.py`](../realedit/settings.py); an energy's `tolerance` is in its class
([`guidance/energies`](../guidance/energies)).
"""


@dataclass(frozen=True)
class Constant:
    """A number, or several, that a module holds.

    Args:
        name: its own, or several with commas.
        value: as the code writes it.
        line: what it does, in one line; "" where the code does not say.
        file: relative to the tree's root.
    """

    name: str
    value: str
    line: str
    file: Path

    @property
    def package(self) -> str:
        """The package of its module: two levels of realedit, else one."""
        tree, *inside = self.file.parts
        return f"{tree}.{inside[0]}" if tree == "realedit" and len(inside) > 1 else tree

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.file.as_posix()}: {self.name}"


def constants_of(source: str, file: Path) -> Iterator[Constant]:
    """The constants of a module's source, in its order."""
    body = ast.parse(source).body
    for node, after in zip(body, [*body[1:], None], strict=False):
        match node:
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                names = _names(target)
            case _:
                continue
        if names and all(map(_NAME.match, names)) and _has_number(value):
            yield Constant(", ".join(names), _shown(value, source), _string(after), file)


def _names(target: ast.expr) -> list[str]:
    match target:
        case ast.Name(id=name):
            return [name]
        case ast.Tuple(elts=parts):
            return [name for part in parts for name in _names(part)]
    return []


def _has_number(value: ast.expr) -> bool:
    """Whether an expression holds a number; indices, functions and the order of help groups do not count."""
    match value:
        case ast.Constant(value=number):
            return isinstance(number, int | float) and not isinstance(number, bool)
        case ast.Call(func=ast.Name(id="Group")):
            return False
        case (
            ast.Lambda()
            | ast.Subscript()
            | ast.GeneratorExp()
            | ast.ListComp()
            | ast.DictComp()
            | ast.SetComp()
        ):
            return False
    parts = [part.value if isinstance(part, ast.keyword) else part for part in ast.iter_child_nodes(value)]
    return any(_has_number(part) for part in parts if isinstance(part, ast.expr))


def _shown(value: ast.expr, source: str) -> str:
    """A value as the source has it, on one line, a tuple without its brackets; "" where that is long."""
    text = " ".join((ast.get_source_segment(source, value) or "").split())
    match value:
        case ast.Tuple(elts=[first, *_]) if (first.lineno, first.col_offset) != (
            value.lineno,
            value.col_offset,
        ):
            text = text[1:-1].strip().rstrip(",")
    return text if len(text) <= _LONGEST else ""


def _string(node: ast.stmt | None) -> str:
    """The text of a statement that is a string alone, on one line."""
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return " ".join(text.split())
    return ""


def read(root: Path = ROOT) -> list[Constant]:
    """The constants of a tree, by package and file."""
    files = sorted(file.relative_to(root) for tree in TREES for file in (root / tree).rglob("*.py"))
    found = [one for file in files for one in constants_of((root / file).read_text(encoding="utf-8"), file)]
    return sorted(found, key=lambda one: (TREES.index(one.file.parts[0]), one.package))


def page_of(constants: Sequence[Constant]) -> str:
    """The page."""
    parts = [HEAD]
    for package, group in groupby(constants, key=lambda one: one.package):
        rows = [_row(one) for one in group]
        parts.append(
            f"## {package}\n\n| name | value | what it does | set on | file |\n|---|---|---|---|---|"
        )
        parts[-1] += "\n" + "\n".join(rows) + "\n"
    silent = [one for one in constants if not one.line]
    if silent:
        listed = "\n".join(f"* `{one.name}` in {_link(one.file)}" for one in silent)
        parts.append(
            f"## Without a line\n\nThe code does not say what these do, or why so much:\n\n{listed}\n"
        )
    return "\n".join(parts)


def _row(one: Constant) -> str:
    does, *how = _SET_ON.split(one.line, maxsplit=1)
    value = f"`{one.value}`" if one.value else "see the file"
    cells = (f"`{one.name}`", value, _plain(does), _plain(*how), _link(one.file))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _plain(text: str = "") -> str:
    """A docstring's text in Markdown."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`").strip()


def _link(file: Path) -> str:
    inside = file.parts[2:] if file.parts[0] == "realedit" and len(file.parts) > 2 else file.parts[-1:]
    return f"[{'/'.join(inside)}](../{file.as_posix()})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where the page is out of date"
    )
    options = parser.parse_args(arguments)
    constants = read()
    page, failed = page_of(constants), False
    for one in constants:
        if not one.line and one.package in CORE:
            print(f"{one.place} has no line below it that says what it does", file=sys.stderr)
            failed = True
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print(f"docs/{PAGE.name} is out of date: python {COMMAND} makes it", file=sys.stderr)
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
