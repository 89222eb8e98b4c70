"""Customers as business partners with the customer roles. Pure.

Source: SAP Business Accelerator Hub, "Business Partner (A2X)" (API_BUSINESS_PARTNER_SRV). The external reference stands
in the field that the settings name (20 characters, searchable).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.canonical import Customer
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate.addresses import address_of, partner_address
from adapters.cloud_erp.sap_s4.translate.fields import Draft, erp_number, fitting, reference
from adapters.cloud_erp.sap_s4.translate.shape import Shape
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Row, Value
from adapters.errors import Misconfigured
from adapters.port import FoundDocument, Submission

EXPAND: Final = ("to_BusinessPartnerAddress",)
"""All that a change compares."""
CHANGEABLE: Final = frozenset({"name", "address", "contact"})
_SERVICE: Final = "API_BUSINESS_PARTNER_SRV"
_ORGANISATION: Final = "2"
_BLOCK: Final = "BusinessPartnerIsBlocked"
_FIRST_ADDRESS: Final = "1"
"""The service wants a number for the address; they count within the partner."""
_NAME: Final = 40
_FULL_NAME: Final = 81
_WAYS: Final = (("PhoneNumber", "phone", 30), ("EmailAddress", "email", 241))


def customer_draft(submission: Submission, settings: S4Settings) -> Draft:
    """The business partner of a customer, with address and roles in one deep insert.

    Left out, with a note: the contact's name, title and fax (another partner there), a phone or e-mail that is too
    long, and tax numbers where the service has no place for them. `Rejected` for a name or address that does not fit.
    """
    customer = _customer(submission)
    notes = list(contact_notes(customer))
    address = {name: value for name, value in _address(customer, settings).items() if value or name not in _OPTIONAL}
    entity: dict[str, Value] = {
        "BusinessPartnerCategory": _ORGANISATION,
        "BusinessPartnerGrouping": settings.partner_grouping,
        "OrganizationBPName1": customer.name[:_NAME],
        settings.customer_reference_field: reference(submission.external_reference),
        "to_BusinessPartnerAddress": [{"AddressID": _FIRST_ADDRESS, **address}],
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": role} for role in settings.customer_roles],
    }
    if full_name := _full_name(customer):
        entity["BusinessPartnerFullName"] = full_name
    if customer.tax_registrations and settings.tax_numbers == "not_carried":
        notes.append("tax numbers are left out: the service of business partners here has no place for them")
    elif customer.tax_registrations:
        entity["to_BusinessPartnerTax"] = [
            # BPTaxType: country and a digit; 0 is the VAT registration in SAP's own customizing.
            {"BPTaxType": f"{tax.country_code}0", "BPTaxNumber": fitting(tax.tax_number, 20, "taxRegistrations")}
            for tax in customer.tax_registrations
        ]
    return Draft(entity, tuple(notes))


def customer_standing(submission: Submission, settings: S4Settings) -> Entity:
    """Name and address of the customer as they stand there, what there is none of included. `Rejected` as
    `customer_draft`."""
    customer = _customer(submission)
    return {
        "OrganizationBPName1": customer.name[:_NAME],
        "BusinessPartnerFullName": _full_name(customer),
        "to_BusinessPartnerAddress": [_address(customer, settings)],
    }


def blocked_customer(standing: Entity, *, blocked: bool) -> Entity:
    """The customer with the central block, by which a partner is called off that nothing refers to: it is not deleted
    there before it is archived."""
    return {**standing, _BLOCK: blocked}


def customer_shape() -> Shape:
    """A partner and the first of its addresses, which is the one that we made."""

    def first(rows: Sequence[Row]) -> Sequence[Row]:
        return rows[:1]

    address = Shape(Address(_SERVICE, "A_BusinessPartnerAddress"), ("BusinessPartner", "AddressID"), ours=first)
    return Shape(
        Address(_SERVICE, "A_BusinessPartner"),
        ("BusinessPartner",),
        children={"to_BusinessPartnerAddress": address},
        # SAP makes the full name of the names; the simulator keeps what it was given.
        derived={"BusinessPartnerFullName": "OrganizationBPName1"},
        guard="OrganizationBPName1",
    )


def contact_notes(customer: Customer) -> tuple[str, ...]:
    """What of the contact is left out."""
    contact = customer.contact
    if contact is None:
        return ()
    long = (name for name, member, longest in _WAYS if len(getattr(contact, member)) > longest)
    notes = [f"{name} is left out: longer than its field there" for name in long]
    return (*notes, "contact name, title and fax are left out")


def customer_of(row: Row, settings: S4Settings) -> Customer:
    """What a business partner with its addresses says of a customer; the inverse of `customer_draft` for name and
    address. Geography is not kept there; the country stands for it."""
    address = address_of(row.many("to_BusinessPartnerAddress")[0], settings)
    name = row.text("BusinessPartnerFullName") or row.text("OrganizationBPName1")
    return Customer(name=name, geography=address.country_code, address=address)


def found_customer(row: Row, settings: S4Settings, system_id: str) -> FoundDocument:
    """A business partner. Its number is the customer's; the role gives the customer the partner's own number, and until
    the ERP states it the partner's stands for it. One that is blocked is called off."""
    number = row.text("Customer") or row.number("BusinessPartner")
    named = erp_number(system_id, "customer", number)
    reference_there = row.text(settings.customer_reference_field)
    return FoundDocument(named, reference_there, party=None, currency_code=None, total=None, cancelled=row.flag(_BLOCK))


def is_customer(row: Row, settings: S4Settings) -> bool:
    """True for a partner with one of the customer roles."""
    return any(
        role.text("BusinessPartnerRole") in settings.customer_roles for role in row.many("to_BusinessPartnerRole")
    )


_OPTIONAL: Final = frozenset(name for name, _, _ in _WAYS)


def _customer(submission: Submission) -> Customer:
    if not isinstance(submission.document, Customer):
        raise Misconfigured(f"{submission.domain} are no customers")
    return submission.document


def _full_name(customer: Customer) -> str:
    """A name that is longer than its field stands whole in another; "" for one that is not."""
    return fitting(customer.name, _FULL_NAME, "name") if len(customer.name) > _NAME else ""


def _address(customer: Customer, settings: S4Settings) -> dict[str, Value]:
    """The address, with phone and e-mail as far as they fit."""
    address = partner_address(customer.address, settings)
    for name, member, longest in _WAYS:
        value = getattr(customer.contact, member) if customer.contact is not None else ""
        address[name] = value if len(value) <= longest else ""
    return address
