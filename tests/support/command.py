"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
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

    def here(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in this process, which has loaded what it needs; what C code prints is seen too."""
        from realedit.cli import main

        words = [str(word) for word in arguments]
        told = {**self.environment, **(env or {})}
        outer, place = os.environ.copy(), Path.cwd()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            kept = os.dup(1), os.dup(2)
            streams = sys.stdout, sys.stderr
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdout, sys.stderr = (
                    os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2)
                )
                os.environ.clear()
                os.environ.update(told)
                os.chdir(self.folder)
                code = main(words)
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                sys.stdout, sys.stderr = streams
                for number, before in zip((1, 2), kept, strict=True):
                    os.dup2(before, number)
                    os.close(before)
                os.chdir(place)
                os.environ.clear()
                os.environ.update(outer)
            said: list[str] = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        return subprocess.CompletedProcess(words, code, *said)

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
