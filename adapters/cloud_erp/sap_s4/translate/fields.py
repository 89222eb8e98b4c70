"""What all nouns share: what fits into SAP's fields, numbers there, and amounts as read. Pure.

Whatever this system could only hold altered is refused before anything is sent, except where the noun's own module
says that it is left out and gives a note of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.canonical import ErpNumber, smallest_amount
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.wire import Entity
from adapters.errors import Garbled, Misconfigured, Rejected
from adapters.port import Submission

UNREPRESENTABLE: Final = "UNREPRESENTABLE"
"""Code of our own refusals, beside the ERP's own codes."""
CHANGED_SINCE: Final = "CHANGED_SINCE"
"""Code of our refusal of a document that does not stand as the gateway knows it."""

CUSTOMER: Final = re.compile(r"\A[0-9A-Z_-]{1,10}\Z")
"""KUNNR, CHAR 10."""
PRODUCT: Final = re.compile(r"\A[!-~]{1,40}\Z")
"""MATNR, CHAR 40 in S/4HANA; no blanks, because an item's text is split at them."""
SALES_ORDER: Final = re.compile(r"\A[0-9A-Z]{1,10}\Z")
"""VBELN."""
ACCOUNTING_DOCUMENT: Final = re.compile(r"\A([0-9A-Z]{1,10})/([0-9A-Z]{4})/([0-9]{4})\Z")
"""BELNR/BUKRS/GJAHR: the number alone repeats over companies and years."""
REFERENCE: Final = re.compile(r"\A[0-9A-Z]{1,16}\Z")
"""XBLNR holds 16 characters, in upper case; the other fields hold more."""
FORMS: Final = {
    "customer": CUSTOMER,
    "product": PRODUCT,
    "sales_order": SALES_ORDER,
    "accounting_document": ACCOUNTING_DOCUMENT,
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An entity to be created, and what of the document it leaves out."""

    entity: Entity
    notes: tuple[str, ...] = ()


def refusal(field: str, message: str) -> Rejected:
    """What we say, in the ERP's place, of a document that it could only hold altered."""
    return Rejected(message, code=UNREPRESENTABLE, field=field)


def unit(code: str, settings: S4Settings, field: str) -> str:
    """SAP's unit. Raises `Rejected` for one that would read back as another: which one a document has is its
    caller's."""
    try:
        return settings.unit_there(code)
    except Misconfigured as unmapped:
        raise refusal(field, f"{unmapped}") from unmapped


def stale(message: str) -> Rejected:
    """What we say of a document that somebody else changed."""
    return Rejected(message, code=CHANGED_SINCE, field="number")


def fitting(text: str, longest: int, field: str) -> str:
    """`text`, or `Rejected` if it is longer than its field there."""
    if len(text) > longest:
        raise refusal(field, f"the ERP holds {longest} characters here, this has {len(text)}")
    return text


def amount(value: Decimal, field: str) -> Decimal:
    """An amount (CURR 16,3 as the services declare it). `Rejected` for what would be rounded or overflow there."""
    return _scaled(value, 13, field, "an amount")


def quantity(value: Decimal, field: str) -> Decimal:
    """A quantity (QUAN 13,3). `Rejected` for what would be rounded or overflow there."""
    return _scaled(value, 10, field, "a quantity")


def rate(value: Decimal, field: str) -> Decimal:
    """A percentage with three decimals."""
    return _scaled(value, 3, field, "a percentage")


def _scaled(value: Decimal, digits: int, field: str, what: str) -> Decimal:
    if value != round(value, 3):
        raise refusal(field, f"the ERP keeps 3 decimals of {what}, {value:f} has more")
    if value >= Decimal(10) ** digits:
        raise refusal(field, f"the ERP holds {digits} digits of {what} before the point")
    return value


def reference(external_reference: str) -> str:
    """The external reference. `Misconfigured` for one that a field would cut or change."""
    if REFERENCE.match(external_reference) is None:
        raise Misconfigured("an external reference of this ERP is 1 to 16 characters 0-9, A-Z")
    return external_reference


def number_of(submission: Submission, system_id: str, field: str, document_type: str) -> str:
    """What the document that `field` refers to is called here.

    `Misconfigured` if the submission gives no number for it: OData takes an order of a customer that does not exist.
    """
    number = submission.numbers.get(field)
    if number is None:
        raise Misconfigured(f"{field} has no number in {system_id}", field=field)
    return checked(number, system_id, field, document_type)


def optional_number_of(submission: Submission, system_id: str, field: str, document_type: str) -> str:
    """As `number_of`, "" where there is none."""
    number = submission.numbers.get(field)
    return "" if number is None else checked(number, system_id, field, document_type)


def checked(number: ErpNumber, system_id: str, field: str, document_type: str) -> str:
    """`number` as this system writes it. `Misconfigured` for another system's, another kind's, or another form."""
    if number.system_id != system_id or number.document_type != document_type:
        raise Misconfigured(f"{field} is {number}, not a {document_type} of {system_id}", field=field)
    if FORMS[document_type].match(number.document_number) is None:
        raise Misconfigured(f"{field}: {number.document_number!r} is no {document_type} number here", field=field)
    return number.document_number


def erp_number(system_id: str, document_type: str, number: str) -> ErpNumber:
    """A number as an answer states it; `Garbled` if it has not the form of its kind."""
    if FORMS[document_type].match(number) is None:
        raise Garbled(f"the answer holds no {document_type} number")
    return ErpNumber(system_id=system_id, document_type=document_type, document_number=number)


def party(number: str) -> str:
    """A customer's number as comparisons use it: rows may hold it with or without the zeros in front."""
    return (number.lstrip("0") or number) if number.isdigit() else number


def ten_digits(account: str) -> str:
    """A G/L account as the ledger keeps it: with zeros in front if it has digits only."""
    return account.zfill(10) if account.isdigit() else account


def trimmed(value: Decimal, currency_code: str) -> Decimal:
    """An amount as read, with its currency's decimals where the further ones are zeros (rows state three)."""
    short = value.quantize(smallest_amount(currency_code))
    return short if short == value else value
