"""What `write` promises, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, text

from gateway.store import schema
from gateway.store.errors import StatementFailed, StoreClosed, UniqueViolated, UnitMisused
from gateway.store.statement import Command, Query
from gateway.store.store import Store, StoreUnit, open_store
from tests.store.made import a_lineage, a_natural_key, a_payload, a_transaction

Kept = Callable[[StoreUnit], Awaitable[None]]


def _keep(payload_id: str) -> Kept:
    async def keep(unit: StoreUnit) -> None:
        await unit.insert_payload(a_payload(payload_id=payload_id))

    return keep


async def _is_kept(store: Store, payload_id: str) -> bool:
    return await store.reads.payload(payload_id) is not None


async def test_the_value_comes_after_the_commit(store: Store) -> None:
    async def write(unit: StoreUnit) -> str:
        await unit.insert_payload(a_payload(payload_id="pay_1"))
        return "done"

    assert await store.write(write) == "done"
    assert await _is_kept(store, "pay_1")


async def test_a_unit_that_raises_is_undone_and_its_error_arrives(store: Store) -> None:
    async def write(unit: StoreUnit) -> None:
        await unit.insert_payload(a_payload(payload_id="pay_1"))
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await store.write(write)
    assert not await _is_kept(store, "pay_1")


async def test_one_failing_unit_among_many_undoes_only_itself(store: Store) -> None:
    async def fails(unit: StoreUnit) -> None:
        await unit.insert_payload(a_payload(payload_id="pay_bad"))
        await unit.insert_payload(a_payload(payload_id="pay_bad"))

    async def raises(unit: StoreUnit) -> None:
        await unit.insert_payload(a_payload(payload_id="pay_worse"))
        raise ValueError

    units = [_keep(f"pay_{n}") for n in range(40)]
    units[7], units[23] = fails, raises
    outcomes = await asyncio.gather(*(store.write(unit) for unit in units), return_exceptions=True)
    assert isinstance(outcomes.pop(23), ValueError)
    assert isinstance(outcomes.pop(7), UniqueViolated)
    assert outcomes == [None] * 38
    for n in range(40):
        assert await _is_kept(store, f"pay_{n}") == (n not in (7, 23))
    assert not await _is_kept(store, "pay_bad")
    assert not await _is_kept(store, "pay_worse")


async def test_of_fifty_writers_of_one_natural_key_one_wins_and_the_others_see_it(store: Store) -> None:
    async def accept(transaction_id: str) -> tuple[str, bool]:
        async def unit_of(unit: StoreUnit) -> tuple[str, bool]:
            known = await unit.natural_key("crm", "orders", "SO-1")
            if known is not None:
                assert known.transaction_id is not None
                return known.transaction_id, False
            await unit.insert_transaction(a_transaction(transaction_id=transaction_id, external_id="SO-1"))
            await unit.insert_natural_key(a_natural_key(transaction_id=transaction_id))
            return transaction_id, True

        return await store.write(unit_of)

    answers = await asyncio.gather(*(accept(f"txn_{n:02d}") for n in range(50)))
    winners = [transaction_id for transaction_id, won in answers if won]
    assert len(winners) == 1
    assert {transaction_id for transaction_id, _ in answers} == set(winners)
    kept = await store.write(lambda unit: unit.transactions([f"txn_{n:02d}" for n in range(50)]))
    assert list(kept) == winners


async def test_changes_of_one_row_are_one_after_another(store: Store) -> None:
    record = a_transaction()
    await store.write(lambda unit: unit.insert_transaction(record))

    async def count(unit: StoreUnit) -> None:
        found = await unit.transaction(record.transaction_id)
        assert found is not None
        await unit.update_transaction(replace(found, entry_count=found.entry_count + 1))

    await asyncio.gather(*(store.write(count) for _ in range(30)))
    found = await store.write(lambda unit: unit.transaction(record.transaction_id))
    assert found is not None
    assert found.entry_count == 30


async def test_a_swallowed_failure_fails_the_unit_all_the_same(store: Store) -> None:
    async def write(unit: StoreUnit) -> str:
        await unit.insert_payload(a_payload(payload_id="pay_1"))
        again = Command(text("INSERT INTO payloads SELECT * FROM payloads"))
        with contextlib.suppress(UniqueViolated):
            await unit._unit.run(again)
        return "as if nothing had been"

    with pytest.raises(UnitMisused, match="swallowed"):
        await store.write(write)
    assert not await _is_kept(store, "pay_1")


async def test_nothing_goes_on_after_a_failed_statement(store: Store) -> None:
    async def write(unit: StoreUnit) -> None:
        try:
            await unit._unit.run(Command(text("INSERT INTO nowhere VALUES (1)")))
        except StatementFailed:
            await unit.insert_payload(a_payload(payload_id="pay_1"))

    with pytest.raises(UnitMisused, match="went on"):
        await store.write(write)


async def test_a_unit_that_outlives_its_run_can_do_nothing(store: Store) -> None:
    kept: list[StoreUnit] = []

    async def write(unit: StoreUnit) -> None:
        kept.append(unit)

    await store.write(write)
    with pytest.raises(UnitMisused, match="ended"):
        await kept[0].insert_payload(a_payload())


async def test_two_rows_where_one_is_meant_are_a_defect(store: Store) -> None:
    query = Query(select(schema.payloads.c.payload_id), str)

    async def write(unit: StoreUnit) -> None:
        for _ in range(2):
            await unit.insert_payload(a_payload())
        await unit._unit.one(query)

    with pytest.raises(UnitMisused, match="more than one row"):
        await store.write(write)


async def test_parameters_must_fit_the_statement(store: Store) -> None:
    command = Command(insert(schema.streams))
    for params in ({"stream": "s"}, {"stream": "s", "created_at": 1, "last_sequence": 1, "surplus": 1}):
        with pytest.raises(TypeError, match=r"missing|not in the statement"):
            await store.write(lambda unit, params=params: unit._unit.run(command, params))


async def test_values_come_back_as_they_were(store: Store) -> None:
    texts = ["", "ä€𝄞", "a'b\"c", "0010.50", "\x7f"]
    for n, value in enumerate(texts):
        await store.write(
            lambda unit, n=n, value=value: unit.insert_lineage(a_lineage(lineage_id=f"lin_{n}", root_document_id=value))
        )
    query = Query(select(schema.lineages.c.root_document_id).order_by(schema.lineages.c.lineage_id), str)
    assert await store.write(lambda unit: unit._unit.all(query)) == texts


async def test_a_unit_sees_the_context_of_its_caller(store: Store) -> None:
    who = contextvars.ContextVar("who", default="nobody")

    async def write(unit: StoreUnit) -> str:
        return who.get()

    who.set("caller")
    assert await store.write(write) == "caller"


async def test_closing_finishes_what_waits_and_refuses_the_rest(url: str) -> None:
    store = await open_store(url)
    waiting = [asyncio.ensure_future(store.write(_keep(f"pay_{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreClosed):
        await store.write(_keep("pay_late"))
    await store.close()
    again = await open_store(url)
    assert all([await _is_kept(again, f"pay_{n}") for n in range(20)])
    await again.close()
