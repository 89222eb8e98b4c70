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


async def test_that_a_process_ended_is_put_on_record_once_and_only_for_its_own_boot(store: Store) -> None:
    await with_processes(store, "prc_1", "prc_2")

    async def note(process_id: str, proof: str, boot_id: str = "") -> bool:
        return await store.write(lambda unit: unit.note_process_ended(process_id, proof, NOW, boot_id))

    assert not await note("prc_1", "its lock was free", "another boot")
    assert await note("prc_1", "its lock was free", "b")
    assert not await note("prc_1", "somebody says so")
    assert await note("prc_2", "node 7 was fenced")
    assert not await note("prc_3", "nobody knows it")
    found = [await store.reads.process(name) for name in ("prc_1", "prc_2")]
    assert [(one.ended_at, one.ended_proof) for one in found if one is not None] == [
        (NOW, "its lock was free"),
        (NOW, "node 7 was fenced"),
    ]


async def test_who_sent_what_has_no_outcome_is_named_until_it_is_on_record_that_it_ended(store: Store) -> None:
    await with_processes(store, "prc_sender", "prc_idle")
    await store.write(lambda unit: insert_sent(unit, "in_doubt"))
    (sender,) = await store.reads.senders_not_ended()
    assert (sender.process_id, sender.registered_at, sender.seen_at, sender.transactions) == (
        "prc_sender",
        LONG_AGO,
        None,
        1,
    )
    await store.write(lambda unit: unit.note_process_ended("prc_sender", "gone", NOW))
    assert list(await store.reads.senders_not_ended()) == []
