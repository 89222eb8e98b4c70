"""Documents that lie in both ERPs, and what both books say of them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from adapters.canonical import JournalEntry
from tests.line.book_erp import BookErp
from tests.line.documents import journal_entry
from tests.line.rig import Rig

CLEARING = """  clearing:
    - {company_code: NW01, partner: NW02, account: "194002"}
    - {company_code: NW02, partner: NW01, account: "194001"}
    - {company_code: NW02, partner: NW01, account: "194009", system: legacy-main}
    - {company_code: NW01, partner: NW01, account: "194900", bank_account: "113100"}

company_codes:
  - {id: NW02, name: Northwind Traders GmbH, currency: EUR, calendar: calendar-year}
"""
NW02_IN_THE_CLOUD = "j-nw02,*,*,*,NW02,*,*,*,,,live,legacy-main,cloud-main,,,,The second company is in the cloud\n"
SPLIT = {
    "rulebook.yaml": ("\ncompany_codes:\n", CLEARING),
    "journal_entries.csv": ("j-west,", NW02_IN_THE_CLOUD + "j-west,"),
}
"""The company code NW02 is kept in the cloud ERP, NW01 (of Northern, FR) in the legacy one."""


async def split_rig(store: Any, **how: Any) -> Rig:
    return await Rig.on(store, edits=SPLIT, **how)


def charge(external_id: str = "IC-1", *, amount: str = "50.00", **changes: Any) -> dict[str, Any]:
    """NW01 pays what NW02 owes: each company code alone does not balance."""
    body = journal_entry(external_id, **changes)
    body["lines"] = [
        {"lineNumber": 1, "glAccount": "650000", "postingSide": "debit", "amount": amount, "companyCode": "NW02"},
        {"lineNumber": 2, "glAccount": "113100", "postingSide": "credit", "amount": amount},
    ]
    return body


def account_balances(erp: BookErp) -> dict[tuple[str, str], Decimal]:
    """Debits less credits by company code and account of all entries in the book; a mirror counts against."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    mirrors = {one.reversed_by for one in erp.book if one.reversed_by is not None}
    for entry in erp.book:
        said = erp.contents[entry.number.document_number]
        if isinstance(said, JournalEntry):
            sign = -1 if entry.number.document_number in mirrors else 1
            for line in said.lines:
                found[line.company_code or said.company_code, line.gl_account] += sign * line.signed_amount
    return dict(found)


def company_balances(erp: BookErp) -> dict[str, Decimal]:
    """Debits less credits by company code: nothing but zeros in books that balance."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (company_code, _), balance in account_balances(erp).items():
        found[company_code] += balance
    return dict(found)


def standing(erp: BookErp) -> int:
    """Documents in the book that are neither reversed nor the mirror of one."""
    mirrors = {one.reversed_by for one in erp.book if one.reversed_by is not None}
    return sum(one.reversed_by is None and one.number.document_number not in mirrors for one in erp.book)
