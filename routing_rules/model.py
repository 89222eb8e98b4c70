"""The nouns of routing: stages, systems, rows and tables.

The words are those of docs/words.md and docs/rules.md. Everything here is frozen: a rulebook that is in force never
changes, a new one takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from routing_rules.dimensions import AmountRange, Choice, DateRange, NodeSet
from routing_rules.facts import Facts

DOMAINS: Final = (
    "customers",
    "products",
    "orders",
    "contracts",
    "invoices",
    "payments",
    "journal_entries",
)
MASTER_DOMAINS: Final = frozenset({"customers", "products"})
"""Masters have no lineage and no pin: they go to the system of record in force."""

OPERATIONS: Final = ("create", "change", "cancel", "reverse")

MATCH_COLUMNS: Final = (
    "operation",
    "business_unit",
    "geography",
    "company_code",
    "document_type",
    "customer_segment",
    "amount",
    "valid",
)
"""The dimensions of a row, in the order of ``Row.cells``; ``valid`` is valid_from and valid_to together."""

ShareBy = Literal["customer", "document"]


class Stage(StrEnum):
    """How far a slice has come; see the table of docs/rules.md."""

    LEGACY = "legacy"
    DARK = "dark"
    VALIDATE = "validate"
    PILOT = "pilot"
    LIVE = "live"
    DRAIN = "drain"
    READ_ONLY = "read_only"
    RETIRED = "retired"


CUT_OVER: Final = frozenset({Stage.PILOT, Stage.LIVE, Stage.DRAIN})
"""Where the cloud takes new roots and legacy still takes what is posted before the cutover date."""


class Overlay(StrEnum):
    """What lies over a stage for a time: hold queues, freeze refuses, paused holds new roots only."""

    HOLD = "hold"
    FREEZE = "freeze"
    PAUSED = "paused"


class Side(StrEnum):
    LEGACY = "legacy"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a system bears from all processes together."""

    concurrent: int
    calls_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One ERP installation.

    ``regions`` are the geography nodes whose documents it may hold, ``domains`` the document families it takes.
    ``longest_execution_s``: a call that began longer ago has ended, one way or the other. ``inquiry_delay_s``: how
    long after a posting an inquiry finds it. ``enforces_unique_reference``: the ERP itself refuses a second document
    with the same external reference. The three rule whether an unknown may be posted again (ARCHITECTURE.md).
    """

    id: str
    name: str
    side: Side
    driver: str
    regions: tuple[str, ...]
    domains: tuple[str, ...]
    budget: Budget
    longest_execution_s: int
    inquiry_delay_s: int
    enforces_unique_reference: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a row yields. Two deciding rows agree if these are equal; their notes and ids may differ.

    ``cutover_date``: from ``pilot`` to ``drain``, new roots with an earlier posting date go to the legacy system.
    """

    stage: Stage
    legacy_system: str | None = None
    cloud_system: str | None = None
    share: Decimal | None = None
    allow: frozenset[str] = frozenset()
    overlay: Overlay | None = None
    cutover_date: date | None = None

    def is_before_cutover(self, posting_date: date | None) -> bool:
        """Whether a new root of that posting date belongs to the time before the cutover, and so to the legacy ERP."""
        return (
            self.cutover_date is not None
            and posting_date is not None
            and posting_date < self.cutover_date
            and self.stage in CUT_OVER
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a rule table: the set of facts that it matches, and what it yields for them."""

    id: str
    outcome: Outcome
    operation: Choice = field(default_factory=Choice)
    business_unit: NodeSet
    geography: NodeSet
    company_code: Choice = field(default_factory=Choice)
    document_type: Choice = field(default_factory=Choice)
    customer_segment: Choice = field(default_factory=Choice)
    amount: AmountRange = field(default_factory=AmountRange)
    valid: DateRange = field(default_factory=DateRange)
    note: str = ""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def place(self) -> str:
        """Where a person finds it: file:line; the file alone where the line is not known (a stored version)."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def cell_texts(self) -> dict[str, str]:
        """The match cells in their one spelling, by dimension."""
        return {column: getattr(self, column).text for column in MATCH_COLUMNS}

    def mismatches(self, facts: Facts) -> tuple[str, ...]:
        """The dimensions in which this row does not match the facts; none: it matches. The facts' nodes are known."""
        answers = (
            self.operation.matches(facts.operation),
            self.business_unit.matches(facts.business_unit),
            self.geography.matches(facts.geography),
            self.company_code.matches(facts.company_code),
            self.document_type.matches(facts.document_type),
            self.customer_segment.matches(facts.customer_segment),
            self.amount.matches(facts.amount, facts.currency),
            self.valid.matches(facts.posting_date),
        )
        return tuple(column for column, matched in zip(MATCH_COLUMNS, answers, strict=True) if not matched)

    def matches(self, facts: Facts) -> bool:
        return not self.mismatches(facts)

    def contains(self, other: Row) -> bool:
        """Every fact that the other row matches is matched by this one (exact: no cell is empty)."""
        return (
            self.business_unit.contains(other.business_unit)
            and self.geography.contains(other.geography)
            and self.operation.contains(other.operation)
            and self.company_code.contains(other.company_code)
            and self.document_type.contains(other.document_type)
            and self.customer_segment.contains(other.customer_segment)
            and self.amount.contains(other.amount)
            and self.valid.contains(other.valid)
        )

    def strictly_contains(self, other: Row) -> bool:
        """The other row is an exception to this one."""
        return self.contains(other) and not other.contains(self)

    def overlaps(self, other: Row) -> bool:
        """There are facts that both match."""
        return (
            self.business_unit.overlaps(other.business_unit)
            and self.geography.overlaps(other.geography)
            and self.operation.overlaps(other.operation)
            and self.company_code.overlaps(other.company_code)
            and self.document_type.overlaps(other.document_type)
            and self.customer_segment.overlaps(other.customer_segment)
            and self.amount.overlaps(other.amount)
            and self.valid.overlaps(other.valid)
        )


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rows of one domain, by row id (the order of a file means nothing), and by what its shares split."""

    domain: str
    rows: tuple[Row, ...]
    share_by: ShareBy = "customer"

    def row(self, row_id: str) -> Row:
        """Raises KeyError if the table has no such row."""
        for row in self.rows:
            if row.id == row_id:
                return row
        raise KeyError(row_id)
