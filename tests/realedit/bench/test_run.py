"""Whole runs on the real embedded model: what is written, what a rerun skips, what broken methods leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from realedit.bench.datasets import load_dataset
from realedit.bench.methods import MethodSpec
from realedit.bench.metrics.settings import MetricSettings
from realedit.bench.records import RECORDS, read_records
from realedit.bench.run import plan_jobs, run
from realedit.bench.workbench import ModelSettings
from realedit.bench.worker import RunSettings, slug
from realedit.errors import UsageError

MEASURED = MetricSettings(("psnr", "geometry"))


def settings(output: Path) -> RunSettings:
    model = ModelSettings("tabletop", "cpu", offline=True, working_size=64)
    return RunSettings(output, model, MEASURED)


def test_a_run_writes_a_record_each_and_a_rerun_none(tabletop_folder: Path, tmp_path: Path) -> None:
    cases = load_dataset(tabletop_folder)
    methods = [MethodSpec("no-edit"), MethodSpec("paste-telea"), MethodSpec("paste-seamless")]
    told: list[tuple[int, int]] = []

    def tell(stage: str, step: int, total: int) -> None:
        told.append((step, total))

    wanted = settings(tmp_path / "out")
    records = run(cases, methods, wanted, progress=tell)
    assert told[-1] == (6, 6)
    assert [(r.case, r.method, r.status) for r in records][-1] == ("b", "paste-seamless", "unsupported")
    for record in records:
        for name in (record.picture, record.photo, record.truth):
            assert name is None or (tmp_path / "out" / name).is_file()
        assert str(tmp_path) not in str(record)
    before = (tmp_path / "out" / RECORDS).read_bytes()
    assert run(cases, methods, wanted) == records
    assert (tmp_path / "out" / RECORDS).read_bytes() == before
    more = run(cases[:1], [MethodSpec("paste-telea", {"margin": "5"})], wanted)
    assert len(more) == 1
    assert (tmp_path / "out" / RECORDS).read_bytes().startswith(before)
    assert len(read_records(tmp_path / "out")) == 7
    anew = run(cases[:1], methods[:1], wanted, resume=False)
    assert anew[0].key == records[0].key
    assert len((tmp_path / "out" / RECORDS).read_text().splitlines()) == 8


def test_a_key_changes_with_every_setting(tabletop_folder: Path, tmp_path: Path) -> None:
    case = load_dataset(tabletop_folder)[:1]
    plain = settings(tmp_path)
    lora = tmp_path / "style.safetensors"
    lora.write_bytes(b"read when it is put on")
    others = [
        plain,
        replace(plain, seed=1),
        replace(plain, metrics=MetricSettings(("psnr",))),
        replace(plain, model=replace(plain.model, working_size=96)),
        replace(plain, model=replace(plain.model, loras=(str(lora),))),
        replace(plain, model=replace(plain.model, loras=(f"{lora}:0.5",))),
    ]
    methods = [MethodSpec("realedit"), MethodSpec("realedit", {"steps": "4"})]
    keys = [key for chosen in others for _, key in plan_jobs(case, methods, chosen)[0].methods]
    assert len(set(keys)) == 12


def test_a_refused_edit_is_measured_as_the_untouched_photo(tabletop_folder: Path, tmp_path: Path) -> None:
    case = load_dataset(tabletop_folder)[0]
    nothing = replace(case, object="zeppelin")
    records = run(
        [nothing], [MethodSpec("realedit", {"steps": "4"}), MethodSpec("no-edit")], settings(tmp_path / "o")
    )
    refused, untouched = records
    assert refused.status == "failed"
    assert "zeppelin" in str(refused.reason)
    assert refused.figures["psnr.whole"] == untouched.figures["psnr.whole"]
    assert refused.figures["mask_iou"] == 0
    assert refused.seconds is not None
    assert refused.seconds > 0
    assert refused.evaluations is not None
    assert refused.evaluations > 0


def test_a_folder_with_something_else_in_it_is_left_alone(tabletop_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        run(load_dataset(tabletop_folder), [MethodSpec("no-edit")], settings(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_label_becomes_part_of_a_file_name() -> None:
    assert slug("realedit:mask=true,pin=0") == "realedit-mask-true-pin-0"
