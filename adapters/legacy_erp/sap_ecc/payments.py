"""Payments as items of an accounting document. Pure."""

from __future__ import annotations

from adapters.canonical import Payment
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.accounting_item import ITEM_TEXT, Item
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.wire import clean
from adapters.port import Submission


def payment_items(submission: Submission, payment: Payment, settings: SapEccSettings, system_id: str) -> list[Item]:
    """Debit the bank, credit the customer: one item per settled invoice, and what is left on account.

    ASSIGNMENT (ALLOC_NMBR, 18) holds the invoice's number, company and year, by which automatic clearing matches.
    """
    translate.check_lines(len(payment.allocations))
    accounts = settings.accounts
    customer = translate.customer_of(submission, system_id)
    bank = accounts.bank_by_method.get(payment.payment_method, accounts.bank)
    text = clean(f"{payment.payment_method} {payment.payment_reference}", ITEM_TEXT)
    items = []
    left = payment.amount
    for index, allocation in enumerate(payment.allocations):
        field = f"allocations[{index}]"
        invoice = translate.number_of(
            submission, system_id, f"{field}.invoiceReference", "accounting_document", translate.ACCOUNTING
        )
        left -= allocation.amount
        items.append(
            Item(
                accounts.receivable,
                -allocation.amount,
                f"{field}.amount",
                text=f"PAYS {invoice}",
                customer=customer,
                assignment=invoice.replace("/", ""),
            )
        )
    if left:
        items.append(Item(accounts.receivable, -left, "amount", text="ON ACCOUNT", customer=customer))
    return [*items, Item(bank, payment.amount, "amount", text=text)]
