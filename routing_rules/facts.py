"""The facts of one document that rules may look at.

Primitives only, so that facts can be recorded in the ledger and replayed for ever. ``share_key`` and
``root_external_id`` come from the callers' world and must stay erasable: they are never part of the recorded form nor
of ``repr``, which ends in logs. Recorded is what follows from them, the share bucket and the allow-list hit. Facts
that are read back carry those two in ``recorded_bucket`` and ``recorded_allow_hit`` and decide the same (invariant 6
of ARCHITECTURE.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

FACTS_SCHEMA_VERSION: Final = 1
"""Which facts are recorded. A later schema that records more must say what older entries did not know."""

_TEXTS: Final = (
    "domain",
    "operation",
    "business_unit",
    "geography",
    "company_code",
    "document_type",
    "customer_segment",
    "currency",
)


class FactsInvalid(ValueError):
    """The facts are not such that any rulebook could decide them; nothing was decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a document at the moment of routing.

    ``None`` is a fact that the document does not have (a product has no geography, a journal entry no customer
    segment); for the trees that is the same as naming the root. Raises FactsInvalid for an amount that is no finite
    Decimal, for a posting date that is no plain date, and for a schema version that this code does not know.
    """

    domain: str
    operation: str
    business_unit: str | None = None
    geography: str | None = None
    company_code: str | None = None
    document_type: str | None = None
    customer_segment: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    posting_date: date | None = None
    share_key: str | None = field(default=None, repr=False)
    root_external_id: str | None = field(default=None, repr=False)
    schema_version: int = FACTS_SCHEMA_VERSION
    recorded_bucket: int | None = None
    recorded_allow_hit: bool | None = None

    def __post_init__(self) -> None:
        if self.amount is not None and not self.amount.is_finite():
            raise FactsInvalid("amount must be a finite Decimal")
        if self.posting_date is not None and type(self.posting_date) is not date:
            # A datetime is a date to isinstance, yet comparing the two raises: refuse it where it enters.
            raise FactsInvalid("posting_date must be a date without time")
        if self.schema_version != FACTS_SCHEMA_VERSION:
            raise FactsInvalid(f"facts of schema version {self.schema_version} are not known here")
        if self.recorded_bucket is not None and not 0 <= self.recorded_bucket < 10_000:
            raise FactsInvalid("recorded_bucket must be in 0..9999")

    def as_json(self) -> dict[str, str | int | bool | None]:
        """The form that may be recorded: without share key and external id."""
        return {
            "schema_version": self.schema_version,
            "domain": self.domain,
            "operation": self.operation,
            "business_unit": self.business_unit,
            "geography": self.geography,
            "company_code": self.company_code,
            "document_type": self.document_type,
            "customer_segment": self.customer_segment,
            "amount": None if self.amount is None else format(self.amount, "f"),
            "currency": self.currency,
            "posting_date": None if self.posting_date is None else self.posting_date.isoformat(),
        }

    @classmethod
    def from_json(cls, recorded: Mapping[str, object]) -> Facts:
        """Read back what ``Decision.deciding_facts`` recorded; keys that are no facts are left alone.

        Raises FactsInvalid when a value is not of its kind.
        """
        read = recorded.get
        for name in _TEXTS:
            value = read(name)
            if value is not None and not isinstance(value, str):
                raise FactsInvalid(f"{name} must be text")
        amount, posting_date = read("amount"), read("posting_date")
        version, bucket, hit = read("schema_version"), read("bucket"), read("allow_hit")
        if read("domain") is None or read("operation") is None:
            raise FactsInvalid("domain and operation must be recorded")
        if type(version) is not int:
            # A fact that an older schema did not record is undetermined, so the schema must be known.
            raise FactsInvalid("schema_version must be recorded")
        if bucket is not None and type(bucket) is not int:
            raise FactsInvalid("bucket must be an integer")
        if hit is not None and type(hit) is not bool:
            raise FactsInvalid("allow_hit must be true or false")
        texts: Mapping[str, Any] = recorded  # those that are read below were checked above
        try:
            return cls(
                domain=texts["domain"],
                operation=texts["operation"],
                business_unit=texts.get("business_unit"),
                geography=texts.get("geography"),
                company_code=texts.get("company_code"),
                document_type=texts.get("document_type"),
                customer_segment=texts.get("customer_segment"),
                amount=None if amount is None else Decimal(str(amount)),
                currency=texts.get("currency"),
                posting_date=None if posting_date is None else date.fromisoformat(str(posting_date)),
                schema_version=version,
                recorded_bucket=bucket,
                recorded_allow_hit=hit,
            )
        except InvalidOperation as error:
            raise FactsInvalid("amount must be a decimal number") from error
        except ValueError as error:
            raise FactsInvalid(str(error)) from error
