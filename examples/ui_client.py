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
from collections.abc import Iterator, Mapping
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

_SESSION = "X-Realedit-Session"


class Client:
    """A visitor of a running server.

    Args:
        address: the server's, as it prints it.
        patience: seconds without a word after which a request counts as lost.
    """

    def __init__(self, address: str, patience: float = 600) -> None:
        parts = urlsplit(address)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.patience = patience
        self.headers = {"X-Realedit": "1"}
        for token in parse_qs(parts.query).get("token", []):
            self.headers["Authorization"] = f"Bearer {token}"

    def open(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> HTTPResponse:
        """Makes a request."""
        headers = self.headers | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        return cast("HTTPResponse", urllib.request.urlopen(request, timeout=self.patience))

    def read(self, path: str) -> bytes:
        """Returns a file."""
        with self.open("GET", path) as answer:
            return answer.read()

    def post(self, path: str, fields: Mapping[str, Any]) -> Any:  # noqa: ANN401 - what JSON has
        """Sends JSON and returns the answer's."""
        with self.open("POST", path, json.dumps(fields).encode(), "application/json") as answer:
            return json.load(answer)

    def send(self, path: str, name: str, photo: bytes, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Sends a form with a photo and a request, and returns the answer, whose session is the client's."""
        mark = secrets.token_hex(8)
        parts = {
            'name="request"': json.dumps(fields).encode(),
            f'name="photo"; filename="{name}"': photo,
        }
        body = b"".join(
            f"--{mark}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
            for head, content in parts.items()
        )
        kind = f"multipart/form-data; boundary={mark}"
        with self.open("POST", path, body + f"--{mark}--\r\n".encode(), kind) as answer:
            told = json.load(answer)
        self.headers[_SESSION] = told["session"]
        return told

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

    def leave(self) -> None:
        """Ends the session: the server removes its photos."""
        self.open("DELETE", "/api/session").close()


def main(address: str, photo: str, edits: str, output: str) -> int:
    """Edits a photo and writes it; returns the exit code."""
    client = Client(address)
    asked = {"edits": json.loads(edits)}
    job = client.send("/api/edit", Path(photo).name, Path(photo).read_bytes(), asked)["id"]
    for name, told in client.events(job):
        if name == "stage":
            print(told["stage"], told["step"], "of", told["total"])
        elif name == "failed":
            print(told["message"], "-", told["hint"])
            return int(told["exit_code"])
        elif name == "done":
            Path(output).write_bytes(client.read(f"/api/photos/{told['photo']['id']}/file"))
            print(output, "made by:", told["command"])
    client.leave()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:5]))
