"""What an SAP ECC installation must be told about itself: addresses of functions, organisation, accounts, tables.

Nothing here has a secret default, and the accounts have none at all: a posting to an account that nobody chose is
worse than a start that fails. Lengths are those of the ABAP dictionary (transaction SE11 names in the comments);
they are checked at start, because a value that is too long surfaces at the ERP only after a document was begun.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final, Literal

from pydantic import SecretStr

from adapters.legacy_erp.sap_ecc.table_names import Tables

_ACCOUNT: Final = re.compile(r"\A[0-9A-Z]{1,10}\Z")
_CODE: Final = re.compile(r"\A[0-9A-Z]{1,4}\Z")
_UNIT: Final = re.compile(r"\A[!-~]{1,3}\Z")
_PARTNER: Final = re.compile(r"\A[0-9A-Z_]{1,10}\Z")
_REASON: Final = re.compile(r"\A[0-9A-Z]{2}\Z")
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
    """Accounting document types (BLART). Mirrors have types of their own, so that totals by type leave them out; those
    of journal entries another one than those of customers' documents, because they are read otherwise."""

    invoice: str = "DR"
    credit_note: str = "DG"
    payment: str = "DZ"
    reversal: str = "DA"
    journal_entry: str = "SA"
    journal_reversal: str = "AB"

    @property
    def of_ledger(self) -> frozenset[str]:
        """Those of documents that have no customer."""
        return frozenset({self.journal_entry, self.journal_reversal})

    @property
    def of_mirrors(self) -> tuple[str, ...]:
        """Those of mirrors."""
        return (self.reversal, self.journal_reversal)


@dataclass(frozen=True, slots=True)
class IdocSettings:
    """How orders go as IDocs.

    `number_of`: what a posted order is. `"order"`: the sales order that the ERP made of the IDoc, found by its
    reference; without one nothing is posted. `"idoc"`: the IDoc itself, at status 53; for a receiver that files
    orders for somebody else (the simulator does), because there no sales order ever comes to be.
    `path`: where IDocs are sent, listed and read. `sender`, `receiver`: port, partner type and partner number of the
    control record (SNDPOR, SNDPRT, SNDPRN; RCVPOR, RCVPRT, RCVPRN), as the partner profile (WE20) has them.
    `freight_condition`: condition type of the freight (KSCHL of E1EDK05).
    `wait_s`: how long a submit waits for a final status, asking every `poll_s` seconds.
    `recent`: how many of the newest IDocs an inquiry looks through for a reference.
    `units`: UN/ECE Recommendation 20 -> ISO code of the unit there (T006-ISOCODE), where the two differ.
    """

    number_of: Literal["order", "idoc"] = "order"
    path: str = "/sap/bc/idoc"
    sender: tuple[str, str, str] = ("GATEWAY", "LS", "GATEWAY")
    receiver: tuple[str, str, str] = ("SAPECC", "LS", "SAPECC")
    freight_condition: str = "HD00"
    wait_s: float = 10.0
    poll_s: float = 0.5
    recent: int = 1_000
    units: Mapping[str, str] = field(default_factory=lambda: {"C62": "PCE", "XBX": "BX"})

    def __post_init__(self) -> None:
        """Raise ValueError, naming the setting, for what a control record could not hold."""
        for name, (port, kind, partner) in (("sender", self.sender), ("receiver", self.receiver)):
            _all(_PARTNER, **{f"idoc.{name}": port})
            _all(re.compile(r"\A[0-9A-Z]{2}\Z"), **{f"idoc.{name}": kind})
            _all(_PARTNER, **{f"idoc.{name}": partner})
        _all(_CODE, **{"idoc.freight_condition": self.freight_condition})
        _all(_UNIT, **{f"idoc.units.{code}": unit for code, unit in self.units.items()})
        if not 0 < self.poll_s <= self.wait_s <= 60:  # a submit's lease covers one more call of a minute
            raise ValueError("idoc.wait_s and idoc.poll_s must be 0 < poll_s <= wait_s <= 60 seconds")
        if not 1 <= self.recent <= 10_000:
            raise ValueError("idoc.recent must be 1 to 10,000")


@dataclass(frozen=True, slots=True)
class SapEccSettings:
    """One installation.

    `path`: of a function's SOAP binding; `{function}` is its name in lower case, `{client}` the client.
    `sales_areas`: by company code, where they differ from `sales_area`.
    `free_item_category`: item category of a line without a price (ITEM_CATEG; TANN is 'free of charge').
    `freight_material`: material of the order item that carries the freight; empty: an item without material.
    `rejection_reason`: reason for rejection (ABGRU) that a cancelled order's items get; empty: they are deleted, which
    the simulator needs, because it ignores a rejection.
    `orders_by`: function calls, or IDocs where the functions for orders are closed to us. `idoc`: how, then.
    `closed`: domains that this installation does not let us post at all.
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
    rejection_reason: str = ""
    orders_by: Literal["bapi", "idoc"] = "bapi"
    idoc: IdocSettings = field(default_factory=IdocSettings)
    closed: frozenset[str] = frozenset()
    document_types: DocumentTypes = DocumentTypes()
    profit_centers: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=lambda: UNITS)
    tables: Tables = field(default_factory=Tables)
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
        if len({getattr(types, item.name) for item in fields(types)}) != len(fields(types)):
            raise ValueError("document_types must differ from each other, because documents are told apart by them")
        if self.freight_material:
            _all(_MATERIAL, freight_material=self.freight_material)
        if self.rejection_reason:
            _all(_REASON, rejection_reason=self.rejection_reason)
            if not self.tables.order_items.rejection:
                raise ValueError("rejection_reason needs tables.order_items.rejection, to see that it was taken")

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
