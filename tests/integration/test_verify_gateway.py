"""`erp-gateway ledger verify --gateway`, where the gateway says that entries are archived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.cli import main
from gateway.ledger.bundles import bundle_of, entries_in
from tests.ledger.logs import KEY, ORIGIN, publish_all
from tests.ledger.memory_tiles import MemoryTiles

FIRST, SECOND = "tile/entries/000", "tile/entries/001"


@dataclass
class Server:
    """What a gateway serves: files, and what is answered instead of some."""

    files: dict[str, bytes]
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    tiles = MemoryTiles()
    publish_all(tiles, [700])
    served = Server(tiles.files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/v1/ledger/log/")
            there = served.files.get(path)
            status, body = served.instead.get(path, (404, b"{}") if there is None else (200, there))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{http.server_port}"
    thread = Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield served
    http.shutdown()
    http.server_close()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "token").write_text("any", encoding="utf-8")
    (tmp_path / "token").chmod(0o600)

    def command(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        line = ["--gateway", server.url, "--token-file", str(tmp_path / "token"), "--key", KEY.key.text]
        line += ["--state", str(tmp_path / "seen.json"), *words]
        monkeypatch.setattr("sys.argv", ["erp-gateway", "ledger", "verify", *line])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return command


def _archived(*months: object) -> tuple[int, bytes]:
    return 404, json.dumps({"code": "not-found", "archivedMonths": list(months)}).encode()


def test_the_last_line_says_what_was_not_recomputed(run: Run, server: Server) -> None:
    server.instead[FIRST] = _archived("2026-05")
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.startswith(f"{ORIGIN}: 700 hashes are as signed, and 444 entries, root ")
    assert out.splitlines()[-1] == (
        "NOT recomputed, only their hashes are as signed: 256 entries (0 to 255). The gateway says that they are "
        "archived with 2026-05, or share a bundle with such: --archive DIR recomputes what an archive holds"
    )
    code, out, _ = run("--json")
    told = json.loads(out)
    assert (code, told["ok"], told["entriesVerified"], told["entriesHashedOnly"]) == (0, True, 444, 256)
    assert told["archivedMonths"] == ["2026-05"]


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"),
        (404, b"not JSON"),
        (404, b'{"archivedMonths": "2026-05"}'),
        _archived(),
        _archived("soon"),
        _archived(202605),
        _archived(*["2026-05"] * 300),
    ],
)
def test_a_bundle_that_is_gone_without_its_month_is_an_alarm(
    run: Run, server: Server, answer: tuple[int, bytes]
) -> None:
    server.instead[FIRST] = answer
    code, out, err = run()
    assert (code, out) == (1, "")
    assert "is NOT as it was signed: missing: tile/entries/000 is missing · entries 0 to 255" in err


def test_nothing_but_bundles_can_be_called_archived(run: Run, server: Server) -> None:
    for path in ("tile/0/000", "tile/1/000.p/2", "checkpoint"):
        server.instead = {path: _archived("2026-05")}
        code, _, err = run()
        assert (code, "NOT as it was signed" in err) == (1, True), path


def test_an_altered_bundle_is_an_alarm_beside_archived_ones(run: Run, server: Server) -> None:
    server.instead[FIRST] = _archived("2026-05")
    held = entries_in(server.files[SECOND])
    server.instead[SECOND] = (200, bundle_of([b'{"v":1}', *held[1:]]))
    code, _, err = run()
    assert (code, "entry 256 is not the one that was signed" in err) == (1, True)


def test_archives_go_with_a_gateway(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("--archive", str(tmp_path / "none"))
    assert (code, "none is NOT as it was signed: manifest: it is missing" in err) == (1, True)
    words = ["--directory", str(tmp_path), "--key", KEY.key.text, "--archive", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["erp-gateway", "ledger", "verify", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
