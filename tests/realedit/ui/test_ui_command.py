"""`realedit ui`, as it is started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the extra ui is not here")
ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_it_prints_an_address_with_a_token_where_others_reach_it_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "REALEDIT_CACHE": str(tmp_path / "cache")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "realedit", "ui", "--host", "0.0.0.0", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path)
    assert server.stderr is not None
    try:
        line = next(line for line in server.stderr if "http://" in line)
        address = line.split("open ")[1].split(" ")[0]
        assert "?token=" in address
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with visitor.open(address, timeout=60) as answer:
            assert "token" not in answer.url
            assert b"realedit" in answer.read()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address.split("?")[0], timeout=60)
        assert refused.value.code == 401
        refused.value.close()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) in (0, 130)
        server.stderr.close()
    assert list(tmp_path.glob("realedit-ui*")) == []
    assert not (tmp_path / "cache").exists()
