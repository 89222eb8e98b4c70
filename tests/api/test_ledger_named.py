"""One call about one document, by any of its names: where it is stuck, why it failed, what was told, what waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.caller import DataScope
from gateway.domain.queries import Published, StreamMemory
from gateway.ledger import named_questions
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.line.acts import lay
from tests.line.rig import Rig, invoice, order, payment

WESTERN = DataScope(frozenset({"Western"}), None)
QUESTIONS = ("where-stuck", "why-failed", "events-told", "waiting-documents")


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _items(audit: Auditing, question: str, name: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await audit.get(f"questions/{question}", name=name, **query))["items"]
    return items


async def _unended(rig: Rig, script: str) -> None:
    """An order that comes to nothing so far, with an invoice and a payment that wait."""
    rig.legacy.script = [script]
    await rig.send(order("10300"))
    await rig.line.drain(30)
    await rig.send(invoice("INV-10300", "10300"), "invoices")
    await rig.send(payment("PAY-10300", ("INV-10300",)), "payments")
    await rig.line.drain(30)


@pytest.mark.parametrize(
    ("script", "status", "awaited", "problem"),
    [("down", "dispatched", "next_attempt", "erp-unavailable"), ("lost_answer", "unknown", "inquiry", None)],
)
async def test_where_an_order_is_stuck(
    audit: Auditing, script: str, status: str, awaited: str, problem: str | None
) -> None:
    await _unended(audit.rig, script)
    items = await _items(audit, "where-stuck", "10300")
    first, *others = items
    assert (first["externalId"], first["status"], first["awaited"]) == ("10300", status, awaited)
    assert (first["awaitedId"], first["problemCode"]) == ("legacy-main", problem)
    assert "legacy-main" in first["whatToDo"]
    entries = await audit.rig.entries(first["transactionId"])
    stood = [one.at for one in entries if one.kind == status]
    assert first["sinceAt"].endswith(f"{stood[-1] % 1_000_000:06d}Z")
    assert first["nextLookAt"] > first["sinceAt"]
    assert [(one["externalId"], one["awaited"]) for one in others] == [
        ("INV-10300", "transaction"),
        ("PAY-10300", "transaction"),
    ]
    assert others[0]["awaitedId"] == first["transactionId"]
    assert await _items(audit, "where-stuck", "INV-10300") == items
    await audit.rig.until(400.0)
    await audit.rig.until(400.0)
    assert await _items(audit, "where-stuck", "10300") == []


async def test_a_held_order_names_what_lies_over_it(audit: Auditing) -> None:
    laid = await lay(audit.rig, "hold")
    await audit.rig.rules.refresh()
    await audit.rig.send(order("10301"))
    (held,) = await _items(audit, "where-stuck", "10301")
    assert (held["status"], held["awaited"], held["awaitedId"]) == ("held", "overlay", laid.overlay_id)


async def test_a_refused_order_stands_in_front_of_a_person_and_says_why(audit: Auditing) -> None:
    audit.rig.legacy.script = ["reject"]
    sent = await audit.rig.send(order("10302"), wait_s=5.0)
    (stuck,) = await _items(audit, "where-stuck", "10302")
    assert (stuck["status"], stuck["awaited"]) == ("rejected", "person")
    assert stuck["awaitedId"] in stuck["whatToDo"]
    (failed,) = await _items(audit, "why-failed", "10302")
    assert failed["erpMessage"] == "the credit limit is exceeded"
    assert (failed["erpMessageCode"], failed["erpField"]) == ("V1/152", "customer")
    assert failed["isFinal"]
    assert "replaces" in failed["remedy"]
    assert failed["exceptionId"] == stuck["awaitedId"]
    assert failed["replacedByTransactionId"] is None
    again = await audit.rig.send(order("10302"), replaces=sent.transaction.transaction_id, wait_s=5.0)
    (failed,) = await _items(audit, "why-failed", "10302")
    assert failed["replacedByTransactionId"] == again.transaction.transaction_id
    assert failed["replacementStatus"] == "posted"
    assert await _items(audit, "where-stuck", "10302") == []


async def test_a_refusal_of_the_gateway_itself_names_the_members(audit: Auditing) -> None:
    audit.rig.legacy.script = ["reject"]
    await audit.rig.send(order("10303"))
    await audit.rig.send(invoice("INV-10303", "10303"), "invoices")
    await audit.rig.settle()
    (failed,) = await _items(audit, "why-failed", "INV-10303")
    assert failed["status"] == "rejected"
    assert failed["erpMessage"] is None
    assert failed["problemCode"] == "parent-rejected"
    assert failed["remedy"]


async def test_what_failed_once_and_is_posted_did_not_fail(audit: Auditing) -> None:
    audit.rig.legacy.script = ["down"]
    await audit.rig.send(order("10304"))
    await audit.rig.line.drain(30)
    (failing,) = await _items(audit, "why-failed", "10304")
    assert not failing["isFinal"]
    assert failing["remedy"].startswith("nothing")
    await audit.rig.until(100.0)
    assert await _items(audit, "why-failed", "10304") == []


async def test_whether_a_payment_came_again_and_what_was_told(audit: Auditing) -> None:
    store = audit.rig.store
    (told,) = await _items(audit, "events-told", "PAY-10248", domain="payments")
    assert told["sentAgain"] == []
    assert not told["wasSentAgain"]
    assert told["events"][0]["kind"] == "accepted"
    assert "posted" in [one["kind"] for one in told["events"]]
    assert {one["publishedAt"] for one in told["events"]} == {None}
    sequences = [one["sequence"] for one in told["events"]]
    assert sequences == sorted(set(sequences))
    await audit.rig.send(payment("PAY-10248", ("INV-10248",)), "payments")
    waiting = await store.outbox.pending(1_000)
    numbers = {one.event_id: number for number, one in enumerate(waiting, 100)}
    await store.outbox.mark_published(
        [Published(one, number) for one, number in numbers.items()], audit.rig.clock.now()
    )
    began = waiting[-1].created_at
    await store.outbox.remember_stream(StreamMemory("ERP_STATUS", began, 99 + len(waiting)))
    answer = await audit.get("questions/events-told", name="PAY-10248")
    (told,) = answer["items"]
    assert told["wasSentAgain"]
    (again,) = told["sentAgain"]
    kinds = await audit.rig.kinds(told["transactionId"])
    assert kinds[again["seq"] - 1] == "replayed"
    assert all(one["streamSequence"] == numbers[one["eventId"]] for one in told["events"])
    assert all(one["publishedAt"] for one in told["events"])
    assert {one["isBeforeStream"] for one in told["events"]} == {True}
    assert answer["streamBeganAt"].endswith(f"{began % 1_000_000:06d}Z")


async def test_what_waits_for_a_document(audit: Auditing) -> None:
    await _unended(audit.rig, "down")
    waiting = await _items(audit, "waiting-documents", "10300")
    assert [(one["depth"], one["externalId"], one["status"]) for one in waiting] == [
        (1, "INV-10300", "waiting"),
        (2, "PAY-10300", "waiting"),
    ]
    assert waiting[1]["awaitedTransactionId"] == waiting[0]["transactionId"]
    assert [one["externalId"] for one in await _items(audit, "waiting-documents", "INV-10300")] == ["PAY-10300"]
    assert await _items(audit, "waiting-documents", "10248") == []


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_is_recorded_and_keeps_to_the_data_scope(audit: Auditing, question: str) -> None:
    await _unended(audit.rig, "down")
    answer = await audit.ask(f"questions/{question}", name="10300")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    (entry,) = await audit.rig.entries(body["queryId"])
    assert sha256(answer.content).hexdigest().encode() in entry.body
    for refused, status in (
        (await audit.ask(f"questions/{question}", name="nobody"), 404),
        (await audit.ask(f"questions/{question}", WESTERN, name="10300"), 404),
        (await audit.ask(f"questions/{question}"), 400),
        (await audit.ask(f"questions/{question}", name="10300", domain="cars"), 400),
    ):
        assert refused.status_code == status, refused.text


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_says_that_a_name_means_more_than_was_looked_at(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    (order,) = (await audit.get("traces", externalId="10248"))["items"]
    name = order["document"]["lineageId"]  # of three documents
    assert (await audit.get(f"questions/{question}", name=name))["isCut"] is False
    monkeypatch.setattr(named_questions, "MOST_NAMED", 2)
    assert (await audit.get(f"questions/{question}", name=name))["isCut"] is True


@pytest.mark.parametrize("question", ["why-failed", "events-told", "waiting-documents"])
async def test_an_answer_says_that_documents_have_more_than_was_looked_at(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setattr(named_questions, "MOST_OF_THESE", 1)
    assert (await audit.get(f"questions/{question}", name="10248"))["isCut"] is True


async def test_an_answer_says_that_a_lineage_has_more_events(audit: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_questions, "MOST_EVENTS", 3)
    assert (await audit.get("questions/events-told", name="10248"))["isCut"] is True
