"""What only shows on the wire: a real server process, and sockets that behave badly."""

from __future__ import annotations

import json
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.api.orders import EXAMPLE
from tests.api.fakes import an_id
from tests.ports import reserved_port

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
SILENT = 1_100
FILES = 4 * SILENT


@dataclass
class Served:
    """A gateway process on the loopback interface."""

    process: subprocess.Popen[str]
    port: int
    token: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def head(self, request: str, *headers: str) -> bytes:
        """A request's head with token and JSON type; `headers` are added as they are."""
        lines = [request, "Host: gateway", f"Authorization: {self.token}", "Content-Type: application/json", *headers]
        return "\r\n".join([*lines, "", ""]).encode()

    def talk(self, *pieces: bytes) -> tuple[int, dict[str, str], Any]:
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
            return read_answer(connection)


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Status, headers, JSON body; (0, {}, None) if the connection was closed without an answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        if not piece:
            return 0, {}, None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    return int(lines[0].split(" ")[1]), headers, json.loads(body) if body else None


@pytest.fixture(scope="module")
def _enough_files() -> Iterator[None]:
    """For so many connections, here and in the process that is started; a laptop's limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def served(_enough_files: None) -> Iterator[Served]:
    port = reserved_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.api.serving", str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        token = process.stdout.readline().strip()
        one = Served(process, port, token)
        deadline = time.monotonic() + 60
        while True:
            try:
                one.connect().close()
                break
            except OSError:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.05)
        yield one
    finally:
        process.kill()
        process.communicate()


def test_a_whole_submission(served: Served) -> None:
    body = json.dumps(EXAMPLE).encode()
    status, headers, answer = served.talk(served.head("POST /v1/orders HTTP/1.1", f"Content-Length: {len(body)}"), body)
    assert (status, answer["status"]) == (201, "posted")
    assert headers["content-type"] == "application/json"


def test_a_submission_in_chunks(served: Served) -> None:
    body = json.dumps(EXAMPLE).encode()
    half = len(body) // 2
    pieces = [b"%x\r\n%s\r\n" % (len(one), one) for one in (body[:half], body[half:])]
    status, _, answer = served.talk(
        served.head("POST /v1/orders HTTP/1.1", "Transfer-Encoding: chunked"), *pieces, b"0\r\n\r\n"
    )
    assert (status, answer["status"]) == (201, "posted")


@pytest.mark.parametrize("line", ["Host: other", "Authorization: Bearer x", "Content-Type: text/plain"])
def test_doubled_headers(served: Served, line: str) -> None:
    status, _, problem = served.talk(served.head("POST /v1/orders HTTP/1.1", line, "Content-Length: 2"), b"{}")
    assert (status, problem["code"]) == (400, "invalid-request")
    assert problem["errors"][0]["field"] == line.partition(":")[0].lower()


def test_doubled_idempotency_keys(served: Served) -> None:
    head = served.head("POST /v1/orders HTTP/1.1", "Idempotency-Key: a", "Idempotency-Key: a", "Content-Length: 2")
    status, _, problem = served.talk(head, b"{}")
    assert (status, problem["errors"][0]["field"]) == (400, "idempotency-key")


def test_no_host(served: Served) -> None:
    status, _, problem = served.talk(b"GET /health/live HTTP/1.1\r\n\r\n")
    assert (status, problem["errors"][0]["field"]) == (400, "host")


def test_no_length_is_no_body(served: Served) -> None:
    status, _, problem = served.talk(served.head("POST /v1/orders HTTP/1.1"))
    assert (status, problem["code"]) == (400, "invalid-request")
    assert "empty" in problem["detail"]


def test_line_feed_in_an_id(served: Served) -> None:
    status, _, problem = served.talk(served.head(f"GET /v1/transactions/txn_{'0' * 26}%0A HTTP/1.1"))
    assert (status, problem["errors"][0]["field"]) == (400, "transactionId")
    assert problem["instance"].endswith("%0A")


def test_fifty_megabytes_with_a_length_are_refused_unread(served: Served) -> None:
    head = served.head("POST /v1/orders HTTP/1.1", f"Content-Length: {50 * MEGABYTE}")
    status, _, problem = served.talk(head)
    assert (status, problem["code"]) == (413, "too-large")


def test_fifty_megabytes_in_chunks_are_cut_off(served: Served) -> None:
    process = psutil.Process(served.process.pid)
    before = process.memory_info().rss
    sent = 0
    with served.connect() as connection:
        connection.sendall(served.head("POST /v1/orders HTTP/1.1", "Transfer-Encoding: chunked"))
        try:
            while sent < 50 * MEGABYTE:
                connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
                sent += 65_536
        except OSError:
            pass
        else:
            pytest.fail("the server took 50 MB")
    assert sent < 20 * MEGABYTE  # our limit, and what the sockets' buffers hold
    assert process.memory_info().rss - before < 20 * MEGABYTE
    assert served.talk(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200


def test_a_slow_body(served: Served) -> None:
    started = time.monotonic()
    status, _, problem = served.talk(served.head("POST /v1/orders HTTP/1.1", "Content-Length: 50"), b"{")
    assert (status, problem["code"]) == (408, "request-timeout")
    assert 1.0 < time.monotonic() - started < 9


def test_a_slow_head(served: Served) -> None:
    started = time.monotonic()
    with served.connect() as connection:
        connection.sendall(b"GET /health/live HT")
        connection.settimeout(60)
        rest = connection.recv(65_536)
    assert rest == b"" or b" 408 " in rest
    assert time.monotonic() - started < 40


def test_many_silent_connections_do_not_stop_it(served: Served) -> None:
    """With the server's own backlog and backpressure, a few hundred make every request time out."""
    silent = [served.connect() for _ in range(SILENT)]
    try:
        assert served.talk(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200
    finally:
        for one in silent:
            one.close()


def test_a_copy_that_holds_is_answered_without_a_body(served: Served) -> None:
    """And the connection goes on: a body that nobody announced would be read as the next answer."""
    url = f"/v1/orders/{an_id('doc', 1)}"
    with served.connect() as connection:
        connection.sendall(served.head(f"GET {url} HTTP/1.1"))
        status, headers, _ = read_answer(connection)
        assert (status, headers["etag"]) == (200, '"v1"')
        connection.sendall(served.head(f"GET {url} HTTP/1.1", f"If-None-Match: {headers['etag']}"))
        status, headers, body = read_answer(connection)
        assert (status, headers["etag"], body) == (304, '"v1"', None)
        assert headers.get("content-length", "0") == "0"
        connection.sendall(served.head("GET /health/live HTTP/1.1"))
        assert read_answer(connection)[0] == 200


def test_two_requests_on_one_connection(served: Served) -> None:
    with served.connect() as connection:
        for _ in range(2):
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_answer(connection)[0] == 200


@pytest.mark.parametrize(
    "request_line",
    ["GET /v1/orders\x00 HTTP/1.1", "G\x01T / HTTP/1.1", "GET http://%%% HTTP/1.1", "GET / HTTP/9.9", "PRI * HTTP/2.0"],
)
def test_garbage(served: Served, request_line: str) -> None:
    status, _, _ = served.talk(f"{request_line}\r\nHost: x\r\n\r\n".encode())
    assert status == 0 or 400 <= status < 600
    assert served.talk(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200


def test_bad_lengths(served: Served) -> None:
    for lengths in (("2", "3"), ("-1",), ("abc",)):
        status, _, _ = served.talk(
            served.head("POST /v1/orders HTTP/1.1", *(f"Content-Length: {one}" for one in lengths)), b"{}"
        )
        assert status in {0, 400}


def test_shutdown_runs_the_hooks(served: Served) -> None:
    """Last in this file: it ends the server."""
    served.process.send_signal(signal.SIGTERM)
    out, err = served.process.communicate(timeout=60)
    assert served.process.returncode == 0
    assert "stopped" in re.split(r"\s+", out)
    assert "Traceback" not in err
