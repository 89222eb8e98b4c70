"""What a payment settles can be read from its items."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import Payment
from adapters.errors import Rejected
from adapters.legacy_erp.sap_ecc.accounting import post_document
from adapters.legacy_erp.sap_ecc.wire import clean, envelope
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, payment, read_envelope, submission

_METHODS = ["bank_transfer", "card", "direct_debit", "cheque", "cash", "other"]


@st.composite
def _payments(draw: st.DrawFn) -> Payment:
    cents = draw(st.lists(st.integers(1, 10**9), max_size=12))
    rest = draw(st.integers(0, 10**9)) or (0 if cents else 1)
    return payment(
        f"{Decimal(sum(cents) + rest) / 100:f}",
        *[f"{Decimal(part) / 100:f}" for part in cents],
        payment_method=draw(st.sampled_from(_METHODS)),
        payment_reference=draw(st.text(max_size=64)),
    )


@given(_payments())
def test_payments_survive(document: Payment) -> None:
    made = submission(document)
    call = post_document(made, SETTINGS, SYSTEM)
    parameters: dict[str, Any] = read_envelope(envelope(call.function, call.parameters))[1]
    amounts = {row["ITEMNO_ACC"]: Decimal(row["AMT_DOCCUR"]) for row in parameters["CURRENCYAMOUNT"]}
    assert sum(amounts.values()) == 0
    settled: dict[str, Decimal] = {}
    rest = Decimal(0)
    for row in parameters["ACCOUNTRECEIVABLE"]:
        assert row["CUSTOMER"] == "1000001"
        match = re.match(r"\APAYS (.+)\Z", row["ITEM_TEXT"])
        if match is None:
            assert (row["ITEM_TEXT"], row["ALLOC_NMBR"]) == ("ON ACCOUNT", "")
            rest -= amounts[row["ITEMNO_ACC"]]
        else:
            assert row["ALLOC_NMBR"] == match[1].replace("/", "")
            settled[match[1]] = -amounts[row["ITEMNO_ACC"]]
    assert settled == {
        made.numbers[f"allocations[{index}].invoiceReference"].document_number: one.amount
        for index, one in enumerate(document.allocations)
    }
    assert rest == document.amount - sum(settled.values())
    [bank] = parameters["ACCOUNTGL"]
    assert amounts[bank["ITEMNO_ACC"]] == document.amount
    assert bank["GL_ACCOUNT"] == ("0011002000" if document.payment_method == "card" else "0011001000")
    whole = clean(f"{document.payment_method} {document.payment_reference}", 200)
    assert bank["ITEM_TEXT"] == clean(whole, 50)


def test_a_payment_of_too_many_invoices_is_refused() -> None:
    document = payment("991.00", *["1.00"] * 991)
    with pytest.raises(Rejected) as raised:
        post_document(submission(document), SETTINGS, SYSTEM)
    assert (raised.value.code, raised.value.field) == ("UNREPRESENTABLE", "lines")
