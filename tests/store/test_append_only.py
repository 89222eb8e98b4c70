"""The ledger only grows, whoever holds the connection."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway.store.errors import AppendOnly, UniqueViolated
from gateway.store.statement import Command
from gateway.store.store import Store, StoreUnit
from tests.store.made import a_transaction, an_activation, an_entry


async def _entry_and_activation(store: Store) -> None:
    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(a_transaction(transaction_id="txn_1"))
        await unit.insert_entries([an_entry(seq=1), an_entry(seq=2, kind="routed")])
        await unit.insert_activation(an_activation(1))

    await store.write(write)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_entries SET kind = 'posted'",
        "UPDATE ledger_entries SET body = body WHERE seq = 1",
        "DELETE FROM ledger_entries WHERE seq = 2",
        "UPDATE activations SET rules = '{}'",
        "DELETE FROM activations",
    ],
)
async def test_changes_are_refused(store: Store, sql: str) -> None:
    await _entry_and_activation(store)
    forbidden = Command(text(sql))
    with pytest.raises(AppendOnly):
        await store.write(lambda unit: unit._unit.run(forbidden))
    entries = await store.reads.entries("txn_1")
    assert [(entry.seq, entry.kind) for entry in entries] == [(1, "accepted"), (2, "routed")]
    assert await store.reads.activation(1) == an_activation(1)


async def test_replacing_is_refused(store: Store, request: pytest.FixtureRequest) -> None:
    await _entry_and_activation(store)
    if "postgres" not in request.node.callspec.id:
        again = "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries WHERE seq = 1"
    else:
        again = "TRUNCATE ledger_entries"
    with pytest.raises(AppendOnly):
        await store.write(lambda unit: unit._unit.run(Command(text(again))))
    assert len(await store.reads.entries("txn_1")) == 2


async def test_an_entry_is_written_once(store: Store) -> None:
    await _entry_and_activation(store)
    with pytest.raises(UniqueViolated):
        await store.write(lambda unit: unit.insert_entries([an_entry(seq=2)]))


async def test_the_latest_activation_is_in_force(store: Store) -> None:
    assert await store.write(lambda unit: unit.latest_activation()) is None
    for number in (1, 2):
        await store.write(lambda unit, number=number: unit.insert_activation(an_activation(number)))
    assert await store.write(lambda unit: unit.latest_activation()) == an_activation(2)
    assert await store.reads.activation(1) == an_activation(1)
    assert await store.reads.activation(3) is None
