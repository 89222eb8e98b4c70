"""Twenty activations under fifty callers: no request fails, and every decision is that of the version in force then.

On PostgreSQL with two processes whose clocks are ten seconds apart, and on SQLite with one.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from benchmarks.gateway_on_stub import write_data
from gateway.auth.clients import Client
from gateway.cutover.activation import Version
from gateway.cutover.schedule import schedule_activation
from gateway.domain.caller import DataScope
from gateway.messaging.server import EmbeddedServer
from gateway.settings import load_settings
from gateway.store.store import Store, open_store
from gateway.transactions.parts import Tools
from gateway.wiring.issuer import embedded_issuer
from gateway.wiring.tools import open_tools
from routing_rules import Decision, Rulebook, canonical_files, decide, parse_rulebook, rulebook_from_canonical
from routing_rules.recorded_facts import facts_in
from tests.line.rig import order
from tests.ports import reserved_port

CALLERS = 50
ACTIVATIONS = 20
CUSTOMERS = 40
LIMIT_S = 60.0
"""For one activation; it takes about a second."""
READY_S = 120.0
"""For a process to be ready; it takes a few seconds on a machine that has nothing else to do."""
THINK_S = 0.3
"""Between two requests of a caller, so that callers and gateway share two cores with a minute to spare."""
ROW = "o-east-dach,"
SHARE = "pilot,legacy-main,cloud-main,25,"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


Committed = tuple[str, str, dict[str, Any]]
"""Trace, kind and content of an entry; lists of them are in the order of their commits."""


@dataclass
class Load:
    """What the callers sent and got. `failed`: answers that are no acceptance."""

    accepted: dict[str, tuple[float, float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    stop: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """When the test knew that a number was in force, and when it had asked for the next one at the earliest."""

    number: int
    seen_at: float
    next_asked_at: float


def written(data: Path, nats: tuple[str, str], store: str) -> None:
    """The data directory that all processes of the gateway share, as they share their keys."""
    data.mkdir()
    write_data(data, "http://127.0.0.1:9", 1)
    book = data / "rulebook" / "rulebook.yaml"
    text = book.read_text(encoding="utf-8")
    # the ERPs of these tests answer at once, or never
    book.write_text(text.replace("longest_execution_s: 150", "longest_execution_s: 5"), encoding="utf-8")
    masters = ["domain,source,external_id,system_id,document_type,document_number"]
    for system in ("legacy-main", "cloud-main"):
        masters += [f"customers,salesforce,C{n},{system},customer,{n:010d}" for n in range(CUSTOMERS)]
        masters += [f"products,salesforce,11,{system},product,0000000911"]
    (data / "cross-references.csv").write_text("\n".join(masters) + "\n", encoding="utf-8")
    (data / "nats.credentials").write_text(nats[1], encoding="utf-8")
    (data / "nats.credentials").chmod(0o600)
    settings = (data / "gateway.toml").read_text(encoding="utf-8")
    more = (
        f'[nats]\nurl = "{nats[0]}"\ncredentials_file = "nats.credentials"\n\n[store]\nurl = "{store}"\n\n[[systems]]'
    )
    settings = settings.replace("[[systems]]\n", "[[systems]]\ncall_s = 20\n")  # and with it leases
    settings = settings.replace("[[systems]]", more, 1).replace("port = 1", "rate_limit_requests = 0")
    (data / "gateway.toml").write_text(settings, encoding="utf-8")


@asynccontextmanager
async def process(data: Path, offset_s: float) -> AsyncIterator[str]:
    """A gateway process that is ready; its address."""
    port = reserved_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"ERP_GATEWAY_HTTP__PORT": str(port)}
    log = data / f"gateway-{port}.log"
    with log.open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.journeys.activation_gateway", str(data), str(offset_s)),
            stdout=output,
            stderr=output,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
    try:
        async with httpx.AsyncClient() as http:
            until = time.monotonic() + READY_S
            while True:
                assert child.returncode is None, log.read_text(encoding="utf-8")[-3_000:]
                try:
                    if (await http.get(f"{url}/health/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    assert time.monotonic() < until, log.read_text(encoding="utf-8")[-3_000:]
                await asyncio.sleep(0.05)
        yield url
    finally:
        child.terminate()
        await asyncio.wait_for(child.wait(), 60)


@asynccontextmanager
async def gateway(tmp_path: Path, store: str, offsets: Sequence[float]) -> AsyncIterator[tuple[Path, list[str]]]:
    """As many processes as there are offsets of clocks, on one database and one NATS; data directory and addresses."""
    nats = EmbeddedServer(tmp_path / "nats")
    address = await nats.start()
    data = tmp_path / "data"
    written(data, (address.url, f"{address.user}:{address.password}"), store)
    try:
        async with process(data, offsets[0]) as first:
            if len(offsets) == 1:
                yield data, [first]
            else:
                async with process(data, offsets[1]) as second:
                    yield data, [first, second]
    finally:
        await nats.stop()
        shutil.rmtree(tmp_path / "nats", ignore_errors=True)


async def call(urls: list[str], token: str, load: Load, numbers: itertools.count[int]) -> None:
    """One caller: an order after the other, of changing customers, at each process in turn."""
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, limits=limits, timeout=LIMIT_S) as http:
        while not load.stop:
            number = next(numbers)
            body = order(f"SO-{number}", businessUnit="Eastern", geography="DE")
            body["customer"] = {"externalId": f"C{number % CUSTOMERS}"}
            sent = time.monotonic()
            try:
                answer = await http.post(f"{urls[number % len(urls)]}/v1/orders", json=body)
            except httpx.HTTPError as error:
                load.failed.append(f"SO-{number}: {error!r}")
                continue
            if answer.status_code in {201, 202}:  # posted, or accepted and slower than the caller's budget
                load.accepted[answer.json()["transactionId"]] = (sent, time.monotonic())
            else:
                load.failed.append(f"SO-{number}: {answer.status_code} {answer.text}")
            load.more.set()
            await asyncio.sleep(THINK_S)


def variants(first: Rulebook) -> list[Rulebook]:
    """Versions that decide differently: another share of the pilot, under another row id each."""
    files = canonical_files(first.canonical_json(), first.governance_json())
    table = (files["orders.csv"] or b"").decode()
    at = table.index(ROW)
    line = table[at : table.index("\n", at)]
    made = []
    for number in range(2, ACTIVATIONS + 2):
        other = line.replace(ROW, f"o-east-dach-{number},", 1).replace(SHARE, f"{SHARE[:-3]}{number * 4 % 97},", 1)
        assert other.count(str(number)) >= 1
        made.append(parse_rulebook(files | {"orders.csv": table.replace(line, other).encode()}))
    return made


async def activate_all(store: Store, tools: Tools, load: Load) -> list[InForce]:
    """One after the other, each asked for when the one before is seen in force."""
    record = await store.reads.activation(1)
    assert record is not None
    seen: list[InForce] = []
    number, seen_at = 1, time.monotonic()
    for rulebook in variants(rulebook_from_canonical(record.rules, record.governance)):
        await decided_under_this(load)
        seen.append(InForce(number, seen_at, time.monotonic()))
        request = await schedule_activation(
            store,
            tools,
            rulebook,
            draft_id="drf_1",
            base_activation_number=number,
            effective_at=None,
            requested_by="console",
        )
        until = time.monotonic() + LIMIT_S
        while (ended := await store.reads.activation_request(request.activation_id)) is None or not ended.settled_at:
            assert time.monotonic() < until, "it does not come into force"
            await asyncio.sleep(0.02)
        assert ended.state == "activated", ended.failure
        number, seen_at = number + 1, time.monotonic()
    await decided_under_this(load)
    seen.append(InForce(number, seen_at, float("inf")))
    return seen


async def decided_under_this(load: Load) -> None:
    """Until something was surely sent after now: of one answer more than there are callers, two are one caller's."""
    enough = len(load.accepted) + CALLERS + 1
    while len(load.accepted) < enough:
        load.more.clear()
        await asyncio.wait_for(load.more.wait(), LIMIT_S)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The record, as the test looks at it beside the running processes."""
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def run_load(data: Path, urls: list[str], store: Store) -> tuple[Load, list[InForce]]:
    settings = load_settings(data)
    client = Client(
        "salesforce", "salesforce", frozenset({"documents:submit", "documents:read"}), DataScope(None, None)
    )
    token = embedded_issuer(data, settings, time.time).mint(client)
    load, numbers = Load(), itertools.count()
    callers = [asyncio.create_task(call(urls, token, load, numbers)) for _ in range(CALLERS)]
    try:
        seen = await activate_all(store, open_tools(data, "test"), load)
    finally:
        load.stop = True
        await asyncio.gather(*callers)
    return load, seen


async def assert_decided_by_what_was_in_force(
    store: Store, load: Load, seen: list[InForce], committed: list[Committed]
) -> None:
    """Each `routed` entry names a number whose version it was decided by, and that was in force when it was asked."""
    assert not load.failed, "\n".join(load.failed[:5])
    assert [one.number for one in seen] == list(range(1, ACTIVATIONS + 2))
    rulebooks = {one.number: await rulebook_of(store, one.number) for one in seen}
    routed_by = {trace: entry for trace, kind, entry in committed if kind == "routed"}
    numbers = set()
    for transaction_id, (sent, answered) in load.accepted.items():
        routed = routed_by[transaction_id]
        rule = routed["rule"]
        number = rule["activationNumber"]
        rulebook = rulebooks[number]
        assert rule["tableVersion"] == rulebook.table_version("orders")
        again = decide(rulebook, facts_in(routed["facts"]))
        assert isinstance(again, Decision)
        assert (again.row_id, again.system_id) == (rule["row"], routed["systemId"])
        # what was seen in force before it was sent, or was asked for after it was answered, is told from outside
        assert max(one.number for one in seen if one.seen_at <= sent or one.number == 1) <= number
        assert number <= min(one.number for one in seen if answered <= one.next_asked_at)
        numbers.add(number)
    assert numbers == set(rulebooks), "some version decided nothing, so that nothing is shown of it"


async def rulebook_of(store: Store, number: int) -> Rulebook:
    record = await store.reads.activation(number)
    assert record is not None
    version = Version.of(rulebook_from_canonical(record.rules, record.governance))
    assert (version.table_version, version.governance_version) == (record.table_version, record.governance_version)
    return rulebook_from_canonical(record.rules, record.governance)


def assert_in_order(committed: list[Committed]) -> None:
    """No number but that of the last one activated before."""
    in_force = 0
    for _, kind, entry in committed:
        number = entry["rule"]["activationNumber"]
        if kind == "activated":
            assert number == in_force + 1
            in_force = number
        else:
            assert number == in_force, "routed by a version that was not the last one activated before it"
    assert in_force == ACTIVATIONS + 1
    assert len(committed) > CALLERS * ACTIVATIONS // 2


@pytest.mark.postgres
async def test_two_processes_with_clocks_apart_on_postgres(tmp_path: Path, postgres_url: str):
    async with gateway(tmp_path, postgres_url, (-5.0, 5.0)) as (data, urls), opened(postgres_url) as store:
        load, seen = await run_load(data, urls, store)
        connection = await asyncpg.connect(postgres_url)
        rows = await connection.fetch(
            "SELECT trace, kind, body FROM ledger_entries WHERE kind IN ('routed', 'activated') "
            "ORDER BY pg_xact_commit_timestamp(xmin)"
        )
        await connection.close()
        committed = [(trace, kind, json.loads(body)) for trace, kind, body in rows]
        await assert_decided_by_what_was_in_force(store, load, seen, committed)
    assert_in_order(committed)


async def test_one_process_on_sqlite(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    async with gateway(tmp_path, url, (5.0,)) as (data, urls), opened(url) as store:
        load, seen = await run_load(data, urls, store)
        connection = sqlite3.connect(tmp_path / "gateway.db")
        # one writer, and its units one after the other: the rows stand in the order of their commits
        rows = connection.execute(
            "SELECT trace, kind, body FROM ledger_entries WHERE kind IN ('routed', 'activated') ORDER BY rowid"
        ).fetchall()
        connection.close()
        committed = [(trace, kind, json.loads(body)) for trace, kind, body in rows]
        await assert_decided_by_what_was_in_force(store, load, seen, committed)
    assert_in_order(committed)
