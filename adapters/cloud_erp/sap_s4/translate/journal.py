"""Journal entries, item by item. Pure.

An item has the line's own number, so that a line is found there by what its caller calls it. What the ERP has no field
for is left out with a note: the end of a text, the business unit of a line, and the references to what the entry
follows (the trace ledger holds them). One document there has one company and one currency, so an entry with several
is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.canonical import JournalEntry, JournalLine
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import fields
from adapters.cloud_erp.sap_s4.translate.item import CREDIT, DEBIT, HEADER_TEXT, ITEM_TEXT, MAX_ITEMS, Item
from adapters.cloud_erp.sap_s4.wire import Row
from adapters.errors import Garbled

MAX_LINES = MAX_ITEMS


def journal_items(entry: JournalEntry, settings: S4Settings) -> Iterator[Item]:
    """One item a line. `Rejected` for a line in another company or currency than the entry."""
    settings.company(entry.company_code)
    for index, line in enumerate(entry.lines):
        where = f"lines[{index}]"
        if line.company_code not in {None, entry.company_code}:
            raise fields.refusal(f"{where}.companyCode", "one document there has one company; post one entry for each")
        if line.currency_code not in {None, entry.currency_code}:
            raise fields.refusal(
                f"{where}.currencyCode", "one document there has one currency; post one entry for each"
            )
        yield Item(
            fields.ten_digits(line.gl_account),
            DEBIT if line.posting_side == "debit" else CREDIT,
            line.amount,
            line.description[:ITEM_TEXT],
            f"{where}.amount",
            cost_center=line.cost_center or "",
            number=f"{line.line_number:06d}",
        )


def journal_notes(entry: JournalEntry) -> tuple[str, ...]:
    """What the ERP does not hold of the entry."""
    notes = [f"description is cut to {HEADER_TEXT} characters"] if len(entry.description) > HEADER_TEXT else []
    for index, line in enumerate(entry.lines):
        if len(line.description) > ITEM_TEXT:
            notes.append(f"lines[{index}].description is cut to {ITEM_TEXT} characters")
        if line.business_unit not in {None, entry.business_unit}:
            notes.append(f"lines[{index}].businessUnit is left out")
    notes += [f"{link.field} is left out" for link in entry.links()]
    return tuple(notes)


def journal_lines_of(items: tuple[Row, ...]) -> tuple[JournalLine, ...]:
    """The lines of an entry that was read with its items: the inverse of `journal_items`, in the order of their
    numbers. An account of digits comes back without the zeros in front."""
    lines = []
    for item in items:
        number, side = item.number("AccountingDocumentItem"), item.text("DebitCreditCode")
        if not (number.isascii() and number.isdigit()) or side not in {DEBIT, CREDIT}:
            raise Garbled("an item has no number, or is neither debit nor credit")
        lines.append(
            JournalLine(
                line_number=int(number),
                gl_account=fields.party(item.number("GLAccount")),
                posting_side="debit" if side == DEBIT else "credit",
                amount=item.amount("AmountInTransactionCurrency"),
                cost_center=item.text("CostCenter") or None,
                description=item.text("DocumentItemText"),
            )
        )
    return tuple(sorted(lines, key=lambda line: line.line_number))
