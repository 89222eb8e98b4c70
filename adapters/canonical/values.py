"""Values that every canonical document is made of: amounts, quantities, codes, references, tax.

Wire form is lowerCamelCase JSON. Amounts are decimal *strings*, because a JSON number becomes a binary double
in most callers; how many decimals are allowed follows from the currency (ISO 4217 minor units).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Final, Literal, Self

import pycountry
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from adapters.canonical.personal_data import marked

MAX_LINES: Final = 1_000
"""Lines of one document. SAP's own item numbers (POSNR, six digits in tens) leave room for far more; a document
of more lines than this is a batch in disguise."""

_DECIMAL: Final = re.compile(r"\A(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?\Z")

_NO_DECIMALS: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_DECIMALS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_FOUR_DECIMALS: Final = frozenset({"CLF", "UYW"})
_NOT_MONEY: Final = frozenset("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split())
"""Codes to which ISO 4217 list one gives no minor unit: metals, bond units, testing, 'no currency'."""


def minor_units(currency_code: str) -> int:
    """How many decimals an amount in this currency has (ISO 4217, list one)."""
    if currency_code in _NO_DECIMALS:
        return 0
    if currency_code in _THREE_DECIMALS:
        return 3
    return 4 if currency_code in _FOUR_DECIMALS else 2


def smallest_amount(currency_code: str) -> Decimal:
    """One minor unit: 0.01 for USD, 1 for JPY."""
    return Decimal(1).scaleb(-minor_units(currency_code))


def _decimal_from_text(value: object) -> Decimal:
    if isinstance(value, Decimal):
        value = format(value, "f")
    if not isinstance(value, str):
        raise ValueError('must be a decimal string such as "12.50", not a JSON number')
    if _DECIMAL.match(value) is None:
        raise ValueError(
            "must be a non-negative decimal string: at most 15 digits before and 6 after the point, "
            "no sign, exponent or blanks"
        )
    return Decimal(value)


@cache
def _currencies() -> frozenset[str]:
    """Every document asks: a look-up of pycountry takes ten times as long as one in a set."""
    return frozenset(one.alpha_3 for one in pycountry.currencies) - _NOT_MONEY


def _known_currency(code: str) -> str:
    if code not in _currencies():
        raise ValueError(f"{code!r} is not an ISO 4217 currency code")
    return code


def _known_country(code: str) -> str:
    if pycountry.countries.get(alpha_2=code) is None:
        raise ValueError(f"{code!r} is not an ISO 3166-1 alpha-2 country code")
    return code


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_decimal_from_text),
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$", "examples": ["12.50"]}),
]
"""A non-negative decimal as a string on the wire."""

CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"]), AfterValidator(_known_currency)]
CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"]), AfterValidator(_known_country)]
NodeId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")]
"""A node of the rulebook's trees; also a token of a NATS subject, hence the narrow alphabet."""
CompanyCode = Annotated[str, Field(pattern="^[A-Z0-9]{1,10}$", examples=["1000"])]
ExternalId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]
"""A caller's own id of a document: printable ASCII, no blanks at its ends."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
UnitCode = Annotated[str, Field(pattern="^[A-Z0-9]{2,3}$", examples=["C62"])]
"""UN/ECE Recommendation 20 common code; C62 is 'one' (a piece)."""


class CanonicalModel(BaseModel):
    """What all canonical objects share: frozen, closed, lowerCamelCase on the wire."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """With the class of each member (`adapters.canonical.personal_data`)."""
        made = handler(core_schema)
        names = {name: field.alias or name for name, field in cls.model_fields.items()}
        marked(cls.__name__, handler.resolve_ref_schema(made), names)
        return made


class Money(CanonicalModel):
    """An amount with its currency."""

    amount: DecimalText
    currency_code: CurrencyCode

    @model_validator(mode="after")
    def _decimals_fit(self) -> Self:
        check_decimals(self.amount, self.currency_code, "amount")
        return self


class Quantity(CanonicalModel):
    """How much, in which unit."""

    value: DecimalText = Field(gt=0)
    unit_code: UnitCode = "C62"


class TaxAmount(CanonicalModel):
    """The tax of one line: category (UNCL 5305: S standard, Z zero, E exempt, ...), rate in per cent, amount."""

    tax_category: Annotated[str, Field(pattern="^[A-Z]{1,2}$", examples=["S"])]
    rate_percent: DecimalText = Field(le=100)
    amount: DecimalText


class ErpNumber(CanonicalModel):
    """What a document is called in one ERP. Digits alone name nothing: two ERPs may issue the same ones."""

    system_id: NodeId
    document_type: Annotated[str, Field(pattern="^[a-z_]{1,40}$", examples=["sales_order"])]
    document_number: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]([ -~]*[!-~])?$")]

    def __str__(self) -> str:
        return f"{self.system_id}/{self.document_type}/{self.document_number}"


def _whole(value: object) -> object:
    """JSON has one kind of number, so 10.0 is the integer 10 (JSON Schema 2020-12, section 6.1.1 of its validation)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


LineNumber = Annotated[int, Field(ge=1, le=999_999), BeforeValidator(_whole)]
"""The number of a line in its document."""


class Reference(CanonicalModel):
    """Names another document in exactly one of three ways.

    `document_id`: the canonical id; `external_id`: the caller's own id, with `source` when another caller
    owns it (billing names an order of Salesforce so); `erp_number`: (system, type, number).
    """

    document_id: Annotated[str, Field(pattern="^doc_[0-9A-Z]{26}$")] | None = None
    external_id: ExternalId | None = None
    source: NodeId | None = None
    erp_number: ErpNumber | None = None

    @model_validator(mode="after")
    def _exactly_one_name(self) -> Self:
        names = [self.document_id, self.external_id, self.erp_number]
        if sum(name is not None for name in names) != 1:
            raise ValueError("give exactly one of documentId, externalId, erpNumber")
        if self.source is not None and self.external_id is None:
            raise ValueError("source goes with externalId only")
        return self

    def __str__(self) -> str:
        if self.external_id is not None:
            return f"{self.source}:{self.external_id}" if self.source else self.external_id
        return self.document_id or str(self.erp_number)


DomainName = Literal["customers", "products", "orders", "contracts", "invoices", "payments", "journal_entries"]
LinkKind = Literal["follows", "relates", "master"]
"""`follows` carries the pin (invoice → order); `relates` is only shown; `master` needs a number there."""


@dataclass(frozen=True, slots=True)
class Link:
    """One reference out of a document, with the field that holds it, so that a complaint can name it.

    `amount`: of an allocation, how much of the payment it takes.
    """

    kind: LinkKind
    target_domain: DomainName
    field: str
    reference: Reference
    amount: Decimal | None = None


def check_decimals(amount: Decimal, currency_code: str, field: str) -> None:
    """Raise ValueError if `amount` has more decimals than its currency knows."""
    allowed = minor_units(currency_code)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > allowed:
        raise ValueError(
            f"{field} {format(amount, 'f')} has more than {allowed} decimals, which {currency_code} does not know"
        )
