"""The page of the results: verdicts and tables from records, nothing typed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from examples.results.measured import read_summary
from examples.results.page import write_page
from examples.results.parts import PARTS, Plan, _chosen
from examples.results.targets import MET, NOT_MEASURED, NOT_MET, Target, targets
from realedit.bench.records import Record, append_record, record_key
from realedit.bench.results import write_results
from realedit.bench.summary import summarise
from realedit.errors import UsageError

MADE = {"model": "default", "seed": 0, "threads": 1, "metrics": {"masking": "region"}, "versions": {}}


def records(method: str, fidelity: Sequence[float], seconds: float, **figures: float) -> list[Record]:
    """A move by a method on several cases."""
    return [
        Record(
            record_key(case=case, method=method),
            str(case),
            {"kind": "move", "dx": 0.1},
            method,
            "ok",
            figures={
                **{f"st_lpips_alex.{r}": value for r in ("whole", "object", "hole", "background")},
                **figures,
            },
            times={"invert": 3.0, "resample": seconds - 3.0},
            seconds=seconds,
            evaluations=61,
            made=MADE,
        )
        for case, value in enumerate(fidelity)
    ]


OWN = records("realedit", (0.010, 0.014, 0.012), 5.0, mask_iou=0.9, centroid_error=0.02, changed_outside=0)
SLOWER = records("inpaint:strength=0.3", (0.030, 0.036, 0.031), 6.0)
FASTER = records("differential", (0.020, 0.028, 0.024), 2.0)


def verdicts(found: list[Record]) -> dict[str, Target]:
    return {target.what: target for target in targets({"move": summarise(found)})}


def test_targets_are_met_or_not_by_the_measured_figures() -> None:
    told = verdicts([*OWN, *SLOWER, *FASTER])
    assert told["move by word alone, ST-LPIPS to the truth"].verdict == MET
    assert told["move by word alone, ST-LPIPS to the truth"].measured.startswith("0.012 ")
    assert told["move: centroid error by its own matte, widths"].verdict == NOT_MET
    assert told["locate: IoU of the mask by word"].verdict == MET
    assert told["a second edit of the same photo, s"].measured == "2 +- 0 (3 cases)"
    assert told["move by word: fidelity, against inpaint:strength=0.3"].verdict == MET
    assert told["move by word: fidelity, against differential"].verdict == MET
    assert told["move: time, against inpaint:strength=0.3"].verdict == MET
    assert told["move: time, against differential"].verdict == NOT_MET
    assert told["replay against the VAE's round trip, PSNR, dB"].verdict == NOT_MEASURED
    assert "GPU" in told["SDXL at 1024 px, fp16, peak GPU memory"].measured


def test_ahead_takes_an_interval_that_leaves_nought_out() -> None:
    wide = records("inpaint", (0.05, 0.001, 0.02), 6.0)
    assert verdicts([*OWN, *wide])["move by word: fidelity, against inpaint"].verdict == NOT_MET


def test_realedit_is_compared_on_the_others_footing_too(tmp_path: Path) -> None:
    told = records("realedit:mask=true", (0.010, 0.012, 0.011), 5.0)
    close = records("paste-ns", (0.012, 0.0135, 0.013), 0.1)
    (tmp_path / "move").mkdir()
    for record in [*OWN, *told, *close]:
        append_record(tmp_path / "move", record)
    write_results(tmp_path / "move", [*OWN, *told, *close], title="t")
    lines = write_page(tmp_path, tmp_path / "out").read_text().splitlines()
    by = {line.split("|")[1].strip(): line for line in lines if "fidelity, against paste-ns" in line}
    assert "**not met**" in by["move by word: fidelity, against paste-ns"]
    assert by["move told the mask as they are: fidelity, against paste-ns"].endswith("| met |")


def test_a_summary_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = write_results(tmp_path, [*OWN, *SLOWER], title="t")
    assert read_summary(tmp_path) == written
    assert read_summary(tmp_path / "none") is None


def test_the_page_has_what_was_run_and_says_what_was_not(tmp_path: Path) -> None:
    (tmp_path / "move").mkdir()
    write_results(tmp_path / "move", [*OWN, *SLOWER], title="t")
    text = write_page(tmp_path, tmp_path / "out").read_text()
    assert "### move (3 cases" in text
    assert "| `inpaint:strength=0.3` | 0.03233 |" in text
    assert "+0.0203" in text
    assert "Not measured in these runs." in text
    assert "No search was made" in text
    assert "undefined" not in text.lower()


def test_photographs_have_their_differences_by_region_with_errors_over_scenes(tmp_path: Path) -> None:
    both = [replace(record, scene=f"p{int(record.case) // 2}") for record in [*OWN, *SLOWER]]
    folder = tmp_path / "photographs" / "res"
    folder.mkdir(parents=True)
    write_results(folder, both, title="t")
    text = write_page(tmp_path, tmp_path / "out").read_text()
    assert "### ReS, odd scenes (3 cases" in text
    # differences 0.020, 0.022 of one scene and 0.019 of another: 0.02033 +- sqrt(2 * 2 * 0.00133^2) / 3
    cell = "+0.0203 +- 0.0009"
    assert f"| `inpaint:strength=0.3` | {cell} behind | {cell} behind |" in text
    assert "### COCOEE, second half" in text


def test_the_settings_that_the_search_chose_are_run(tmp_path: Path) -> None:
    plan = Plan(tmp_path, tmp_path)
    assert "inpaint" in [spec.label for spec in _chosen(plan, "move")]
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "best.json").write_text(
        '{"move": {"inpaint": "inpaint:strength=0.3", "paste-ns": "paste-ns:radius=3.0"}}'
    )
    labels = [spec.label for spec in _chosen(plan, "move")]
    assert "inpaint:strength=0.3" in labels
    assert "inpaint" not in labels
    assert "paste-ns" in labels  # beside the one that was chosen: it costs nothing
    assert "paste-ns:radius=3.0" in labels
    assert "ledits" not in labels  # it cannot move
    assert "inpaint" in [spec.label for spec in _chosen(plan, "remove")]


@pytest.mark.parametrize("part", ["search", "scanned", "ablation", "inversion", "photographs"])
def test_a_part_without_its_cases_says_so(part: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"needs (cases|photographs)"):
        PARTS[part](Plan(tmp_path, tmp_path))


def replays(**decibels: float) -> list[Record]:
    return [
        Record(
            record_key(method=name),
            "a",
            {"kind": "move", "dx": 0.1},
            f"reconstruct:guidance_scale=2,inversion={name}",
            "ok",
            figures={"psnr.roundtrip": value},
            seconds=1.0,
            evaluations=40,
            made=MADE,
        )
        for name, value in decibels.items()
    ]


@pytest.mark.parametrize(
    ("null_text", "verdict"), [(34.0, MET), (26.0, NOT_MET)], ids=["as published", "two exchanged"]
)
def test_the_published_order_of_the_inversions_is_met_or_not(null_text: float, verdict: str) -> None:
    found = replays(ddim=24.0, negative_prompt=28.0, null_text=null_text, direct=100.0)
    told = targets({"reconstruct": summarise(found)})
    assert [one.verdict for one in told if one.what.startswith("order of the replays")] == [verdict]
