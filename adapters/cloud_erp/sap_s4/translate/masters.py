"""Customers as business partners with the customer roles, products as materials. Pure.

Sources: SAP Business Accelerator Hub, "Business Partner (A2X)" (API_BUSINESS_PARTNER_SRV) and "Product Master"
(API_PRODUCT_SRV).

Where the external reference stands: a customer's in the field that the settings name (20 characters, searchable); a
product's *is* its number, because the caller of that service names the material and the ERP refuses a number that
it has: the one document here of which a second posting is impossible.
"""

from __future__ import annotations

from typing import Final

from adapters.canonical import Address, Customer, Product
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate.fields import Draft, erp_number, fitting, reference, refusal
from adapters.cloud_erp.sap_s4.wire import Entity, Row, Value
from adapters.errors import Misconfigured
from adapters.port import FoundDocument, Submission

_ORGANISATION: Final = "2"
_FIRST_ADDRESS: Final = "1"
"""The service wants a number for the address; they count within the partner."""
_OLD_NUMBER: Final = 18


def customer_draft(submission: Submission, settings: S4Settings) -> Draft:
    """The business partner of a customer, with address and roles in one deep insert.

    Left out, with a note: the contact's name, title and fax (another partner there), a phone or e-mail that is too
    long, and tax numbers where the service has no place for them. `Rejected` for a name or address that does not fit.
    """
    customer = submission.document
    if not isinstance(customer, Customer):
        raise Misconfigured(f"{submission.domain} are no customers")
    notes: list[str] = []
    address = _address(customer.address, settings)
    contact = customer.contact
    if contact is not None:
        for name, value, longest in (("PhoneNumber", contact.phone, 30), ("EmailAddress", contact.email, 241)):
            if len(value) <= longest:
                address[name] = value
            else:
                notes.append(f"{name} is left out: longer than {longest} characters")
        notes.append("contact name, title and fax are left out")
    entity: dict[str, Value] = {
        "BusinessPartnerCategory": _ORGANISATION,
        "BusinessPartnerGrouping": settings.partner_grouping,
        "OrganizationBPName1": customer.name[:40],
        settings.customer_reference_field: reference(submission.external_reference),
        "to_BusinessPartnerAddress": [address],
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": role} for role in settings.customer_roles],
    }
    if len(customer.name) > 40:
        entity["BusinessPartnerFullName"] = fitting(customer.name, 81, "name")
    if customer.tax_registrations and settings.tax_numbers == "not_carried":
        notes.append("tax numbers are left out: the service of business partners here has no place for them")
    elif customer.tax_registrations:
        entity["to_BusinessPartnerTax"] = [
            # BPTaxType: country and a digit; 0 is the VAT registration in SAP's own customizing.
            {"BPTaxType": f"{tax.country_code}0", "BPTaxNumber": fitting(tax.tax_number, 20, "taxRegistrations")}
            for tax in customer.tax_registrations
        ]
    return Draft(entity, tuple(notes))


def product_draft(submission: Submission, settings: S4Settings) -> Draft:
    """The material of a product. Its number is the external reference; the caller's id is its old number if it fits.

    Left out, with a note: description, category and list price (other services there).
    """
    product = submission.document
    if not isinstance(product, Product):
        raise Misconfigured(f"{submission.domain} are no products")
    entity: dict[str, Value] = {
        "Product": reference(submission.external_reference),
        "ProductType": settings.product_type,
        "BaseUnit": settings.unit_there(product.base_unit_code),
        "Division": settings.division,
        "IsMarkedForDeletion": product.discontinued,
        "to_Description": [{"Language": settings.language, "ProductDescription": fitting(product.name, 40, "name")}],
    }
    if product.external_id is not None and len(product.external_id) <= _OLD_NUMBER:
        entity["ProductOldID"] = product.external_id
    left = {
        "description": product.description,
        "productCategory": product.product_category,
        "listPrice": product.list_price,
    }
    return Draft(entity, tuple(f"{name} is left out" for name, value in left.items() if value))


def customer_of(row: Row, settings: S4Settings) -> Customer:
    """What a business partner with its addresses says of a customer; the inverse of `customer_draft` for name, address,
    phone and e-mail. Geography is not kept there; the country stands for it."""
    address = row.many("to_BusinessPartnerAddress")[0]
    country = address.text("Country")
    region = address.text("Region")
    named = (name for (land, name), code in settings.regions.items() if (land, code) == (country, region))
    return Customer.model_validate(
        {
            "name": row.text("BusinessPartnerFullName") or row.text("OrganizationBPName1"),
            "geography": country,
            "address": {
                "street": address.text("StreetName"),
                "city": address.text("CityName"),
                "region": next(named, region),
                "postalCode": address.text("PostalCode"),
                "countryCode": country,
            },
        }
    )


def found_customer(row: Row, settings: S4Settings, system_id: str) -> FoundDocument:
    """A business partner. Its number is the customer's; the role gives the customer the partner's own number, and until
    the ERP states it the partner's stands for it."""
    number = row.text("Customer") or row.number("BusinessPartner")
    return _found(number, "customer", row.text(settings.customer_reference_field), system_id)


def is_product(row: Row, product: Product, settings: S4Settings) -> bool:
    """True if a material read with its descriptions is what `product_draft` made of `product`."""
    names = [text.text("ProductDescription") for text in row.many("to_Description")]
    return product.name in names and settings.unit_here(row.text("BaseUnit")) == product.base_unit_code


def found_product(row: Row, system_id: str) -> FoundDocument:
    """A material."""
    number = row.number("Product")
    return _found(number, "product", number, system_id)


def is_customer(row: Row, settings: S4Settings) -> bool:
    """True for a partner with one of the customer roles."""
    return any(
        role.text("BusinessPartnerRole") in settings.customer_roles for role in row.many("to_BusinessPartnerRole")
    )


def _found(number: str, kind: str, external_reference: str, system_id: str) -> FoundDocument:
    named = erp_number(system_id, kind, number)
    return FoundDocument(named, external_reference, party=None, currency_code=None, total=None)


def _address(address: Address, settings: S4Settings) -> dict[str, Value]:
    """The address. `Region` holds a code of three characters: a longer name that the settings do not map goes behind
    the city, as it is written on a letter."""
    code = settings.regions.get((address.country_code, address.region), address.region)
    city = address.city
    if len(code) > 3:
        city, code = (f"{city}, {code}" if city else code), ""
        if len(city) > 40:
            raise refusal("address.region", "the region is no code of 3 characters and does not fit behind the city")
    return {
        "AddressID": _FIRST_ADDRESS,
        "StreetName": fitting(address.street, 60, "address.street"),
        "CityName": fitting(city, 40, "address.city"),
        "PostalCode": fitting(address.postal_code, 10, "address.postalCode"),
        "Country": address.country_code,
        "Region": fitting(code, 3, "address.region"),
        "Language": settings.language,
    }


def address_for_order(address: Address, settings: S4Settings) -> Entity:
    """The same address as an order's own ship-to."""
    entity = _address(address, settings)
    del entity["AddressID"], entity["Language"]
    return {**entity, "CorrespondenceLanguage": settings.language}
