"""A ledger of recorded traffic in SQLite, and a simulation that reads it as the gateway does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from gateway.cutover.simulation import SimulationRun, Versions, Window, run_simulation
from gateway.cutover.traffic import RecordedTraffic
from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.facts import wire_members
from gateway.domain.records import EntryRecord
from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from routing_rules import RecordedDocument, Rulebook
from routing_rules.share import bucket_of

BATCH = 10_000
PAGE = 5_000
"""As `erp-gateway rules simulate` reads."""
_MINUTE = 60_000_000


def routed(documents: Iterable[RecordedDocument]) -> Iterator[EntryRecord]:
    """The entry of each document, as the line writes it."""
    for number, one in enumerate(documents):
        facts = one.facts.as_json() | {"bucket": bucket_of(one.facts), "allow_hit": False}
        yield ledger_entry(
            EntryKind.ROUTED,
            trace=one.transaction_id,
            seq=2,
            at=one.minute * _MINUTE + number % _MINUTE,
            actor="billing",
            lineage=one.lineage_id,
            members={
                "systemId": one.pinned_system or "old",
                "stage": "legacy",
                "rule": {"tableVersion": "0" * 64, "row": "r1", "activationNumber": 1},
                "explanation": "stage legacy: new roots go to the legacy system; target old",
                "facts": {name: value for name, value in wire_members(facts).items() if value is not None},
                "pinned": not one.is_root,
            },
        )


async def write_ledger(url: str, documents: Iterable[RecordedDocument]) -> None:
    """A new database with the entries of these documents."""
    await migrate(url)
    store = await open_store(url)
    entries = routed(documents)
    while batch := list(islice(entries, BATCH)):
        await store.write(lambda unit, batch=batch: unit.insert_entries(batch))
    await store.close()


async def _simulated(store: Store, base: Rulebook, candidate: Rulebook) -> SimulationRun:
    window = Window(0, 2**60)
    traffic = RecordedTraffic(store.reads, base, candidate, window.since, window.until)
    return await run_simulation(base, candidate, Versions.of(candidate, base, 1), window, traffic, page=PAGE)


def measured(
    directory: Path, documents: Iterable[RecordedDocument], base: Rulebook, candidate: Rulebook
) -> tuple[float, float, SimulationRun]:
    """Wall and CPU seconds (all threads) of a simulation that reads them from a ledger, and what it found."""
    url = f"sqlite:///{directory / 'ledger.db'}"
    asyncio.run(write_ledger(url, documents))

    async def timed() -> tuple[float, float, SimulationRun]:
        store = await open_store(url)
        started, used = time.perf_counter(), time.process_time()
        run = await _simulated(store, base, candidate)
        seconds = time.perf_counter() - started, time.process_time() - used
        await store.close()
        return *seconds, run

    return asyncio.run(timed())
