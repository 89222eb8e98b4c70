"""What an SAP ECC installation must be told about itself: addresses of functions, organisation, accounts, tables.

Nothing here has a secret default, and the accounts have none at all: a posting to an account that nobody chose is
worse than a start that fails. Lengths are those of the ABAP dictionary (transaction SE11 names in the comments);
they are checked at start, because a value that is too long surfaces at the ERP only after a document was begun.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from pydantic import SecretStr

_ACCOUNT: Final = re.compile(r"\A[0-9A-Z]{1,10}\Z")
_CODE: Final = re.compile(r"\A[0-9A-Z]{1,4}\Z")
_UNIT: Final = re.compile(r"\A[!-~]{1,3}\Z")
_MATERIAL: Final = re.compile(r"\A[!-~]{1,18}\Z")

UNITS: Final[Mapping[str, str]] = {
    "C62": "PC",
    "KGM": "KG",
    "GRM": "G",
    "LTR": "L",
    "MTR": "M",
    "MTK": "M2",
    "MTQ": "M3",
    "HUR": "H",
    "DAY": "DAY",
    "XBX": "BOX",
}
"""UN/ECE Recommendation 20 -> unit of measure there (T006). One to one, so that a unit can be read back."""


@dataclass(frozen=True, slots=True)
class SalesArea:
    """Who sells: sales organisation (VKORG), distribution channel (VTWEG), division (SPART)."""

    organisation: str
    channel: str = "10"
    division: str = "00"


@dataclass(frozen=True, slots=True)
class Accounts:
    """G/L accounts (SAKNR, 10). `receivable` may be empty: then the customer's own reconciliation account is used.

    `bank_by_method` overrides `bank` for a canonical payment method.
    """

    revenue: str
    freight: str
    tax: str
    bank: str
    receivable: str = ""
    bank_by_method: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentTypes:
    """Accounting document types (BLART). Mirrors have a type of their own, so that totals by type leave them out."""

    invoice: str = "DR"
    credit_note: str = "DG"
    payment: str = "DZ"
    reversal: str = "DA"


@dataclass(frozen=True, slots=True)
class OrderTable:
    """Where orders are read from, and what their columns are called there."""

    table: str = "A_SalesOrder"
    number: str = "SalesOrder"
    party: str = "SoldToParty"
    currency: str = "TransactionCurrency"
    total: str = "TotalNetAmount"
    posting_date: str = "SalesOrderDate"
    organisation: str = "SalesOrganization"
    reference: str = "PurchaseOrderByCustomer"


@dataclass(frozen=True, slots=True)
class HeaderTable:
    """Where the headers of accounting documents are read from."""

    table: str = "A_JournalEntry"
    number: str = "AccountingDocument"
    company: str = "CompanyCode"
    year: str = "FiscalYear"
    document_type: str = "AccountingDocumentType"
    posting_date: str = "PostingDate"
    period: str = "FiscalPeriod"
    currency: str = "TransactionCurrency"
    text: str = "AccountingDocumentHeaderText"
    reference: str = "ReferenceDocument"


@dataclass(frozen=True, slots=True)
class ItemTable:
    """Where the customer items of accounting documents are read from."""

    table: str = "A_JournalEntryItem"
    number: str = "AccountingDocument"
    company: str = "CompanyCode"
    year: str = "FiscalYear"
    side: str = "DebitCreditCode"
    amount: str = "AmountInTransactionCurrency"
    customer: str = "Customer"


@dataclass(frozen=True, slots=True)
class Tables:
    """What RFC_READ_TABLE is asked for. Customer items may lie in several tables (open and cleared ones).

    `date_literal`: how a date is written in OPTIONS (strftime).
    """

    orders: OrderTable = OrderTable()
    headers: HeaderTable = HeaderTable()
    items: tuple[ItemTable, ...] = (ItemTable(),)
    date_literal: str = "%Y-%m-%d"


ECC_TABLES: Final = Tables(
    orders=OrderTable("VBAK", "VBELN", "KUNNR", "WAERK", "NETWR", "AUDAT", "VKORG", "BSTNK"),
    headers=HeaderTable("BKPF", "BELNR", "BUKRS", "GJAHR", "BLART", "BUDAT", "MONAT", "WAERS", "BKTXT", "XBLNR"),
    items=(
        ItemTable("BSID", "BELNR", "BUKRS", "GJAHR", "SHKZG", "WRBTR", "KUNNR"),
        ItemTable("BSAD", "BELNR", "BUKRS", "GJAHR", "SHKZG", "WRBTR", "KUNNR"),
    ),
    date_literal="%Y%m%d",
)
"""The transparent tables of a real ECC (BSEG is a cluster table, which RFC_READ_TABLE cannot read). Not certified:
the simulator knows entity names only."""


@dataclass(frozen=True, slots=True)
class SapEccSettings:
    """One installation.

    `path`: of a function's SOAP binding; `{function}` is its name in lower case, `{client}` the client.
    `sales_areas`: by company code, where they differ from `sales_area`.
    `free_item_category`: item category of a line without a price (ITEM_CATEG; TANN is 'free of charge').
    `freight_material`: material of the order item that carries the freight; empty: an item without material.
    `profit_centers`: by business unit.
    `lock_messages`: (message class, number) of refusals that mean 'somebody else holds it': nothing happened, again.
    `commits_itself`: the endpoint commits on its own (a wrapper function); else BAPI_TRANSACTION_COMMIT follows.
    `read_back`: read a document after its posting, so that the confirmation holds amount and period; at most
    `read_back_s` seconds, and never turning a posting into a failure.
    `longest_execution_s`: no execution ends later than this after its sender ended (rdisp/max_wprun_time and more).
    """

    user: str
    password: SecretStr
    sales_area: SalesArea
    accounts: Accounts
    client: str = "100"
    path: str = "/sap/bc/srt/rfc/sap/{function}/{client}/{function}/binding"
    order_type: str = "OR"
    sales_areas: Mapping[str, SalesArea] = field(default_factory=dict)
    free_item_category: str = "TANN"
    freight_material: str = ""
    document_types: DocumentTypes = DocumentTypes()
    profit_centers: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=lambda: UNITS)
    tables: Tables = Tables()
    lock_messages: frozenset[tuple[str, str]] = frozenset({("MC", "601"), ("V1", "042")})
    commits_itself: bool = False
    read_back: bool = True
    read_back_s: float = 5.0
    longest_execution_s: float = 150.0

    def __post_init__(self) -> None:
        """Raise ValueError, naming the setting, for what the ERP could not hold."""
        if not self.user or ":" in self.user:
            raise ValueError("user must be given and hold no colon (RFC 7617)")
        _all(re.compile(r"\A[0-9]{3}\Z"), client=self.client)
        _all(_CODE, order_type=self.order_type, free_item_category=self.free_item_category)
        for area in (self.sales_area, *self.sales_areas.values()):
            _all(_CODE, **{f"sales_area.{item.name}": getattr(area, item.name) for item in fields(area)})
        types = self.document_types
        _all(_CODE, **{f"document_types.{item.name}": getattr(types, item.name) for item in fields(types)})
        accounts = self.accounts
        named = {name: getattr(accounts, name) for name in ("revenue", "freight", "tax", "bank")}
        named |= {"receivable": accounts.receivable} if accounts.receivable else {}
        named |= {f"bank_by_method.{method}": account for method, account in accounts.bank_by_method.items()}
        _all(_ACCOUNT, **{f"accounts.{name}": account for name, account in named.items()})
        _all(_ACCOUNT, **{f"profit_centers.{unit}": center for unit, center in self.profit_centers.items()})
        _all(_UNIT, **{f"units.{code}": unit for code, unit in self.units.items()})
        if self.freight_material:
            _all(_MATERIAL, freight_material=self.freight_material)

    def area_of(self, company_code: str) -> SalesArea:
        """The sales area of a company code."""
        return self.sales_areas.get(company_code, self.sales_area)

    def company_of(self, organisation: str) -> str | None:
        """The company code of a sales organisation, None if it is not exactly one."""
        found = {company for company, area in self.sales_areas.items() if area.organisation == organisation}
        return found.pop() if len(found) == 1 else None


def _all(pattern: re.Pattern[str], **values: str) -> None:
    for name, value in values.items():
        if pattern.match(value) is None:
            raise ValueError(f"{name} {value!r} does not fit {pattern.pattern}")
