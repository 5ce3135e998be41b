"""Edits a photo through a running `realedit ui`: the API from Python, with the standard library alone.

    realedit ui &
    python examples/ui_client.py http://127.0.0.1:7860 photo.jpg '[{"move": "mug", "dx": 0.2}]' moved.jpg

With a token (a server that listens on another address prints it), the address is that with ``?token=...``.
"""

from __future__ import annotations

import json
import secrets
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit


class Client:
    """A visitor of a running server.

    Args:
        address: the server's, as it prints it.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.headers = {"X-Realedit": "1"}
        for token in parse_qs(parts.query).get("token", []):
            self.headers["Authorization"] = f"Bearer {token}"

    def open(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> HTTPResponse:
        """Makes a request."""
        headers = self.headers | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        return cast("HTTPResponse", urllib.request.urlopen(request))

    def start(self, what: str, request: dict[str, Any], photo: Path) -> str:
        """Starts a job ("locate", "cutout" or "edit") on a photo and returns its id."""
        mark = secrets.token_hex(8)
        parts = {'name="request"': json.dumps(request).encode()}
        parts[f'name="photo"; filename="{photo.name}"'] = photo.read_bytes()
        body = b"".join(
            f"--{mark}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
            for head, content in parts.items()
        )
        kind = f"multipart/form-data; boundary={mark}"
        with self.open("POST", f"/api/{what}", body + f"--{mark}--\r\n".encode(), kind) as answer:
            job = json.load(answer)
        self.headers["X-Realedit-Session"] = job["session"]
        return job["id"]

    def events(self, job: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields what happens to a job, until it has ended."""
        name = ""
        with self.open("GET", f"/api/jobs/{job}/events") as stream:
            for line in stream:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: "):
                    yield name, json.loads(text[6:])


def main(address: str, photo: str, edits: str, output: str) -> int:
    """Edits a photo and writes it; returns the exit code."""
    client = Client(address)
    job = client.start("edit", {"edits": json.loads(edits)}, Path(photo))
    for name, told in client.events(job):
        if name == "stage":
            print(told["stage"], told["step"], "of", told["total"])
        elif name == "failed":
            print(told["message"], "-", told["hint"])
            return int(told["exit_code"])
        elif name == "done":
            with client.open("GET", f"/api/photos/{told['photo']['id']}/file") as file:
                Path(output).write_bytes(file.read())
            print(output, "made by:", told["command"])
    client.open("DELETE", "/api/session").close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:5]))
