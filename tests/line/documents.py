"""Bodies of the documents that follow, relate, correct and adjust; orders, invoices and payments stand in the rig."""

from __future__ import annotations

from typing import Any

from tests.line.rig import invoice, order

TO_CLOUD = {"businessUnit": "Western", "geography": "US"}


def priced(quantity: int) -> dict[str, Any]:
    """Lines and totals of so many pieces at 14.00, as members of an order or of a change."""
    amount = f"{14 * quantity}.00"
    (line,) = order()["lines"]
    return {
        "lines": [line | {"quantity": {"value": str(quantity)}, "netAmount": amount}],
        "totals": {"netAmount": amount, "grossAmount": amount},
    }


def credit_note(external_id: str, of_invoice: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """A credit of 14.00 a piece on an invoice of billing's."""
    body = invoice(external_id) | {"documentType": "credit_note", "invoiceReference": {"externalId": of_invoice}}
    del body["orderReference"]
    parts = priced(quantity)
    parts["lines"][0]["product"] = {"externalId": "11", "source": "salesforce"}
    return body | parts | changes


def contract(external_id: str = "SUB-1", **changes: Any) -> dict[str, Any]:
    """A monthly subscription of 168.00 USD."""
    return order(external_id) | {"startDate": "1996-07-01"} | changes


def journal_entry(external_id: str = "JE-1", **changes: Any) -> dict[str, Any]:
    """An accrual of 50.00 USD."""
    head = {
        name: value
        for name, value in order(external_id).items()
        if name in {"externalId", "businessUnit", "geography", "companyCode", "postingDate", "currencyCode"}
    }
    return (
        head
        | {
            "lines": [
                {"lineNumber": 1, "glAccount": "650000", "postingSide": "debit", "amount": "50.00"},
                {"lineNumber": 2, "glAccount": "260000", "postingSide": "credit", "amount": "50.00"},
            ]
        }
        | changes
    )


def customer(external_id: str = "NEW", **changes: Any) -> dict[str, Any]:
    return {
        "externalId": external_id,
        "name": "New customer",
        "geography": "DE",
        "address": {"countryCode": "DE"},
    } | changes
