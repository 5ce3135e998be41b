"""The guard lets a visitor through and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra ui is not here")
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from realedit.ui.guard import Guard, GuardRules, is_loopback
from realedit.ui.server import Address

OWN = {"X-Realedit": "1"}


async def page(request: Request) -> Response:
    return HTMLResponse("<html><script>1</script><script src=a.js></script><scripts></html>")


async def take(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def visitor(rules: GuardRules, base: str = "http://127.0.0.1:7860") -> TestClient:
    routes = [Route("/", page), Route("/api/x", take, methods=["GET", "POST"])]
    routes += [Route("/gradio_api/{rest:path}", take, methods=["GET", "POST"])]
    return TestClient(Guard(Starlette(routes=routes), rules), base_url=base, follow_redirects=False)


def test_nothing_of_another_host_is_allowed_on_the_page() -> None:
    answer = visitor(GuardRules()).get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "*" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_pages_own_scripts_have_a_nonce_that_is_another_each_time() -> None:
    client = visitor(GuardRules())
    seen: set[str] = set()
    for _ in range(2):
        answer = client.get("/")
        nonce = answer.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
        assert answer.text.count(f'<script nonce="{nonce}"') == 2
        assert "<scripts>" in answer.text
        assert int(answer.headers["content-length"]) == len(answer.content)
        seen.add(nonce)
    assert len(seen) == 2


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:7860", "", "realedit.local"])
def test_another_name_for_this_machine_is_not_answered(host: str) -> None:
    assert visitor(GuardRules()).get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860"])
def test_this_machines_own_names_are_answered(host: str) -> None:
    assert visitor(GuardRules()).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**OWN, "Origin": "https://evil.example"},
        {**OWN, "Origin": "null"},
        {**OWN, "Origin": "http://127.0.0.1:9999"},
        {**OWN, "Sec-Fetch-Site": "cross-site"},
        {**OWN, "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:7860"},
    ],
)
def test_a_request_of_another_site_changes_nothing(headers: dict[str, str]) -> None:
    assert visitor(GuardRules()).post("/api/x", content=b"x", headers=headers).status_code == 403


def test_a_request_of_the_page_or_of_a_program_is_let_through() -> None:
    client = visitor(GuardRules())
    own = {**OWN, "Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/x", content=b"abc", headers=own).text == "3"
    assert client.post("/api/x", content=b"abc", headers=OWN).text == "3"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/proxy=http://example.org",
        "/gradio_api/queue/join",
        "/gradio_api/call/x",
        "/login",
        "/metrics",
        "/etc/passwd",
    ],
)
def test_gradios_own_ways_to_files_and_functions_are_closed(path: str) -> None:
    client = visitor(GuardRules())
    assert client.get(path).status_code == 404
    assert client.post(path, headers=OWN).status_code == 404


def test_a_body_that_is_too_large_is_refused_told_or_not() -> None:
    client = visitor(GuardRules(body_bytes=1000))
    assert client.post("/api/x", content=bytes(1001), headers=OWN).status_code == 413

    def parts() -> Any:
        for _ in range(20):
            yield bytes(100)

    assert client.post("/api/x", content=parts(), headers=OWN).status_code == 413
    assert client.post("/api/x", content=bytes(1000), headers=OWN).text == "1000"


def test_with_a_token_nothing_is_answered_without_it() -> None:
    rules = GuardRules(frozenset(), "secret-token")
    client = visitor(rules, "http://192.0.2.7:7860")
    assert client.get("/").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/api/x").status_code == 401
    assert client.get("/api/x?token=secret-token").status_code == 401
    assert client.get("/api/x", headers={"Authorization": "Bearer secret-token"}).status_code == 200
    assert client.get("/api/x", headers={"Authorization": "Bearer secret-tokem"}).status_code == 401


def test_the_printed_address_gives_a_cookie_and_takes_the_token_out_of_the_address() -> None:
    client = visitor(GuardRules(frozenset(), "secret-token"), "http://192.0.2.7:7860")
    answer = client.get("/?token=secret-token")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("host", "open_to_others"),
    [
        ("127.0.0.1", False),
        ("127.0.0.2", False),
        ("localhost", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("192.168.1.5", True),
        ("::", True),
        ("example.org", True),
    ],
)
def test_a_token_is_asked_for_where_others_can_reach_the_server(host: str, open_to_others: bool) -> None:
    address = Address.of(host, 7860)
    assert is_loopback(host) is not open_to_others
    assert (address.token is not None) is open_to_others
    assert ("token=" in address.url(7860)) is open_to_others
    assert Address.of(host, 7860, share=True).token is not None


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {Address.of("0.0.0.0", 1).token for _ in range(20)}
    assert len(tokens) == 20
    assert all(token is not None and len(token) >= 32 for token in tokens)
