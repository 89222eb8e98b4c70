"""Journal entries to BAPI_ACC_DOCUMENT_POST, and back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical import JournalEntry, Reference
from adapters.errors import Misconfigured, Rejected
from adapters.legacy_erp.sap_ecc import accounting_rows, tables
from adapters.legacy_erp.sap_ecc.accounting import accounting_expectation, post_document, post_mirror
from adapters.legacy_erp.sap_ecc.accounting_rows import NO_ITEMS, ItemTotal
from adapters.legacy_erp.sap_ecc.journal import EntryLine, entry_line_of
from adapters.legacy_erp.sap_ecc.wire import READ_TABLE, Answer, clean, envelope, parse
from adapters.port import Expectation, Submission
from tests.unit.sap_ecc.documents import SETTINGS, SYSTEM, entry, journal_line, number, read_envelope, submission
from tests.unit.sap_ecc.recorded import entered, mirror
from tests.unit.sap_ecc.scripted import golden

HEADERS, LEDGER = SETTINGS.tables.headers, SETTINGS.tables.ledger[0]


def _posted(of: Submission) -> dict[str, Any]:
    call = post_document(of, SETTINGS, SYSTEM)
    return read_envelope(envelope(call.function, call.parameters))[1]


def _answer(name: str) -> Answer:
    read = parse(READ_TABLE, "text/xml", golden(name))
    assert isinstance(read, Answer)
    return read


def _two(**changes: Any) -> JournalEntry:
    return entry(journal_line(1, "400000", "10.00"), journal_line(2, "113100", "-10.00"), **changes)


def test_an_entry_is_one_document_of_ledger_items() -> None:
    parameters = _posted(entered())
    header = parameters["DOCUMENTHEADER"]
    assert (header["DOC_TYPE"], header["REF_DOC_NO"], header["HEADER_TXT"]) == ("SA", "ENTRY00000000001", "JE-1")
    assert parameters["ACCOUNTRECEIVABLE"] == ""
    first = parameters["ACCOUNTGL"][0]
    assert (first["GL_ACCOUNT"], first["COSTCENTER"], first["PROFIT_CTR"]) == ("0000476900", "0000004711", "PCBEV")
    assert [row["AMT_DOCCUR"] for row in parameters["CURRENCYAMOUNT"]] == ["12.50", "2.38", "-14.88"]


def test_the_header_says_what_it_is_where_the_caller_gives_no_id() -> None:
    made = submission(_two(external_id=None, description="Accruals of July, to be undone in August"))
    assert _posted(made)["DOCUMENTHEADER"]["HEADER_TXT"] == "Accruals of July, to be u"


def test_the_documents_that_an_entry_follows_are_named_in_turn() -> None:
    texts = [entry_line_of(row["ITEM_TEXT"]) for row in _posted(entered())["ACCOUNTGL"]]
    assert [(one.kind, one.follows) for one in texts if one] == [
        ("PAYMENT", "0100000009/1000/1996"),
        ("INVOICE", "0100000007/1000/1996"),
        ("PAYMENT", "0100000009/1000/1996"),
    ]
    assert _posted(entered())["ACCOUNTGL"][1]["ALLOC_NMBR"] == "010000000710001996"


def test_an_order_is_named_by_its_number_or_its_idoc() -> None:
    made = submission(_two(order_reference=Reference(external_id="SO-4711")))
    for order_number in (number("sales_order", "0000004737"), number("idoc", "1000000000000001")):
        text = _posted(replace(made, numbers={"orderReference": order_number}))["ACCOUNTGL"][0]["ITEM_TEXT"]
        assert entry_line_of(text) == EntryLine(1, "ORDER", order_number.document_number, "")


@pytest.mark.parametrize("field", ["paymentReference", "invoiceReference", "orderReference"])
def test_a_followed_document_without_a_number_is_for_operations(field: str) -> None:
    member = {"paymentReference": "payment_reference", "invoiceReference": "invoice_reference"}.get(
        field, "order_reference"
    )
    made = submission(_two(**{member: Reference(external_id="X")}))
    with pytest.raises(Misconfigured) as raised:
        _posted(replace(made, numbers={}))
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (
            entry(
                journal_line(1, "400000", "10.00"),
                journal_line(2, "113100", "-10.00"),
                journal_line(3, "400000", "5.00", currency_code="EUR"),
                journal_line(4, "113100", "-5.00", currency_code="EUR"),
            ),
            "lines[2].currencyCode",
        ),
        (
            entry(
                journal_line(1, "400000", "10.00", company_code="2000"),
                journal_line(2, "113100", "-10.00", company_code="2000"),
            ),
            "lines[0].companyCode",
        ),
        (entry(*[journal_line(n, "400000", "1.00" if n % 2 else "-1.00") for n in range(1, 993)]), "lines"),
        (
            _two(
                order_reference=Reference(external_id="SO-1"),
                invoice_reference=Reference(external_id="INV-1"),
                payment_reference=Reference(external_id="PAY-1"),
            ),
            "lines",
        ),
        (entry(journal_line(1, "4", "1.001"), journal_line(2, "5", "-1.001"), currency_code="KWD"), "lines[0].amount"),
    ],
    ids=["currencies", "companies", "lines", "references", "decimals"],
)
def test_what_the_erp_would_take_and_hold_otherwise_is_refused(document: JournalEntry, field: str) -> None:
    with pytest.raises(Rejected) as raised:
        post_document(submission(document), SETTINGS, SYSTEM)
    assert (raised.value.code, raised.value.field) == ("UNREPRESENTABLE", field)


def test_the_longest_entry_goes_through() -> None:
    document = entry(*[journal_line(n, "400000", "1.00" if n % 2 else "-1.00") for n in range(1, 991)])
    assert len(_posted(submission(document))["ACCOUNTGL"]) == 990


def test_the_mirror_of_an_entry_has_a_type_of_its_own() -> None:
    call = post_mirror(mirror(entered()), SETTINGS, SYSTEM)
    mirrored = read_envelope(envelope(call.function, call.parameters))[1]
    assert mirrored["DOCUMENTHEADER"]["DOC_TYPE"] == "AB"
    assert [row["AMT_DOCCUR"] for row in mirrored["CURRENCYAMOUNT"]] == ["-12.50", "-2.38", "14.88"]


def test_what_an_inquiry_must_find_and_what_a_process_holds() -> None:
    assert accounting_expectation(entered(), SYSTEM) == Expectation(None, "USD", Decimal("14.88"))
    rows = tables.rows_of(_answer("ledger_items.answer"), accounting_rows.ledger_columns(LEDGER))
    totals = accounting_rows.item_totals(rows, LEDGER)
    assert totals == {("0100000010", "1000", "1996"): ItemTotal("", Decimal("14.88"), Decimal("14.88"))}
    [header] = tables.rows_of(_answer("entry_header.answer"), accounting_rows.header_columns(HEADERS))
    found = accounting_rows.found_document(header, *totals.values(), SETTINGS, SYSTEM)
    assert found.agrees_with(accounting_expectation(entered(), SYSTEM))
    assert (found.party, str(found.total)) == (None, "14.88")


@pytest.mark.parametrize(
    "items", [NO_ITEMS, ItemTotal("", debits=Decimal("14.88")), ItemTotal("", Decimal("14.88"), Decimal("14.87"))]
)
def test_an_entry_that_broke_off_agrees_with_nothing(items: ItemTotal) -> None:
    [header] = tables.rows_of(_answer("entry_header.answer"), accounting_rows.header_columns(HEADERS))
    found = accounting_rows.found_document(header, items, SETTINGS, SYSTEM)
    assert not found.agrees_with(accounting_expectation(entered(), SYSTEM))


@st.composite
def _entries(draw: st.DrawFn) -> JournalEntry:
    count = draw(st.integers(1, 10))
    numbers = draw(st.lists(st.integers(1, 999_999), min_size=count + 1, max_size=count + 1, unique=True))
    lines = []
    balance = Decimal(0)
    accounts = st.text("ABZ0123456789", min_size=1, max_size=10)
    for line_number in numbers[:-1]:
        signed = Decimal(draw(st.integers(1, 10**9)) * draw(st.sampled_from([1, -1]))) / 100
        balance += signed
        lines.append(
            journal_line(
                line_number,
                draw(accounts),
                f"{signed:f}",
                description=draw(st.text(max_size=256)),
                cost_center=draw(st.none() | accounts),
            )
        )
    if not balance:
        # A pair that settles itself leaves room for a last line of one cent.
        lines[0] = lines[0].model_copy(update={"amount": lines[0].amount + Decimal("0.01")})
        balance = Decimal("0.01") if lines[0].posting_side == "debit" else Decimal("-0.01")
    lines.append(journal_line(numbers[-1], draw(accounts), f"{-balance:f}"))
    named = draw(st.sets(st.sampled_from(["payment_reference", "invoice_reference", "order_reference"]), max_size=2))
    return entry(*lines, **{name: Reference(external_id="X") for name in named})


@given(_entries())
def test_entries_survive(document: JournalEntry) -> None:
    made = submission(document)
    parameters = _posted(made)
    amounts = {row["ITEMNO_ACC"]: Decimal(row["AMT_DOCCUR"]) for row in parameters["CURRENCYAMOUNT"]}
    assert sum(amounts.values()) == 0
    assert sum(amount for amount in amounts.values() if amount > 0) == document.amount
    named = set()
    for row, line in zip(parameters["ACCOUNTGL"], document.lines, strict=True):
        read = entry_line_of(row["ITEM_TEXT"])
        assert read is not None
        assert len(row["ITEM_TEXT"]) <= 50
        assert read.line_number == line.line_number
        assert clean(line.description, 256).startswith(read.description)
        assert row["ALLOC_NMBR"] == read.follows.replace("/", "")
        named.add(read.follows)
        signed = line.amount if line.posting_side == "debit" else -line.amount
        assert amounts[row["ITEMNO_ACC"]] == signed
        assert _unpadded(row["GL_ACCOUNT"]) == _unpadded(line.gl_account)
        assert _unpadded(row.get("COSTCENTER", "")) == _unpadded(line.cost_center or "")
    assert named - {""} == {number.document_number for number in made.numbers.values()}


def _unpadded(code: str) -> str:
    """A code is one with and without zeros in front, if it is all digits."""
    return code.lstrip("0") if code.isdigit() else code


@pytest.mark.parametrize("text", ["", "1", "x - y", "1 -x", "1 ORDER:", "1 CHEQUE:1 x", "1234567 - x"])
def test_other_texts_are_no_lines(text: str) -> None:
    assert entry_line_of(text) is None
