"""Draws which packages import which, in docs/architecture.md, and says whether any arrow runs back up.

    python scripts/architecture.py [--check]

The imports are the code's own, read by grimp (which import-linter brings), those inside functions and under
``TYPE_CHECKING`` too. The layers are import-linter's, from pyproject.toml. The line of each package is the
first paragraph of its docstring. The rest of the page is left alone. Exits 1 where an arrow does not run
down, where a package is in no layer, and with ``--check`` where the page is out of date.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = ("realedit", "guidance", "inversion")
FACE = {"realedit", "realedit.__main__"}
"""Not drawn: the public names, which are fetched when they are used, and ``python -m realedit``."""
COMMAND = "scripts/architecture.py"

Arrow = tuple[str, str]
"""(who imports, who is imported)."""


@dataclass(frozen=True)
class Layer:
    """Packages of one height.

    Args:
        names: theirs.
        independent: whether they may not import each other.
    """

    names: tuple[str, ...]
    independent: bool = True

    @classmethod
    def read(cls, text: str) -> Layer:
        """A layer as import-linter's contracts write it: ``a | b`` are independent, ``a : b`` are not."""
        return cls(tuple(re.findall(r"\w+", text)), ":" not in text)


@dataclass(frozen=True)
class Drawing:
    """The packages, their heights, and who imports whom.

    Args:
        layers: the highest first.
        arrows: every import between two of them, once.
    """

    layers: tuple[Layer, ...]
    arrows: frozenset[Arrow]

    @property
    def nodes(self) -> tuple[str, ...]:
        """All packages, the highest first."""
        return tuple(name for layer in self.layers for name in layer.names)

    @property
    def wrong(self) -> list[Arrow]:
        """The arrows that run back up, or sideways where that is not allowed."""
        height = {name: place for place, layer in enumerate(self.layers) for name in layer.names}
        return sorted(
            (user, used)
            for user, used in self.arrows
            if height[user] > height[used]
            or (height[user] == height[used] and self.layers[height[user]].independent)
        )

    @property
    def reduced(self) -> list[Arrow]:
        """The arrows without those that a longer way of other arrows stands for; the wrong ones all stay."""
        down = self.arrows - set(self.wrong)
        below: dict[str, set[str]] = {name: set() for name in self.nodes}
        for name in reversed(self.nodes):
            for user, used in down:
                if user == name:
                    below[name] |= {used} | below[used]
        shorter = {
            (user, used)
            for user, used in down
            if any(used in below[other] for one, other in down if one == user and other != used)
        }
        order = {name: place for place, name in enumerate(self.nodes)}
        return sorted(self.arrows - shorter, key=lambda arrow: (order[arrow[0]], order[arrow[1]]))


def read_layers(pyproject: Path) -> tuple[Layer, ...]:
    """import-linter's layers of realedit, and below them the packages that realedit stands on."""
    with pyproject.open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layered = [contract for contract in contracts if contract["type"] == "layers"]
    inside = next(contract for contract in layered if contract.get("containers") == ["realedit"])
    beside = next(contract for contract in layered if "containers" not in contract)
    lower = beside["layers"][beside["layers"].index("realedit") + 1 :]
    return tuple(map(Layer.read, [*inside["layers"], *lower]))


def drawing_of(imports: Mapping[str, Iterable[str]], layers: Sequence[Layer]) -> Drawing:
    """The drawing of some modules' imports.

    Args:
        imports: a module's full name -> the modules that it imports.
        layers: the highest first.

    Raises:
        ValueError: a package is in no layer.
    """
    arrows = {
        (part_of(module), part_of(other))
        for module, others in imports.items()
        for other in others
        if module not in FACE and other not in FACE and part_of(module) != part_of(other)
    }
    known = {name for layer in layers for name in layer.names}
    found = {part_of(module) for module in imports if module not in FACE}
    if strangers := sorted(found - known):
        raise ValueError(f"in none of pyproject.toml's layers: {', '.join(strangers)}")
    return Drawing(tuple(layers), frozenset(arrows))


def part_of(module: str) -> str:
    """The package, or the module at realedit's top, that a module belongs to."""
    first, *rest = module.split(".")
    return rest[0] if first == "realedit" and rest else first


def read_imports() -> dict[str, set[str]]:
    """Every module of the tree, and what it imports of the tree."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)}


def mermaid(drawing: Drawing) -> str:
    """The drawing as text that GitHub, GitLab and editors draw."""
    lines = ["```mermaid", "flowchart TB"]
    lines += [f"    {name}" for name in drawing.nodes]
    wrong = set(drawing.wrong)
    lines += [
        f"    {user} {'==>' if (user, used) in wrong else '-->'} {used}" for user, used in drawing.reduced
    ]
    return "\n".join([*lines, "```"])


def imports_text(drawing: Drawing) -> str:
    """The page's section on imports: the drawing, and whether an arrow runs back up."""
    wrong, drawn, all_of_them = drawing.wrong, len(drawing.reduced), len(drawing.arrows)
    told = ", ".join(f"{user} -> {used}" for user, used in wrong)
    return (
        f"{mermaid(drawing)}\n\n"
        f"{len(drawing.nodes)} packages and modules. Of {all_of_them} arrows the drawing leaves out the "
        f"{all_of_them - drawn} that a longer way stands for. "
        f"**Arrows that run back up: {len(wrong)}**{f' ({told})' if told else ''}."
    )


def packages_text(drawing: Drawing, root: Path = ROOT) -> str:
    """The page's table of packages, the highest layer first."""
    lines = ["| layer | package | what it is |", "|---|---|---|"]
    for place, layer in enumerate(drawing.layers, 1):
        for name in layer.names:
            file = source_of(name, root)
            link = file.parent if file.name == "__init__.py" else file
            lines.append(
                f"| {place} | [`{name}`](../{link.relative_to(root).as_posix()}) | {summary(file)} |"
            )
    return "\n".join(lines)


def source_of(name: str, root: Path) -> Path:
    """The file that holds the docstring of a package or module."""
    inside = (root if name in PACKAGES else root / "realedit") / name
    return inside / "__init__.py" if inside.is_dir() else inside.with_suffix(".py")


def summary(file: Path) -> str:
    """The first paragraph of a module's docstring, in Markdown."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split()).replace("|", r"\|")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", first).replace("``", "`")


def replaced(page: str, name: str, text: str) -> str:
    """A page with the text between the markers of a name replaced.

    Raises:
        ValueError: the page lacks the markers.
    """
    begin, end = f"<!-- {name}: made by {COMMAND} -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the page lacks the lines {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where the page is out of date"
    )
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT))  # grimp looks for the packages where Python does
    drawing = drawing_of(read_imports(), read_layers(ROOT / "pyproject.toml"))
    before = PAGE.read_text(encoding="utf-8")
    page = replaced(before, "imports", imports_text(drawing))
    page = replaced(page, "packages", packages_text(drawing))
    for user, used in drawing.wrong:
        print(f"{user} imports {used}, which is not below it", file=sys.stderr)
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif page != before:
        print(f"docs/{PAGE.name} is out of date: python {COMMAND} makes it", file=sys.stderr)
        return 1
    return 1 if drawing.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
