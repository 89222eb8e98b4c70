"""A source's own list beside what was accepted: one document is (domain, external id), as in the natural key."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import Status
from gateway.ledger.completeness import Completeness, Sent, compare


def _record(number: int, domain: str, external_id: str | None, amount: str = "440.00") -> TransactionRecord:
    return TransactionRecord(
        transaction_id=f"txn_{number}",
        lineage_id="lin_1",
        document_id=f"doc_{number}",
        domain=domain,
        operation="create",
        status=Status.POSTED,
        client="salesforce",
        source="salesforce",
        external_id=external_id,
        business_unit="Western",
        geography="US",
        company_code=None,
        document_type=None,
        currency_code="USD",
        amount=amount,
        posting_date=None,
        content_hash="a",
        payload_id="pay_1",
        trace_id="0" * 32,
        parent_transaction_id=None,
        replaces=None,
        accepted_at=number,
        updated_at=number,
    )


ORDER = _record(1, "orders", "10248")
INVOICE = _record(2, "invoices", "10248", "999.00")


def _compared(*sent: Sent, inside: tuple[TransactionRecord, ...] = (ORDER, INVOICE)) -> Completeness:
    return compare(sent, inside, inside)


def test_an_id_without_a_domain_that_two_documents_bear_is_told_and_never_complete() -> None:
    found = _compared(Sent("10248", Decimal("440.00"), "USD"))
    assert (found.is_complete, found.ambiguous, found.agreed) == (False, ["10248"], 0)
    assert (found.missing_there, found.differing) == ([], [])


def test_with_a_domain_the_other_document_is_missing_in_the_list() -> None:
    found = _compared(Sent("10248", Decimal("440.00"), "USD", domain="orders"))
    assert (found.is_complete, found.agreed, found.missing_there) == (False, 1, [INVOICE])
    both = _compared(Sent("10248", domain="orders"), Sent("10248", Decimal(999), domain="invoices"))
    assert (both.is_complete, both.agreed, both.repeated) == (True, 2, [])
    other = _compared(Sent("10248", Decimal("440.00"), domain="invoices"))
    assert [(one.domain, one.fields) for one in other.differing] == [("invoices", ("amount",))]


def test_a_document_of_another_domain_does_not_stand_for_the_listed_one() -> None:
    found = _compared(Sent("10248", domain="payments"), inside=(ORDER,))
    assert [(one.domain, one.external_id) for one in found.missing_here] == [("payments", "10248")]
    assert found.missing_there == [ORDER]


def test_a_document_of_another_period_makes_an_id_without_a_domain_as_doubtful() -> None:
    found = compare([Sent("10248")], [ORDER], [ORDER, INVOICE])
    assert (found.is_complete, found.ambiguous) == (False, ["10248"])


def test_a_line_that_comes_again_without_a_domain_may_be_of_a_document_that_is_missing() -> None:
    found = _compared(Sent("10248"), Sent("10248"), inside=(ORDER,))
    assert ([one.external_id for one in found.repeated], found.is_complete) == (["10248"], False)
    for lines in ((None, "orders"), ("orders", None), ("orders", "orders", None), (None, "orders", "orders")):
        assert not _compared(*(Sent("10248", domain=one) for one in lines), inside=(ORDER,)).is_complete
    named = _compared(Sent("10248", domain="orders"), Sent("10248", domain="orders"), inside=(ORDER,))
    assert ([one.external_id for one in named.repeated], named.agreed, named.is_complete) == (["10248"], 1, True)


def test_a_line_that_comes_again_is_compared_as_well() -> None:
    found = _compared(
        Sent("10248", Decimal(440), domain="orders"), Sent("10248", Decimal(1), domain="orders"), inside=(ORDER,)
    )
    assert ([one.fields for one in found.differing], found.agreed) == ([("amount",)], 0)
    assert not found.is_complete


@pytest.mark.parametrize("domain", [None, "orders"])
def test_the_newest_of_a_document_counts(domain: str | None) -> None:
    corrected = replace(ORDER, transaction_id="txn_3", amount="441.00")
    found = _compared(Sent("10248", Decimal(441), domain=domain), inside=(corrected, ORDER))
    assert (found.is_complete, found.agreed) == (True, 1)


def test_what_bears_no_id_cannot_be_listed() -> None:
    found = _compared(Sent("10248"), inside=(ORDER, _record(5, "orders", None)))
    assert (found.unnamed, found.is_complete) == (1, False)
