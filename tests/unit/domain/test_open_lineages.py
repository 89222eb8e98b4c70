"""Which lineages are open, why and for how much."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.open_lineages import AGES, DAY, OpenState, Reason, age_of, open_state
from gateway.domain.records import DocumentRecord, LineageRecord, RelationRecord
from gateway.domain.transaction import ENDS, Status

LINEAGE = LineageRecord("lin_1", "doc_order")


def _document(name: str, domain: str, amount: str | None, **changes: Any) -> DocumentRecord:
    types = {"orders": "standard_order", "invoices": "invoice", "payments": "incoming_payment"}
    values: dict[str, Any] = {
        "document_id": f"doc_{name}",
        "domain": domain,
        "source": "crm",
        "external_id": None,
        "lineage_id": "lin_1",
        "transaction_id": f"txn_{name}",
        "payload_id": None,
        "business_unit": "U",
        "geography": "DE",
        "created_at": 0,
        "document_type": types.get(domain, domain),
        "currency_code": "EUR",
        "amount": amount,
    }
    return DocumentRecord(**values | changes)


def _order(amount: str | None = "100.00", **changes: Any) -> DocumentRecord:
    return _document("order", "orders", amount, **changes)


def _invoice(amount: str, name: str = "invoice", **changes: Any) -> DocumentRecord:
    return _document(name, "invoices", amount, **changes)


def _credit(amount: str) -> DocumentRecord:
    return _document("credit", "invoices", amount, document_type="credit_note")


def _payment(amount: str) -> DocumentRecord:
    return _document("payment", "payments", amount)


def _bills(invoice: str = "doc_invoice", order: str = "doc_order") -> RelationRecord:
    return RelationRecord(invoice, "orderReference", order, "follows")


def _pays(amount: str, invoice: str = "doc_invoice", place: int = 0) -> RelationRecord:
    return RelationRecord("doc_payment", f"allocations[{place}].invoiceReference", invoice, "follows", amount)


def _corrects() -> RelationRecord:
    return RelationRecord("doc_credit", "invoiceReference", "doc_invoice", "follows")


def _judge(
    documents: list[DocumentRecord],
    relations: list[RelationRecord] | None = None,
    lineage: LineageRecord = LINEAGE,
    **statuses: Status,
) -> OpenState:
    known = {one.transaction_id: Status.POSTED for one in documents if one.transaction_id is not None}
    return open_state(lineage, documents, relations or [], {**known, **{f"txn_{k}": v for k, v in statuses.items()}})


def _told(state: OpenState) -> dict[str, str]:
    return {one.reason.value: str(one.amount) for one in state.parts}


def test_an_order_is_open_for_what_is_not_invoiced() -> None:
    assert _told(_judge([_order()])) == {"order_not_invoiced": "100.00"}
    half = _judge([_order(), _invoice("40.00")], [_bills()])
    assert _told(half) == {"order_not_invoiced": "60.00", "invoice_not_paid": "40.00"}
    assert half.amounts == {"EUR": Decimal("100.00")}
    assert not _judge([_order(state="cancelled")]).is_open


def test_a_chain_that_is_invoiced_and_paid_is_closed() -> None:
    documents = [_order(), _invoice("100.00"), _payment("100.00")]
    assert not _judge(documents, [_bills(), _pays("100.00")]).is_open


def test_a_reversed_invoice_opens_its_order_again() -> None:
    documents = [_order(), _invoice("100.00", state="reversed")]
    assert _told(_judge(documents, [_bills()])) == {"order_not_invoiced": "100.00"}


def test_a_credit_note_settles_the_invoice_and_does_not_open_the_order() -> None:
    documents = [_order(), _invoice("100.00"), _credit("100.00")]
    assert not _judge(documents, [_bills(), _corrects()]).is_open


def test_what_a_customer_paid_or_was_credited_too_much_is_open() -> None:
    documents = [_order(), _invoice("100.00"), _payment("100.00"), _credit("30.00")]
    state = _judge(documents, [_bills(), _pays("100.00"), _corrects()])
    assert _told(state) == {"credit_not_applied": "30.00"}
    on_account = _judge([_order(), _invoice("100.00"), _payment("120.00")], [_bills(), _pays("100.00")])
    assert _told(on_account) == {"payment_not_applied": "20.00"}


def test_a_prepayment_and_a_credit_note_of_its_own_are_open() -> None:
    assert _told(_judge([_payment("50.00")])) == {"payment_not_applied": "50.00"}
    assert _told(_judge([_credit("50.00")])) == {"credit_not_applied": "50.00"}


def test_a_payment_of_another_lineage_settles_an_invoice() -> None:
    payment = _document("payment", "payments", "150.00", lineage_id="lin_2")
    state = _judge([_order(), _invoice("100.00"), payment], [_bills(), _pays("100.00")])
    assert not state.is_open
    assert not _judge([_order(), _invoice("100.00"), payment], [_bills(), _pays("100.00")], payment=Status.POSTED).parts


def test_what_has_not_ended_settles_nothing_and_keeps_the_lineage_open() -> None:
    documents = [_order(), _invoice("100.00")]
    state = _judge(documents, [_bills()], invoice=Status.UNKNOWN)
    assert _told(state) == {"order_not_invoiced": "100.00"}
    assert state.transaction_ids == ("txn_invoice",)
    assert state.reasons == {Reason.ORDER_NOT_INVOICED, Reason.TRANSACTION_NOT_ENDED}
    held = _judge([_order()], order=Status.HELD)
    assert _told(held) == {"order_not_invoiced": "100.00"}
    assert held.amounts == {"EUR": Decimal("100.00")}


@pytest.mark.parametrize("status", sorted(ENDS - {Status.POSTED}))
def test_what_failed_is_closed(status: Status) -> None:
    assert not _judge([_order()], order=status).is_open


def test_a_change_that_has_not_ended_keeps_a_settled_lineage_open() -> None:
    documents = [_order(), _invoice("100.00"), _payment("100.00")]
    state = _judge(documents, [_bills(), _pays("100.00")], change=Status.IN_DOUBT)
    assert state.parts == ()
    assert state.transaction_ids == ("txn_change",)


def test_an_amount_that_nobody_knows_is_open() -> None:
    imported = _order(None, transaction_id=None)
    assert _judge([imported]).reasons == {Reason.AMOUNT_UNKNOWN}
    assert _judge([imported]).amounts == {}


def test_contracts_and_journal_entries_are_not_open_by_themselves() -> None:
    for domain in ("contracts", "journal_entries", "customers"):
        assert not _judge([_document("order", domain, "100.00")]).is_open


money = st.decimals(Decimal("0.01"), Decimal(10**15 - 1), places=2)


@given(money, st.lists(money, max_size=5), st.lists(money, max_size=5))
def test_what_is_open_is_what_was_ordered_less_what_was_billed_and_paid(
    ordered: Decimal, billed: list[Decimal], paid: list[Decimal]
) -> None:
    documents = [_order(str(ordered))]
    relations = []
    for place, amount in enumerate(billed):
        documents.append(_invoice(str(amount), f"invoice{place}"))
        relations.append(_bills(f"doc_invoice{place}"))
    pairs = list(zip(billed, paid, strict=False))
    documents.append(_payment(str(sum(paid, Decimal(0)) or Decimal(1))))
    relations += [_pays(str(amount), f"doc_invoice{place}", place) for place, (_, amount) in enumerate(pairs)]
    state = _judge(documents, relations)
    by_reason: dict[Reason, Decimal] = {}
    for part in state.parts:
        assert part.amount is not None
        assert part.amount > 0
        by_reason[part.reason] = by_reason.get(part.reason, Decimal(0)) + part.amount
    assert by_reason.get(Reason.ORDER_NOT_INVOICED, Decimal(0)) == max(Decimal(0), ordered - sum(billed, Decimal(0)))
    receivable = by_reason.get(Reason.INVOICE_NOT_PAID, Decimal(0)) - by_reason.get(
        Reason.CREDIT_NOT_APPLIED, Decimal(0)
    )
    assert receivable == sum(billed, Decimal(0)) - sum((amount for _, amount in pairs), Decimal(0))
    assert state.is_open == any(by_reason.values())


@given(st.permutations([0, 1, 2, 3]), st.sampled_from(list(Status)), st.sampled_from(list(Status)))
def test_the_order_in_which_documents_are_told_does_not_matter(
    order: list[int], invoice: Status, payment: Status
) -> None:
    documents = [_order(), _invoice("100.00"), _payment("100.00"), _credit("10.00")]
    relations = [_bills(), _pays("90.00"), _corrects()]
    statuses = {"invoice": invoice, "payment": payment}
    assert _judge([documents[one] for one in order], relations, **statuses) == _judge(documents, relations, **statuses)


@given(st.integers(0, 10**6))
def test_a_lineage_is_in_the_bucket_that_holds_its_age(days: int) -> None:
    start = age_of(0, days * DAY + 5)
    later = [one for one in AGES if one > start]
    assert start <= days
    assert not later or days < later[0]
