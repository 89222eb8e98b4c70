"""What the tables and columns are called from which documents are read back. Pure.

The defaults are the simulator's entity names; `ECC_TABLES` are those of the ABAP dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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
    requested_date: str = "RequestedDeliveryDate"


@dataclass(frozen=True, slots=True)
class OrderItemTable:
    """Where the items of orders are read from. `rejection` may be empty: then no item can be rejected there."""

    table: str = "A_SalesOrderItem"
    order: str = "SalesOrder"
    number: str = "SalesOrderItem"
    material: str = "Material"
    quantity: str = "RequestedQuantity"
    unit: str = "RequestedQuantityUnit"
    net: str = "NetAmount"
    text: str = "SalesOrderItemText"
    rejection: str = ""


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
class LedgerTable:
    """Where the general ledger items of journal entries are read from."""

    table: str = "A_JournalEntryItem"
    number: str = "AccountingDocument"
    company: str = "CompanyCode"
    year: str = "FiscalYear"
    side: str = "DebitCreditCode"
    amount: str = "AmountInTransactionCurrency"


@dataclass(frozen=True, slots=True)
class Tables:
    """What RFC_READ_TABLE is asked for. Customer and ledger items may lie in several tables (open and cleared ones).

    `date_literal`: how a date is written in OPTIONS (strftime).
    """

    orders: OrderTable = OrderTable()
    order_items: OrderItemTable = OrderItemTable()
    headers: HeaderTable = HeaderTable()
    items: tuple[ItemTable, ...] = (ItemTable(),)
    ledger: tuple[LedgerTable, ...] = (LedgerTable(),)
    date_literal: str = "%Y-%m-%d"


ECC_TABLES: Final = Tables(
    orders=OrderTable("VBAK", "VBELN", "KUNNR", "WAERK", "NETWR", "AUDAT", "VKORG", "BSTNK", "VDATU"),
    order_items=OrderItemTable("VBAP", "VBELN", "POSNR", "MATNR", "KWMENG", "VRKME", "NETWR", "ARKTX", "ABGRU"),
    headers=HeaderTable("BKPF", "BELNR", "BUKRS", "GJAHR", "BLART", "BUDAT", "MONAT", "WAERS", "BKTXT", "XBLNR"),
    items=(
        ItemTable("BSID", "BELNR", "BUKRS", "GJAHR", "SHKZG", "WRBTR", "KUNNR"),
        ItemTable("BSAD", "BELNR", "BUKRS", "GJAHR", "SHKZG", "WRBTR", "KUNNR"),
    ),
    ledger=(
        LedgerTable("BSIS", "BELNR", "BUKRS", "GJAHR", "SHKZG", "WRBTR"),
        LedgerTable("BSAS", "BELNR", "BUKRS", "GJAHR", "SHKZG", "WRBTR"),
    ),
    date_literal="%Y%m%d",
)
"""The transparent tables of a real ECC (BSEG is a cluster table, which RFC_READ_TABLE cannot read). Not certified:
the simulator knows entity names only."""
