"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """The installed `realedit`, or the checkout's where none is installed, run in `folder`."""

    folder: Path
    environment: dict[str, str]

    @property
    def words(self) -> list[str]:
        installed = shutil.which("realedit", path=str(Path(sys.executable).parent))
        return [installed] if installed else [sys.executable, "-m", "realedit"]

    def __call__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, wrapper: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*wrapper, *self.words, *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.words, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def python(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script in the same place."""
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def listing(self) -> dict[str, bytes]:
        """Return every file in the folder with its content."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}
