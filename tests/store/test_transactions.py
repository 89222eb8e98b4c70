"""Transactions and steps come back as they were written, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.domain.transaction import Status
from gateway.store.errors import ConstraintViolated, Fenced, UniqueViolated
from gateway.store.store import Store, StoreUnit
from tests.store.made import NOW, a_step, a_transaction


async def test_a_transaction_comes_back_with_its_own_types(store: Store) -> None:
    record = a_transaction(pinned=True, activation_number=2**62, problem='{"detail":"größer"}', retry_after_s=7)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)

    await store.write(write)
    found = await store.write(lambda unit: unit.transaction(record.transaction_id))
    assert found == record
    assert found is not None
    assert found.status is Status.ACCEPTED
    assert found.pinned is True


async def test_an_update_replaces_what_may_change_and_nothing_else(store: Store) -> None:
    before = a_transaction(external_id="SO-1")
    after = replace(
        before,
        status=Status.POSTED,
        updated_at=NOW + 5,
        entry_count=4,
        system_id="cloud-eu",
        pinned=True,
        erp_document_number="4711",
    )

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(before)
        await unit.update_transaction(replace(after, external_id="another", amount="1"))

    await store.write(write)
    assert await store.write(lambda unit: unit.transaction(before.transaction_id)) == after


async def test_several_transactions_are_found_by_their_ids(store: Store) -> None:
    one, two = a_transaction(), a_transaction()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(one)
        await unit.insert_transaction(two)

    await store.write(write)
    found = await store.write(lambda unit: unit.transactions([two.transaction_id, "txn_none", one.transaction_id]))
    assert found == {one.transaction_id: one, two.transaction_id: two}


async def test_an_update_of_a_row_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.update_transaction(a_transaction()))


async def test_steps_come_in_order_and_are_replaced_by_their_key(store: Store) -> None:
    record = a_transaction()
    first, undo, second = (
        a_step(record.transaction_id),
        a_step(record.transaction_id, direction="undo"),
        a_step(record.transaction_id, step=2),
    )
    posted = replace(first, state="posted", closed_at=NOW + 1, document_type="sales_order", document_number="0815")

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        for step in (second, undo, first):
            await unit.insert_step(step)
        await unit.update_step(posted)

    await store.write(write)
    assert await store.write(lambda unit: unit.steps(record.transaction_id)) == [posted, undo, second]


async def test_a_step_of_a_newer_epoch_is_not_overwritten(store: Store) -> None:
    record = a_transaction()
    step = a_step(record.transaction_id, epoch=3)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        await unit.insert_step(step)

    await store.write(write)
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.update_step(replace(step, epoch=2, state="posted")))
    await store.write(lambda unit: unit.update_step(replace(step, epoch=4, attempt=2)))
    (found,) = await store.write(lambda unit: unit.steps(record.transaction_id))
    assert (found.epoch, found.attempt, found.state) == (4, 2, "dispatched")


async def test_an_external_reference_is_unique_in_the_store(store: Store) -> None:
    record = a_transaction()

    async def write(unit: StoreUnit) -> None:
        await unit.insert_transaction(record)
        await unit.insert_step(a_step(record.transaction_id, external_reference="R"))
        await unit.insert_step(a_step(record.transaction_id, step=2, external_reference="R"))

    with pytest.raises(UniqueViolated, match="external_reference"):
        await store.write(write)


async def test_a_step_without_its_transaction_is_refused(store: Store) -> None:
    with pytest.raises(ConstraintViolated):
        await store.write(lambda unit: unit.insert_step(a_step("txn_none")))
