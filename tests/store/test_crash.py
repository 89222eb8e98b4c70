"""A process that writes is killed with -9: what it was told is kept is kept, and nothing is kept by halves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, select

from gateway.store import schema
from gateway.store.statement import Query
from gateway.store.store import Store, StoreUnit, open_store

KILL_AFTER = 300
"""Acknowledged units; then the process is killed while it goes on writing."""

WRITES_FOR_EVER = """
import asyncio, os, sys
from gateway.store.store import open_store
from tests.store.made import a_lineage, a_payload, a_transaction, an_entry, insert_transaction_with_job

async def caller(store, number):
    for count in range(10**9):
        mine = f"{number:03d}_{count:09d}"
        async def unit(unit):
            await unit.insert_lineage(a_lineage(lineage_id="lin_" + mine))
            record = a_transaction(transaction_id="txn_" + mine, lineage_id="lin_" + mine)
            await insert_transaction_with_job(unit, record)
            await unit.insert_entries([an_entry(trace="txn_" + mine, seq=n) for n in (1, 2, 3)])
        await store.write(unit)
        os.write(1, f"txn_{mine}\\n".encode())

async def main():
    store = await open_store(sys.argv[1])
    await asyncio.gather(*(caller(store, number) for number in range(32)))

asyncio.run(main())
"""


def _kill_while_writing(url: str) -> list[str]:
    """The ids that the child was acknowledged before it died."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_FOR_EVER, url],
        stdout=subprocess.PIPE,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(KILL_AFTER)]
        child.send_signal(signal.SIGKILL)
        # what it had written into the pipe before it died was acknowledged too
        lines += child.stdout.read().splitlines(keepends=True)
    assert child.returncode == -signal.SIGKILL
    return [line.decode().strip() for line in lines if line.endswith(b"\n")]


def _count(of: object) -> int:
    assert isinstance(of, int)
    return of


async def test_every_acknowledged_unit_survives_a_kill_and_none_is_torn(url: str) -> None:
    acknowledged = _kill_while_writing(url)
    assert len(acknowledged) >= KILL_AFTER
    store: Store = await open_store(url)

    async def look(unit: StoreUnit) -> list[int]:
        found = await unit.transactions(acknowledged)
        assert set(found) == set(acknowledged)
        tables = (schema.transactions, schema.jobs, schema.lineages, schema.ledger_entries)
        counts = []
        for table in tables:
            count = await unit._unit.one(Query(select(func.count()).select_from(table), _count))
            assert count is not None
            counts.append(count)
        return counts

    transactions, jobs, lineages, entries = await store.write(look)
    assert transactions >= len(acknowledged)
    assert (jobs, lineages, entries) == (transactions, transactions, 3 * transactions)
    await store.close()


FAILS_AT_COMMIT = """
import asyncio, resource, sys
from pathlib import Path
from sqlalchemy import insert
from gateway.store import schema
from gateway.store.errors import CommitUnknown, StoreUnavailable
from gateway.store.sqlite_writer import SqliteWriter
from gateway.store.statement import Command

INSERT = Command(insert(schema.payloads))

async def main():
    writer = SqliteWriter(Path(sys.argv[1]))
    def inserting(name, size):
        async def unit(unit):
            await unit.run(INSERT, {"payload_id": name, "salt": b"", "body": b"x" * size, "erased_at": None})
        return unit
    await writer.write(inserting("pay_1", 10))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    # no file may grow beyond this: what a full disk is to write(2), at the moment of COMMIT
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    outcomes = await asyncio.gather(
        *(writer.write(inserting(f"pay_big_{n}", 200_000)) for n in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes), outcomes
    assert any(isinstance(outcome, CommitUnknown) for outcome in outcomes), outcomes
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    await writer.write(inserting("pay_2", 200_000))
    await writer.close()

asyncio.run(main())
"""


def test_a_disk_that_fails_at_commit_fails_the_batch_and_the_writer_goes_on(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FAILS_AT_COMMIT, path],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT payload_id FROM payloads ORDER BY 1").fetchall() == [("pay_1",), ("pay_2",)]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
