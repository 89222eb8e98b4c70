"""Payments as items of journal entries. Pure.

The bank is debited, the customer credited once per settled invoice, with the text `PAYS <number>`, and once for what is
left, `ON ACCOUNT`. Method and reference stand in the header text and in the text of the bank's item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from adapters.canonical import Payment
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.item import CREDIT, DEBIT, ITEM_TEXT, MAX_ITEMS, Item
from adapters.port import Submission

MAX_LINES: Final = MAX_ITEMS - 2
"""Invoices that one payment settles; the bank and what is left on account are the other two items."""
_METHODS: Final[Mapping[str, str]] = {
    "bank_transfer": "T",
    "card": "C",
    "direct_debit": "D",
    "cheque": "Q",
    "cash": "H",
    "other": "O",
}


def payment_items(submission: Submission, payment: Payment, settings: S4Settings, system_id: str) -> Iterator[Item]:
    """Debit the bank, credit the customer: one item per settled invoice, and what is left on account."""
    accounts = settings.accounts
    customer = fields.number_of(submission, system_id, "customer", "customer")
    yield Item(accounts.bank, DEBIT, payment.amount, payment.payment_reference[:ITEM_TEXT], "amount")
    left = payment.amount
    for index, allocation in enumerate(payment.allocations):
        where = f"allocations[{index}]"
        invoice = fields.number_of(submission, system_id, f"{where}.invoiceReference", "accounting_document")
        left -= allocation.amount
        text = f"PAYS {invoice}"
        yield Item(accounts.receivables, CREDIT, allocation.amount, text, f"{where}.amount", customer)
    if left:
        yield Item(accounts.receivables, CREDIT, left, "ON ACCOUNT", "amount", customer)


def payment_header_text(payment: Payment) -> str:
    """The method, and the end of the reference (64) that its bank item (50) does not hold."""
    return f"{_METHODS[payment.payment_method]} {payment.payment_reference[ITEM_TEXT:]}".rstrip()
