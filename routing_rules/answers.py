"""What a decision can be: a system with the row that names it, a gap, or a conflict.

An answer holds little and works out the rest when asked, for it is given thousands of times a second and most of what
can be asked of it never is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from routing_rules.facts import Facts
from routing_rules.model import Overlay, Row, Side, Stage
from routing_rules.share import bucket_of, is_allowed

if TYPE_CHECKING:
    from routing_rules.explanation import Explanation


class Evidence(Protocol):
    """What an answer was built from; explains it when somebody asks."""

    @property
    def deciding(self) -> tuple[Row, ...]:
        """The rows that decide, lowest id first: of a decision all that agree, of a conflict all that do not."""
        ...

    def explain(self, answer: Decision | Gap | Conflict) -> Explanation: ...

    def effect(self, decision: Decision) -> str: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a row sends roots of one side, under one table version. Shared by all decisions that come to it.

    ``before_cutover``: it is the row's cutover date that decided, whatever the share and the allow-list say.
    """

    system_id: str
    side: Side
    row: Row
    table_version: str
    evidence: Evidence = field(compare=False, repr=False)
    before_cutover: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A new root goes to this system."""

    verdict: Verdict
    facts: Facts

    @property
    def system_id(self) -> str:
        return self.verdict.system_id

    @property
    def side(self) -> Side:
        return self.verdict.side

    @property
    def row(self) -> Row:
        return self.verdict.row

    @property
    def row_id(self) -> str:
        return self.verdict.row.id

    @property
    def table_version(self) -> str:
        return self.verdict.table_version

    @property
    def evidence(self) -> Evidence:
        return self.verdict.evidence

    @property
    def stage(self) -> Stage:
        return self.row.outcome.stage

    @property
    def legacy_system(self) -> str | None:
        return self.row.outcome.legacy_system

    @property
    def cloud_system(self) -> str | None:
        return self.row.outcome.cloud_system

    @property
    def share(self) -> Decimal | None:
        return self.row.outcome.share

    @property
    def overlay(self) -> Overlay | None:
        """The planned overlay of the row; what people and monitors set lies over it and is not known here."""
        return self.row.outcome.overlay

    @property
    def before_cutover(self) -> bool:
        """Its posting date lies before the row's cutover date, and that is why it goes to the legacy system."""
        return self.verdict.before_cutover

    @property
    def bucket(self) -> int | None:
        """Known whenever the facts have a share key, at any stage."""
        return bucket_of(self.facts)

    @property
    def allow_hit(self) -> bool:
        """The root is on the allow-list of a pilot."""
        return is_allowed(self.row.outcome, self.facts)

    @property
    def explanation(self) -> Explanation:
        """Built when asked for: a decision costs microseconds, its explanation more."""
        return self.evidence.explain(self)

    @property
    def effect(self) -> str:
        """The sentence of the explanation that says how the target came about, without the rest of it."""
        return self.evidence.effect(self)

    def deciding_facts(self) -> dict[str, str | int | bool | None]:
        """What to record so that ``decide(rulebook, Facts.from_json(...))`` gives this decision for ever."""
        overlay = None if self.overlay is None else self.overlay.value
        return self.facts.as_json() | {"bucket": self.bucket, "allow_hit": self.allow_hit, "overlay": overlay}


@dataclass(frozen=True, slots=True)
class Gap:
    """No row matches the facts."""

    table_version: str
    facts: Facts
    evidence: Evidence = field(compare=False, repr=False)

    @property
    def explanation(self) -> Explanation:
        return self.evidence.explain(self)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Several rows decide and yield different things. ``rows`` are those, by id."""

    rows: tuple[Row, ...]
    table_version: str
    facts: Facts
    evidence: Evidence = field(compare=False, repr=False)

    @property
    def explanation(self) -> Explanation:
        return self.evidence.explain(self)
