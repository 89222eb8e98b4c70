"""From canonical documents to calls: what orders and accounting documents share. Pure.

Whatever this system could only hold altered is refused here, before anything is sent: the ERP rounds, truncates or
leaves a document header behind instead of refusing (seen on the simulator: a text of 51 characters in an item is
refused after the header with its reference was written).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.canonical import ErpNumber, Invoice, JournalEntry, Order, Payment
from adapters.errors import Misconfigured, Rejected
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.legacy_erp.sap_ecc.wire import Function, Struct
from adapters.port import Submission

Document = Order | Invoice | Payment | JournalEntry

UNREPRESENTABLE: Final = "UNREPRESENTABLE"
"""Code of our own refusals, beside the ERP's own codes."""
STALE: Final = "STALE"
"""Code of our refusals of a change to what somebody else changed or took away."""

MAX_LINES: Final = 990
"""Lines of a document. Leaves room for customer, freight and tax among the 999 items of an accounting document."""

CUSTOMER: Final = re.compile(r"\A[0-9A-Z_-]{1,10}\Z")
"""KUNNR, CHAR 10, upper case."""
MATERIAL: Final = re.compile(r"\A[!-~]{1,18}\Z")
"""MATNR of ECC, CHAR 18; no blanks, because an item's text is split at them."""
ORDER: Final = re.compile(r"\A[0-9A-Z]{1,10}\Z")
"""VBELN."""
IDOC: Final = re.compile(r"\A[0-9]{16}\Z")
"""DOCNUM of EDIDC."""
ACCOUNTING: Final = re.compile(r"\A([0-9A-Z]{10})/([0-9A-Z]{4})/([0-9]{4})\Z")
"""BELNR/BUKRS/GJAHR as `ErpNumber.document_number` holds them; without the strokes it is the call's OBJ_KEY."""
OBJ_KEY: Final = re.compile(r"\A([0-9A-Z]{10})([0-9A-Z]{4})([0-9]{4})\Z")
REFERENCE: Final = re.compile(r"\A[0-9A-Z]{1,16}\Z")
"""XBLNR has 16 characters and is stored in upper case; BSTKD would hold 35."""
COMPANY: Final = re.compile(r"\A[0-9A-Z]{4}\Z")

_DECIMALS: Final = 2
"""Decimals of an amount that survive (CURR with two; three are rounded there without a word)."""
_LARGEST: Final = Decimal(10) ** 11
"""WRBTR and NETWR: CURR 13,2, hence eleven digits before the point."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function module."""

    function: Function
    parameters: Struct


def refusal(field: str, message: str) -> Rejected:
    """What we say, in the ERP's place, of a document that it could only hold altered."""
    return Rejected(message, code=UNREPRESENTABLE, field=field)


def money(amount: Decimal, field: str) -> str:
    """An amount as the ABAP types read it. Raises `Rejected` for what would be rounded or overflow there."""
    if amount != round(amount, _DECIMALS):
        raise refusal(field, f"the ERP keeps {_DECIMALS} decimals of an amount, {amount:f} has more")
    if abs(amount) >= _LARGEST:
        raise refusal(field, "the ERP holds amounts below 100,000,000,000")
    return format(amount.quantize(Decimal("0.01")) + 0, "f")  # + 0: the opposite of nothing has no sign


def quantity(value: Decimal, field: str) -> str:
    """A quantity (QUAN 13,3). Raises `Rejected` for what would be rounded or overflow there."""
    if value != round(value, 3):
        raise refusal(field, f"the ERP keeps 3 decimals of a quantity, {value:f} has more")
    if value >= Decimal(10) ** 10:
        raise refusal(field, "the ERP holds quantities below 10,000,000,000")
    return format(value.quantize(Decimal("0.001")), "f")


def unit(code: str, settings: SapEccSettings, field: str) -> str:
    """The unit of measure there. Raises `Rejected` for a unit that nobody mapped: which one a document has is its
    caller's, and asking again would not map it."""
    try:
        return settings.units[code]
    except KeyError:
        raise refusal(field, f"unit {code} is not mapped to a unit of this ERP") from None


def freight_unit(settings: SapEccSettings) -> str:
    """The unit of the item that carries the freight, which no caller names. Raises `Misconfigured`."""
    try:
        return settings.units["C62"]
    except KeyError:
        raise Misconfigured("unit C62, in which freight is sent, is not mapped to a unit of this ERP") from None


def day(value: date) -> str:
    """A date of a call. ABAP's type D is written so in XML (ABAP Keyword Documentation, "asXML, Mapping of Elementary
    ABAP Types"); the simulator takes no other form for the date of a change."""
    return value.isoformat()


def check_lines(count: int) -> None:
    """Raise `Rejected` for more lines than a document may have."""
    if count > MAX_LINES:
        raise refusal("lines", f"the ERP takes {MAX_LINES} lines in a document, this one has {count}")


def company(document: Document) -> str:
    """The company code (BUKRS). Raises `Misconfigured`, because which codes exist is a matter of the rulebook."""
    if COMPANY.match(document.company_code) is None:
        raise Misconfigured("a company code of this ERP has exactly 4 characters", field="companyCode")
    return document.company_code


def reference(submission_reference: str) -> str:
    """The external reference. Raises `Misconfigured` for one that the field would cut or change."""
    if REFERENCE.match(submission_reference) is None:
        raise Misconfigured("an external reference of this ERP is 1 to 16 characters 0-9, A-Z")
    return submission_reference


def number_of(submission: Submission, system_id: str, field: str, document_type: str, form: re.Pattern[str]) -> str:
    """What the document that `field` refers to is called here. Raises `Misconfigured` if that is not known."""
    number = submission.numbers.get(field)
    if number is None:
        raise Misconfigured(f"{field} has no number in {system_id}", field=field)
    return checked(number, system_id, field, document_type, form)


def optional_number_of(
    numbers: Mapping[str, ErpNumber], system_id: str, field: str, document_type: str, form: re.Pattern[str]
) -> str:
    """As `number_of`, "" where the document names none."""
    number = numbers.get(field)
    return "" if number is None else checked(number, system_id, field, document_type, form)


def order_number_of(numbers: Mapping[str, ErpNumber], system_id: str) -> str:
    """What `orderReference` is called here: a sales order, or the IDoc that an order was handed over as."""
    number = numbers.get("orderReference")
    kind, form = ("idoc", IDOC) if number is not None and number.document_type == "idoc" else ("sales_order", ORDER)
    return optional_number_of(numbers, system_id, "orderReference", kind, form)


def checked(number: ErpNumber, system_id: str, field: str, document_type: str, form: re.Pattern[str]) -> str:
    """`number` as this system writes it. Raises `Misconfigured` for another system's, another kind's, another form.

    The form is checked because accounting takes customers that do not exist, and a number that is too long is refused
    only after the document's header was written.
    """
    if number.system_id != system_id or number.document_type != document_type:
        raise Misconfigured(f"{field} is {number}, not a {document_type} of {system_id}", field=field)
    if form.match(number.document_number) is None:
        raise Misconfigured(f"{field}: {number.document_number!r} is no {document_type} number here", field=field)
    return number.document_number


def padded(code: str, length: int = 10) -> str:
    """A code as the tables hold it: digits with zeros in front (conversion exit ALPHA, which calls do not do)."""
    return code.zfill(length) if code.isascii() and code.isdigit() else code


def party(number: str) -> str:
    """A customer's number as comparisons use it: tables may hold it with or without the zeros in front."""
    return number.lstrip("0") if number.isascii() and number.isdigit() else number


def customer_of(submission: Submission, system_id: str) -> str:
    """The customer's number as the cross-reference holds it."""
    return number_of(submission, system_id, "customer", "customer", CUSTOMER)


def material_of(submission: Submission, system_id: str, index: int) -> str:
    """The material of a line."""
    return number_of(submission, system_id, f"lines[{index}].product", "product", MATERIAL)
