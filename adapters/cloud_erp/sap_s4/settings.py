"""What a driver of one SAP S/4HANA system must be told: access, organisation, accounts, and what it can carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import SecretStr

from adapters.errors import Misconfigured

_COMPANY: Final = re.compile(r"\A[A-Z0-9]{4}\Z")
_ACCOUNT: Final = re.compile(r"\A[0-9A-Z]{1,10}\Z")
_UNIT: Final = re.compile(r"\A[A-Z0-9]{1,3}\Z")
_DOCUMENT_TYPE: Final = re.compile(r"\A[A-Z0-9]{2}\Z")
_CONDITION: Final = re.compile(r"\A[A-Z0-9]{4}\Z")
_CONDITION_STEM: Final = re.compile(r"\A[A-Z0-9]{2}\Z")
_REASON: Final = {
    "rejection_reason": re.compile(r"\A[A-Z0-9]{1,2}\Z"),
    "zero_quantity": re.compile(r"\A[A-Z0-9]{1,3}\Z"),
}
_NAME: Final = re.compile(r"\A[A-Za-z_][A-Za-z0-9_/]{0,199}\Z")


@dataclass(frozen=True, slots=True)
class Company:
    """One company there: its four-character code, and the sales organisation that sells for it and for no other."""

    code: str
    sales_organization: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """G/L accounts by what is posted to them, ten characters with leading zeros, as the ledger keeps them.

    None has a default: a posting to an account that nobody chose is worse than a start that fails.
    """

    receivables: str
    revenue: str
    freight: str
    output_tax: str
    bank: str


@dataclass(frozen=True, slots=True)
class DocumentTypes:
    """Order type, and accounting document types. Each of the five must differ: they tell the domains apart."""

    order: str = "OR"
    invoice: str = "DR"
    credit_note: str = "DG"
    payment: str = "DZ"
    journal_entry: str = "SA"
    reversal: str = "DA"

    @property
    def accounting(self) -> tuple[str, ...]:
        """The types of accounting documents."""
        return (self.invoice, self.credit_note, self.payment, self.journal_entry, self.reversal)


@dataclass(frozen=True, slots=True)
class ConditionTypes:
    """Pricing conditions of an order. A tax condition is `tax_stem` with the tax category behind it: MWS, MWAE."""

    price: str = "PR00"
    discount: str = "K007"
    tax_stem: str = "MW"


_UNITS: Final[Mapping[str, str]] = {
    "C62": "PC",
    "KGM": "KG",
    "GRM": "G",
    "LTR": "L",
    "MTR": "M",
    "HUR": "H",
    "DAY": "DAY",
    "XBX": "BOX",
}


@dataclass(frozen=True, slots=True)
class S4Settings:
    """One system.

    `companies`: by the gateway's company code; a code that is not here is `Misconfigured`.
    `freight_material`: the material of the item that carries an order's freight.
    `units`: SAP's unit by UN/ECE Recommendation 20 code, each once; a unit that is not here goes as it is.
    `regions`: SAP's region (3 characters) by (country, the caller's region).
    `fiscal_year_start_month`: 1 is the calendar year; else the year is named after the one in which it ends.
    `customer_reference_field`: where the external reference of a customer stands. `SearchTerm1` is what every version
    of the service has; `BusinessPartnerIDByExtSystem` is the better place where the service offers it.
    `tax_numbers`: whether the service of business partners offers `to_BusinessPartnerTax`.
    `busy_codes`: codes by which the system itself says, with a 503, that it has not begun.
    `cancel_orders_by`: an order is called off by the rejection reason of each item, as SAP means it; or, where the
    service has no such property, by quantities of nothing under an order reason that says why.
    `cancel_reason`: that reason, as the system's customizing calls it. Without one, orders cannot be cancelled.
    `odata_version`: the dialect. With `v4`, `accounting_over` says what carries invoices, payments and journal entries,
    for which there is no V4 service: `v2` beside it, or `none` of this driver.
    `v4_names`: services, sets and navigation properties that a V4 system calls otherwise than `odata_v4.V4_NAMES`, by
    their names in V2: `to_Item` is `_Item`.
    `v4_expand`: whether `$expand` nests, as the standard has it, or goes by path.
    `longest_execution_s`: no call is executed later than this after its sender ended, in seconds.
    `token_margin_s`: a token is renewed so long before it ends, in seconds, at most a fifth of its life.
    `page_rows`: rows asked for at once; fewer where an answer with so many would be too large.
    """

    client_id: str
    client_secret: SecretStr
    companies: Mapping[str, Company]
    accounts: Accounts
    distribution_channel: str = "10"
    division: str = "00"
    document_types: DocumentTypes = DocumentTypes()
    conditions: ConditionTypes = ConditionTypes()
    units: Mapping[str, str] = field(default_factory=lambda: dict(_UNITS))
    regions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fiscal_year_start_month: int = 1
    partner_grouping: str = "BP01"
    customer_roles: tuple[str, ...] = ("FLCU00", "FLCU01")
    product_type: str = "HAWA"
    language: str = "EN"
    order_text_id: str = "TX01"
    freight_material: str = "FREIGHT"
    customer_reference_field: Literal["SearchTerm1", "BusinessPartnerIDByExtSystem"] = "SearchTerm1"
    tax_numbers: Literal["not_carried", "to_BusinessPartnerTax"] = "not_carried"
    cancel_orders_by: Literal["rejection_reason", "zero_quantity"] = "rejection_reason"
    cancel_reason: str = ""
    odata_version: Literal["v2", "v4"] = "v2"
    accounting_over: Literal["v2", "none"] = "v2"
    v4_names: Mapping[str, str] = field(default_factory=dict)
    v4_expand: Literal["nested", "path"] = "nested"
    sap_client: str = ""
    token_path: str = "/sap/bc/sec/oauth2/token"  # noqa: S105 - an address, not a token
    token_margin_s: float = 30.0
    busy_codes: frozenset[str] = frozenset({"/IWFND/CM_MGW_RT"})
    longest_execution_s: float = 150.0
    page_rows: int = 50

    def __post_init__(self) -> None:
        """Raise `Misconfigured` for what would be found out only at the first posting, or never."""
        if not self.client_id or not self.client_secret.get_secret_value():
            raise Misconfigured("the client id or the client secret is missing")
        if ":" in self.client_id:
            raise Misconfigured("a client id cannot hold a colon (RFC 7617)")
        if not self.companies:
            raise Misconfigured("no company is configured")
        for key, company in self.companies.items():
            _fits(f"companies[{key}].code", company.code, _COMPANY)
            _fits(f"companies[{key}].sales_organization", company.sales_organization, _COMPANY)
        _distinct("company codes", [company.code for company in self.companies.values()])
        _distinct("sales organisations", [company.sales_organization for company in self.companies.values()])
        for name in ("receivables", "revenue", "freight", "output_tax", "bank"):
            _fits(f"accounts.{name}", getattr(self.accounts, name), _ACCOUNT)
        kinds = self.document_types
        for name in ("invoice", "credit_note", "payment", "journal_entry", "reversal"):
            _fits(f"document_types.{name}", getattr(kinds, name), _DOCUMENT_TYPE)
        _distinct("document types", list(kinds.accounting))
        steps = self.conditions
        for name in ("price", "discount"):
            _fits(f"conditions.{name}", getattr(steps, name), _CONDITION)
        _fits("conditions.tax_stem", steps.tax_stem, _CONDITION_STEM)
        _distinct("conditions", [steps.price, steps.discount])
        for unit, there in self.units.items():
            _fits(f"units[{unit}]", there, _UNIT)
        _distinct("units", list(self.units.values()))
        if self.cancel_reason:
            _fits("cancel_reason", self.cancel_reason, _REASON[self.cancel_orders_by])
        for name, there in self.v4_names.items():
            _fits(f"v4_names[{name}]", there, _NAME)
        if not 1 <= self.fiscal_year_start_month <= 12:
            raise Misconfigured("fiscal_year_start_month is 1 to 12")
        if not 1 <= self.page_rows <= 1_000:
            raise Misconfigured("page_rows is 1 to 1,000")

    def company(self, company_code: str) -> Company:
        """The company there. Raises `Misconfigured` if the gateway's code has none."""
        company = self.companies.get(company_code)
        if company is None:
            raise Misconfigured(f"company code {company_code} is not configured for this system", field="companyCode")
        return company

    def company_code_of(self, code: str) -> str:
        """The gateway's code of a company there; a company that is not ours keeps its own."""
        return next((key for key, company in self.companies.items() if company.code == code), code)

    def company_code_of_sales(self, sales_organization: str) -> str | None:
        """The gateway's code of the company that a sales organisation sells for."""
        found = (key for key, company in self.companies.items() if company.sales_organization == sales_organization)
        return next(found, None)

    def unit_there(self, unit_code: str) -> str:
        """SAP's unit. Raises `Misconfigured` if an unlisted unit would read back as another one."""
        there = self.units.get(unit_code, unit_code)
        if self.unit_here(there) != unit_code:
            raise Misconfigured(f"unit {unit_code} has no unit of its own there", field="unitCode")
        return there

    def unit_here(self, unit: str) -> str:
        """The UN/ECE code of SAP's unit."""
        return next((code for code, there in self.units.items() if there == unit), unit)


def _fits(name: str, value: str, pattern: re.Pattern[str]) -> None:
    if pattern.match(value) is None:
        raise Misconfigured(f"{name} is not as the system writes it: {value!r}")


def _distinct(name: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise Misconfigured(f"two {name} are the same")
