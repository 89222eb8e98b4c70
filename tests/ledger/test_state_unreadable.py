"""Rows that are none that the gateway ever wrote: each is a finding that names it, and all others are judged."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.ledger.errors import LogRefused
from gateway.ledger.state import audit
from gateway.ledger.state.findings import Finding
from gateway.ledger.state.recheck import RETRY_S, StateRecheck
from gateway.store.store import Store, open_store
from tests.ledger.tampering_rows import without_guards
from tests.line.rig import Rig, order
from tests.migrated import migrated_file

COUNT = 5
UNREADABLE = [
    ("UPDATE transactions SET status = 'Posted'", "status"),
    ("UPDATE transactions SET legs = '[{}]'", "KeyError"),
    ("UPDATE transactions SET legs = 'x'", "JSONDecodeError"),
    ("UPDATE transactions SET legs = '[7]'", "TypeError"),
    ("UPDATE ledger_entries SET body = x'7b'", "JSONDecodeError"),
    ("UPDATE ledger_entries SET body = x'5b5d'", "Error"),
    ("UPDATE transactions SET system_id = CAST(x'ff' AS TEXT)", "UTF-8"),
]


@dataclass
class Kept:
    path: Path
    store: Store
    key: bytes
    transactions: list[str]

    def do(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as rows, rows:
            without_guards(rows)
            for statement in statements:
                assert rows.execute(statement).rowcount > 0, statement

    async def found(self) -> list[str]:
        return [str(one) for one in await audit.audit_state(self.store.reads, self.key)]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    path = tmp_path / "gateway.db"
    migrated_file(path)
    store = await open_store(f"sqlite:///{path}")
    rig = await Rig.on(store)
    sent = [await rig.send(order(str(11_000 + number))) for number in range(COUNT)]
    await rig.settle()
    yield Kept(path, store, rig.parts.tools.commitment_key, [one.transaction.transaction_id for one in sent])
    await store.close()


@pytest.mark.parametrize(("statement", "why"), UNREADABLE)
async def test_it_is_a_finding_that_names_it_and_the_rest_is_judged(kept: Kept, statement: str, why: str) -> None:
    assert await kept.found() == []
    broken, changed = kept.transactions[1], kept.transactions[3]
    column = "trace" if "ledger_entries" in statement else "transaction_id"
    kept.do(
        f"{statement} WHERE {column} = '{broken}'",
        f"UPDATE transactions SET amount = '1.00' WHERE transaction_id = '{changed}'",
    )
    found = await kept.found()
    assert [one for one in found if "not readable" in one and why in one]
    assert f"{changed}: amount is 1.00, and the ledger tells 168.00" in found
    with closing(sqlite3.connect(kept.path)) as rows:
        (lineage,) = rows.execute("SELECT lineage_id FROM transactions WHERE transaction_id = ?", (broken,)).fetchone()
    assert [one for one in found if one.startswith((broken, lineage))]
    others = {one for one in kept.transactions if one not in {broken, changed}}
    assert not [one for one in found if any(other in one for other in others)]


async def test_an_activation_that_cannot_be_read_leaves_the_rest_to_be_judged(kept: Kept) -> None:
    kept.do(
        "UPDATE activations SET rules = CAST(x'ff' AS TEXT)",
        f"UPDATE transactions SET amount = '1.00' WHERE transaction_id = '{kept.transactions[0]}'",
    )
    found = await kept.found()
    assert [one for one in found if one.startswith("activations: a row is not readable")]
    assert f"{kept.transactions[0]}: amount is 1.00, and the ledger tells 168.00" in found


async def test_a_start_on_it_is_refused_and_a_running_gateway_tells_and_goes_on(kept: Kept) -> None:
    kept.do(f"UPDATE transactions SET status = 'Posted' WHERE transaction_id = '{kept.transactions[1]}'")
    recheck = StateRecheck(kept.store.reads, kept.key, 0.01, first_after_s=0.0)
    with pytest.raises(LogRefused, match="not readable"):
        await recheck.at_start()
    task = asyncio.create_task(recheck.run())
    async with asyncio.timeout(60):
        while not [one for one in recheck.findings if kept.transactions[1] in str(one)]:
            assert not task.done()
            await asyncio.sleep(0.05)
    kept.do(f"UPDATE transactions SET status = 'posted' WHERE transaction_id = '{kept.transactions[1]}'")
    async with asyncio.timeout(60):
        while recheck.findings:
            assert not task.done()
            await asyncio.sleep(0.05)
    task.cancel()


@pytest.mark.parametrize(
    ("error", "is_shown", "is_counted"),
    [
        (RuntimeError("a defect"), True, True),
        (StoreUnavailable("away"), False, False),
        (TimeoutError(), False, True),
    ],
)
async def test_an_audit_that_cannot_be_made_is_told_and_made_again(
    error: Exception, is_shown: bool, is_counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors, told = [error], []

    async def audited(*_: object, **__: object) -> list[Finding]:
        if errors:
            raise errors.pop()
        return []

    monkeypatch.setattr("gateway.ledger.state.recheck.audit_state", audited)
    recheck = StateRecheck(object(), b"", 3_600.0, first_after_s=0.0, failed=lambda: told.append("told"))  # type: ignore[arg-type]
    assert await recheck.once() == RETRY_S
    assert (recheck.failure is not None, bool(told)) == (is_shown, is_counted)
    assert await recheck.once() == 3_600.0
    assert (recheck.failure, recheck.findings) == (None, [])
