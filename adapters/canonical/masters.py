"""Masters: the customers and products that documents refer to. They carry no pin and have no parents."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from adapters.canonical.values import (
    CanonicalModel,
    CompanyCode,
    CountryCode,
    ExternalId,
    Link,
    Money,
    Name,
    NodeId,
    UnitCode,
)


class Address(CanonicalModel):
    """A postal address; `region` is the state or province as the caller writes it."""

    street: Annotated[str, Field(max_length=200)] = ""
    city: Annotated[str, Field(max_length=100)] = ""
    region: Annotated[str, Field(max_length=100)] = ""
    postal_code: Annotated[str, Field(max_length=20)] = ""
    country_code: CountryCode


class Contact(CanonicalModel):
    """A person at the customer."""

    name: Name
    title: Annotated[str, Field(max_length=100)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    fax: Annotated[str, Field(max_length=40)] = ""
    email: Annotated[str, Field(max_length=254)] = ""


class TaxRegistration(CanonicalModel):
    """A tax number of the customer in one country."""

    country_code: CountryCode
    tax_number: Annotated[str, Field(min_length=1, max_length=30)]


class Customer(CanonicalModel):
    """Who buys."""

    domain: ClassVar[Literal["customers"]] = "customers"
    external_id: ExternalId | None = None
    name: Name
    business_unit: NodeId | None = None
    geography: NodeId
    company_code: CompanyCode | None = None
    customer_segment: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")] | None = None
    address: Address
    contact: Contact | None = None
    tax_registrations: Annotated[tuple[TaxRegistration, ...], Field(max_length=10)] = ()

    def links(self) -> tuple[Link, ...]:
        """A master refers to nothing."""
        return ()


class Product(CanonicalModel):
    """What is sold."""

    domain: ClassVar[Literal["products"]] = "products"
    external_id: ExternalId | None = None
    name: Name
    description: Annotated[str, Field(max_length=1_000)] = ""
    product_category: Annotated[str, Field(max_length=100)] = ""
    base_unit_code: UnitCode = "C62"
    business_unit: NodeId | None = None
    company_code: CompanyCode | None = None
    list_price: Money | None = None
    discontinued: bool = False

    def links(self) -> tuple[Link, ...]:
        """A master refers to nothing."""
        return ()
