"""Puts `realedit ui` under load on this machine's own address, and says whether anything was lost or mixed.

    python scripts/ui_load.py [--clients 8] [--requests 200] [--seconds 300]

Starts a server of its own, as a process, with a free port. Each client has a session and a photo of its own
colour, and asks in turn for what is under a point, where an object is, and an edit; what comes back must be
of the client's own photo: outside the edited region every sample is, and every edit of a client gives the
same bytes. Exits 1 where a request is lost, refused or mixed up, or where the server's memory grows by more
than a tenth once all have come.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
from PIL import Image

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "dahlia.jpg"
BOX = (0.2, 0.1, 0.75, 0.9)
"""About the flower."""
SETTLED = 0.25
"""Share of the time after which everything that is loaded once has been."""
GROWTH = 1.1
"""Times the memory then: more at the end counts as growing."""


@dataclass
class Client:
    """One visitor.

    Args:
        base: the server's address.
        number: which client it is.
    """

    base: str
    number: int
    session: str = ""
    photo: str = ""
    own: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    edits: set[bytes] = field(default_factory=set[bytes])
    took: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])

    def bring(self) -> None:
        """Brings the client's own photo: the same, in colours that no other has."""
        with Image.open(PHOTO) as image:
            hsv = np.array(image.resize((240, 160)).convert("HSV"))
        hsv[..., 0] += np.uint8(self.number * 29)
        rgb = Image.fromarray(hsv, "HSV").convert("RGB")
        self.own = np.array(rgb)
        file = io.BytesIO()
        rgb.save(file, "PNG")
        mark = "part"
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="photo"; filename="{self.number}.png"\r\n\r\n'
        )
        body = head.encode() + file.getvalue() + f"\r\n--{mark}--\r\n".encode()
        told = self.call("POST", "/api/photos", body, f"multipart/form-data; boundary={mark}")
        self.session, self.photo = told["session"], told["id"]

    def ask(self, turn: int) -> None:
        """Makes one request, and checks what comes back."""
        began = time.perf_counter()
        try:
            (self.point, self.locate, self.point, self.edit)[turn % 4]()
        except Exception as error:
            self.wrong.append(f"client {self.number}, request {turn}: {error!r}")
        self.took.append(time.perf_counter() - began)

    def point(self) -> None:
        """Asks what is under a point."""
        told = self.post(f"/api/photos/{self.photo}/outline", {"point": [[0.45, 0.5]]})
        assert told["lines"], "no outline"

    def locate(self) -> None:
        """Asks where the object in a box is."""
        told = self.job("/api/locate", {"photo": self.photo, "box": BOX})
        assert 0.2 < told["centroid"][0] < 0.7, "another object"

    def edit(self) -> None:
        """Asks for an edit."""
        asked = {"photo": self.photo, "edits": [{"move": None, "dx": 0.1 + 0.01 * self.number}], "box": BOX}
        told = self.job("/api/edit", asked)
        content = cast("bytes", self.call("GET", f"/api/photos/{told['photo']['id']}/file", raw=True))
        with Image.open(io.BytesIO(content)) as image:
            edited = np.array(image.convert("RGB"))
        same = (edited == self.own).all(-1)
        assert same[:, :8].all(), "another client's photo"
        assert 0.1 < same.mean() < 0.95, "not edited"
        self.edits.add(content)
        assert len(self.edits) == 1, "another client's edit"

    def job(self, path: str, request: dict[str, Any]) -> Any:  # noqa: ANN401 - what JSON has
        """Makes a job and follows it to its end."""
        job = self.post(path, request)["id"]
        name = ""
        with self.open("GET", f"/api/jobs/{job}/events") as stream:
            for line in stream:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: ") and name in ("done", "failed", "cancelled"):
                    assert name == "done", text
                    return json.loads(text[6:])
        raise AssertionError("the stream ended before the job")

    def post(self, path: str, fields: dict[str, Any]) -> Any:  # noqa: ANN401 - what JSON has
        """Sends JSON."""
        return self.call("POST", path, json.dumps(fields).encode(), "application/json")

    def call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "", *, raw: bool = False
    ) -> Any:  # noqa: ANN401 - what JSON has
        """Makes a request and returns its answer."""
        with self.open(method, path, body, kind) as answer:
            content = answer.read()
        return content if raw else json.loads(content)

    def open(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:  # noqa: ANN401 - untyped
        """Makes a request."""
        headers = {"X-Realedit": "1", "X-Realedit-Session": self.session}
        headers |= {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        return urllib.request.urlopen(request, timeout=300)


def main() -> int:
    """Runs the load and prints what came of it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "realedit", "ui", "--port", "0", "--no-cache"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        return _run(server, options.clients, options.requests, options.seconds)
    finally:
        server.terminate()
        server.wait(30)


def _run(server: subprocess.Popen[str], count: int, requests: int, seconds: float) -> int:
    base = _address(server)
    clients = [Client(base, number) for number in range(count)]
    for client in clients:
        client.bring()
    began = time.perf_counter()
    each = requests // count

    def work(client: Client) -> None:
        for turn in range(each):
            at = seconds * (turn + client.number / count) / each
            time.sleep(max(0.0, began + at - time.perf_counter()))
            client.ask(turn)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    memory: list[tuple[float, float]] = []
    process = psutil.Process(server.pid)
    while any(thread.is_alive() for thread in threads):
        memory.append((time.perf_counter() - began, process.memory_info().rss / 2**20))
        time.sleep(1)
    return _told(clients, memory, time.perf_counter() - began)


def _address(server: subprocess.Popen[str]) -> str:
    """Returns the address that the server prints."""
    for line in server.stderr or ():
        if "http://" in line:
            return "http://" + line.split("http://")[1].split()[0].rstrip("/")
    raise SystemExit("the server has not started")


def _told(clients: list[Client], memory: list[tuple[float, float]], seconds: float) -> int:
    took = np.array([one for client in clients for one in client.took])
    wrong = [text for client in clients for text in client.wrong]
    all_edits = {content for client in clients for content in client.edits}
    mixed = len(all_edits) != sum(len(client.edits) for client in clients)
    settled = [size for at, size in memory if at >= SETTLED * seconds]
    first, last = (
        float(np.median(settled[: len(settled) // 4])),
        float(np.median(settled[-(len(settled) // 4) :])),
    )
    print(f"{len(took)} requests by {len(clients)} clients in {seconds:.0f} s")
    print(f"wrong {len(wrong)}, mixed {mixed}")
    print(f"seconds: median {np.median(took):.2f}, 95 % {np.percentile(took, 95):.2f}, most {took.max():.2f}")
    most = max(size for _, size in memory)
    print(f"memory: {first:.0f} MB once settled, {last:.0f} MB at the end, {most:.0f} MB at most")
    for text in wrong[:10]:
        print(text)
    return int(bool(wrong) or mixed or last > GROWTH * first)


if __name__ == "__main__":
    raise SystemExit(main())
