"""Tests of realedit.models.hub against a hub on this machine, and against networks that do not work.

huggingface_hub reads its address and its cache folder when it is first imported, so each case is a process.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from realedit.models.hub import fetch_hint, is_hub_id, wanted

ROOT = Path(__file__).resolve().parents[3]
TABLETOP = ROOT / "realedit" / "assets" / "tabletop"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SDXL_COMMAND = (
    f'get it with: hf download {SDXL} --include "*.json" --include "*.txt" --include "*/*.fp16.safetensors"'
)
OWN_COMMAND = (
    'get it with: hf download own/model --include "*.json" --include "*.txt" --include "*/*.safetensors"'
)
LOAD = """
import sys, time
from realedit.models import choice, hub, loading
from realedit.errors import ModelUnavailableError
ref = choice.resolve_model(sys.argv[1])
started = time.perf_counter()
try:
    offline = sys.argv[3] == "offline"
    if sys.argv[2] == "fetch":
        hub.ensure_snapshot(ref.location, ref.name, half=False, offline=offline)
        print("fetched", "torch" not in sys.modules, choice.fingerprint(ref))
    elif sys.argv[2] == "fetch half":
        hub.ensure_snapshot(ref.location, ref.name, half=True, offline=offline)
        print("fetched", "torch" not in sys.modules, choice.fingerprint(ref))
    else:
        dtype = None
        if sys.argv[2] != "default":
            import torch
            dtype = getattr(torch, sys.argv[2])
        pipeline = loading.load_pipeline(ref, dtype=dtype, offline=offline)
        print(pipeline.unet.dtype, pipeline.vae.dtype, choice.fingerprint(ref))
except ModelUnavailableError as error:
    print(error)
print(time.perf_counter() - started)
print([info.note for info in choice.list_models() if info.location == ref.location])
"""


class Hub(ThreadingHTTPServer):
    """The few addresses of the hub's HTTP interface that a download uses, over one folder of files."""

    daemon_threads = True

    def __init__(self, files: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = files
        self.requests: list[str] = []
        self.status = 200
        self.error_code = ""

    def names(self) -> list[str]:
        return sorted(
            path.relative_to(self.files).as_posix() for path in self.files.rglob("*") if path.is_file()
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub: Hub = self.server
        path = self.path.split("?")[0]
        hub.requests.append(path)
        if hub.status != 200:
            self.reply(b"", status=hub.status)
        elif "/resolve/" in path:
            content = (hub.files / path.split("/resolve/")[1].split("/", 1)[1]).read_bytes()
            self.reply(content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})
        elif "/tree/" in path:
            self.reply_json([self.described(name) for name in hub.names()])
        else:
            siblings = [{"rfilename": name} for name in hub.names()]
            self.reply_json({"_id": "1", "id": "own/model", "sha": COMMIT, "siblings": siblings})

    def described(self, name: str) -> dict[str, object]:
        content = (self.server.files / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        entry: dict[str, object] = {"type": "file", "path": name, "size": len(content), "oid": digest[:40]}
        if name.endswith(".safetensors"):
            entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
        return entry

    def reply_json(self, content: object) -> None:
        self.reply(json.dumps(content).encode(), {"Content-Type": "application/json"})

    def reply(self, content: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        common = {"X-Repo-Commit": COMMIT, "Content-Length": str(len(content))}
        if self.server.error_code:
            common["X-Error-Code"] = self.server.error_code
        for name, value in {**common, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    files = Path(shutil.copytree(TABLETOP, tmp_path / "served"))
    # What a download must leave alone: other formats, another variant's folder, one-file checkpoints.
    for name in (
        "sd_xl_base_1.0.safetensors",
        "unet/model.onnx",
        "unet/flax_model.msgpack",
        "unet/run_me.py",
    ):
        (files / name).write_bytes(b"not wanted")
    server = Hub(files)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def load(
    home: Path, endpoint: str, *, model: str = "own/model", dtype: str = "default", **more: str
) -> list[str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "REALEDIT_"))}
    network = more.pop("network", "online")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD, model, dtype, network],
        env={**keep, "OMP_NUM_THREADS": "1", "HF_HOME": str(home), "HF_ENDPOINT": endpoint, **more},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()


def downloaded(home: Path) -> set[str]:
    snapshot = home / "hub" / "models--own--model" / "snapshots" / COMMIT
    return {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()}


def test_a_model_is_downloaded_once_and_then_used_without_the_network(hub: Hub, tmp_path: Path) -> None:
    wanted = set(hub.names()) - {
        "sd_xl_base_1.0.safetensors",
        "unet/model.onnx",
        "unet/flax_model.msgpack",
        "unet/run_me.py",
        "profile.json",  # of the embedded model's folder: the hub's models have none of ours
    }
    # of a folder's parts, only those that every pipeline has
    wanted = {name for name in wanted if not name.startswith("recogniser/")}
    # Half precision is asked for and there is no fp16 variant: the plain files serve.
    first = load(tmp_path / "home", hub.url, dtype="float16")
    assert first[0].startswith("torch.float16 torch.float32 ")
    assert downloaded(tmp_path / "home") == wanted
    hub.requests.clear()
    again = load(tmp_path / "home", hub.url, dtype="float32")
    assert hub.requests == []
    assert again[0].startswith("torch.float32 torch.float32 ")
    assert again[0].split()[2] == first[0].split()[2]
    assert load(tmp_path / "home", "http://127.0.0.1:9", network="offline", dtype="fetch")[0].startswith(
        "fetched"
    )
    # A hub blob is known by its content hash: the hash changes with the model.
    config = json.loads((hub.files / "vae" / "config.json").read_text())
    (hub.files / "vae" / "config.json").write_text(json.dumps({**config, "scaling_factor": 1.5}))
    assert load(tmp_path / "other", hub.url, dtype="fetch")[0].split()[2] != again[0].split()[2]


def test_the_fp16_variant_is_preferred_at_half_precision_only(hub: Hub, tmp_path: Path) -> None:
    for path in list(hub.files.glob("*/*.safetensors")):
        shutil.copy(path, path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")))
    load(tmp_path / "half", hub.url, dtype="fetch half")
    load(tmp_path / "full", hub.url, dtype="fetch")
    half, full = downloaded(tmp_path / "half"), downloaded(tmp_path / "full")
    assert {name for name in half if name.startswith("unet/") and "safetensors" in name} == {
        "unet/diffusion_pytorch_model.fp16.safetensors"
    }
    assert {name for name in full if name.startswith("unet/") and "safetensors" in name} == {
        "unet/diffusion_pytorch_model.safetensors"
    }
    # What is here already serves at the other precision too, instead of a second download.
    assert load(tmp_path / "half", hub.url, dtype="float32", HF_HUB_OFFLINE="1")[0].startswith(
        "torch.float32"
    )


def test_a_partly_downloaded_model_is_named_offline_and_completed_online(hub: Hub, tmp_path: Path) -> None:
    load(tmp_path / "home", hub.url, dtype="fetch")
    snapshot = tmp_path / "home" / "hub" / "models--own--model" / "snapshots" / COMMIT
    (snapshot / "unet" / "diffusion_pytorch_model.safetensors").resolve().unlink()
    line, _, notes = load(tmp_path / "home", hub.url, network="offline", REALEDIT_MODEL="own/model")
    assert line == (
        "own/model is only partly in the local Hugging Face cache (missing unet), and realedit is offline; "
        + OWN_COMMAND
    )
    assert notes == "['partly downloaded: missing unet']"
    assert load(tmp_path / "home", hub.url, dtype="fetch")[0].startswith("fetched True ")


def test_a_model_of_another_kind_costs_no_weights(hub: Hub, tmp_path: Path) -> None:
    index = json.loads((hub.files / "model_index.json").read_text())
    (hub.files / "model_index.json").write_text(
        json.dumps({**index, "_class_name": "StableDiffusionPipeline"})
    )
    line = load(tmp_path / "home", hub.url)[0]
    assert line.startswith("own/model is a StableDiffusionPipeline, not an SDXL pipeline; pass a folder ")
    assert not [name for name in downloaded(tmp_path / "home") if name.endswith(".safetensors")]
    (hub.files / "model_index.json").unlink()
    assert load(tmp_path / "other", hub.url)[0] == (
        "own/model on the hub is not a diffusers pipeline: it has no model_index.json; "
        "use an SDXL pipeline, such as "
        "--model sdxl"
    )


def test_pickled_weights_on_the_hub_are_not_downloaded(hub: Hub, tmp_path: Path) -> None:
    path = hub.files / "unet" / "diffusion_pytorch_model.safetensors"
    path.rename(path.with_suffix(".bin"))
    (hub.files / "unet" / "flax_model.msgpack").unlink()
    assert load(tmp_path / "home", hub.url)[0] == (
        "own/model: unet has no safetensors weights, only "
        "unet/diffusion_pytorch_model.bin, which realedit refuses to "
        "read (pickle files can run code); convert it once with diffusers' save_pretrained(..., "
        "safe_serialization=True)"
    )
    assert downloaded(tmp_path / "home") == set()


@pytest.mark.parametrize(
    ("status", "code", "line"),
    [
        (
            401,
            "RepoNotFound",
            "no model 'own/model' on the hub (or a private one), and no folder of that name; "
            "for a private model: hf "
            "auth login",
        ),
        (
            403,
            "GatedRepo",
            "own/model is gated on the hub; accept its terms on huggingface.co, then: hf auth login",
        ),
    ],
)
def test_the_hub_refuses(hub: Hub, tmp_path: Path, status: int, code: str, line: str) -> None:
    hub.status, hub.error_code = status, code
    assert load(tmp_path / "home", hub.url)[0] == line


def test_offline_says_how_to_get_the_model_and_asks_nobody(hub: Hub, tmp_path: Path) -> None:
    for options in ({"network": "offline"}, {"HF_HUB_OFFLINE": "1"}):
        line, _, notes = load(tmp_path / "home", hub.url, model="sdxl", **options)
        assert line == (
            f"sdxl is not in the local Hugging Face cache, and realedit is offline; {SDXL_COMMAND}"
        )
        assert notes == "['not downloaded']"
    line = load(tmp_path / "home", hub.url, network="offline")[0]
    assert line == (
        "own/model is no folder here and not in the local Hugging Face cache, and realedit is offline; "
        + OWN_COMMAND
    )
    assert hub.requests == []


@pytest.mark.parametrize("kind", ["no such host", "refused", "silent", "failing"])
def test_without_a_working_network_the_line_comes_soon(hub: Hub, tmp_path: Path, kind: str) -> None:
    hub.status = 503
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoints = {
            "no such host": "https://hub.invalid",
            "refused": "http://127.0.0.1:9",
            "silent": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "failing": hub.url,
        }
        started = time.perf_counter()
        line, seconds, _ = load(tmp_path / "home", endpoints[kind], model="sdxl")
        assert time.perf_counter() - started < 60
    assert line.startswith("sdxl is not in the local Hugging Face cache, and the hub cannot be reached (")
    assert line.endswith(f"); with a network, {SDXL_COMMAND}")
    assert float(seconds) < 20


def test_a_download_that_breaks_off_is_told_in_one_line(hub: Hub, tmp_path: Path) -> None:
    (hub.files / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    real = hub.names

    def names() -> list[str]:
        return sorted([*real(), "unet/diffusion_pytorch_model.safetensors"])

    hub.names = names
    line = load(tmp_path / "home", hub.url)[0]
    assert line.startswith("own/model could not be downloaded (")
    assert line.endswith("; " + OWN_COMMAND)


def test_only_owner_and_name_is_a_hub_id() -> None:
    assert is_hub_id(SDXL)
    wrong = ("sdxl", "a/b/c", "/a", "a/", "../a", "a b/c", "owner/name.git")
    assert [name for name in wrong if is_hub_id(name)] == []


def test_the_command_that_the_hint_names_is_one_that_hf_takes() -> None:
    command = fetch_hint(SDXL).removeprefix("get it with: ").replace('"', "").split()
    hf = Path(sys.executable).with_name("hf")
    done = subprocess.run(
        [str(hf), *command[1:], "--dry-run"],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    # Offline, a command line that parses ends in the hub's own complaint, and a wrong one in the parser's.
    assert command[0] == "hf"
    assert "offline" in (done.stdout + done.stderr).lower()


def test_of_sdxls_repository_one_variant_and_the_small_files_are_wanted() -> None:
    half = {
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/model.fp16.safetensors",
        "text_encoder_2/model.fp16.safetensors",
    }
    small = {
        "model_index.json",
        "unet/config.json",
        "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    }
    others = {
        *(name.replace(".fp16", "") for name in half),
        "sd_xl_base_1.0.safetensors",
        "unet/model.onnx_data",
        "README.md",
        "vae_1_0/config.json",
    }
    assert wanted(half | small | others, half=True) == sorted(half | small)
    whole = {name.replace(".fp16", "") for name in half}
    assert wanted(half | small | others, half=False) == sorted(whole | small)
