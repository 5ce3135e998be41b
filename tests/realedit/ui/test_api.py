"""The HTTP API on the real embedded model: what it answers is what the Python API gives, to the bit."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from realedit import Move, RealEditPipeline, load_photo
from realedit.cli.edit_options import EditOptions
from realedit.cli.options import EditSampling, ObjectOptions
from realedit.cli.request import asked
from realedit.system.progress import silent

pytest.importorskip("fastapi", reason="the extra ui is not here")
from starlette.testclient import TestClient

from realedit.ui.guard import GuardRules
from realedit.ui.limits import Limits
from realedit.ui.server import Service

HEADERS = {"X-Realedit": "1"}
POINT = (0.5, 0.55)
BOX = (0.41, 0.44, 0.45, 0.5)
"""A petal, so that its edits take little time."""


def _mask() -> bytes:
    mask = np.zeros((160, 240), np.uint8)
    mask[70:80, 100:110] = 255
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()


MASK = _mask()
"""A small part of the flower, so that its edits take little time."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph, small."""
    photo = Path(__file__).parents[3] / "examples" / "photos" / "dahlia.jpg"
    file = tmp_path_factory.mktemp("photos") / "dahlia.jpg"
    with Image.open(photo) as image:
        image.resize((240, 160), Image.Resampling.LANCZOS).save(file, quality=95, exif=image.getexif())
    return file


@pytest.fixture(scope="module")
def service(pipeline: RealEditPipeline) -> Iterator[Service]:
    found = Service(pipeline, Limits(file_bytes=2**20, pixels=200_000, photos=6))
    yield found
    found.close()


@pytest.fixture(scope="module")
def app(service: Service) -> Any:
    rules = GuardRules(frozenset(("testserver",)), body_bytes=2**21)
    return service.app(rules, "session", with_page=False)


@pytest.fixture
def visitor(app: Any) -> Iterator[TestClient]:
    with TestClient(app, headers=HEADERS) as client:
        yield client


def brought(visitor: TestClient, file: Path) -> str:
    answer = visitor.post("/api/photos", files={"photo": (file.name, file.read_bytes())})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def drawn(visitor: TestClient) -> str:
    """Brings the mask."""
    answer = visitor.post("/api/photos", files={"photo": ("mask.png", MASK)})
    return answer.json()["id"]


def events(visitor: TestClient, job: str) -> list[tuple[str, dict[str, Any]]]:
    """Follows a job to its end."""
    found: list[tuple[str, dict[str, Any]]] = []
    name = ""
    for line in visitor.get(f"/api/jobs/{job}/events").text.splitlines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    return found


def result(visitor: TestClient, path: str, request: dict[str, Any]) -> dict[str, Any]:
    started = visitor.post(path, json=request)
    assert started.status_code == 202, started.text
    name, told = events(visitor, started.json()["id"])[-1]
    assert name == "done", told
    return {**told, "job": started.json()["id"]}


def test_an_edit_is_the_same_bytes_as_the_python_api_writes(
    visitor: TestClient, pipeline: RealEditPipeline, small: Path, tmp_path: Path
) -> None:
    photo, mask = brought(visitor, small), drawn(visitor)
    request = {"photo": photo, "edits": [{"move": None, "dx": 0.15}], "mask": mask, "refine": False}
    told = result(visitor, "/api/edit", request)
    edited = pipeline.edit(small, Move(None, dx=0.15), mask=io.BytesIO(MASK), refine=False)
    file = edited.save(tmp_path / "edited.jpg")
    answer = visitor.get(f"/api/photos/{told['photo']['id']}/file")
    assert answer.content == file.read_bytes()
    assert "dahlia-edited.jpg" in answer.headers["content-disposition"]
    sidecar = json.loads((tmp_path / "edited.jpg.realedit.json").read_bytes())
    assert told["recipe"] == sidecar["recipe"]
    assert visitor.get(f"/api/photos/{told['photo']['id']}/recipe").json()["recipe"] == sidecar["recipe"]
    assert told["command"] == "realedit dahlia.jpg --dx 0.15 --mask mask.png --no-refine"


def test_the_recipe_of_several_edits_makes_the_same_bytes_at_the_command_line(
    visitor: TestClient, pipeline: RealEditPipeline, small: Path, tmp_path: Path
) -> None:
    photo = brought(visitor, small)
    asked_first = {"photo": photo, "edits": [{"move": None, "dx": 0.1}], "box": BOX}
    first = result(visitor, "/api/edit", asked_first)
    again = {"photo": first["photo"]["id"], "edits": [{"remove": "flower"}], "box": [0.3, 0.6, 0.34, 0.66]}
    second = result(visitor, "/api/edit", again)
    file = tmp_path / "recipe.json"
    file.write_bytes(visitor.get(f"/api/photos/{second['photo']['id']}/recipe").content)
    assert second["command"] == "realedit dahlia.jpg --edits dahlia-edited.jpg.realedit.json"
    command = asked(EditOptions(edits_file=file), ObjectOptions(), EditSampling(), quiet=True)
    edited = command.edit(pipeline, command.prepare(load_photo(small)), silent)
    edited.save(tmp_path / "own.jpg")
    answer = visitor.get(f"/api/photos/{second['photo']['id']}/file")
    assert answer.content == (tmp_path / "own.jpg").read_bytes()
    assert [change.edit for change in edited.changes] == ["move", "remove"]
    assert json.loads(file.read_text())["recipe"] == json.loads(json.dumps(edited.recipe))


def test_an_edited_photo_that_is_no_longer_kept_is_made_again_to_the_bit(
    visitor: TestClient, service: Service, small: Path
) -> None:
    photo, mask = brought(visitor, small), drawn(visitor)
    asked = {"photo": photo, "edits": [{"move": None, "dx": 0.1}], "mask": mask, "refine": False}
    told = result(visitor, "/api/edit", asked)
    further = {"photo": told["photo"]["id"], "edits": [{"remove": "flower"}], "mask": mask, "refine": False}
    first = result(visitor, "/api/edit", further)
    service.editor.photos.let_go(told["photo"]["id"])
    second = result(visitor, "/api/edit", further)
    one, other = (visitor.get(f"/api/photos/{each['photo']['id']}/file").content for each in (first, second))
    assert one == other


def test_a_photo_can_come_with_the_request(visitor: TestClient, small: Path) -> None:
    form = {"request": json.dumps({"word": None, "box": [0.2, 0.1, 0.8, 0.9]})}
    started = visitor.post("/api/cutout", data=form, files={"photo": ("a.jpg", small.read_bytes())})
    assert started.status_code == 202, started.text
    job = started.json()["id"]
    assert events(visitor, job)[-1][0] == "done"
    with Image.open(io.BytesIO(visitor.get(f"/api/jobs/{job}/files/cutout.png").content)) as cut:
        alpha = np.array(cut.getchannel("A"))
    assert cut.size == (240, 160)
    assert alpha[88, 120] == 255
    assert alpha[4, 4] == 0


def test_a_mask_can_come_with_the_request(visitor: TestClient, small: Path) -> None:
    form = {"request": json.dumps({"edits": [{"move": None, "dx": 0.1}], "mask": "drawn", "refine": False})}
    files = {"photo": ("a.jpg", small.read_bytes()), "drawn": ("mask.png", MASK)}
    job = visitor.post("/api/edit", data=form, files=files).json()["id"]
    name, told = events(visitor, job)[-1]
    assert name == "done", told
    assert told["command"] == "realedit a.jpg --dx 0.1 --mask mask.png --no-refine"
    assert told["changes"][0]["box_before"] == [100 / 240, 70 / 160, 110 / 240, 80 / 160]


def test_a_preview_brings_the_object_and_the_photo_without_it(visitor: TestClient, small: Path) -> None:
    photo = brought(visitor, small)
    visitor.post(f"/api/photos/{photo}/ready")
    quick = visitor.post(f"/api/photos/{photo}/outline", json={"point": [POINT]}).json()
    assert quick["lines"]
    job = visitor.post("/api/locate", json={"photo": photo, "point": [POINT], "preview": True}).json()["id"]
    told = events(visitor, job)
    assert [name for name, _ in told if name in ("found", "cleared", "done")] == ["found", "cleared", "done"]
    found = next(fields for name, fields in told if name == "found")
    x0, y0, x1, y1 = found["box"]
    assert x0 < POINT[0] < x1
    with Image.open(io.BytesIO(visitor.get(f"/api/jobs/{job}/files/sprite.png").content)) as sprite:
        left, top, right, bottom = found["sprite"]
        assert left <= x0 < x1 <= right
        assert top <= y0 < y1 <= bottom
        assert sprite.size == (round((right - left) * 240), round((bottom - top) * 160))
        assert np.array(sprite)[0, 0, 3] == 0, "what is about the object is transparent"
    with Image.open(io.BytesIO(visitor.get(f"/api/jobs/{job}/files/cleared.png").content)) as cleared:
        assert cleared.size == (240, 160)
        behind = np.array(cleared).astype(float)
    changed = np.abs(behind[..., :3] - load_photo(small).rgb).mean(-1) * (behind[..., 3] > 0)
    inside = changed[round(y0 * 160) + 20 : round(y1 * 160) - 20, round(x0 * 240) + 20 : round(x1 * 240) - 20]
    assert inside.mean() > 20
    assert (behind[:, :12, 3] == 0).all(), "the rest is the photo's own"


def test_a_view_is_at_most_as_large_as_asked_and_upright(visitor: TestClient, small: Path) -> None:
    photo = brought(visitor, small)
    answer = visitor.get(f"/api/photos/{photo}/view?side=100")
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as view:
        assert view.size == (240, 160)  # never smaller than 320 asks for, never larger than the photo
    assert visitor.get(f"/api/photos/{photo}/view?side=0").status_code == 422


def test_two_visitors_do_not_see_each_others_photos_and_jobs(app: Any, small: Path) -> None:
    with TestClient(app, headers=HEADERS) as one, TestClient(app, headers=HEADERS) as other:
        photo = brought(one, small)
        brought(other, small)
        asked = {"photo": photo, "box": [0.2, 0.1, 0.8, 0.9]}
        job = one.post("/api/locate", json=asked).json()["id"]
        paths = ("view", "file", "recipe")
        foreign = [other.get(f"/api/photos/{photo}/{path}") for path in paths]
        foreign += [other.get(f"/api/jobs/{job}{path}") for path in ("", "/events", "/files/mask.png")]
        foreign += [other.post("/api/edit", json={**asked, "edits": [{"move": None, "dx": 0.1}]})]
        foreign += [other.post(f"/api/photos/{photo}/outline", json={"point": [POINT]})]
        foreign += [other.delete(f"/api/jobs/{job}")]
        assert [answer.status_code for answer in foreign] == [404] * len(foreign)
        assert photo not in other.get("/api/session").text
        assert events(one, job)[-1][0] == "done"


def test_a_cancelled_job_is_cancelled_and_the_next_one_is_done(visitor: TestClient, small: Path) -> None:
    photo = brought(visitor, small)
    asked = {"photo": photo, "box": [0.2, 0.1, 0.8, 0.9]}
    jobs = [visitor.post("/api/locate", json=asked).json()["id"] for _ in range(3)]
    for job in jobs[:2]:
        assert visitor.delete(f"/api/jobs/{job}").status_code == 204
    assert [events(visitor, job)[-1][0] for job in jobs] == ["cancelled", "cancelled", "done"]


def test_a_session_that_is_ended_leaves_no_file(app: Any, service: Service, small: Path) -> None:
    with TestClient(app, headers=HEADERS) as one:
        brought(one, small)
        folder = next(iter(service.sessions._sessions.values())).folder
        before = len(service.sessions)
        assert one.delete("/api/session").status_code == 204
        assert len(service.sessions) == before - 1
        assert one.get("/api/session").status_code == 404
    assert folder.parent.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<script>alert(1)</script>", "not an image"),
        (b"\xff\xd8\xff\xe0 cut", "damaged"),
        (b"%PDF-1.4 ", "not an image"),
    ],
)
def test_what_is_no_photo_is_refused_in_one_line(visitor: TestClient, content: bytes, said: str) -> None:
    answer = visitor.post("/api/photos", files={"photo": ("a.jpg", content)})
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def test_too_many_pixels_are_refused_before_they_are_decoded(visitor: TestClient) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")  # 50 kB that would be 400 megapixels
    answer = visitor.post("/api/photos", files={"photo": ("bomb.png", file.getvalue())})
    assert answer.status_code == 422
    assert "400,000,000" in answer.json()["error"]["message"]
    file = io.BytesIO()
    Image.new("RGB", (500, 401)).save(file, "PNG")
    answer = visitor.post("/api/photos", files={"photo": ("large.png", file.getvalue())})
    assert "200,500 pixels, more than the 200,000" in answer.json()["error"]["message"]


def test_too_many_bytes_are_refused(visitor: TestClient) -> None:
    answer = visitor.post("/api/photos", files={"photo": ("a.jpg", bytes(2**20 + 1))})
    assert answer.status_code == 422
    assert "too large" in answer.json()["error"]["message"]
    assert visitor.post("/api/photos", files={"photo": ("a.jpg", bytes(2**22))}).status_code == 413


@pytest.mark.parametrize("key", ["from", "like", "look_of", "shape"])
def test_no_path_of_a_request_is_ever_opened(visitor: TestClient, small: Path, key: str) -> None:
    photo = brought(visitor, small)
    entry = {
        "from": {"paste": "mug", "from": str(small)},
        "like": {"restyle": None, "like": str(small), "object": "flower"},
        "look_of": {"look_of": str(small)},
        "shape": {"reshape": None, "shape": str(small)},
    }[key]
    shown = {} if key in ("from", "look_of") else {"point": [POINT]}
    started = visitor.post("/api/edit", json={"photo": photo, "edits": [entry], **shown})
    name, told = events(visitor, started.json()["id"])[-1]
    assert name == "failed"
    assert told["message"] == "no such photo"
    masked = {"photo": photo, "edits": [{"move": None, "dx": 0.1}], "mask": str(small)}
    name, told = events(visitor, visitor.post("/api/edit", json=masked).json()["id"])[-1]
    assert (name, told["message"]) == ("failed", "no such photo")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"edits": []}, "at least 1 item"),
        ({"edits": [{"move": "mug", "dx": 7}]}, "less than or equal to 1"),
        ({"edits": [{"jump": "mug"}]}, "no edit in it"),
        ({"edits": [{"move": None, "dx": 0.1}]}, "what is to be edited?"),
        ({"edits": [{"move": "mug", "dx": 0.1}], "file": "/etc/passwd"}, "extra inputs"),
        ({"edits": [{"move": "mug", "dx": 0.1}], "format": ".exe"}, "does not write"),
        ({"edits": [{"move": "mug", "dx": 0.1}], "settings": {"pin": "x"}}, "settings"),
        ({"edits": [{"move": "mug", "dx": 0.1}], "seed": -1}, "seed"),
        ({"edits": "x"}, "edits"),
    ],
)
def test_a_request_that_is_wrong_is_refused_before_it_becomes_a_job(
    visitor: TestClient, small: Path, request_: dict[str, Any], said: str
) -> None:
    photo = brought(visitor, small)
    answer = visitor.post("/api/edit", json={"photo": photo, **request_})
    assert answer.status_code == 422
    assert said in answer.text


def test_the_description_names_every_call_and_its_page_needs_no_script(visitor: TestClient) -> None:
    description = visitor.get("/api/openapi.json").json()
    assert {"/api/photos", "/api/locate", "/api/cutout", "/api/edit", "/api/jobs/{job}/events"} <= set(
        description["paths"]
    )
    page = visitor.get("/api/docs").text
    assert all(path in page for path in description["paths"])
    assert "not_point" in page
    assert "<script" not in page
    assert "http://testserver/api/edit" in page
