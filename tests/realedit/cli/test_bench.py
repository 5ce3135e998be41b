"""The installed `realedit bench` on the real embedded model."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command import Command
from realedit.bench.records import RECORDS, read_records
from realedit.cli.bench import BenchOptions, SamplingOptions, _check_installed, chosen_methods
from realedit.cli.main import main
from realedit.errors import ForeignPackageError, ModelUnavailableError
from realedit.models.choice import resolve_model
from realedit.photo.photo import load_photo
from tiny_hub import serving_pipeline

SMALL = (
    "--working-size",
    "64",
    "--steps",
    "4",
    "--metric",
    "psnr",
    "--metric",
    "geometry",
    "--model",
    "tabletop",
)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """Two cases of a real photo: a move and a removal."""
    import numpy as np
    from PIL import Image

    from bench_data import save, write_lines

    photo = Path(__file__).resolve().parents[3] / "examples" / "photos" / "mug.jpg"
    rgb = np.asarray(Image.open(photo).convert("RGB").resize((96, 64), Image.Resampling.LANCZOS))
    mask = np.zeros((64, 96), bool)
    mask[20:44, 16:40] = True
    folder = tmp_path / "cases"
    for name, array in (("photo", rgb), ("mask", mask), ("truth", rgb), ("truth_mask", np.roll(mask, 24, 1))):
        save(folder / f"{name}.png", array)
    common = {
        "photo": "photo.png",
        "prompt": "a mug",
        "object": "mug",
        "mask": "mask.png",
        "truth": "truth.png",
    }
    lines = [
        common | {"id": "a", "edit": {"kind": "move", "dx": 0.25}, "truth_mask": "truth_mask.png"},
        common | {"id": "b", "edit": {"kind": "remove"}},
    ]
    write_lines(folder / "manifest.jsonl", lines)
    return folder


@pytest.fixture
def hub() -> Iterator[Any]:
    """A hub that serves the embedded model as own/model; it keeps what it was asked for."""
    with serving_pipeline(Path(resolve_model("tabletop").location)) as server:
        yield server


def test_help_loads_nothing_heavy(realedit: Command) -> None:
    script = (
        "import sys; from realedit.cli import main; code = main(['bench', '--help']);"
        "print(code, {'torch', 'numpy', 'pydantic', 'scipy'} & set(sys.modules), file=sys.stderr)"
    )
    result = realedit.python(script)
    assert result.stderr == "0 set()\n"
    assert "--reconstruct" in result.stdout


def test_a_small_run_from_cases_to_page_and_again(realedit: Command, cases: Path) -> None:
    arguments = (
        "bench",
        cases,
        "--method",
        "realedit:mask=true,strength=0.4",
        "--method",
        "classical",
        *SMALL,
        "--json",
    )
    first = realedit(*arguments)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["output"] == "bench-cases"
    assert told["baseline"] == "realedit:mask=true,steps=4,strength=0.4"
    folder = realedit.folder / "bench-cases"
    records = read_records(folder)
    assert len(records) == 2 * 5
    own = next(
        r for r in records.values() if r.method == "realedit:mask=true,steps=4,strength=0.4" and r.case == "a"
    )
    assert own.status == "ok"
    assert own.before is not None
    assert own.evaluations
    assert {"summary.json", "summary.csv", "table.md", "index.html", "fidelity.png"} <= {
        path.name for path in folder.iterdir()
    }
    before = (folder / RECORDS).read_bytes()
    assert realedit(*arguments).returncode == 0
    assert (folder / RECORDS).read_bytes() == before


def test_res_as_it_comes_by_part_at_a_side_with_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench_data import save, scene

    entries = {}
    for number in (1, 3, 5):
        for after in (0, 1):
            name = f"p{number}_{after + 1}"
            photo, mask = scene(12 + 24 * after, 20 + 4 * number, size=96)
            save(tmp_path / "ReS" / f"{name}.jpg", photo)
            save(tmp_path / "ReS" / f"{name}_mask.png", mask[::2, ::2])
            entries[name] = {
                "original_image_path": f"{name}.jpg",
                "mask_path": f"{name}_mask.png",
                "max_resolution": 96,
                "prompt": "a box",
                "words": ["box"],
                "selected_points": [[20 + 24 * after, 32], [44 - 24 * after, 32]],
            }
    (tmp_path / "ReS" / "ReS_dataset.json").write_text(json.dumps(entries))
    monkeypatch.chdir(tmp_path)
    words = ["bench", "ReS", "--method", "classical", "--metric", "psnr", "--part", "odd", "--side", "80"]
    assert main([*words, "--sheet", "look", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    records = read_records(tmp_path / "bench-ReS")
    assert {record.case for record in records.values()} == {"p1_1", "p1_2", "p5_1", "p5_2"}
    pictures = [load_photo(tmp_path / "bench-ReS" / str(record.picture)) for record in records.values()]
    assert {picture.size for picture in pictures} == {(80, 80)}
    assert sorted(path.name for path in (tmp_path / "look").iterdir()) == ["1.jpg"]
    telea = {r["figure"]: r for r in told["rows"] if r["method"] == "paste-telea"}
    for region in ("whole", "object", "hole"):
        difference = telea[f"psnr.{region}"]["difference"]
        assert difference["low"] > 0  # better than to leave the photo as it is
        assert difference["error"] > 0
    before = (tmp_path / "bench-ReS" / RECORDS).read_bytes()
    assert main([*words, "--sheet", "look", "--json"]) == 0
    assert (tmp_path / "bench-ReS" / RECORDS).read_bytes() == before
    assert "paste-telea" in (tmp_path / "bench-ReS" / "table.md").read_text()


def test_inversions_are_compared_by_their_replays(realedit: Command, cases: Path) -> None:
    chosen = ("--reconstruct", "--inversion", "ddim", "--inversion", "direct", "--guidance-scale", "2")
    result = realedit("bench", cases, *chosen, *SMALL, "-o", "out")
    assert result.returncode == 0, result.stderr
    records = list(read_records(realedit.folder / "out").values())
    assert len(records) == 2  # two edits of one photo are one replay
    ddim, direct = (r.figures["psnr.roundtrip"] for r in records)
    assert direct is not None
    assert ddim is not None
    assert direct > 50
    assert direct > ddim
    assert "psnr.roundtrip" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("none",), 2, "no such folder"),
        (("{cases}", "--method", "photoshop"), 2, "no method 'photoshop'"),
        (("{cases}", "--method", "inpaint:speed=1"), 2, "no setting 'speed'"),
        (("{cases}", "--metric", "beauty"), 2, "no metric 'beauty'"),
        (("{cases}", "--edit", "rotate"), 2, "no such case"),
        (("{cases}", "--baseline", "ledits"), 2, "baseline"),
        (("{cases}", "--reconstruct", "--baseline", "direct"), 2, "the baseline 'direct' is none"),
        (("{cases}", "--reconstruct", "--method", "realedit"), 2, "--reconstruct"),
        (("{cases}", "--method", "inpaint", "--steps", "7"), 2, "nothing else reads --steps"),
        (("{cases}", "--method", "peers", "--inversion", "noised"), 2, "nothing else reads --inversion"),
        (
            ("{cases}", "--method", "inpaint", "--inversion", "noised", "--steps", "7"),
            2,
            "realedit is not among the methods, and nothing else reads --inversion or --steps",
        ),
        (("{cases}", "--clip-model", "none"), 2, "--clip-model"),
        (("{cases}", "--model", "none"), 6, "none"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    cases: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # in this process: each of its own would load torch again
    assert main(["bench", *(part.format(cases=cases) for part in arguments)]) == code
    stderr = capsys.readouterr().err
    first, *rest = stderr.splitlines()
    assert first.startswith("realedit: error: ")
    assert told in stderr
    assert all(line.startswith("realedit: hint: ") for line in rest)
    assert not list(here.iterdir())


def test_a_replay_is_a_baseline_by_its_name_in_the_tables() -> None:
    what = BenchOptions(inversion=("ddim", "direct", "ddim"), reconstruct=True)
    names = [spec.label for spec in chosen_methods(what, SamplingOptions(steps=4))]
    assert names == ["reconstruct:inversion=ddim,steps=4", "reconstruct:inversion=direct,steps=4"]
    assert chosen_methods(replace(what, baseline=names[1]), SamplingOptions(steps=4))


def test_what_is_not_installed_is_told_before_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    _check_installed(())
    assert [record.getMessage() for record in caplog.records] == [
        f"{package} is not installed: the results will have no {gives}; pip install 'realedit[bench]'"
        for package, gives in (("matplotlib", "plots"), ("stlpips_pytorch", "st_lpips_alex"))
    ]
    caplog.clear()
    _check_installed(("psnr",))
    assert len(caplog.records) == 1
    with pytest.raises(ForeignPackageError, match="st_lpips_alex needs stlpips_pytorch"):
        _check_installed(("st_lpips_alex",))


def test_steps_and_inversion_go_to_realedit_and_leave_the_others_alone() -> None:
    what = BenchOptions(method=("inpaint", "realedit"), inversion=("noised",))
    names = [spec.label for spec in chosen_methods(what, SamplingOptions(steps=7))]
    assert names == ["inpaint", "realedit:inversion=noised,steps=7"]


@pytest.mark.slow
def test_a_hub_model_is_downloaded_unless_offline(realedit: Command, cases: Path, hub: Any) -> None:
    online = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}"}
    words = ("bench", cases, "--method", "no-edit", "--metric", "psnr", "--model", "own/model", "-o", "out")
    refused = realedit(*words, "--offline", env=online)
    assert refused.returncode == ModelUnavailableError.exit_code
    assert "own/model is no folder here" in refused.stderr
    assert "realedit is offline" in refused.stderr
    # what is wrong without the model is told before it is fetched
    foreign = realedit.folder / "out" / "thesis.txt"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    assert "something else than results" in realedit(*words, env=online).stderr
    foreign.unlink()
    photo = (cases / "photo.png").rename(cases / "away.png")
    assert "photo.png" in realedit(*words, env=online).stderr
    photo.rename(cases / "photo.png")
    assert hub.asked == []
    result = realedit(*words, env=online)
    assert result.returncode == 0, result.stderr
    assert any(path.endswith(".safetensors") for path in hub.asked)
    hub.asked.clear()
    assert realedit(*words, "--offline", env=online).returncode == 0
    assert hub.asked == []


def test_a_broken_manifest_is_told_with_its_line(realedit: Command, cases: Path) -> None:
    with (cases / "manifest.jsonl").open("a") as file:
        file.write('{"id": "c"}\n')
    result = realedit("bench", cases)
    assert result.returncode == 2
    assert "manifest.jsonl:3: " in result.stderr
    assert realedit.listing() == {}


@pytest.mark.slow
def test_an_interrupted_run_in_two_processes_leaves_whole_records_and_is_taken_up(
    realedit: Command, cases: Path
) -> None:
    arguments = (
        "bench",
        cases,
        "--method",
        "no-edit",
        "--method",
        "realedit:mask=true,strength=0.4,steps=50",
        *SMALL,
        "--jobs",
        "2",
    )
    process = realedit.start(*arguments)
    records = realedit.folder / "bench-cases" / RECORDS
    until = time.monotonic() + 200
    while not records.exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert read_records(records.parent)
    assert not list(records.parent.rglob(".realedit-*"))
    assert realedit(*arguments).returncode == 0
    assert len(read_records(records.parent)) == 4
