"""The customers and products that the legacy ERP had before there was a gateway, and the list of their numbers.

A migration starts so: masters stand in the legacy ERP under its numbers, and the gateway is given the list of which
caller's id is which number. The list is a CSV that a person could have exported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from adapters.canonical import Customer, Product
from gateway.demo.erps import LEGACY, Erp
from gateway.demo.northwind import SALESFORCE, Northwind
from gateway.demo.odata import Entity, Odata, session
from gateway.intake.cross_references import CrossReferenceRow

_PARTNERS: Final = "API_BUSINESS_PARTNER_SRV"
_PRODUCTS: Final = "API_PRODUCT_SRV"
_IN_FLIGHT: Final = 8

_T = TypeVar("_T")


async def put_masters(erp: Erp, northwind: Northwind, done: Callable[[], None]) -> list[CrossReferenceRow]:
    """Create what the legacy ERP does not have yet, over its own interface; the numbers of all.

    Running it again creates nothing: customers are known there by their search term, products by their number.
    `done` is called once per master.
    """
    async with session(erp) as odata:
        partners = {
            str(entity["SearchTerm1"]): entity
            for entity in await odata.all(_PARTNERS, "A_BusinessPartner", orderby="BusinessPartner")
        }
        materials = {str(one["Product"]) for one in await odata.all(_PRODUCTS, "A_Product", orderby="Product")}

        async def customer(one: Customer) -> CrossReferenceRow:
            number = await _customer_number(odata, one, partners.get(search_term(str(one.external_id))))
            done()
            return CrossReferenceRow("customers", SALESFORCE, str(one.external_id), LEGACY, "customer", number)

        async def product(one: Product) -> CrossReferenceRow:
            number = _material(one)
            if number not in materials:
                await odata.create(_PRODUCTS, "A_Product", _product_entity(one))
            done()
            return CrossReferenceRow("products", SALESFORCE, str(one.external_id), LEGACY, "product", number)

        return [
            *await _each(northwind.customers, customer),
            *await _each(northwind.products, product),
        ]


def search_term(external_id: str) -> str:
    """By what a customer is found in the legacy ERP."""
    return f"NW {external_id}"


async def _customer_number(odata: Odata, customer: Customer, partner: Entity | None) -> str:
    """The number of a customer, who is created, or finished, where needed."""
    if partner is None:
        partner = await odata.create(_PARTNERS, "A_BusinessPartner", _partner_entity(customer))
    number = str(partner["BusinessPartner"])
    if not partner["Customer"]:
        # An ERP gives a business partner its customer number when the role of a customer is added; the simulator
        # leaves that to its caller.
        await odata.merge(_PARTNERS, f"A_BusinessPartner('{number}')", {"Customer": number})
    return number


def _partner_entity(customer: Customer) -> Entity:
    address, contact = customer.address, customer.contact
    return {
        "BusinessPartnerCategory": "2",
        "BusinessPartnerGrouping": "BP01",
        "BusinessPartnerFullName": customer.name[:81],
        "BusinessPartnerName": customer.name[:81],
        "OrganizationBPName1": customer.name[:40],
        "SearchTerm1": search_term(str(customer.external_id)),
        "to_BusinessPartnerAddress": {
            "results": [
                {
                    "AddressID": "1",
                    "StreetName": address.street[:60],
                    "CityName": address.city[:40],
                    "PostalCode": address.postal_code[:10],
                    "Country": address.country_code,
                    # A code of three characters; a name cut to three letters would be another region's.
                    "Region": address.region if len(address.region) <= 3 else "",
                    "Language": "EN",
                    "PhoneNumber": contact.phone[:30] if contact else "",
                }
            ]
        },
        "to_BusinessPartnerRole": {"results": [{"BusinessPartnerRole": "FLCU01"}]},
    }


def _product_entity(product: Product) -> Entity:
    return {
        "Product": _material(product),
        "ProductOldID": str(product.external_id),
        "ProductType": "HAWA",
        "ProductGroup": product.product_category[:9].upper(),
        "BaseUnit": "PC",
        "to_Description": {"results": [{"Language": "EN", "ProductDescription": product.name[:40]}]},
    }


def _material(product: Product) -> str:
    return f"NW-{int(str(product.external_id)):04d}"


async def _each(masters: Sequence[_T], do: Callable[[_T], Awaitable[CrossReferenceRow]]) -> list[CrossReferenceRow]:
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def one(master: _T) -> CrossReferenceRow:
        async with room:
            return await do(master)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(master)) for master in masters]
    return [task.result() for task in tasks]
