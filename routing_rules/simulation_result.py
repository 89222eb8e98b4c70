"""What a simulation found: what moves, how many documents and how much money, and what could not be decided again.

Everything is exact (decimals, no rates) and sorted, so the same documents through the same versions give the same
bytes and the same hash. No customer is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import rfc8785

SIMULATION_FORMAT: Final = "simulation/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Documents that go to another system, with their money in one currency, of one slice and period.

    ``direction``: to_cloud, to_legacy, within_cloud or within_legacy. ``currency`` is "" for documents without amount.
    """

    direction: str
    from_system: str
    to_system: str
    domain: str
    business_unit: str
    geography: str
    company_code: str
    period: str
    currency: str
    documents: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Documents and their money in one currency, under a name: a direction, a system, facts that were not recorded."""

    name: str
    currency: str
    documents: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Documents that a version gives no system: ``kind`` gap, conflict, unknown_node or domain_not_served.

    ``transactions``: some of them.
    """

    kind: str
    currency: str
    documents: int
    amount: Decimal
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInBoth:
    """Customers with open lineages on both sides under one version, and what is open on each, by currency."""

    customers: int
    legacy: tuple[Total, ...]
    cloud: tuple[Total, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The busiest minute of a system under each version (None: it gets no calls), beside its budget a minute."""

    system_id: str
    budget: int
    in_force_calls: int
    in_force_minute: int | None
    candidate_calls: int
    candidate_minute: int | None

    @property
    def candidate_percent(self) -> Decimal:
        """Of the budget, rounded up to a tenth: what stands against a limit is never made smaller."""
        return Decimal(-(-self.candidate_calls * 1_000 // self.budget)) / 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeMove:
    """One of the largest documents that move."""

    transaction_id: str
    domain: str
    direction: str
    from_system: str
    to_system: str
    row_before: str
    row_after: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Recorded documents through the version in force and through a candidate.

    ``documents`` counts all; of these ``decided`` were decided anew by both versions, ``followed`` went where their
    root went, ``pinned`` belong to lineages from before the window and stay, and the rest could not be decided.
    """

    in_force: str
    candidate: str
    first_minute: int | None
    last_minute: int | None
    documents: int
    decided: int
    followed: int
    pinned: int
    moved_documents: int
    moved: tuple[Moved, ...]
    moved_totals: tuple[Total, ...]
    kept_totals: tuple[Total, ...]
    pinned_totals: tuple[Total, ...]
    undetermined: tuple[Total, ...]
    unmatched_in_force: tuple[Unmatched, ...]
    unmatched_candidate: tuple[Unmatched, ...]
    open_in_both_in_force: OpenInBoth
    open_in_both_candidate: OpenInBoth
    peaks: tuple[Peak, ...]
    largest: tuple[LargeMove, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values under snake_case keys; amounts are texts."""
        found = _json(asdict(self))
        for peak, read in zip(self.peaks, found["peaks"], strict=True):
            read["candidate_percent"] = _text(peak.candidate_percent)
        return {"format": SIMULATION_FORMAT, **found}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the RFC 8785 form: names the result in approvals and gates."""
        return sha256(rfc8785.dumps(self.as_json())).hexdigest()


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _text(value)
    if isinstance(value, dict):
        return {key: _json(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json(one) for one in value]
    return value


def _text(value: Decimal) -> str:
    return format(value, "f")
