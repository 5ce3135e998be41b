"""The forty edits: what they ask for, how they are shown, made once and not again, and their verdicts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench_data import save, scene
from examples.photographs.__main__ import main
from examples.photographs.asked import Asked, box_of, deepest, read_asked
from realedit.bench.records import RECORDS, read_records
from realedit.edits.entries import read_entries
from realedit.photo.photo import load_photo


def test_forty_edits_half_by_word_and_each_is_one_of_ours() -> None:
    asked = read_asked()
    assert len({one.id for one in asked}) == 40
    assert Counter(one.by for one in asked) == {"word": 20, "mask": 7, "point": 7, "box": 6}
    for one in asked:
        (edit,) = read_entries([dict(one.edit)])
        target = getattr(edit, "target", None)
        assert (target is None) == (one.by != "word")


def test_a_mask_is_told_as_the_place_where_it_is() -> None:
    mask = np.zeros((50, 100), bool)
    mask[10:31, 40:81] = True
    assert deepest(mask) == pytest.approx((60.5 / 100, 20.5 / 50), abs=0.11)
    x, y = deepest(mask)
    assert mask[int(y * 50), int(x * 100)]
    assert box_of(mask) == pytest.approx((0.4 - 0.0123, 0.2 - 0.0126, 0.81 + 0.0123, 0.62 + 0.0126))
    whole = np.ones((50, 100), bool)
    assert box_of(whole) == (0, 0, 1, 1)
    assert Asked("a", "p", {}, "point", (0.2, 0.3)).shown(mask) == {"point": (0.2, 0.3)}
    assert Asked("a", "p", {}, "word").shown(None) == {}


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, Path]:
    """COCOEE and ReS of a red square each; the second of two scenes is held back."""
    photo, mask = scene(size=96)
    common = {
        "max_resolution": 96,
        "prompt": "a box",
        "words": ["box"],
        "selected_points": [[20, 32], [40, 32]],
    }
    for name, folder, pictures, masks in (
        ("COCOEE", "cocoee", "COCOEE_images", "COCOEE_masks"),
        ("ReS", "res", ".", "."),
    ):
        entries = {}
        for key in ("p1_1", "p3_1"):
            save(tmp_path / folder / pictures / f"{key}.png", photo)
            save(tmp_path / folder / masks / f"{key}_mask.png", mask)
            entries[key] = common | {"original_image_path": f"{key}.png", "mask_path": f"{key}_mask.png"}
        (tmp_path / folder / f"{name}_dataset.json").write_text(json.dumps(entries))
    return {"cocoee": tmp_path / "cocoee", "res": tmp_path / "res"}


def test_edits_are_made_once_laid_out_and_judged(sets: dict[str, Path], tmp_path: Path) -> None:
    edits = tmp_path / "edits.json"
    asked = [
        {"id": "gone", "photo": "res:p1_1", "edit": {"remove": None}, "by": "mask"},
        {"id": "none", "photo": "cocoee:p3_1", "edit": {"remove": "zeppelin"}, "by": "word"},
    ]
    edits.write_text(json.dumps(asked))
    out = tmp_path / "out"
    main(out, cocoee=sets["cocoee"], res=sets["res"], edits=edits)
    gone, none = read_records(out).values()
    assert none.reason is not None
    assert "zeppelin" in none.reason
    assert gone.picture is not None
    after, (_, mask) = load_photo(out / gone.picture).rgb.astype(int), scene(size=96)
    assert (after[mask][:, 0] - after[mask][:, 1] < 60).mean() > 0.95  # no red is left
    assert (out / "sheet" / "1.jpg").is_file()
    before = (out / RECORDS).read_bytes()
    verdicts = tmp_path / "verdicts.json"
    told = {"commit": "abc", "judge": "a person", "verdicts": {"gone": [True, ""]}}
    verdicts.write_text(json.dumps(told))
    main(out, cocoee=sets["cocoee"], res=sets["res"], edits=edits, table=verdicts)
    assert (out / RECORDS).read_bytes() == before
    table = (tmp_path / "verdicts.md").read_text()
    assert "* by word: 0 of 1 would be shown" in table
    assert "* by mask, point or box: 1 of 1 would be shown" in table
    assert "| gone | res:p1_1 | mask | remove | yes |" in table
    verdicts.write_text(json.dumps(told | {"verdicts": {}}))
    with pytest.raises(SystemExit, match="no verdict on gone"):
        main(out, cocoee=sets["cocoee"], res=sets["res"], edits=edits, table=verdicts)
