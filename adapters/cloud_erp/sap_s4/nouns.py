"""What each domain is there: the entity set, and how its rows are read and told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.cloud_erp.sap_s4.services import ENTRIES, ORDERS, PARTNERS, PRODUCTS
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import accounting, customers, orders, products
from adapters.cloud_erp.sap_s4.translate.shape import Shape
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Row
from adapters.errors import Misconfigured
from adapters.port import FoundDocument, Submission


@dataclass(frozen=True, slots=True)
class Change:
    """How documents of a domain are changed.

    `shape`, with all of `expand` read; `standing`: the entity that a submission comes to. `totals`: whether a row
    states a total that a change confirms.
    """

    shape: Shape
    expand: tuple[str, ...]
    standing: Callable[[Submission], Entity]
    totals: bool = False


@dataclass(frozen=True, slots=True)
class Noun:
    """How one kind of document is read. `keys` in their order; `expand` is needed by `found`; `kinds`: the accounting
    document types of the domain, where it shares its set with others; `change` is None where nothing is changed."""

    address: Address
    keys: tuple[str, ...]
    day: str
    reference: str
    company: str
    expand: tuple[str, ...]
    found: Callable[[Row], FoundDocument]
    kinds: tuple[str, ...] = ()
    change: Change | None = None


def noun_of(domain: str, settings: S4Settings, system_id: str) -> Noun:
    """How documents of `domain` are read; `Misconfigured` for a domain that is not kept here."""
    if domain == "orders":
        return _orders(settings, system_id)
    if domain in accounting.DOMAINS:
        return _entries(domain, settings, system_id)
    if domain == "customers":
        return _customers(settings, system_id)
    if domain == "products":
        return _products(settings, system_id)
    raise Misconfigured(f"{domain} are not kept in this system")


def domain_of(document_type: str) -> str:
    """A domain whose documents have numbers of this type; all accounting documents are read alike."""
    named = {"customer": "customers", "product": "products", "sales_order": "orders"}
    return named.get(document_type, "journal_entries")


def _orders(settings: S4Settings, system_id: str) -> Noun:
    return Noun(
        ORDERS,
        ("SalesOrder",),
        day="SalesOrderDate",
        reference="PurchaseOrderByCustomer",
        company="SalesOrganization",
        expand=(),
        found=lambda row: orders.found_order(row, settings, system_id),
        change=Change(
            orders.order_shape(settings),
            orders.EXPAND,
            lambda submission: orders.order_standing(submission, settings, system_id),
            totals=True,
        ),
    )


def _entries(domain: str, settings: S4Settings, system_id: str) -> Noun:
    types = settings.document_types
    kinds = {
        "invoices": (types.invoice, types.credit_note),
        "payments": (types.payment,),
        "journal_entries": (types.journal_entry,),
    }
    return Noun(
        ENTRIES,
        ("AccountingDocument", "CompanyCode", "FiscalYear"),
        day="PostingDate",
        reference="ReferenceDocument",
        company="CompanyCode",
        expand=(accounting.EXPAND,),
        found=lambda row: accounting.found_accounting(row, settings, system_id),
        kinds=kinds[domain],
    )


def _customers(settings: S4Settings, system_id: str) -> Noun:
    return Noun(
        PARTNERS,
        ("BusinessPartner",),
        day="CreationDate",
        reference=settings.customer_reference_field,
        company="",
        expand=("to_BusinessPartnerRole",),
        found=lambda row: customers.found_customer(row, settings, system_id),
        change=Change(
            customers.customer_shape(),
            customers.EXPAND,
            lambda submission: customers.customer_standing(submission, settings),
        ),
    )


def _products(settings: S4Settings, system_id: str) -> Noun:
    return Noun(
        PRODUCTS,
        ("Product",),
        day="CreationDate",
        reference="Product",
        company="",
        expand=(),
        found=lambda row: products.found_product(row, system_id),
        change=Change(
            products.product_shape(settings),
            products.EXPAND,
            lambda submission: products.product_standing(submission, settings),
        ),
    )
