"""Journal entries as items of an accounting document. Pure.

An entry becomes one document of one company code in one currency, one item per line. A line's item text is
`<line number> <follows> <description>`, where `<follows>` names one of the documents that the entry follows
(`PAYMENT:<number>`, `INVOICE:<number>`, `ORDER:<number>`, in turn from line to line) or is `-`; ALLOC_NMBR holds the
same number. `entry_line_of` is its inverse.

Refused here, because the ERP would not refuse it: several company codes (they make one document per company code in a
real ECC, and a mixed one in the simulator), several currencies (the simulator adds them up as if they were one).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from adapters.canonical import JournalEntry
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.accounting_item import ITEM_TEXT, Item
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.wire import clean
from adapters.port import Submission

_LINE_TEXT: Final = re.compile(r"\A([0-9]{1,6}) (?:-|(PAYMENT|INVOICE|ORDER):([0-9A-Z/]{1,20}))(?: (.*))?\Z")
"""At most 35 characters before the description: 6 + 8 + 20 and the blank between."""


@dataclass(frozen=True, slots=True)
class EntryLine:
    """What an item's text says of a journal entry's line. `kind` and `follows` are "" where it names no document."""

    line_number: int
    kind: str
    follows: str
    description: str


def journal_items(submission: Submission, entry: JournalEntry, settings: SapEccSettings, system_id: str) -> list[Item]:
    """One item per line, debits positive.

    Raises `Rejected` for several currencies or company codes, for too many lines, and for fewer lines than documents
    that the entry follows; `Misconfigured` for missing numbers.
    """
    translate.check_lines(len(entry.lines))
    follows = _follows(submission, entry, system_id)
    if len(follows) > len(entry.lines):
        raise translate.refusal("lines", f"an entry that follows {len(follows)} documents needs a line for each")
    items = []
    for index, line in enumerate(entry.lines):
        place = f"lines[{index}]"
        if line.currency_code not in {None, entry.currency_code}:
            raise translate.refusal(f"{place}.currencyCode", "a document has one currency in this ERP")
        if line.company_code not in {None, entry.company_code}:
            raise translate.refusal(f"{place}.companyCode", "a document has one company code in this ERP")
        kind, number = follows[index % len(follows)] if follows else ("", "")
        named = f"{kind}:{number}" if kind else "-"
        items.append(
            Item(
                account=translate.padded(line.gl_account),
                amount=line.amount if line.posting_side == "debit" else -line.amount,
                field=f"{place}.amount",
                text=clean(f"{line.line_number} {named} {line.description}", ITEM_TEXT),
                assignment=number.replace("/", ""),
                profit_center=settings.profit_centers.get(line.business_unit or entry.business_unit, ""),
                cost_center=translate.padded(line.cost_center or ""),
            )
        )
    return items


def entry_line_of(text: str) -> EntryLine | None:
    """What the text of an item says of its line; None if it is not such a text."""
    match = _LINE_TEXT.match(text)
    if match is None:
        return None
    return EntryLine(int(match[1]), match[2] or "", match[3] or "", match[4] or "")


def _follows(submission: Submission, entry: JournalEntry, system_id: str) -> list[tuple[str, str]]:
    """Kind and number of the documents that the entry follows, the nearest first."""
    named: list[tuple[str, str]] = []
    for kind, field, reference in (
        ("PAYMENT", "paymentReference", entry.payment_reference),
        ("INVOICE", "invoiceReference", entry.invoice_reference),
    ):
        if reference is not None:
            number = translate.number_of(submission, system_id, field, "accounting_document", translate.ACCOUNTING)
            named.append((kind, number))
    if entry.order_reference is not None:
        # Absence is complained about as for the others; then either form of an order's number will do.
        order = translate.order_number_of(submission.numbers, system_id) or translate.number_of(
            submission, system_id, "orderReference", "sales_order", translate.ORDER
        )
        named.append(("ORDER", order))
    return named
