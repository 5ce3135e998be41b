"""A hub on this machine: the few addresses of its HTTP interface that a download uses, over one folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Answer(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        files = sorted(file for file in self.server.folder.iterdir() if file.is_file())
        if "/resolve/" in path:
            content = (self.server.folder / path.rsplit("/", 1)[1]).read_bytes()
            self.reply(content, ETag=f'"{hashlib.sha256(content).hexdigest()}"')
        elif "/tree/" in path:
            self.reply(json.dumps([described(file) for file in files]).encode())
        else:
            siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in files]
            model = {"_id": "1", "id": "own/model", "sha": COMMIT, "siblings": siblings}
            self.reply(json.dumps(model).encode())

    def reply(self, content: bytes, **headers: str) -> None:
        self.send_response(200)
        common = {"X-Repo-Commit": COMMIT, "Content-Length": str(len(content))}
        for name, value in {**common, "Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def described(file: Path) -> dict[str, object]:
    """What the hub's listing says of a file."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": digest[:40]}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder as the model own/model; gives the hub's address."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads, server.folder = True, folder
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class NestedAnswer(Answer):
    """One request, over a model's folder of folders."""

    def do_GET(self) -> None:
        root: Path = self.server.folder
        files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
        path = self.path.split("?")[0]
        self.server.asked.append(path)
        if "/resolve/" in path:
            content = files[path.split("/resolve/")[1].split("/", 1)[1]].read_bytes()
            self.reply(content, ETag=f'"{hashlib.sha256(content).hexdigest()}"')
        elif "/tree/" in path:
            listed = [described(file) | {"path": name} for name, file in files.items()]
            self.reply(json.dumps(listed).encode())
        else:
            siblings = [{"rfilename": name} for name in files]
            model = {"_id": "1", "id": "own/model", "sha": COMMIT, "siblings": siblings}
            self.reply(json.dumps(model).encode())


@contextmanager
def serving_pipeline(folder: Path) -> Iterator[Any]:
    """Serve a pipeline's folder as the model own/model; gives the server, which keeps what it was asked."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), NestedAnswer)
    server.daemon_threads, server.asked, server.folder = True, [], folder
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
