"""What the generated clients do: two Northwind lineages, one for each ERP, and all that can be done to documents.

The clients get the documents as JSON and answer with what they met, by step; `EXPECTED` is what they must have met.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from adapters.canonical import CanonicalDocument
from gateway.demo.northwind import Northwind, load_northwind

LEGACY_ORDER, CLOUD_ORDER = "10248", "10249"
"""Eastern and France stay in the legacy ERP, Western and Germany are live in the cloud."""

SYSTEMS = {LEGACY_ORDER: "legacy-main", CLOUD_ORDER: "cloud-main"}

Body = dict[str, Any]
Met = dict[str, Any]

EXPECTED: Met = {
    "masters": ["posted"],
    "legacy order": [201, "posted", "legacy-main"],
    "legacy invoice": [201, "posted", "legacy-main"],
    "legacy payment": [201, "posted", "legacy-main"],
    "cloud order": [201, "posted", "cloud-main"],
    "cloud invoice": [201, "posted", "cloud-main"],
    "cloud payment": [201, "posted", "cloud-main"],
    "the same request again": [200, "posted", "replayed", "the same transaction"],
    "the key of another request": [422, "idempotency-key-reused"],
    "the external id of another document": [409, "natural-key-conflict"],
    "sums that disagree": [422, "totals-disagree", "totals.netAmount"],
    "an unknown caller": [401, "unauthenticated"],
    "what a problem means": [422, "totals-disagree"],
    "read": ["present", "posted", 1, "v1"],
    "changed with the ETag of the body": [200, "posted", 2],
    "changed with an old ETag": [412, "stale"],
    "called off": [200, "posted", "cancelled"],
    "contract": [201, "posted"],
    "journal entry": [201, "posted"],
    "journal entry reversed": [200, "posted"],
    "payment reversed": [200, "posted"],
    "credit note": [201, "posted"],
    "listed by cursor": ["all orders", "each once", "several pages"],
    "transaction": ["posted"],
    "trace": ["accepted", "routed", "dispatched", "posted"],
    "lineage": [4, "cloud-main"],
    "capabilities": ["cloud-main", "legacy-main"],
}


def northwind() -> Northwind:
    """The two lineages, and the masters that they name."""
    whole = load_northwind()
    lineages = tuple(one for one in whole.lineages if one.order.external_id in SYSTEMS)
    customers = {one.order.customer.external_id for one in lineages}
    products = {line.product.external_id for one in lineages for line in one.order.lines}
    return replace(
        whole,
        customers=tuple(one for one in whole.customers if one.external_id in customers),
        products=tuple(one for one in whole.products if one.external_id in products),
        lineages=lineages,
    )


def journey(prefix: str) -> Body:
    """The documents of one client. `prefix` begins the external ids and keys of all that are no masters."""
    chosen = northwind()
    lineages = {
        SYSTEMS[str(one.order.external_id)].removesuffix("-main"): {
            "order": _body(one.order, prefix),
            "invoice": _body(one.invoice, prefix),
            "payment": _body(one.payment, prefix),
        }
        for one in chosen.lineages
        if one.invoice is not None and one.payment is not None
    }
    order, invoice = lineages["cloud"]["order"], lineages["cloud"]["invoice"]
    later = {**order, "externalId": f"{prefix}later", "idempotencyKey": f"{prefix}later"}
    return {
        "masters": {
            "customers": [_body(one) for one in chosen.customers],
            "products": [_body(one) for one in chosen.products],
        },
        **lineages,
        "disagreeing": {**later, "totals": {**order["totals"], "netAmount": "1.00"}},
        "later": later,
        "change": {"requestedDeliveryDate": "1996-08-30", "idempotencyKey": f"{prefix}change"},
        "contract": _contract(order, prefix),
        "journalEntry": _journal_entry(order, prefix),
        "creditNote": {
            **{name: value for name, value in invoice.items() if name not in {"orderReference", "dueDate"}},
            "documentType": "credit_note",
            "externalId": f"{prefix}CN",
            "idempotencyKey": f"{prefix}CN",
            "invoiceReference": {"externalId": invoice["externalId"]},
        },
    }


def _body(document: CanonicalDocument | None, prefix: str = "") -> Body:
    """As a caller writes it, with a key of its own; external ids of documents get the prefix, those of masters stay."""
    assert document is not None
    found: Body = json.loads(document.model_dump_json(by_alias=True, exclude_none=True))
    for name in ("orderReference", "invoiceReference"):
        for holder in (found, *found.get("allocations", ())):
            if name in holder:
                holder[name]["externalId"] = prefix + holder[name]["externalId"]
    found["externalId"] = prefix + found["externalId"]
    found["idempotencyKey"] = f"{prefix}{document.domain}:{document.external_id}"
    return found


def _contract(order: Body, prefix: str) -> Body:
    head = ("businessUnit", "geography", "companyCode", "currencyCode", "customer", "postingDate", "lines", "totals")
    return {
        **{name: order[name] for name in head},
        "externalId": f"{prefix}CT",
        "idempotencyKey": f"{prefix}CT",
        "startDate": "1996-08-01",
        "endDate": "1997-07-31",
        "billingInterval": "monthly",
    }


def _journal_entry(order: Body, prefix: str) -> Body:
    head = ("businessUnit", "geography", "companyCode", "currencyCode", "postingDate")
    return {
        **{name: order[name] for name in head},
        "externalId": f"{prefix}JE",
        "idempotencyKey": f"{prefix}JE",
        "description": "Bank charges",
        "lines": [
            {"lineNumber": 1, "glAccount": "710000", "postingSide": "debit", "amount": "1.50"},
            {"lineNumber": 2, "glAccount": "113100", "postingSide": "credit", "amount": "1.50"},
        ],
    }
