"""A gateway and two ERPs as processes of their own, set up as the demo sets them up, without the demo's traffic."""

from __future__ import annotations

import asyncio
import http.client
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from gateway.auth import DEFAULT_CLIENTS
from gateway.demo.children import Child, Children
from gateway.demo.erps import start_erps
from gateway.demo.gateway_process import serve_command, write_settings
from gateway.demo.masters import put_masters
from gateway.demo.northwind import Northwind
from gateway.demo.places import Places
from gateway.intake.cross_references import CrossReferenceRow, write_rows
from gateway.settings import load_settings
from gateway.wiring.issuer import embedded_issuer
from tests.demo_memory import demo_memory

READY_LIMIT_S = 60.0
"""Longest that a process may take to answer; a loaded machine needs a few seconds."""
TOKEN_S = 8 * 3_600


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that answers, and what belongs to it."""

    base_url: str
    places: Places
    _children: Children

    def token(self, client: str, *scopes: str) -> str:
        """An access token of the embedded issuer, with the client's own scopes or with others."""
        issuer = embedded_issuer(self.places.directory, load_settings(self.places.directory), time.time)
        known = DEFAULT_CLIENTS[client]
        return issuer.mint(replace(known, scopes=frozenset(scopes)) if scopes else known, TOKEN_S)

    def start(
        self, name: str, command: Sequence[str], answers_at: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """One process more, which ends with the others; returns when it answers GET at the address."""
        wait_for(self._children.start(name, command, self.places.log(name), environment), answers_at)

    def log(self, name: str = "gateway") -> str:
        """The end of what a process said."""
        return self.places.log(name).read_text(encoding="utf-8", errors="replace")[-3_000:]


@contextmanager
def running_gateway(
    directory: Path,
    *,
    masters: Northwind | None = None,
    rows: Sequence[CrossReferenceRow] = (),
    module: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Start two ERPs and a gateway on them; at the end all of them are gone.

    `masters`: customers and products that the legacy ERP has before; `rows`: numbers of masters that ERPs are said to
    have. `module`: run `python -m MODULE DATA` in place of `erp-gateway serve --data DATA`. `environment`: of the
    gateway.
    """
    places = Places(directory)
    places.prepare(fresh=False)
    memory = demo_memory(places)
    children = Children(places.children, str(directory))
    base_url = f"http://127.0.0.1:{memory.gateway_port}"
    command = [sys.executable, "-m", module, str(directory)] if module else serve_command(directory)
    try:
        legacy, cloud = asyncio.run(start_erps(children, places, memory))
        there = asyncio.run(put_masters(legacy, masters, lambda: None)) if masters is not None else []
        write_rows(places.cross_references, [*there, *rows])
        write_settings(places, memory, legacy, cloud)
        running = Running(base_url, places, children)
        running.start("gateway", command, f"{base_url}/health/ready", environment)
        yield running
    finally:
        children.stop_all()


def wait_for(child: Child, address: str) -> None:
    """Until the address answers 200. Raises `ChildEnded` if the process ended, AssertionError if it took too long."""
    where = urlsplit(address)
    deadline = time.monotonic() + READY_LIMIT_S
    while not _answers(where.hostname or "", where.port or 0, where.path):
        child.check()
        assert time.monotonic() < deadline, f"{child.name} does not answer at {address}:\n{child.tail()}"
        time.sleep(0.05)


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
