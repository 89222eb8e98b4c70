"""The gateway as a child process of the demo: its settings file, its start, and its start again after a death."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

import routing_rules
from gateway.auth import DEFAULT_CLIENTS
from gateway.demo.children import Child, ChildEnded, Children
from gateway.demo.erps import CLOUD, LEGACY, LONGEST_EXECUTION_S, Erp
from gateway.demo.northwind import COMPANY_CODE
from gateway.demo.places import Memory, Places
from gateway.settings import load_settings
from gateway.wiring.issuer import embedded_issuer

NAME: Final = "gateway"
READY_LIMIT_S: Final = 60.0
"""How long the gateway may take to be ready, in seconds: it starts its nats-server, and verifies what it stored."""
TOKEN_S: Final = 8 * 3_600
"""How long the demo's tokens live, in seconds."""
_LOOK_S: Final = 0.1
_STEADY_S: Final = 5.0
"""A gateway that ends by itself sooner after its start is broken."""
_HASTY_DEATHS: Final = 3


class Gateway:
    """One gateway, kept running. `said` is told what a person should know."""

    def __init__(self, children: Children, places: Places, memory: Memory, said: Callable[[str], None]) -> None:
        self._children = children
        self._places = places
        self._said = said
        self.base_url = f"http://127.0.0.1:{memory.gateway_port}"
        self.child: Child | None = None

    async def start(self) -> None:
        """Start it; returns when every part of it is ready. Raises `ChildEnded`, TimeoutError."""
        self.child = self._children.start(NAME, serve_command(self._places.directory), self._places.log(NAME))
        async with asyncio.timeout(READY_LIMIT_S), httpx.AsyncClient(trust_env=False) as client:
            while True:
                self.child.check()
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.base_url}/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(_LOOK_S)

    async def keep(self) -> None:
        """Start it again whenever it ends, until cancelled: kill it and see that nothing is lost or doubled.

        Raises `ChildEnded` if it ends right after its start, again and again.
        """
        hasty = 0
        while True:
            begun = time.monotonic()
            while self.child is not None and self.child.exit_code is None:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(_LOOK_S)
            if self.child is None:
                return
            # killed by a signal is somebody's act, however soon; an exit of its own right after its start is a defect
            by_itself = (self.child.exit_code or 0) >= 0
            hasty = hasty + 1 if by_itself and time.monotonic() - begun < _STEADY_S else 0
            if hasty >= _HASTY_DEATHS:
                self.child.check()
            self._said(f"The gateway ended with {self.child.exit_code}; it is started again.")
            try:
                await self.start()
            except ChildEnded:
                if hasty >= _HASTY_DEATHS - 1:
                    raise


def serve_command(directory: Path) -> list[str]:
    """The command that a person would type, of this very environment."""
    return [str(Path(sys.executable).with_name("erp-gateway")), "serve", "--data", str(directory)]


def write_settings(places: Places, memory: Memory, legacy: Erp, cloud: Erp) -> None:
    """Write `gateway.toml`, and beside it the files that it names: the ERPs' secrets and a copy of the rulebook.

    The rulebook is copied once, so that it may be edited.
    """
    rulebook = places.directory / "rulebook"
    if not rulebook.exists():
        shutil.copytree(Path(routing_rules.__file__).parent / "tables", rulebook)
    _keep_secret(places.secret(LEGACY), memory.legacy_password)
    _keep_secret(places.secret(CLOUD), memory.cloud_secret)
    text = _TEMPLATE.format(
        rulebook=_quoted("rulebook"),
        cross_references=_quoted(places.cross_references.name),
        gateway_port=memory.gateway_port,
        legacy_id=_quoted(LEGACY),
        legacy_url=_quoted(legacy.base_url),
        legacy_user=_quoted(legacy.auth[0]),
        legacy_secret=_quoted(places.secret(LEGACY).name),
        cloud_id=_quoted(CLOUD),
        cloud_url=_quoted(cloud.base_url),
        cloud_client=_quoted(cloud.auth[0]),
        cloud_secret=_quoted(places.secret(CLOUD).name),
        company=_quoted(COMPANY_CODE),
        longest=LONGEST_EXECUTION_S,
    )
    places.settings.write_text(text, encoding="utf-8")


def tokens(places: Places, *clients: str) -> dict[str, str]:
    """Tokens of the embedded issuer, by client; as `erp-gateway token CLIENT` prints them."""
    issuer = embedded_issuer(places.directory, load_settings(places.directory), time.time)
    return {client: issuer.mint(DEFAULT_CLIENTS[client], TOKEN_S) for client in clients}


def _keep_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secret)


def _quoted(text: str) -> str:
    """A TOML basic string; those of JSON without non-ASCII characters are such."""
    return json.dumps(text)


_TEMPLATE: Final = """\
# Written by `erp-gateway demo` at each of its starts; what you change here lasts until the next one.

name = "demo"
demo = true                       # the embedded issuer signs tokens of every scope
rulebook = {rulebook}             # a copy of the sample rulebook, made once: edit it
cross_references = {cross_references}

[http]
host = "127.0.0.1"
port = {gateway_port}

[[systems]]
id = {legacy_id}
base_url = {legacy_url}
# Must be true of the system: after this, what an inquiry does not find may be posted again. The simulator answers in
# milliseconds, but under its own fault rules (`timeout`, see /_mock/faults) it posts 120 s after its caller has gone.
longest_execution_s = {longest}

[systems.options]
user = {legacy_user}
password_file = {legacy_secret}
sales_area = {{ organisation = {company}, channel = "10", division = "00" }}

[systems.options.accounts]
receivable = "0000140000"
revenue = "0000800000"
freight = "0000809000"
tax = "0000175000"
bank = "0000113100"

[[systems]]
id = {cloud_id}
base_url = {cloud_url}
longest_execution_s = {longest}

[systems.options]
client_id = {cloud_client}
client_secret_file = {cloud_secret}
# The simulator's order items have no reason for rejection; a real S/4HANA's have, and then this is "rejection_reason".
cancel_orders_by = "zero_quantity"
cancel_reason = "Z9"

[systems.options.accounts]
receivables = "0012100000"
revenue = "0041000000"
freight = "0041100000"
output_tax = "0022000000"
bank = "0011001000"

[systems.options.companies]
{company} = {{ code = {company}, sales_organization = {company} }}
"""
