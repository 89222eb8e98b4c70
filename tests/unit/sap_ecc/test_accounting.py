"""Invoices, credit notes and payments to BAPI_ACC_DOCUMENT_POST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import DocumentLine, ErpNumber, Freight, Invoice, Reference, TaxAmount
from adapters.errors import Misconfigured, Rejected
from adapters.legacy_erp.sap_ecc.accounting import accounting_expectation, mirror_text, post_document, post_mirror
from adapters.legacy_erp.sap_ecc.invoices import InvoicedLine, line_of
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import clean, envelope
from adapters.port import Expectation, Submission
from tests.unit.sap_ecc.documents import (
    SETTINGS,
    SYSTEM,
    invoice,
    line,
    number,
    order,
    payment,
    read_envelope,
    submission,
)
from tests.unit.sap_ecc.recorded import POSTED, invoiced, mirror


def _read(call: Call) -> dict[str, Any]:
    return read_envelope(envelope(call.function, call.parameters))[1]


def _posted(of: Submission) -> dict[str, Any]:
    return _read(post_document(of, SETTINGS, SYSTEM))


def _amounts(parameters: Mapping[str, Any]) -> dict[str, Decimal]:
    return {row["ITEMNO_ACC"]: Decimal(row["AMT_DOCCUR"]) for row in parameters["CURRENCYAMOUNT"]}


def _by_account(parameters: Mapping[str, Any]) -> dict[str, Decimal]:
    amounts = _amounts(parameters)
    sums: dict[str, Decimal] = {}
    for row in [*parameters["ACCOUNTGL"], *parameters["ACCOUNTRECEIVABLE"]]:
        sums[row["GL_ACCOUNT"]] = sums.get(row["GL_ACCOUNT"], Decimal(0)) + amounts[row["ITEMNO_ACC"]]
    return sums


def test_an_invoice_debits_the_customer_and_credits_revenue_freight_and_tax() -> None:
    parameters = _posted(invoiced())
    assert _by_account(parameters) == {
        "0012100000": Decimal("336.45"),
        "0041000000": Decimal("-266.00"),
        "0044000000": Decimal("-32.38"),
        "0022000000": Decimal("-38.07"),
    }
    header = parameters["DOCUMENTHEADER"]
    assert (header["DOC_TYPE"], header["PSTNG_DATE"], header["REF_DOC_NO"]) == ("DR", "1996-07-04", "0123456789ABCDEF")
    assert header["HEADER_TXT"] == "INV-2026-0000000000000000"
    [customer] = parameters["ACCOUNTRECEIVABLE"]
    assert (customer["CUSTOMER"], customer["BLINE_DATE"]) == ("1000001", "1996-08-01")
    assert customer["ITEM_TEXT"] == "ORDER 0000004737"
    assert parameters["ACCOUNTGL"][0]["PROFIT_CTR"] == "PCBEV"


def test_a_credit_note_is_the_opposite_and_names_what_it_corrects() -> None:
    note = invoice(
        line(1, "2", "14.00", "28.00"),
        document_type="credit_note",
        order_reference=None,
        invoice_reference=Reference(external_id="INV-1"),
    )
    made = submission(note)
    parameters = _posted(replace(made, numbers=dict(made.numbers) | {"invoiceReference": POSTED}))
    assert parameters["DOCUMENTHEADER"]["DOC_TYPE"] == "DG"
    assert _by_account(parameters) == {"0012100000": Decimal("-28.00"), "0041000000": Decimal("28.00")}
    [customer] = parameters["ACCOUNTRECEIVABLE"]
    assert customer["ALLOC_NMBR"] == "010000000710001996"
    assert customer["ITEM_TEXT"] == "CORRECTS 0100000007/1000/1996"


@pytest.mark.parametrize(
    ("order_number", "text"),
    [
        (number("sales_order", "0000004737"), "CORRECTS 0100000007/1000/1996 ORDER 0000004737"),
        # An order's IDoc does not fit beside it; whoever looks finds it by the corrected invoice.
        (number("idoc", "1000000000000001"), "CORRECTS 0100000007/1000/1996"),
    ],
)
def test_a_credit_note_names_the_order_if_it_can(order_number: ErpNumber, text: str) -> None:
    made = submission(invoice(line(1, "2", "14.00", "28.00"), document_type="credit_note"))
    follows = {"invoiceReference": POSTED, "orderReference": order_number}
    [customer] = _posted(replace(made, numbers=dict(made.numbers) | follows))["ACCOUNTRECEIVABLE"]
    assert customer["ITEM_TEXT"] == text


def test_an_invoice_may_follow_an_order_that_went_as_an_idoc() -> None:
    follows = {"orderReference": number("idoc", "1000000000000001")}
    [customer] = _posted(replace(invoiced(), numbers=dict(invoiced().numbers) | follows))["ACCOUNTRECEIVABLE"]
    assert (customer["ITEM_TEXT"], customer["ALLOC_NMBR"]) == ("ORDER 1000000000000001", "1000000000000001")


def test_what_is_nothing_has_no_sign() -> None:
    parameters = _posted(submission(invoice(line(1, "3", "0", "0"), line(2, "1", "1.00", "1.00"))))
    assert [row["AMT_DOCCUR"] for row in parameters["CURRENCYAMOUNT"]] == ["1.00", "0.00", "-1.00"]


def test_a_mirror_exchanges_debit_and_credit_under_its_own_reference_and_type() -> None:
    posted, mirrored = _posted(invoiced()), _read(post_mirror(mirror(invoiced()), SETTINGS, SYSTEM))
    assert _by_account(mirrored) == {account: -amount for account, amount in _by_account(posted).items()}
    header = mirrored["DOCUMENTHEADER"]
    assert (header["DOC_TYPE"], header["REF_DOC_NO"], header["PSTNG_DATE"]) == ("DA", "FEDCBA9876543210", "1996-07-31")
    assert header["HEADER_TXT"] == mirror_text(POSTED.document_number) == "REVERSAL 0100000007/1996"


def test_a_mirror_of_an_order_or_of_another_system_is_refused() -> None:
    for wrong in (number("sales_order", "0000004737"), number("accounting_document", POSTED.document_number, "other")):
        with pytest.raises(Misconfigured):
            post_mirror(replace(mirror(invoiced()), number=wrong), SETTINGS, SYSTEM)


def test_a_payment_settles_invoices_and_leaves_the_rest_on_account() -> None:
    parameters = _posted(submission(payment("500.00", "330.30", "100.00")))
    amounts = _amounts(parameters)
    assert [
        (row["ALLOC_NMBR"], row["ITEM_TEXT"], amounts[row["ITEMNO_ACC"]]) for row in parameters["ACCOUNTRECEIVABLE"]
    ] == [
        ("010000000010001996", "PAYS 0100000000/1000/1996", Decimal("-330.30")),
        ("010000000110001996", "PAYS 0100000001/1000/1996", Decimal("-100.00")),
        ("", "ON ACCOUNT", Decimal("-69.70")),
    ]
    [bank] = parameters["ACCOUNTGL"]
    assert (bank["GL_ACCOUNT"], bank["ITEM_TEXT"]) == ("0011001000", "bank_transfer wire 99")


def test_a_payment_that_is_all_settled_has_nothing_on_account_and_a_card_its_own_account() -> None:
    parameters = _posted(submission(payment("430.30", "330.30", "100.00", payment_method="card")))
    assert len(parameters["ACCOUNTRECEIVABLE"]) == 2
    assert parameters["ACCOUNTGL"][0]["GL_ACCOUNT"] == "0011002000"


def test_what_an_inquiry_must_find() -> None:
    assert accounting_expectation(invoiced(), SYSTEM) == Expectation("1000001", "USD", Decimal("336.45"))
    paid = submission(payment("500.00"))
    assert accounting_expectation(paid, SYSTEM) == Expectation("1000001", "USD", Decimal("500.00"))


@st.composite
def _invoices(draw: st.DrawFn) -> Invoice:
    rates = [("S", Decimal(19)), ("S", Decimal(7)), ("Z", Decimal(0))]

    def taxed(net: Decimal) -> TaxAmount | None:
        chosen = draw(st.sampled_from([None, *rates]))
        if chosen is None:
            return None
        amount = (net * chosen[1] / 100).quantize(Decimal("0.01"))
        return TaxAmount(tax_category=chosen[0], rate_percent=chosen[1], amount=amount)

    lines: list[DocumentLine] = []
    for line_number in draw(st.lists(st.integers(1, 999_999), min_size=1, max_size=8, unique=True)):
        pieces = Decimal(draw(st.integers(1, 10**6))) / 1000
        price = Decimal(draw(st.integers(0, 10**6))) / 100
        net = (pieces * price).quantize(Decimal("0.01"))
        unit = draw(st.sampled_from(sorted(SETTINGS.units)))
        text = draw(st.text(max_size=80))
        lines.append(
            line(
                line_number,
                f"{pieces:f}",
                f"{price:f}",
                f"{net:f}",
                description=text,
                line_tax=taxed(net),
                unit_code=unit,
            )
        )
    freight = None
    if draw(st.booleans()):
        net = Decimal(draw(st.integers(0, 10**5))) / 100
        freight = Freight(net_amount=net, tax=taxed(net))
    return invoice(*lines, freight=freight, document_type=draw(st.sampled_from(["invoice", "credit_note"])))


@given(_invoices())
def test_an_invoices_lines_survive_in_items_and_every_document_balances(document: Invoice) -> None:
    sign = 1 if document.document_type == "invoice" else -1
    parameters = _posted(submission(document))
    amounts = _amounts(parameters)
    assert sum(amounts.values()) == 0
    assert all(len(row["ITEM_TEXT"]) <= 50 for row in parameters["ACCOUNTGL"])
    revenue = [row for row in parameters["ACCOUNTGL"] if row["GL_ACCOUNT"] == "0041000000"]
    found = [(line_of(row["ITEM_TEXT"]), -sign * amounts[row["ITEMNO_ACC"]]) for row in revenue]
    assert [(one.line_number, one.material, one.quantity, one.unit, net) for one, net in found if one] == [
        (
            one.line_number,
            f"TG{index}",
            one.quantity.value,
            SETTINGS.units[one.quantity.unit_code],
            one.net_amount,
        )
        for index, one in enumerate(document.lines)
    ]
    for (one, _), given_line in zip(found, document.lines, strict=True):
        assert one is not None
        assert clean(given_line.description, 256).startswith(one.description)
    sums = _by_account(parameters)
    assert -sign * sums.get("0022000000", Decimal(0)) == document.totals.tax_amount
    assert -sign * sums.get("0044000000", Decimal(0)) == document.totals.freight_amount
    assert sign * sums["0012100000"] == document.totals.gross_amount


@pytest.mark.parametrize("text", ["", "FREIGHT", "TAX S 19% OF 168.00", "ORDER 0000004737", "1 TG11 x PC Chai", "1 "])
def test_other_texts_are_no_lines(text: str) -> None:
    assert line_of(text) is None


def test_the_text_of_a_line_without_a_description() -> None:
    assert line_of("7 TG11 12.000 PC") == InvoicedLine(7, "TG11", Decimal(12), "PC", "")


def test_the_longest_line_text_keeps_all_but_the_description() -> None:
    document = invoice(line(999_999, "9999999999.999", "0.01", "100000000.00", unit_code="XBX"))
    made = submission(document)
    made = replace(made, numbers=dict(made.numbers) | {"lines[0].product": number("product", "X" * 18)})
    text = _posted(made)["ACCOUNTGL"][0]["ITEM_TEXT"]
    assert line_of(text) == InvoicedLine(999_999, "X" * 18, Decimal("9999999999.999"), "BOX", "Chai")


def test_an_unbalanced_document_is_refused() -> None:
    good = invoiced().document
    assert isinstance(good, Invoice)
    wrong = good.model_copy(update={"totals": good.totals.model_copy(update={"gross_amount": Decimal("336.46")})})
    with pytest.raises(Rejected) as raised:
        post_document(replace(invoiced(), document=wrong), SETTINGS, SYSTEM)
    assert raised.value.field == "totals"


def test_more_items_than_a_document_holds_are_refused() -> None:
    document = invoice(*[line(index, "1", "1.00", "1.00") for index in range(1, 1_000)])
    with pytest.raises(Rejected) as raised:
        post_document(submission(document), SETTINGS, SYSTEM)
    assert raised.value.field == "lines"


def test_three_decimals_are_refused_before_the_erp_rounds_them() -> None:
    document = payment("1.001", currency_code="KWD")
    with pytest.raises(Rejected) as raised:
        post_document(submission(document), SETTINGS, SYSTEM)
    assert raised.value.field == "amount"


def test_a_customer_that_the_cross_reference_does_not_know_is_never_sent() -> None:
    made = invoiced()
    for wrong in ({}, {"customer": number("customer", "NO SUCH ONE")}):
        kept = {field: value for field, value in made.numbers.items() if field != "customer"}
        with pytest.raises(Misconfigured) as raised:
            post_document(replace(made, numbers=kept | wrong), SETTINGS, SYSTEM)
        assert raised.value.field == "customer"


def test_an_order_is_no_accounting_document() -> None:
    with pytest.raises(Misconfigured):
        post_document(submission(order(line(1, "1", "1.00", "1.00"))), SETTINGS, SYSTEM)
