"""Postal addresses: of a business partner, and of an order's own ship-to. Pure."""

from __future__ import annotations

from adapters.canonical import Address
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate.fields import fitting, refusal
from adapters.cloud_erp.sap_s4.wire import Entity, Row, Value


def partner_address(address: Address, settings: S4Settings) -> dict[str, Value]:
    """The address of a business partner. `Region` holds a code of three characters: a longer name that the settings do
    not map goes behind the city, as it is written on a letter."""
    code = settings.regions.get((address.country_code, address.region), address.region)
    city = address.city
    if len(code) > 3:
        city, code = (f"{city}, {code}" if city else code), ""
        if len(city) > 40:
            raise refusal("address.region", "the region is no code of 3 characters and does not fit behind the city")
    return {
        "StreetName": fitting(address.street, 60, "address.street"),
        "CityName": fitting(city, 40, "address.city"),
        "PostalCode": fitting(address.postal_code, 10, "address.postalCode"),
        "Country": address.country_code,
        "Region": fitting(code, 3, "address.region"),
        "Language": settings.language,
    }


def order_address(address: Address, settings: S4Settings) -> Entity:
    """The same address as an order's own ship-to."""
    entity = partner_address(address, settings)
    del entity["Language"]
    return {**entity, "CorrespondenceLanguage": settings.language}


def address_of(row: Row, settings: S4Settings) -> Address:
    """What an address there says; a region that went behind the city stays there."""
    country, region = row.text("Country"), row.text("Region")
    named = (name for (land, name), code in settings.regions.items() if (land, code) == (country, region))
    return Address(
        street=row.text("StreetName"),
        city=row.text("CityName"),
        region=next(named, region),
        postal_code=row.text("PostalCode"),
        country_code=country,
    )
