"""The photographs of the gallery: each is credited under a free licence, and its edits can be asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

from PIL import Image

from realedit.edits.entries import read_entries

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
RENDERED = {"mug.jpg", "bowl.jpg", "bottle.jpg"}
FREE = re.compile(r"CC0 1\.0|CC BY(-SA)? [234]\.0|public domain")


def test_every_photograph_is_credited_small_and_free() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|$", (PHOTOS / "LICENSE.md").read_text(), re.MULTILINE)
    credits = {name: rest.split(" | ") for name, rest in rows}
    photographs = {path.name for path in PHOTOS.glob("*.jpg")} - RENDERED
    assert set(credits) == photographs
    for name, (_, author, licence, source) in credits.items():
        assert author
        assert source
        assert FREE.search(licence)
        with Image.open(PHOTOS / name) as photo:
            assert max(photo.size) <= 1280
            # nothing of where and when it was taken, or by whom beside the credits
            assert not photo.getexif()
    assert sum((PHOTOS / name).stat().st_size for name in photographs) < 3_000_000


def test_every_edit_of_the_gallery_can_be_asked_for() -> None:
    told = json.loads((PHOTOS / "gallery.json").read_text())
    assert len({one["name"] for one in told}) == len(told)
    shown = {"point": 2, "box": 4}
    for one in told:
        files = [one["photo"], *(str(value) for value in one["edit"].values() if str(value).endswith(".jpg"))]
        assert all((PHOTOS / name).is_file() for name in files)
        assert len(read_entries([one["edit"]])) == 1
        places = one.get("shown", {})
        assert all(
            len(place) == shown[name] and 0 <= min(place) <= max(place) <= 1 for name, place in places.items()
        )
