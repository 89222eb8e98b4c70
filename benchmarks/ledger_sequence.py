"""How many ledger entries a second get their place and a signature, beside their plain insert in the same run.

SQLite, synced. Four entries a unit, in units that wait together as under load; entries of about 400 bytes. *Without the
mark*: the insert as it would be if nothing told the sequencer of it. Then the whole sequencer (places, tiles,
signatures, the held checkpoint) until nothing waits, and the verification of the database and of the published files.
Run: `python -m benchmarks.ledger_sequence [--entries 40000] [--rounds 3]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import EntryRecord
from gateway.ledger.copying import copy_log
from gateway.ledger.held import HeldFile
from gateway.ledger.log_files import LogFiles, WaitingTiles
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.sequencer import Sequencer
from gateway.ledger.startup import LogCheck
from gateway.ledger.stored_log import StoredLog
from gateway.ledger.stored_receipts import receipts_of
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verify import verify_log
from gateway.store.entries import ENTRIES
from gateway.store.migrate import migrate
from gateway.store.store import Store, StoreUnit, open_store
from gateway.wiring.tools import SystemClock

ORIGIN = "bench.example/ledger"
KEY = SigningKey(ORIGIN, b"b" * 32)
KEYS = LogKeys.pinned(KEY.key)
OF_A_UNIT = 4
AT_ONCE = 128
"""Units under way together, as of so many callers."""
SEQUENCE_BAR, VERIFY_BAR, PROOF_BAR_MS = 20_000, 100_000, 5.0
RECEIPTS = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """Entries/s, the CPU of this process in µs for placing an entry, the median of a receipt's making in ms."""

    unmarked: float
    marked: float
    sequenced: float
    cpu_us: float
    checked: float
    verified: float
    receipt_ms: float


def made(number: int) -> list[EntryRecord]:
    """The entries of one transaction."""
    trace = f"txn_{number:026d}"
    return [
        ledger_entry(
            EntryKind.ROUTED,
            trace=trace,
            seq=seq,
            at=1_700_000_000_000_000 + seq,
            actor="bench",
            members={"reason": "x" * 280},
        )
        for seq in range(1, OF_A_UNIT + 1)
    ]


async def _marked(unit: StoreUnit, entries: Sequence[EntryRecord]) -> None:
    await unit.insert_entries(entries)


async def _unmarked(unit: StoreUnit, entries: Sequence[EntryRecord]) -> None:
    await unit._unit.run_many(ENTRIES.insert, [ENTRIES.params(entry) for entry in entries])  # noqa: SLF001 (nothing else can)


async def _insert(
    store: Store,
    units: Sequence[Sequence[EntryRecord]],
    insert: Callable[[StoreUnit, Sequence[EntryRecord]], Awaitable[None]],
) -> float:
    """Entries/s of the plain insert."""
    waiting = iter(units)

    async def caller() -> None:
        for entries in waiting:
            await store.write(lambda unit, entries=entries: insert(unit, entries))

    return await _rate(lambda: _all(caller), len(units) * OF_A_UNIT)


async def _all(caller: Callable[[], Awaitable[None]]) -> None:
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


async def _rate(work: Callable[[], Awaitable[object]], entries: int) -> float:
    started = time.perf_counter()
    await work()
    return entries / (time.perf_counter() - started)


async def _drained(sequencer: Sequencer, store: Store) -> None:
    while await store.log.waiting(1):
        await sequencer.turn()


async def measure(directory: Path, entries: int) -> Measured:
    """One round in an empty directory."""
    units = [made(number) for number in range(entries // OF_A_UNIT)]
    url = f"sqlite:///{directory / 'gateway.db'}"
    await migrate(url)
    shutil.copy(directory / "gateway.db", directory / "unmarked.db")
    store = await open_store(f"sqlite:///{directory / 'unmarked.db'}")
    unmarked = await _insert(store, units, _unmarked)
    await store.close()
    store = await open_store(url)
    try:
        marked = await _insert(store, units, _marked)
        held = HeldFile(directory / "held.json", ORIGIN)
        stored = StoredLog(store, ORIGIN, "prc_bench", SystemClock(), alone=True)
        sequencer = Sequencer(stored, ORIGIN, lambda: (KEY,), held, check=LogCheck(store.log, KEYS, held).before_lead)
        used = time.process_time()
        sequenced = await _rate(lambda: _drained(sequencer, store), entries)
        cpu_us = (time.process_time() - used) / entries * 1_000_000
        await sequencer.finish()
        checked = await _rate(lambda: LogCheck(store.log, KEYS, held).whole(None), entries)
        verified = await _verified_files(store, directory / "log", entries)
        return Measured(unmarked, marked, sequenced, cpu_us, checked, verified, await _receipt_ms(store, entries))
    finally:
        await store.close()


async def _verified_files(store: Store, directory: Path, entries: int) -> float:
    files = LogFiles(store.log, ORIGIN)
    source = WaitingTiles(files, await files.note("checkpoint") or b"", asyncio.get_running_loop())
    tiles = DirectoryTiles(directory)
    await asyncio.to_thread(copy_log, source, tiles, KEYS)
    started = time.perf_counter()
    found = await asyncio.to_thread(verify_log, tiles, KEYS, None)
    assert found.ok, found.wrong
    assert found.entries == entries
    return entries / (time.perf_counter() - started)


async def _receipt_ms(store: Store, entries: int) -> float:
    taken = []
    for number in range(0, entries // OF_A_UNIT, max(1, entries // OF_A_UNIT // RECEIPTS)):
        started = time.perf_counter()
        await receipts_of(store.log, ORIGIN, f"txn_{number:026d}", 1)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1_000


def report(rounds: Sequence[Measured], entries: int) -> str:
    """The table: medians, and ratios of the same run."""

    def median(name: str) -> float:
        return statistics.median(getattr(one, name) for one in rounds)

    plain, receipt_ms = median("marked"), median("receipt_ms")
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores {platform.machine()}; SQLite {sqlite3.sqlite_version}, "
        f"Python {platform.python_version()}. {entries:,} entries of about 400 B, {OF_A_UNIT} a unit, {AT_ONCE} units "
        f"at once, synced. Median of {len(rounds)} rounds. The cores are shared: read the ratios."
    )
    unmarked = median("unmarked")
    verdict = "met" if receipt_ms <= PROOF_BAR_MS else "MISSED"
    lines = [
        "# Ledger: entries per second",
        "",
        facts,
        "",
        "| | entries/s | to the plain insert | bar |",
        "|---|---|---|---|",
        f"| plain insert, without the mark for the sequencer | {unmarked:,.0f} | {unmarked / plain:.2f} | |",
        f"| plain insert, as it is | {plain:,.0f} | 1 | |",
        _row("place, tiles, sign, hold", median("sequenced"), plain, SEQUENCE_BAR),
        _row("recompute the database, in the running process", median("checked"), plain, None),
        _row("verify published files", median("verified"), plain, VERIFY_BAR),
        "",
        f"Placing and signing takes {median('cpu_us'):.0f} µs of CPU an entry; the rest is waiting for disk and cores.",
        f"A receipt out of the database, nothing cached: {receipt_ms:.1f} ms (bar {PROOF_BAR_MS:g} ms: {verdict}).",
        "",
        "Command: `python -m benchmarks.ledger_sequence`",
        "",
    ]
    return "\n".join(lines)


def _row(name: str, rate: float, plain: float, bar: int | None) -> str:
    verdict = "" if bar is None else f"{bar:,}: {'met' if rate >= bar else 'MISSED'}"
    return f"| {name} | {rate:,.0f} | {rate / plain:.2f} | {verdict} |"


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "ledger_sequence.md")
    arguments = parser.parse_args()
    rounds = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            rounds.append(asyncio.run(measure(Path(directory), arguments.entries)))
    text = report(rounds, arguments.entries)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
