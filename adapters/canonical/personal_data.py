"""Which member of the canonical objects tells of a person: what is erased with a data subject, and what exports mark.

- `personal`: names, addresses, numbers and texts that tell of a natural person, or may: every free text is one.
- `business`: what two companies agreed or paid; nobody's but theirs.
- `none`: codes, positions and dates that tell of neither by themselves.

A member that holds another object is classified too; the strictest of the two counts. Regulation (EU) 2016/679,
article 4(1): personal data is whatever relates to an identified or identifiable natural person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

DataClass = Literal["personal", "business", "none"]

DATA_CLASS: Final = "x-data-class"
"""The keyword by which JSON schemas say it; of our own, hence the x-."""

_HEAD: Final[Mapping[str, DataClass]] = {
    "external_id": "business",
    "business_unit": "none",
    "geography": "none",
    "company_code": "none",
    "customer_segment": "business",
    "posting_date": "none",
    "currency_code": "none",
    "document_type": "none",
}
_CUSTOMER_HEAD: Final[Mapping[str, DataClass]] = {**_HEAD, "customer": "personal"}
_BILLED: Final[Mapping[str, DataClass]] = {"lines": "business", "freight": "business", "totals": "business"}

DATA_CLASSES: Final[Mapping[str, Mapping[str, DataClass]]] = {
    "Address": dict.fromkeys(("street", "city", "region", "postal_code", "country_code"), "personal"),
    "Contact": dict.fromkeys(("name", "title", "phone", "fax", "email"), "personal"),
    "TaxRegistration": {"country_code": "none", "tax_number": "personal"},
    "Customer": {
        "external_id": "personal",
        "name": "personal",
        "business_unit": "none",
        "geography": "none",
        "company_code": "none",
        "customer_segment": "business",
        "address": "personal",
        "contact": "personal",
        "tax_registrations": "personal",
    },
    "Product": {
        "external_id": "business",
        "name": "business",
        "description": "business",
        "product_category": "business",
        "base_unit_code": "none",
        "business_unit": "none",
        "company_code": "none",
        "list_price": "business",
        "discontinued": "business",
    },
    "Order": {
        **_CUSTOMER_HEAD,
        **_BILLED,
        "quote_reference": "business",
        "requested_delivery_date": "business",
        "ship_to": "personal",
    },
    "Contract": {
        **_CUSTOMER_HEAD,
        "quote_reference": "business",
        "renewal_of": "business",
        "start_date": "business",
        "end_date": "business",
        "billing_interval": "business",
        "auto_renewal": "business",
        "description": "personal",
        "lines": "business",
        "totals": "business",
    },
    "Invoice": {
        **_CUSTOMER_HEAD,
        **_BILLED,
        "order_reference": "business",
        "invoice_reference": "business",
        "contract_reference": "business",
        "due_date": "business",
    },
    "Payment": {
        **_CUSTOMER_HEAD,
        "payment_method": "business",
        "payment_reference": "personal",
        "amount": "business",
        "allocations": "business",
    },
    "Allocation": {"invoice_reference": "business", "amount": "business"},
    "JournalEntry": {
        **_HEAD,
        "description": "personal",
        "order_reference": "business",
        "invoice_reference": "business",
        "payment_reference": "business",
        "lines": "business",
    },
    "JournalLine": {
        "line_number": "none",
        "gl_account": "business",
        "posting_side": "business",
        "amount": "business",
        "currency_code": "none",
        "company_code": "none",
        "business_unit": "none",
        "cost_center": "business",
        "description": "personal",
    },
    "DocumentLine": {
        "line_number": "none",
        "product": "business",
        "description": "personal",
        "quantity": "business",
        "unit_price": "business",
        "discount_percent": "business",
        "net_amount": "business",
        "tax": "business",
        "business_unit": "none",
        "company_code": "none",
    },
    "Freight": {"net_amount": "business", "tax": "business"},
    "Totals": dict.fromkeys(("net_amount", "tax_amount", "freight_amount", "gross_amount"), "business"),
    "Money": {"amount": "business", "currency_code": "none"},
    "Quantity": {"value": "business", "unit_code": "none"},
    "TaxAmount": {"tax_category": "none", "rate_percent": "none", "amount": "business"},
    # What a reference names is said by the member that holds it.
    "Reference": {"document_id": "none", "external_id": "business", "source": "none", "erp_number": "business"},
    "ErpNumber": {"system_id": "none", "document_type": "none", "document_number": "business"},
}
"""By model and field; every field of every model that a document is made of."""


def marked(model: str, schema: dict[str, Any], wire_names: Mapping[str, str]) -> dict[str, Any]:
    """The model's JSON schema with `x-data-class` at each member that is classified. `wire_names`: by field."""
    members: dict[str, Any] = schema.get("properties", {})
    for field, data_class in DATA_CLASSES.get(model, {}).items():
        member = members.get(wire_names.get(field, field))
        if member is not None:
            member[DATA_CLASS] = data_class
    return schema
