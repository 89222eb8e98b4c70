"""/v1/journal_entries."""

from __future__ import annotations

from typing import Final

from adapters.canonical import JournalEntry
from gateway.api.resources import Resource

EXAMPLE: Final = {
    "externalId": "JE-1001",
    "businessUnit": "Western",
    "geography": "US",
    "companyCode": "NW01",
    "postingDate": "2026-11-30",
    "currencyCode": "USD",
    "description": "Bank charges of the payment",
    "paymentReference": {"externalId": "PAY-1001", "source": "billing"},
    "lines": [
        {"lineNumber": 1, "glAccount": "710000", "postingSide": "debit", "amount": "1.50", "costCenter": "SALES"},
        {"lineNumber": 2, "glAccount": "113100", "postingSide": "credit", "amount": "1.50"},
    ],
}

RESOURCE: Final = Resource(
    model=JournalEntry,
    name="JournalEntry",
    plural="JournalEntries",
    meaning="a posting on the general ledger, balanced per currency and company code",
    example=EXAMPLE,
)
