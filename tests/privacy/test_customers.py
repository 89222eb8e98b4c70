"""Erasures and holds go by the customer of each transaction, also where a document was sent again for another one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.privacy import KeptFor, RetentionRule
from gateway.domain.queries import DocumentName
from gateway.errors import Problem
from gateway.ledger.state.audit import audit_state
from gateway.privacy.holds import WantedHold, set_hold
from gateway.privacy.requests import survey
from gateway.store.store import Store, open_store
from tests.line.dead_ends import ask
from tests.line.documents import journal_entry
from tests.line.newcomers import command, order_of_new
from tests.line.rig import order
from tests.migrated import migrated_file
from tests.privacy.corrected import HANAR, corrected, know_hanar, named
from tests.privacy.desk import ADA, VINET, Desk


@pytest.mark.parametrize("name", [VINET, HANAR])
async def test_of_each_customer_goes_what_names_him(store: Store, name: DocumentName) -> None:
    desk = await Desk.on(store)
    first, second = await corrected(desk)
    done = await desk.erase(name=name)
    assert (done.state, done.erased) == ("finished", 1)
    left = (await named(desk, first), await named(desk, second))
    assert left == ((None, "HANAR") if name == VINET else ("VINET", None))
    assert await desk.audit() == []
    other = await desk.erase("key-2", HANAR if name == VINET else VINET)
    assert (other.state, other.erased) == ("finished", 1)
    assert (await named(desk, first), await named(desk, second)) == (None, None)
    assert await desk.audit() == []


@pytest.mark.parametrize("held", [VINET, HANAR])
async def test_a_hold_on_either_keeps_all_that_the_lineage_tells(store: Store, held: DocumentName) -> None:
    desk = await Desk.on(store)
    first, second = await corrected(desk)
    await set_hold(desk.parts, ADA, WantedHold(reason="case", customer=held), "hold-1")
    for key, name in (("key-1", VINET), ("key-2", HANAR)):
        done = await desk.erase(key, name)
        assert (done.state, done.erased) == ("approved", 0)
        kept = (await survey(desk.parts, done.customer_id)).kept
        assert [one.kept_for for one in kept] == [KeptFor.LEGAL_HOLD]
    desk.rules.append(RetentionRule(None, "FR", keep_days=0, erase_after_days=0))
    assert await desk.retention.turn() == {"legal-hold": 2}
    assert (await named(desk, first), await named(desk, second)) == ("VINET", "HANAR")
    assert await desk.audit() == []


async def test_a_hold_on_the_first_customer_keeps_after_its_row_was_deleted(tmp_path: Path) -> None:
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    desk = await Desk.on(store)
    first, second = await corrected(desk)
    await set_hold(desk.parts, ADA, WantedHold(reason="case", customer=VINET), "hold-1")
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows, rows:
        assert rows.execute("DELETE FROM legal_holds").rowcount == 1
    for key, name in (("key-1", VINET), ("key-2", HANAR)):
        assert (await desk.erase(key, name)).state == "approved"
    assert (await named(desk, first), await named(desk, second)) == ("VINET", "HANAR")
    await store.close()


async def test_a_document_as_a_person_corrected_it_goes_with_its_customer(store: Store) -> None:
    desk = await Desk.on(store)
    await know_hanar(desk)
    desk.rig.legacy.script = ["reject"]
    first = (await desk.rig.send(order())).transaction.transaction_id
    await desk.rig.settle()
    moved = await ask(desk.rig, "resubmit", document=order(customer={"externalId": "HANAR"}))
    await desk.rig.settle()
    second = moved.exception.replaced_by or ""
    assert (await desk.erase(name=HANAR)).erased == 1
    assert (await named(desk, first), await named(desk, second)) == ("VINET", None)
    said = await store.reads.payload(moved.move.payload_id)
    assert said is not None
    assert said.body is None
    assert await desk.audit() == []
    assert (await desk.erase("key-2")).erased == 1
    assert await named(desk, first) is None
    assert await desk.audit() == []


async def test_a_journal_entry_is_of_the_customer_whose_document_it_follows(store: Store) -> None:
    desk = await Desk.on(store)
    _, second = await corrected(desk)
    rig = desk.rig
    follows = await rig.send(
        journal_entry(orderReference={"source": "salesforce", "externalId": "10248"}), "journal_entries"
    )
    await rig.settle()
    undone = await rig.reverse(follows.transaction.document_id, "journal_entries")
    await rig.settle()
    entry = [follows.transaction.transaction_id, undone.transaction.transaction_id]
    buyer = (await rig.record(second)).customer_id
    assert [(await rig.record(one)).customer_id for one in entry] == [buyer, buyer]
    assert (await desk.erase()).erased == 1
    assert await desk.bodies(entry) == [True, True]
    assert (await desk.erase("key-2", HANAR)).erased == 3
    assert await desk.bodies(entry) == [False, False]
    assert await desk.audit() == []


async def test_whatever_makes_a_transaction_says_whose_it_is(store: Store) -> None:
    desk = await Desk.on(store)
    await know_hanar(desk)
    rig = desk.rig
    chain = await desk.chain()
    document = (await rig.record(chain[0])).document_id
    changed = await rig.change(document, {"requestedDeliveryDate": "1996-08-01"})
    reversed_ = await rig.reverse((await rig.record(chain[2])).document_id, "payments")
    many = await rig.line.accept_many([command(order(one, customer={"externalId": "HANAR"})) for one in ("1", "2")])
    coming = await rig.line.submit(command(order_of_new("3")))
    await rig.settle()
    ids = await store.write(lambda unit: unit.documents_named([VINET, HANAR]))
    made = [*chain, changed.transaction.transaction_id, reversed_.transaction.transaction_id]
    assert {(await rig.record(one)).customer_id for one in made} == {ids[VINET].document_id}
    for one in many:
        assert not isinstance(one, Problem)
        assert (await rig.record(one.transaction.transaction_id)).customer_id == ids[HANAR].document_id
    new = await rig.record(coming.transaction.transaction_id)
    assert new.customer_id == (await rig.document(new.document_id)).customer_id
    assert new.customer_id not in {None, *(one.document_id for one in ids.values())}
    assert (await rig.record((await rig.document(new.customer_id or "")).transaction_id or "")).customer_id is None
    assert await desk.audit() == []


EDITS = {
    "another": "UPDATE transactions SET customer_id = document_id WHERE customer_id IS NOT NULL",
    "of the other": "UPDATE transactions SET customer_id = (SELECT max(customer_id) FROM transactions)",
    "none": "UPDATE transactions SET customer_id = NULL",
}


@pytest.mark.parametrize("edit", EDITS)
async def test_the_audit_finds_another_customer(tmp_path: Path, edit: str) -> None:
    store = await open_store(migrated_file(tmp_path / "gateway.db"))
    desk = await Desk.on(store)
    first, _ = await corrected(desk)
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows, rows:
        assert rows.execute(EDITS[edit]).rowcount > 0
    found = [one for one in await audit_state(store.reads, desk.rig.parts.tools.commitment_key) if one.subject == first]
    assert [one.what for one in found] == ["customer_id"]
    await store.close()
