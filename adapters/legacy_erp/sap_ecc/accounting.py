"""Canonical invoices, credit notes, payments and journal entries to BAPI_ACC_DOCUMENT_POST. Pure.

Source: SAP Help, "BAPI_ACC_DOCUMENT_POST" (structures BAPIACHE09, BAPIACGL09, BAPIACAR09, BAPIACCR09) and SAP Note
2083799 (what its fields take). A positive amount is a debit. Which items a document becomes is said in `invoices`,
`payments` and `journal`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import Invoice, JournalEntry, Payment
from adapters.errors import Misconfigured
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.accounting_item import Item
from adapters.legacy_erp.sap_ecc.invoices import invoice_items
from adapters.legacy_erp.sap_ecc.journal import journal_items
from adapters.legacy_erp.sap_ecc.payments import payment_items
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.translate import Call
from adapters.legacy_erp.sap_ecc.wire import POST_DOCUMENT, Value, clean
from adapters.port import Expectation, Reversal, Submission

AccountingDocument = Invoice | Payment | JournalEntry

MAX_ITEMS: Final = 999
"""Items of one accounting document (BUZEI, NUMC 3)."""
_HEADER_TEXT: Final = 25


def post_document(submission: Submission, settings: SapEccSettings, system_id: str) -> Call:
    """The call that posts an invoice, a credit note, a payment or a journal entry.

    Raises `Rejected` for what the ERP could only hold altered, `Misconfigured` for missing numbers and mappings.
    """
    document = accounting_of(submission)
    kind = _document_type(document, settings)
    items = _items(submission, settings, system_id)
    text = document.external_id or (document.description if isinstance(document, JournalEntry) else "")
    text = clean(text, _HEADER_TEXT)
    return _call(submission, settings, items, kind, submission.external_reference, document.posting_date, text)


def post_mirror(reversal: Reversal, settings: SapEccSettings, system_id: str) -> Call:
    """The call that undoes a document: the same items with debit and credit exchanged. Errors as `post_document`."""
    number = translate.checked(reversal.number, system_id, "number", "accounting_document", translate.ACCOUNTING)
    mirrored = [replace(item, amount=-item.amount) for item in _items(reversal.original, settings, system_id)]
    types = settings.document_types
    is_entry = isinstance(reversal.original.document, JournalEntry)
    return _call(
        reversal.original,
        settings,
        mirrored,
        types.journal_reversal if is_entry else types.reversal,
        reversal.external_reference,
        reversal.posting_date,
        mirror_text(number),
    )


def mirror_text(number: str) -> str:
    """The header text of the mirror of a document (24 of 25 characters), by which the mirror is found."""
    match = translate.ACCOUNTING.match(number)
    if match is None:
        raise Misconfigured(f"{number!r} is no accounting document number")
    return f"REVERSAL {match[1]}/{match[3]}"


def accounting_expectation(submission: Submission, system_id: str) -> Expectation:
    """What an inquiry must find: the customer's items come to the gross amount, debit or credit; a journal entry's
    debits to its amount, and it is nobody's."""
    document = accounting_of(submission)
    party = None
    if not isinstance(document, JournalEntry):
        party = translate.party(translate.customer_of(submission, system_id))
    return Expectation(party, document.currency_code, document.amount)


def accounting_of(submission: Submission) -> AccountingDocument:
    """The accounting document in a submission. Raises `Misconfigured` for another document."""
    if not isinstance(submission.document, AccountingDocument):
        raise Misconfigured(f"{submission.domain} are no accounting documents")
    return submission.document


def _document_type(document: AccountingDocument, settings: SapEccSettings) -> str:
    types = settings.document_types
    if isinstance(document, Payment):
        return types.payment
    if isinstance(document, JournalEntry):
        return types.journal_entry
    return types.credit_note if document.document_type == "credit_note" else types.invoice


def _items(submission: Submission, settings: SapEccSettings, system_id: str) -> list[Item]:
    document = accounting_of(submission)
    if isinstance(document, Payment):
        return payment_items(submission, document, settings, system_id)
    if isinstance(document, JournalEntry):
        return journal_items(submission, document, settings, system_id)
    return invoice_items(submission, document, settings, system_id)


def _call(
    submission: Submission,
    settings: SapEccSettings,
    items: list[Item],
    document_type: str,
    reference: str,
    posting_date: date,
    text: str,
) -> Call:
    document = accounting_of(submission)
    if sum((item.amount for item in items), Decimal(0)):
        raise translate.refusal("totals", "the document does not balance")
    if len(items) > MAX_ITEMS:
        raise translate.refusal("lines", f"the ERP holds {MAX_ITEMS} items in a document, this one has {len(items)}")
    general: list[Value] = []
    receivable: list[Value] = []
    amounts: list[Value] = []
    due = getattr(document, "due_date", None) or posting_date
    for position, item in enumerate(items, start=1):
        row: dict[str, Value] = {"ITEMNO_ACC": f"{position:010d}", "GL_ACCOUNT": item.account}
        if item.customer:
            row["CUSTOMER"] = item.customer
            row["BLINE_DATE"] = translate.day(due)
            receivable.append(row)
        else:
            row["COMP_CODE"] = translate.company(document)
            general.append(row)
        row["ALLOC_NMBR"] = item.assignment
        row["ITEM_TEXT"] = item.text
        if item.profit_center:
            row["PROFIT_CTR"] = item.profit_center
        if item.cost_center:
            row["COSTCENTER"] = item.cost_center
        amounts.append(
            {
                "ITEMNO_ACC": f"{position:010d}",
                "CURRENCY": document.currency_code,
                "AMT_DOCCUR": translate.money(item.amount, item.field),
            }
        )
    header: dict[str, Value] = {
        "OBJ_TYPE": "BKPFF",
        "BUS_ACT": "RFBU",
        "USERNAME": settings.user[:12].upper(),
        "HEADER_TXT": text,
        "COMP_CODE": translate.company(document),
        "DOC_DATE": translate.day(document.posting_date),
        "PSTNG_DATE": translate.day(posting_date),
        "DOC_TYPE": document_type,
        "REF_DOC_NO": translate.reference(reference),
    }
    return Call(
        POST_DOCUMENT,
        {
            "DOCUMENTHEADER": header,
            "ACCOUNTGL": general,
            "ACCOUNTRECEIVABLE": receivable,
            "CURRENCYAMOUNT": amounts,
            "RETURN": "",
        },
    )
