"""Records, their summary, and the tables, plots and page that are made of it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from realedit.bench.records import Record, append_record, done, read_records, record_key
from realedit.bench.results import write_results
from realedit.bench.search import best_settings
from realedit.bench.summary import summarise
from realedit.bench.tables import as_csv, as_markdown
from realedit.errors import OutputExistsError

MADE = {
    "model": "default",
    "seed": 0,
    "threads": 1,
    "metrics": {"masking": "region"},
    "versions": {"torch": "2"},
}


def record(case: str, method: str, value: float | None, seconds: float = 1.0, status: str = "ok") -> Record:
    figures = (
        {} if status == "unsupported" else {"st_lpips_alex.whole": value, "psnr.whole": 30.0, "clip": None}
    )
    return Record(
        record_key(case=case, method=method),
        case,
        {"kind": "move", "dx": 0.1},
        method,
        status,
        figures=figures,
        missing={"clip": "no model was given"},
        seconds=seconds,
        evaluations=10,
        made=MADE,
        picture="pictures/x y.png",
        photo="pictures/photo.png",
        reason=None if status == "ok" else "<b>no</b>",
    )


RECORDS = [
    record("a", "own", 0.10),
    record("b", "own", 0.20),
    record("c", "own", 0.30),
    record("a", "peer:x=1", 0.15),
    record("b", "peer:x=1", 0.26),
    record("c", "peer:x=1", 0.37),
    record("a", "peer:x=2", 0.09),
    record("b", "peer:x=2", None, status="unsupported"),
    record("c", "peer:x=2", None, status="unsupported"),
]


def test_records_are_appended_whole_and_the_last_of_a_key_counts(tmp_path: Path) -> None:
    append_record(tmp_path, RECORDS[0])
    append_record(tmp_path, RECORDS[1])
    append_record(tmp_path, record("a", "own", 0.5))
    found = read_records(tmp_path)
    assert len(found) == 2
    assert found[RECORDS[0].key].figures["st_lpips_alex.whole"] == 0.5
    assert found[RECORDS[1].key] == RECORDS[1]


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    append_record(tmp_path, RECORDS[0])
    path = tmp_path / "records.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key": "torn')
    assert list(read_records(tmp_path)) == [RECORDS[0].key]
    assert path.read_bytes() == whole


def test_what_is_no_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(OutputExistsError, match=r"records\.jsonl:1"):
        read_records(tmp_path)


def test_what_broke_is_done_again() -> None:
    broken = record("a", "own", None, status="error")
    refused = record("b", "own", 0.3, status="failed")
    keys = [broken.key, refused.key, "other"]
    assert done({broken.key: broken, refused.key: refused}, keys) == {refused.key}


def test_a_key_is_of_everything_that_is_said() -> None:
    assert record_key(a=1, b={"x": 2}) == record_key(b={"x": 2}, a=1)
    assert record_key(a=1, b={"x": 2}) != record_key(a=1, b={"x": 3})


def test_differences_are_paired() -> None:
    summary = summarise(RECORDS)
    assert summary.baseline == "own"
    row = summary.row("move", "peer:x=1", "st_lpips_alex.whole")
    assert row is not None
    assert row.difference is not None
    assert row.difference.mean == pytest.approx(0.06)
    assert row.difference.low is not None
    assert row.difference.low > 0
    assert row.better == 0
    own = summary.row("move", "own", "st_lpips_alex.whole")
    assert own is not None
    assert own.difference is None
    assert summary.counts["move", "peer:x=2"]["unsupported"] == 2
    assert summary.missing == {"clip": "no model was given"}
    assert summarise(RECORDS, "peer:x=1").baseline == "peer:x=1"


def test_more_is_better_for_psnr() -> None:
    from dataclasses import replace

    ahead = [replace(r, figures={**r.figures, "psnr.whole": 31.0}) for r in RECORDS[3:6]]
    row = summarise(RECORDS[:3] + ahead).row("move", "peer:x=1", "psnr.whole")
    assert row is not None
    assert row.better == 1


def test_the_best_setting_is_that_of_the_least_mean() -> None:
    better = [record(case, "peer:x=3", value) for case, value in (("a", 0.1), ("b", 0.2), ("c", 0.4))]
    found = best_settings(summarise([*RECORDS, *better]))
    assert found == {"move": {"own": "own", "peer": "peer:x=3"}}


def test_a_setting_that_fails_where_others_of_the_method_do_not_is_not_the_best() -> None:
    assert best_settings(summarise(RECORDS)) == {"move": {"own": "own", "peer": "peer:x=1"}}


def test_tables_say_who_is_behind_and_what_is_missing() -> None:
    summary = summarise(RECORDS)
    text = as_markdown(summary, ["a note"])
    line = next(line for line in text.splitlines() if line.startswith("| `peer:x=1`"))
    assert "+0.0600" in line
    assert "behind" in line
    assert "`clip`: no model was given" in text
    assert "2 not supported" in text
    rows = list(csv.DictReader(io.StringIO(as_csv(summary))))
    found = next(r for r in rows if r["method"] == "peer:x=1" and r["figure"] == "st_lpips_alex.whole")
    assert float(found["mean"]) == pytest.approx(0.26)
    assert found["n"] == "3"


def test_a_folder_of_results(tmp_path: Path) -> None:
    write_results(tmp_path, RECORDS, title="a <title>")
    names = {"summary.json", "summary.csv", "table.md", "index.html", "fidelity.png", "cost.png"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert json.loads((tmp_path / "summary.json").read_text())["primary"] == "st_lpips_alex.whole"
    for name in ("fidelity.png", "cost.png"):
        with Image.open(tmp_path / name) as image:
            assert image.size[0] > 300
    page = (tmp_path / "index.html").read_text()
    assert "<title>a &lt;title&gt;</title>" in page
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "pictures/x%20y.png" in links
    assert not [link for link in links if link.startswith(("/", "http", "file:"))]
