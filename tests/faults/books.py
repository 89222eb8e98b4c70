"""The books of the fault ERP: what really was posted, line by line on disk, synced before anybody is told."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

ORDERS: Final = "A_SalesOrder"
ENTRIES: Final = "A_JournalEntry"
_FIRST: Final = {ORDERS: 1_200_000_000, ENTRIES: 1_500_000_000}
_REFERENCE: Final = {ORDERS: "PurchaseOrderByCustomer", ENTRIES: "ReferenceDocument"}
_ORDER_ID: Final = re.compile(r"^externalId: (.+)$", re.MULTILINE)
_ENTRY_ID: Final = re.compile(r"\AID (.+)\Z")


@dataclass
class Book:
    """One ERP's documents in the order of their posting. It takes whatever comes: a second document of the same
    reference is a second document."""

    path: Path
    documents: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def opened(cls, path: Path) -> Book:
        """What lies on disk; a last line without its end was never posted."""
        if not path.exists():
            return cls(path)
        lines = path.read_bytes().split(b"\n")[:-1]
        return cls(path, [json.loads(line) for line in lines])

    def post(self, entity_set: str, sent: dict[str, Any]) -> dict[str, Any]:
        """Number it, write it, sync it; the document as it stands."""
        number = str(_FIRST[entity_set] + len(self.documents) + 1)
        made = {**sent, "__metadata": {"type": f"FAULTS.{entity_set}Type"}}
        if entity_set == ORDERS:
            total = sum((Decimal(item["NetAmount"]) for item in sent["to_Item"]["results"]), Decimal(0))
            made |= {"SalesOrder": number, "TotalNetAmount": format(total, "f")}
        else:
            made |= {"AccountingDocument": number}
        self.documents.append(made)
        with self.path.open("ab") as file:
            file.write(json.dumps(made).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return made

    def found(self, entity_set: str, conditions: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """The documents of a set for which all of these hold."""
        return [
            one
            for one in self.documents
            if one["__metadata"]["type"] == f"FAULTS.{entity_set}Type"
            and all(one.get(name) == value for name, value in conditions)
        ]


@dataclass(frozen=True, slots=True)
class Booked:
    """A document as an auditor reads it in the ERP. `natural_key`: what its caller called it, by its own text there."""

    number: str
    reference: str
    natural_key: tuple[str, str]


def booked(path: Path) -> list[Booked]:
    """Everything that stands in a book on disk."""
    return [_booked(one) for one in Book.opened(path).documents]


def _booked(document: dict[str, Any]) -> Booked:
    if "SalesOrder" in document:
        text = "\n".join(one["LongText"] for one in document["to_Text"]["results"])
        match = _ORDER_ID.search(text)
        number, entity_set, domain = document["SalesOrder"], ORDERS, "orders"
    else:
        match = _ENTRY_ID.match(document["AccountingDocumentHeaderText"])
        number = f"{document['AccountingDocument']}/{document['CompanyCode']}/{document['FiscalYear']}"
        entity_set, domain = ENTRIES, "invoices"
    assert match is not None, f"{number} does not say whose it is"
    return Booked(number, document[_REFERENCE[entity_set]], (domain, match[1]))
