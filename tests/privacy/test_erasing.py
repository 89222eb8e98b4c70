"""Erasing what tells of a customer: two persons, an entry for each trace, and what is proven stays proven."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.identity import content_hash, payload_commitment
from gateway.domain.privacy import KeptFor, RetentionRule
from gateway.domain.queries import DocumentName, Visible
from gateway.domain.refusals import SALT, shown_refusal
from gateway.errors import Problem
from gateway.privacy.due import dry_run
from gateway.privacy.holds import WantedHold, lift_hold, set_hold
from gateway.privacy.requests import approve_erasure, ask_erasure, survey
from gateway.store.store import Store
from gateway.transactions import finish
from tests.line.documents import TO_CLOUD, customer
from tests.line.rig import order
from tests.privacy.desk import ADA, BOB, PART, VINET, Desk


async def _erased_entries(desk: Desk, trace: str) -> list[dict[str, Any]]:
    entries = await desk.rig.entries(trace)
    return [json.loads(entry.body) for entry in entries if entry.kind == "erased"]


async def test_two_persons_erase_and_the_audit_agrees(store: Store) -> None:
    desk = await Desk.on(store)
    chain = await desk.chain()
    payloads = [await store.reads.payload((await desk.rig.record(one)).payload_id) for one in chain]
    asked = await desk.ask()
    assert asked.state == "asked"
    assert await desk.bodies(chain) == [True, True, True]
    done = await approve_erasure(desk.parts, BOB, asked.erasure_id)
    assert (done.state, done.erased) == ("finished", 3)
    assert await desk.bodies(chain) == [False, False, False]
    for one, payload in zip(chain, payloads, strict=True):
        assert payload is not None
        assert payload.body is not None
        told = await _erased_entries(desk, one)
        assert [entry["payloadHashes"] for entry in told] == [[payload_commitment(payload.salt, payload.body)]]
        assert told[0]["erasureId"] == asked.erasure_id
        gone = await store.reads.payload(payload.payload_id)
        assert gone is not None
        assert gone.salt == b""
        assert gone.erased_at is not None
    acts = await _erased_entries(desk, asked.erasure_id)
    assert len(acts) == 1
    assert acts[0]["person"] != acts[0]["askedPerson"]
    assert await desk.audit() == []


async def test_again_changes_nothing(store: Store) -> None:
    desk = await Desk.on(store)
    chain = await desk.chain()
    done = await desk.erase()
    counts = [(await desk.rig.record(one)).entry_count for one in chain]
    again = await approve_erasure(desk.parts, BOB, done.erasure_id)
    assert again == done
    assert (await desk.erase("key-2")).erased == 0
    assert [(await desk.rig.record(one)).entry_count for one in chain] == counts
    repeated, replayed = await ask_erasure(desk.parts, ADA, VINET, "asked by letter of 3 May, key-1", "key-1")
    assert replayed
    assert repeated == done


async def test_a_repeat_of_an_erased_document_is_not_posted_again(store: Store) -> None:
    desk = await Desk.on(store)
    (first, *_) = await desk.chain()
    await desk.erase()
    repeated = await desk.rig.send(order())
    assert repeated.replayed
    assert repeated.transaction.transaction_id == first
    with pytest.raises(Problem, match="accepted with other content"):
        await desk.rig.send(order(postingDate="1996-07-05"))
    assert len(desk.rig.legacy.book) == 3


async def test_what_is_under_way_stays_and_goes_when_it_has_ended(store: Store) -> None:
    desk = await Desk.on(store)
    desk.rig.legacy.script = ["lost_call"]
    sent = await desk.rig.send(order())
    await desk.rig.line.drain(10)
    transaction = sent.transaction.transaction_id
    found = await desk.erase()
    assert found.state == "approved"
    kept = (await survey(desk.parts, found.customer_id)).kept
    assert [(one.transaction_id, one.kept_for) for one in kept] == [(transaction, KeptFor.UNDER_WAY)]
    await desk.rig.until(300.0)
    assert (await desk.rig.record(transaction)).status == "posted"
    assert (await desk.retention.turn())["erased"] == 1
    finished = await store.reads.erasure(found.erasure_id)
    assert finished is not None
    assert finished.state == "finished"
    assert await desk.bodies([transaction]) == [False]
    assert await desk.audit() == []


async def test_words_of_the_erp_go_too(store: Store) -> None:
    desk = await Desk.on(store)
    desk.rig.legacy.script = ["reject"]
    sent = await desk.rig.send(order())
    await desk.rig.settle()
    transaction = sent.transaction.transaction_id
    record = await desk.rig.record(transaction)
    assert record.status == "rejected"
    assert record.problem is not None
    found = await desk.erase()
    kept = (await survey(desk.parts, found.customer_id)).kept
    assert [one.kept_for for one in kept] == [KeptFor.EXCEPTION_OPEN]
    exception = await store.reads.exception(record.exception_id or "", Visible())
    assert exception is not None
    assert exception.payload_id is not None
    await desk.rig.send(order(), replaces=transaction)
    await desk.rig.settle()
    await desk.retention.turn()
    said = await store.reads.payload(exception.payload_id)
    assert said is not None
    assert said.body is None
    left = json.loads((await desk.rig.record(transaction)).problem or "")
    assert left["detail"] == "erased"
    assert set(left) <= {"type", "title", "status", "code", "detail"}
    (entry,) = await _erased_entries(desk, transaction)
    assert len(entry["payloadHashes"]) == 3
    assert await desk.audit() == []


async def test_a_legal_hold_keeps_and_two_persons_lift_it(store: Store) -> None:
    desk = await Desk.on(store)
    chain = await desk.chain()
    hold, _ = await set_hold(desk.parts, ADA, WantedHold(reason="case 12 O 34/26", customer=VINET), "hold-1")
    found = await desk.erase()
    assert found.state == "approved"
    assert await desk.bodies(chain) == [True, True, True]
    assert {one.kept_for for one in (await survey(desk.parts, found.customer_id)).kept} == {KeptFor.LEGAL_HOLD}
    assert (await lift_hold(desk.parts, ADA, hold.hold_id, "the case ended")).state == "lift_asked"
    assert (await lift_hold(desk.parts, ADA, hold.hold_id, "the case ended")).state == "lift_asked"
    await desk.retention.turn()
    assert await desk.bodies(chain) == [True, True, True]
    assert (await lift_hold(desk.parts, BOB, hold.hold_id, "yes")).state == "lifted"
    await desk.retention.turn()
    assert await desk.bodies(chain) == [False, False, False]
    kinds = [entry.kind for entry in await store.reads.entries(hold.hold_id)]
    assert kinds == ["hold_set", "hold_lifted"]
    assert await desk.audit() == []


async def test_a_hold_on_a_lineage_keeps_that_lineage_only(store: Store) -> None:
    desk = await Desk.on(store)
    first, second = await desk.chain("1"), await desk.chain("2")
    lineage = (await desk.rig.record(first[0])).lineage_id
    await set_hold(desk.parts, ADA, WantedHold(reason="audit", lineage_id=lineage), "hold-1")
    await desk.erase()
    assert await desk.bodies([*first, *second]) == [True] * 3 + [False] * 3


async def test_retention_keeps_until_its_day_and_erases_after_it(store: Store) -> None:
    desk = await Desk.on(store)  # it is November 2023
    chain = await desk.chain(postingDate="2022-07-04")
    desk.rules += [
        RetentionRule("orders", "FR", keep_days=3_650, erase_after_days=3_650),
        RetentionRule(None, "FR", keep_days=10, erase_after_days=20),
    ]
    found = await desk.erase()
    kept = (await survey(desk.parts, found.customer_id)).kept
    assert [(one.domain, one.kept_for, one.until) for one in kept] == [("orders", KeptFor.RETENTION, "2032-12-28")]
    assert await desk.bodies(chain) == [True, False, False]
    desk.rig.clock.forward(9.5 * 366 * 86_400)
    assert await desk.retention.turn() == {"erased": 1}
    assert await desk.bodies(chain) == [False, False, False]


async def test_what_is_due_is_erased_unasked_and_a_dry_run_only_tells(store: Store) -> None:
    desk = await Desk.on(store)
    chain = await desk.chain(postingDate="2022-07-04")
    await desk.retention.turn()
    assert await desk.bodies(chain) == [True, True, True]
    desk.rules.append(RetentionRule(None, "FR", keep_days=10, erase_after_days=20))
    assert await dry_run(desk.parts) == ({"erased": 3}, False)
    assert await desk.bodies(chain) == [True, True, True]
    assert await desk.retention.turn() == {"erased": 3}
    assert await desk.retention.turn() == {}
    assert (await _erased_entries(desk, chain[0]))[0]["cause"] == "retention"
    assert await desk.audit() == []


async def test_who_may_not(store: Store) -> None:
    desk = await Desk.on(store)
    asked = await desk.ask()
    for caller, erasure_id, slug in (
        (ADA, asked.erasure_id, "policy-check-failed"),
        (PART, asked.erasure_id, "out-of-scope"),
        (BOB, "era_" + "0" * 26, "not-found"),
    ):
        with pytest.raises(Problem) as refused:
            await approve_erasure(desk.parts, caller, erasure_id)
        assert refused.value.slug == slug
    standing = await store.reads.erasure(asked.erasure_id)
    assert standing is not None
    assert standing.state == "asked"


async def test_an_erased_document_is_not_changed(store: Store) -> None:
    desk = await Desk.on(store)
    (first, *_) = await desk.chain()
    await desk.erase()
    document = (await desk.rig.record(first)).document_id
    with pytest.raises(Problem, match="erased"):
        await desk.rig.change(document, {"freight": None})
    assert (await store.reads.document(document, Visible())) is not None


async def test_every_version_of_a_document_goes(store: Store) -> None:
    desk = await Desk.on(store)
    rig = desk.rig
    made = await rig.send(order("1"))
    await rig.settle()
    changed = await rig.change(made.transaction.document_id, {"requestedDeliveryDate": "1996-08-01"})
    await rig.settle()
    chain = [made.transaction.transaction_id, changed.transaction.transaction_id]
    await desk.erase()
    assert await desk.bodies(chain) == [False, False]
    assert [len(await _erased_entries(desk, one)) for one in chain] == [1, 1]
    assert await desk.audit() == []


async def test_a_master_and_the_words_of_a_call_off_go_and_the_customer_still_buys(store: Store) -> None:
    desk = await Desk.on(store)
    rig = desk.rig
    rig.cloud.gate = asyncio.Event()
    made = await rig.send(customer(), "customers")
    new = {"customer": {"externalId": "NEW"}, **TO_CLOUD}
    waits = (await rig.send(order("1", **new))).transaction
    await rig.cancel(waits.document_id, reason="a secret reason")
    rig.cloud.gate.set()
    await rig.settle()
    await rig.until(100.0)
    (cancelled,) = [json.loads(one.body) for one in await rig.entries(waits.transaction_id) if one.kind == "cancelled"]
    done = await desk.erase(name=DocumentName("customers", source="salesforce", external_id="NEW"))
    assert (done.state, done.erased) == ("finished", 2)
    assert await desk.bodies([made.transaction.transaction_id, waits.transaction_id]) == [False, False]
    said = await store.reads.payload(cancelled["payloadId"])
    assert said is not None
    assert said.body is None
    (told,) = await _erased_entries(desk, waits.transaction_id)
    assert cancelled["payloadHash"] in told["payloadHashes"]
    assert (await rig.send(order("2", **new), wait_s=5.0)).transaction.status == "posted"
    assert await desk.audit() == []


async def test_nobody_confirms_erased_words_of_a_refusal_from_the_ledger(store: Store) -> None:
    desk = await Desk.on(store)
    desk.rig.legacy.script = ["reject"]
    transaction = (await desk.rig.send(order())).transaction.transaction_id
    await desk.rig.settle()
    kept = (await desk.rig.record(transaction)).problem or ""
    shown = json.dumps(shown_refusal(kept), ensure_ascii=False)
    assert kept != shown
    (refused,) = [json.loads(one.body) for one in await desk.rig.entries(transaction) if one.kind == "rejected"]
    assert refused["problemHash"] == content_hash(kept.encode())
    assert await desk.audit() == []
    await desk.erase()
    await desk.rig.send(order(), replaces=transaction)
    await desk.rig.settle()
    await desk.retention.turn()
    (told,) = await _erased_entries(desk, transaction)
    assert refused["problemHash"] in told["payloadHashes"]
    salt = json.loads(kept)[SALT]
    everything = b"".join(one.body for one in await desk.rig.entries(transaction)).decode()
    assert content_hash(shown.encode()) not in everything
    assert salt not in everything
    assert salt not in ((await desk.rig.record(transaction)).problem or "")
    assert await desk.audit() == []


async def test_words_that_were_kept_before_salts_are_still_compared_and_erased(store: Store) -> None:
    """As earlier programs left them: the entry commits to the words alone."""
    desk = await Desk.on(store)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(finish, "kept_refusal_text", lambda problem, _: json.dumps(problem, ensure_ascii=False))
        desk.rig.legacy.script = ["reject"]
        transaction = (await desk.rig.send(order())).transaction.transaction_id
        await desk.rig.settle()
    assert SALT not in ((await desk.rig.record(transaction)).problem or "")
    assert await desk.audit() == []
    await desk.rig.send(order(), replaces=transaction)
    await desk.rig.settle()
    await desk.erase()
    left = json.loads((await desk.rig.record(transaction)).problem or "")
    assert left["detail"] == "erased"
    assert await desk.audit() == []


async def test_words_to_which_no_entry_commits_leave_no_hash(store: Store) -> None:
    desk = await Desk.on(store)
    transaction = (await desk.chain())[0]
    record = await desk.rig.record(transaction)
    words = json.dumps({"code": "parent-rejected", "detail": "of Ms Miller"})
    await store.write(lambda unit: unit.update_transaction(replace(record, problem=words)))
    await desk.erase()
    (told,) = await _erased_entries(desk, transaction)
    assert len(told["payloadHashes"]) == 1
    assert json.loads((await desk.rig.record(transaction)).problem or "")["detail"] == "erased"
