"""The peers, one at a time, and what every test of the contract needs of them."""

from __future__ import annotations

import contextlib
import importlib
import logging
import random
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.canonical import DOMAINS
from adapters.errors import ErpError
from adapters.port import Capability, ErpPort, Operation, Posted
from adapters.transport import TransportLimits
from tests.contract.peer import Peer, SeenRequest
from tests.wire.misbehaviours import Misbehaviour

DRIVERS = sorted(path.stem.removeprefix("peer_") for path in Path(__file__).parent.glob("peer_*.py"))

QUICK = TransportLimits(total_s=1.2, connect_s=1.0, pool=16, pool_wait_s=0.5, body_bytes=2_000_000)
"""Limits of tests in which the peer never answers; real calls of the peers take about 50 ms."""

PATIENT = replace(QUICK, total_s=20.0, connect_s=10.0)
"""Of all other misbehaviours, which end by themselves: what a busy machine takes longer for is none of them."""

_WORD = len("Required")
"""No token is as short as what the protocol itself says in its place ("Fetch", "Required")."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.fixture(scope="session", params=DRIVERS)
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The running ERP of one driver."""
    module = importlib.import_module(f"tests.contract.peer_{request.param}")
    running: Peer = module.start(tmp_path_factory.mktemp(str(request.param)))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def _no_secret_in_any_log(peer: Peer, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    for secret in peer.secrets:
        assert secret not in caplog.text


@pytest.fixture
async def driver(peer: Peer) -> AsyncIterator[ErpPort]:
    """A new driver in front of the peer."""
    async with opened(peer.driver()) as port:
        yield port


def limits_of(one: Misbehaviour) -> TransportLimits:
    """Of a call that meets it."""
    return PATIENT if one.ends_in_time else QUICK


@contextlib.asynccontextmanager
async def opened(port: ErpPort) -> AsyncIterator[ErpPort]:
    """`port`, closed at the end."""
    try:
        yield port
    finally:
        await port.aclose()


def served(port: ErpPort, operation: Operation = Operation.CREATE) -> list[str]:
    """The domains in which `operation` is supported."""
    capabilities = port.capabilities()
    nothing = Capability(supported=False)
    return [domain for domain in DOMAINS if capabilities.get((domain, operation), nothing).supported]


async def outcome_of(call: Awaitable[Posted]) -> Posted | ErpError:
    """What a posting came to, either way."""
    try:
        return await call
    except ErpError as error:
        return error


def new_reference() -> str:
    """An external reference as the gateway makes them: 16 characters of Crockford's base 32."""
    return "".join(random.choices(_CROCKFORD, k=16))


def allow() -> None:
    """A permit that permits."""


class Permit:
    """A permit that counts, and refuses with `refusal` if there is one."""

    def __init__(self, refusal: Exception | None = None, on_call: Callable[[], None] = allow) -> None:
        self.calls = 0
        self._refusal = refusal
        self._on_call = on_call

    def __call__(self) -> None:
        self.calls += 1
        self._on_call()
        if self._refusal is not None:
            raise self._refusal


def assert_holds_no_secret(error: ErpError, peer: Peer, seen: Iterable[SeenRequest] = ()) -> None:
    """Neither the error nor anything that a log would print with it holds a credential.

    `seen`: requests of the driver, whose tokens and cookies of the moment are secrets too.
    """
    shown = f"{error!r} {error.__dict__} {''.join(traceback.format_exception(error))}"
    chained: BaseException | None = error
    while chained is not None:
        shown += f" {chained!r} {chained.args!r}"
        chained = chained.__cause__ or chained.__context__
    passing = {one.header(name).split(" ")[-1] for one in seen for name in ("authorization", "cookie", "x-csrf-token")}
    for secret in (*peer.secrets, *(word for word in passing if len(word) > _WORD)):
        assert secret not in shown
