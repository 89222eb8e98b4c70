"""A dump of PostgreSQL, taken while the gateway writes, restored into another database as docs/operations.md says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.records import EntryRecord
from gateway.store.store import Store, open_store
from tests.deploy.conftest import Rights
from tests.deploy.postgres_programs import run_program
from tests.line.rig import Rig, invoice, order
from tests.store.postgres import RunningServer

pytestmark = pytest.mark.postgres


@pytest.fixture
async def store(rights: Rights) -> AsyncIterator[Store]:
    opened = await open_store(rights.gateway)
    yield opened
    await opened.close()


@pytest.fixture
def other(postgres_server: RunningServer) -> Iterator[str]:
    """The name of an empty database; on a server of its own the role would be made first."""
    name = postgres_server.create_database()
    yield name
    postgres_server.drop_database(name)


async def test_a_dump_of_a_working_gateway_goes_on_elsewhere(
    rights: Rights, store: Store, other: str, postgres_server: RunningServer, tmp_path: Path
):
    rig = await Rig.on(store)
    first = await rig.send(order())
    await rig.send(invoice(), "invoices")
    await rig.settle()
    # one call whose outcome is not known; the record says so before the dump begins
    rig.legacy.script = ["lost_answer"]
    unknown = await rig.send(order("10249"))
    assert await rig.line.drain(30)
    assert (await rig.record(unknown.transaction.transaction_id)).status == "unknown"

    done = asyncio.Event()
    writing = asyncio.create_task(_send_until(rig, done))
    await asyncio.sleep(0)
    file = tmp_path / "gateway.dump"
    await asyncio.to_thread(run_program, "pg_dump", "--format=custom", f"--file={file}", rights.owner)
    done.set()
    sent = await writing
    assert sent > 1, "nothing was written during the dump: it proves nothing"

    url = postgres_server.url(other)
    await asyncio.to_thread(run_program, "pg_restore", "--exit-on-error", f"--dbname={url}", file)
    restored = await open_store(url.replace("postgres@", "gateway@"))
    try:
        again = await replace(rig, store=restored).another_process("prc_restored")
        held, now = await _entries(restored), await _entries(store)
        assert {first.transaction.transaction_id, unknown.transaction.transaction_id} <= held.keys()
        assert held.keys() < now.keys(), "the dump is of one instant, and the gateway went on"
        for name, entries in held.items():
            assert entries == now[name][: len(entries)]

        calls = again.legacy.calls
        repeated = await again.send(order())
        assert repeated.transaction.transaction_id == first.transaction.transaction_id
        assert again.legacy.calls == calls, "what the record knows is not posted a second time"
        await again.until(600.0)
        assert (await again.record(unknown.transaction.transaction_id)).status == "posted"
        new = await again.send(order("10999"))
        await again.settle()
        assert (await again.record(new.transaction.transaction_id)).status == "posted"

        events = await restored.outbox.pending(100_000)
        assert len({event.event_id for event in events}) == len(events)
        for lineage in {event.lineage_id for event in events}:
            numbers = [event.sequence for event in events if event.lineage_id == lineage]
            assert numbers == list(range(1, len(numbers) + 1)), "the numbers that the database gives go on after it"
    finally:
        await restored.close()


async def _entries(store: Store) -> dict[str, list[EntryRecord]]:
    """The entries of every transaction."""
    found = await store.reads.transactions(TransactionFilter(), Visible(), 1_000, None)
    return {one.transaction_id: list(await store.reads.entries(one.transaction_id)) for one in found}


async def _send_until(rig: Rig, done: asyncio.Event) -> int:
    """Send orders one after the other until the dump is made, and one more; how many."""
    number = 0
    while True:
        last = done.is_set()
        await rig.send(order(f"2{number:04d}"))
        number += 1
        if last:
            return number
