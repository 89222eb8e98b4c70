"""Processes of long ago are forgotten, unless something hangs on the proof that they ended."""

from __future__ import annotations

import pytest

from gateway.domain.activations import Heartbeat
from gateway.store.store import Store, StoreUnit
from tests.store.made import (
    NOW,
    a_document,
    a_job,
    a_lineage,
    a_process,
    a_step,
    a_transaction,
)

LONG_AGO = NOW - 1_000


async def with_processes(store: Store, *names: str) -> None:
    async def insert(unit: StoreUnit) -> None:
        for name in names:
            await unit.insert_process(a_process(process_id=name, registered_at=LONG_AGO))

    await store.write(insert)


async def forgotten(store: Store) -> int:
    return await store.write(lambda unit: unit.forget_processes_before(NOW))


async def test_who_was_registered_long_ago_is_forgotten_and_nobody_else(store: Store) -> None:
    await with_processes(store, "prc_old", "prc_older")
    await store.write(lambda unit: unit.insert_process(a_process(process_id="prc_young", registered_at=NOW)))
    assert await forgotten(store) == 2
    assert await store.reads.process("prc_old") is None
    assert await store.reads.process("prc_young") is not None
    assert await forgotten(store) == 0


@pytest.mark.parametrize(("status", "kept"), [("unknown", True), ("in_doubt", True), ("posted", False)])
async def test_who_sent_what_is_not_at_rest_is_not_forgotten(store: Store, status: str, kept: bool) -> None:
    await with_processes(store, "prc_sender")
    await store.write(lambda unit: insert_sent(unit, status))
    assert await forgotten(store) == (0 if kept else 1)


async def insert_sent(unit: StoreUnit, status: str) -> None:
    lineage, document = a_lineage(), a_document()
    transaction = a_transaction(status=status, lineage_id=lineage.lineage_id, document_id=document.document_id)
    await unit.insert_lineage(lineage)
    await unit.insert_document(document)
    await unit.insert_transaction(transaction)
    await unit.insert_step(a_step(transaction.transaction_id, process_id="prc_sender"))


async def test_who_holds_a_lease_leads_or_lives_is_not_forgotten(store: Store) -> None:
    await with_processes(store, "prc_works", "prc_leads", "prc_lives", "prc_gone")

    async def insert(unit: StoreUnit) -> None:
        transaction = a_transaction()
        await unit.insert_transaction(transaction)
        await unit.insert_job(a_job(transaction.transaction_id, lease_owner="prc_works", lease_until=NOW))
        await unit.take_task("relay", "prc_leads", 60_000_000, "")
        await unit.put_heartbeat(Heartbeat("prc_lives", 1, 0, "", "", NOW))

    await store.write(insert)
    assert await forgotten(store) == 1
    for name in ("prc_works", "prc_leads", "prc_lives"):
        assert await store.reads.process(name) is not None
