"""Puts `realedit ui` under load on this machine's own address, and says whether anything was lost or mixed.

    python -m scripts.ui_load [--clients 8] [--requests 200] [--seconds 300]

Starts a server of its own, as a process, with a free port. Each visitor has a session and a photo of its own
colour, and asks in turn for what is under a point, where an object is, and an edit; what comes back must be
of the visitor's own photo: outside the edited region every sample is, and every edit of a visitor gives the
same bytes. Exits 1 where a request is lost, refused or mixed up, or where the server's memory grows by more
than a tenth once all have come.
"""

from __future__ import annotations

import argparse
import io
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from examples.ui_client import Client
from scripts.ui_server import started

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "dahlia.jpg"
BOX = (0.2, 0.1, 0.75, 0.9)
"""About the flower."""
PATIENCE_SECONDS = 300.0
"""How long a request may say nothing before it counts as lost. Not measured."""
SETTLED = 0.25
"""Share of the time after which everything that is loaded once has been."""
GROWTH = 1.1
"""Times the memory then: more at the end counts as growing."""


@dataclass
class Visitor:
    """One visitor.

    Args:
        base: the server's address.
        number: which visitor it is.
    """

    base: str
    number: int
    photo: str = ""
    own: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    edits: set[bytes] = field(default_factory=set[bytes])
    took: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.client = Client(self.base, PATIENCE_SECONDS)

    def bring(self) -> None:
        """Brings the visitor's own photo: the same, in colours that no other has."""
        with Image.open(PHOTO) as image:
            hsv = np.array(image.resize((240, 160)).convert("HSV"))
        hsv[..., 0] += np.uint8(self.number * 29)
        rgb = Image.fromarray(hsv, "HSV").convert("RGB")
        self.own = np.array(rgb)
        file = io.BytesIO()
        rgb.save(file, "PNG")
        self.photo = self.client.send("/api/photos", f"{self.number}.png", file.getvalue(), {})["id"]

    def ask(self, turn: int) -> None:
        """Makes one request, and checks what comes back."""
        began = time.perf_counter()
        try:
            (self.point, self.locate, self.point, self.edit)[turn % 4]()
        except Exception as error:
            self.wrong.append(f"visitor {self.number}, request {turn}: {error!r}")
        self.took.append(time.perf_counter() - began)

    def point(self) -> None:
        """Asks what is under a point."""
        told = self.client.post(f"/api/photos/{self.photo}/outline", {"point": [[0.45, 0.5]]})
        assert told["lines"], "no outline"

    def locate(self) -> None:
        """Asks where the object in a box is."""
        told = self.job("/api/locate", {"photo": self.photo, "box": BOX})
        assert 0.2 < told["centroid"][0] < 0.7, "another object"

    def edit(self) -> None:
        """Asks for an edit."""
        asked = {"photo": self.photo, "edits": [{"move": None, "dx": 0.1 + 0.01 * self.number}], "box": BOX}
        told = self.job("/api/edit", asked)
        content = self.client.read(f"/api/photos/{told['photo']['id']}/file")
        with Image.open(io.BytesIO(content)) as image:
            edited = np.array(image.convert("RGB"))
        same = (edited == self.own).all(-1)
        assert same[:, :8].all(), "another visitor's photo"
        assert 0.1 < same.mean() < 0.95, "not edited"
        self.edits.add(content)
        assert len(self.edits) == 1, "another visitor's edit"

    def job(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        """Makes a job and follows it to its end."""
        for name, told in self.client.events(self.client.post(path, request)["id"]):
            if name in ("done", "failed", "cancelled"):
                assert name == "done", told
                return told
        raise AssertionError("the stream ended before the job")


def main() -> int:
    """Runs the load and prints what came of it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    with started() as (base, server):
        return _run(base, server, options.clients, options.requests, options.seconds)


def _run(base: str, server: int, count: int, requests: int, seconds: float) -> int:
    visitors = [Visitor(base, number) for number in range(count)]
    for visitor in visitors:
        visitor.bring()
    began = time.perf_counter()
    each = requests // count

    def work(visitor: Visitor) -> None:
        for turn in range(each):
            at = seconds * (turn + visitor.number / count) / each
            time.sleep(max(0.0, began + at - time.perf_counter()))
            visitor.ask(turn)

    threads = [threading.Thread(target=work, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    memory: list[tuple[float, float]] = []
    process = psutil.Process(server)
    while any(thread.is_alive() for thread in threads):
        memory.append((time.perf_counter() - began, process.memory_info().rss / 2**20))
        time.sleep(1)
    return _told(visitors, memory, time.perf_counter() - began)


def _told(visitors: list[Visitor], memory: list[tuple[float, float]], seconds: float) -> int:
    took = np.array([one for visitor in visitors for one in visitor.took])
    wrong = [text for visitor in visitors for text in visitor.wrong]
    all_edits = {content for visitor in visitors for content in visitor.edits}
    mixed = len(all_edits) != sum(len(visitor.edits) for visitor in visitors)
    settled = [size for at, size in memory if at >= SETTLED * seconds]
    first, last = (
        float(np.median(settled[: len(settled) // 4])),
        float(np.median(settled[-(len(settled) // 4) :])),
    )
    print(f"{len(took)} requests by {len(visitors)} visitors in {seconds:.0f} s")
    print(f"wrong {len(wrong)}, mixed {mixed}")
    print(f"seconds: median {np.median(took):.2f}, 95 % {np.percentile(took, 95):.2f}, most {took.max():.2f}")
    most = max(size for _, size in memory)
    print(f"memory: {first:.0f} MB once settled, {last:.0f} MB at the end, {most:.0f} MB at most")
    for text in wrong[:10]:
        print(text)
    return int(bool(wrong) or mixed or last > GROWTH * first)


if __name__ == "__main__":
    raise SystemExit(main())
