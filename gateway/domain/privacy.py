"""Erasing what tells of a data subject, keeping it for as long as the law asks, and holding it for a court.

Persons are the HMAC of their claim, as the ledger holds them; a reason is a payload of its own. Times are whole
microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Literal

ErasureState = Literal["asked", "approved", "finished"]

RETENTION_ACTOR = "retention"
"""Who erases what is due without being asked."""


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """What is to be erased of one customer (canonical id). `erased`: transactions whose payloads went with it;
    `finished_at`: when nothing was left. `entry_count`: of its own trace."""

    erasure_id: str
    customer_id: str
    state: ErasureState
    payload_id: str
    asked_at: int
    asked_by: str
    asked_person: str
    approved_at: int | None = None
    approved_by: str | None = None
    approved_person: str | None = None
    finished_at: int | None = None
    erased: int = 0
    entry_count: int = 0


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A legal hold: nothing of the customer, or of the lineage, is erased while it is set (one of both is None).

    `lift_asked_*`: the first person who wants it lifted; `lifted_*`: the second one, who lifted it.
    """

    hold_id: str
    customer_id: str | None
    lineage_id: str | None
    payload_id: str
    set_at: int
    set_by: str
    set_person: str
    lift_asked_at: int | None = None
    lift_asked_by: str | None = None
    lift_asked_person: str | None = None
    lift_payload_id: str | None = None
    lifted_at: int | None = None
    lifted_by: str | None = None
    lifted_person: str | None = None
    entry_count: int = 0

    @property
    def state(self) -> str:
        """`set`, `lift_asked` (still in force) or `lifted`."""
        if self.lifted_at is not None:
            return "lifted"
        return "set" if self.lift_asked_at is None else "lift_asked"


class KeptFor(StrEnum):
    """Why something is not erased yet."""

    UNDER_WAY = "under-way"
    """A transaction of its lineage has not ended."""
    EXCEPTION_OPEN = "exception-open"
    """It stands in front of a person."""
    ARCHIVED = "archived"
    """Its entries, which tell what there is to erase, are in the archive of their month."""
    LEGAL_HOLD = "legal-hold"
    RETENTION = "retention"
    """The law, or the house, wants it kept until a day that has not come."""


@dataclass(frozen=True, slots=True)
class Erasable:
    """A transaction whose payload is there, with what decides whether it may go. `customer_id`: of the transaction, of
    a customer its own id."""

    transaction_id: str
    document_id: str
    lineage_id: str
    domain: str
    geography: str
    posting_date: str | None
    accepted_at: int
    customer_id: str | None


@dataclass(frozen=True, slots=True)
class KeptBack:
    """What was not erased, and why. `until`: ISO date of its last day, of `retention`. `lost_hold`: the legal hold of
    which the ledger tells, and no row: somebody took it away."""

    transaction_id: str
    document_id: str
    domain: str
    kept_for: KeptFor
    until: str | None = None
    lost_hold: str | None = None


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long payloads of a domain (None: any) below a geography are kept; days.

    `keep_days`: nothing is erased before, whoever asks. `erase_after_days`: erased without being asked then; None:
    never. Both count from the document's posting date (without one: from its acceptance), or from the end of that
    calendar year (`from_year_end`), as tax law does.
    """

    domain: str | None
    geography: str
    keep_days: int
    erase_after_days: int | None = None
    from_year_end: bool = True


def begins_on(rule: RetentionRule, one: Erasable) -> date:
    """The day from which the rule counts."""
    if one.posting_date is not None:
        day = date.fromisoformat(one.posting_date)
    else:
        day = datetime.fromtimestamp(one.accepted_at / 1_000_000, UTC).date()
    return date(day.year, 12, 31) if rule.from_year_end else day


def kept_until(rule: RetentionRule, one: Erasable) -> date:
    """The last day on which it must be there."""
    return _later(begins_on(rule, one), rule.keep_days)


def due_after(rule: RetentionRule, one: Erasable) -> date | None:
    """The last day on which it may be there unasked; None: for ever."""
    if rule.erase_after_days is None:
        return None
    return _later(begins_on(rule, one), max(rule.erase_after_days, rule.keep_days))


def _later(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max
