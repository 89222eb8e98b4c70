"""Accounting documents as rows of tables state them. Pure.

A document is a header and what its items come to: the customer's items of an invoice, a credit note or a payment, the
general ledger items of a journal entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.canonical import ErpNumber
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.table_names import HeaderTable, ItemTable, LedgerTable
from adapters.legacy_erp.sap_ecc.tables import Row, amount_of, day_of, trimmed
from adapters.legacy_erp.sap_ecc.wire import Unreadable
from adapters.port import FoundDocument

Key = tuple[str, str, str]
"""Number, company code, fiscal year of an accounting document."""

_PERIOD: Final = re.compile(r"\A[0-9]{1,3}\Z")
_DEBIT: Final = "S"
_CREDIT: Final = "H"


def header_columns(table: HeaderTable) -> tuple[str, ...]:
    """Columns of an accounting document's header, the caller's free text last."""
    return (
        table.number,
        table.company,
        table.year,
        table.document_type,
        table.posting_date,
        table.period,
        table.currency,
        table.reference,
    )


def item_columns(table: ItemTable) -> tuple[str, ...]:
    """Columns of a customer item."""
    return (table.number, table.company, table.year, table.side, table.amount, table.customer)


def ledger_columns(table: LedgerTable) -> tuple[str, ...]:
    """Columns of a general ledger item."""
    return (table.number, table.company, table.year, table.side, table.amount)


@dataclass(frozen=True, slots=True)
class ItemTotal:
    """What items of a document come to: debits and credits, both positive, and whose they are.

    `party`: the customer; "" if they are nobody's or several's, as they are in the ledger.
    """

    party: str = ""
    debits: Decimal = Decimal(0)
    credits: Decimal = Decimal(0)

    def __add__(self, other: ItemTotal) -> ItemTotal:
        """Items of one document together."""
        party = self.party if self.party == other.party else ""
        return ItemTotal(party, self.debits + other.debits, self.credits + other.credits)


NO_ITEMS: Final = ItemTotal()


def item_totals(rows: Iterable[Row], table: ItemTable | LedgerTable) -> dict[Key, ItemTotal]:
    """Sums of items by document. Raises `Unreadable` for an amount or side that is none."""
    sums: dict[Key, ItemTotal] = {}
    for row in rows:
        side, amount = row[table.side], amount_of(row[table.amount])
        party = translate.party(row[table.customer]) if isinstance(table, ItemTable) else ""
        if side == _DEBIT:
            one = ItemTotal(party, debits=amount)
        elif side == _CREDIT:
            one = ItemTotal(party, credits=amount)
        else:
            raise Unreadable("an item is neither debit nor credit")
        key = (row[table.number], row[table.company], row[table.year])
        sums[key] = sums[key] + one if key in sums else one
    return sums


def header_key(row: Row, table: HeaderTable) -> Key:
    """The key of a header's row."""
    return row[table.number], row[table.company], row[table.year]


def is_of_ledger(row: Row, settings: SapEccSettings) -> bool:
    """True if the header is that of a document without customer."""
    return row[settings.tables.headers.document_type] in settings.document_types.of_ledger


def found_document(row: Row, items: ItemTotal, settings: SapEccSettings, system_id: str) -> FoundDocument:
    """An accounting document as its header and its customer's or ledger items state it.

    A header without such items (one that a failed posting left behind) has party "" and total 0, which agrees with
    nothing; so has a journal entry whose items do not balance. Raises `Unreadable` for a number, date or period that
    is none.
    """
    table = settings.tables.headers
    party: str | None = items.party
    total = abs(items.debits - items.credits)
    if is_of_ledger(row, settings):
        whole = items.debits == items.credits != 0
        party, total = (None, items.debits) if whole else ("", Decimal(0))
    number = "/".join(header_key(row, table))
    if translate.ACCOUNTING.match(number) is None or _PERIOD.match(row[table.period]) is None:
        raise Unreadable("a header has no number, company code, year or period")
    return FoundDocument(
        number=ErpNumber(system_id=system_id, document_type="accounting_document", document_number=number),
        external_reference=row[table.reference],
        party=party,
        currency_code=row[table.currency],
        total=trimmed(total, row[table.currency]),
        company_code=row[table.company],
        posting_date=day_of(row[table.posting_date]),
        fiscal_year=int(row[table.year]),
        fiscal_period=int(row[table.period]),
    )
