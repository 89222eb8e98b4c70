"""`erp-gateway rules simulate DRAFT` and `rules dark DRAFT`, against a gateway that answers as the API does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.api.simulation_examples import DARK, SIMULATION
from gateway.cli.console import Failure
from gateway.cli.rules import app

DRAFT = SIMULATION["draftId"]
WINDOW = ("--since", "2026-10-01", "--until", "2026-11-01")
RUNNING = SIMULATION | {"state": "running", "result": None, "entriesRead": 0}
FAILED = RUNNING | {"state": "failed", "failure": "it broke; the log says where"}


class Gateway:
    """Answers each address with what is queued for it, the last of them for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, Any]] = []


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            sent = json.loads(self.rfile.read(length)) if length else None
            made.asked.append((f"{self.command} {self.path}", sent))
            queue = made.answers[f"{self.command} {self.path}"]
            body = json.dumps(queue.pop(0) if len(queue) > 1 else queue[0]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 (the library's names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Gateway(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def call(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: object) -> str:
        reach = ("--url", gateway.url, "--token", "t")
        app([*map(str, arguments), *reach], standalone_mode=False)
        return capsys.readouterr().out

    return run


def test_a_draft_is_simulated_by_the_gateway_and_waited_for(
    gateway: Gateway, call: Callable[..., str], tmp_path: Path
) -> None:
    gateway.answers = {
        f"POST /v1/drafts/{DRAFT}/simulations": [RUNNING],
        f"GET {SIMULATION['statusUrl']}": [RUNNING, SIMULATION],
    }
    text = call("simulate", DRAFT, *WINDOW, "--html", tmp_path / "report.html")
    assert "to the cloud · orders · Northern · FR: 1 document, 168.00 USD" in text
    assert gateway.asked[0][1] == {"since": "2026-10-01T00:00:00.000000Z", "until": "2026-11-01T00:00:00.000000Z"}
    assert len(gateway.asked) == 3
    assert SIMULATION["resultHash"] in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads(call("simulate", DRAFT, *WINDOW, "--json")) == SIMULATION["result"]


def test_a_simulation_that_failed_says_why(gateway: Gateway, call: Callable[..., str]) -> None:
    gateway.answers = {f"POST /v1/drafts/{DRAFT}/simulations": [FAILED]}
    with pytest.raises(Failure, match="it broke"):
        call("simulate", DRAFT, *WINDOW)


def test_what_dark_observation_found_is_told(gateway: Gateway, call: Callable[..., str]) -> None:
    path = f"/v1/drafts/{DRAFT}/dark"
    gateway.answers = {f"{how}": [DARK] for how in (f"GET {path}", f"POST {path}", f"POST {path}/end")}
    assert "  1 of 1 documents would be decided otherwise\n  orders.Northern.FR: to_cloud 1 (168.00 USD)" in call(
        "dark", DRAFT
    )
    assert json.loads(call("dark", DRAFT, "--begin", "--json")) == DARK
    call("dark", DRAFT, "--end")
    assert [asked for asked, _ in gateway.asked] == [f"GET {path}", f"POST {path}", f"POST {path}/end"]
    with pytest.raises(Failure, match="not together"):
        call("dark", DRAFT, "--begin", "--end")
