"""The facts that routing looks at, taken from a canonical document."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any

from adapters.canonical import BusinessDocument, CanonicalDocument, Customer, DocumentHead
from gateway.domain.legs import Leg
from routing_rules import Facts


def facts_of(
    document: CanonicalDocument,
    *,
    operation: str,
    share_key: str | None,
    is_root: bool,
) -> Facts:
    """What the rule tables may know of this document. What it does not have stays None: the tree's root.

    `share_key` as docs/rules.md says: the customer's first canonical id, or what the domain's `share_by` asks for.
    """
    head = document if isinstance(document, DocumentHead) else None
    return Facts(
        domain=document.domain,
        operation=operation,
        business_unit=document.business_unit,
        geography=document.geography if isinstance(document, Customer | DocumentHead) else None,
        company_code=document.company_code,
        document_type=document.document_type if isinstance(document, BusinessDocument) else None,
        customer_segment=document.customer_segment if isinstance(document, Customer | DocumentHead) else None,
        amount=document.amount if isinstance(document, BusinessDocument) else None,
        currency=head.currency_code if head else None,
        posting_date=head.posting_date if head else None,
        share_key=share_key,
        root_external_id=document.external_id if is_root else None,
    )


def facts_of_leg(whole: Facts, leg: Leg) -> Facts:
    """What the rule tables may know of one leg. `whole`: of the document that is split."""
    own = replace(
        whole,
        business_unit=leg.business_unit,
        company_code=leg.company_code,
        amount=Decimal(leg.amount),
        currency=leg.currency_code,
    )
    if leg.domain == whole.domain:
        return own
    # an entry that moves the money of a payment
    return replace(own, domain=leg.domain, document_type="journal_entry", customer_segment=None)


_WIRE_NAMES = {"currency": "currencyCode"}
"""Words that may not stand alone on the wire: some callers' generators reserve them."""

_SIMPLE = frozenset({str, int, bool, NoneType})


@lru_cache(4_096)
def camel(name: str) -> str:
    """snake_case → the name on the wire, lowerCamelCase."""
    if name in _WIRE_NAMES:
        return _WIRE_NAMES[name]
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def wire_members(value: Any) -> Any:
    """The same JSON value with its keys in wire words, all the way down."""
    if isinstance(value, dict):
        return {
            camel(key): member if type(member) in _SIMPLE else wire_members(member) for key, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [wire_members(member) for member in value]
    return value
