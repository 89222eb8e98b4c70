"""An order that brings its customer: the member `newCustomer` of what is submitted, apart from the order.

The order that is kept refers to the customer by the customer's external id: it is the same document, with the same
hash, as one that was submitted with that reference. So only the way in knows this member.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from pydantic import ValidationError

from adapters.canonical import CanonicalDocument, Customer, Order
from gateway.domain.complaints import problem_of_validation, told_under
from gateway.errors import FieldError, Problem

MEMBER: Final = "newCustomer"
CUSTOMER_OF_ORDER: Final = "newCustomerTransactionId"
"""Of an order that came with its customer: the transaction that created this."""
ORDER_OF_CUSTOMER: Final = "madeForTransactionId"
"""Of a customer that was created for an order: the order's transaction."""
_REFERENCE: Final = "customer"
_ONE: Final = "Send `customer` for one that is known, or `newCustomer` for one to be created."


def links_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """How an order and the customer that came with it name each other; `members`: of either's `accepted` entry."""
    return {name: members[name] for name in (CUSTOMER_OF_ORDER, ORDER_OF_CUSTOMER) if name in members}


def about_the_customer(remedy: str = "") -> AbstractContextManager[None]:
    """Whatever is refused inside is told of the customer's members; `remedy`: what to do, in place of its own."""
    return told_under(MEMBER, remedy)


def take_new_customer(model: type[CanonicalDocument], members: dict[str, Any]) -> Customer | None:
    """Take the customer out of the members of an order, which then refer to it; None where there is none.

    Raises Problem `invalid-document`: it is no customer, has no externalId of its own, or stands beside a reference. Of
    any other document the member stays where it is, and is refused there as unknown.
    """
    if model is not Order or MEMBER not in members:
        return None
    said = members.pop(MEMBER)
    if said is None:
        return None
    if members.get(_REFERENCE) is not None:
        raise _refused(
            FieldError(MEMBER, "stands beside customer: an order has one customer", _ONE),
            FieldError(_REFERENCE, "stands beside newCustomer: an order has one customer", _ONE),
        )
    with about_the_customer():
        customer = _customer(said)
    if customer.external_id is None:
        raise _refused(
            FieldError(f"{MEMBER}.externalId", "is missing", "Give the customer the id by which you will refer to it.")
        )
    members[_REFERENCE] = {"externalId": customer.external_id}
    return customer


def _customer(said: Any) -> Customer:
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    try:
        return Customer.model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise problem_of_validation(error, Customer) from error


def _refused(*errors: FieldError) -> Problem:
    first = errors[0]
    return Problem("invalid-document", f"{first.field} {first.message}", remedy=first.remedy, errors=errors)
