"""Why a document went where it went, in a form that a person reads and a ledger keeps.

``Explanation.as_json`` holds JSON values under snake_case keys, and nothing of a person: external ids and the share
key stay out, their effects (allow-list hit, bucket) are in. It depends on the table, its owners and the facts alone, so
it can be built again at any later time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Final

from routing_rules.answers import Conflict, Decision, Gap
from routing_rules.dimensions import plain
from routing_rules.facts import Facts
from routing_rules.index import TableIndex
from routing_rules.model import Row, Side, Stage
from routing_rules.near_miss import NearMiss, nearest_miss
from routing_rules.resolution import Resolution
from routing_rules.share import BUCKET_RULE, share_threshold

NEAREST_ROWS: Final = 5
"""How many rows a gap names that would almost have matched."""

_STAGE_EFFECTS: Final = {
    Stage.LEGACY: "new roots go to the legacy system; the cloud receives nothing",
    Stage.DARK: "new roots go to the legacy system; the candidate table is evaluated and recorded only",
    Stage.VALIDATE: "new roots go to the legacy system; the cloud validates without posting",
    Stage.LIVE: "new roots go to the cloud system",
    Stage.DRAIN: "new roots go to the cloud system; creating in legacy is blocked",
    Stage.READ_ONLY: "new roots go to the cloud system; legacy is read only",
    Stage.RETIRED: "new roots go to the cloud system; legacy is answered from the ledger",
}


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row that matched. ``exceptions`` are the matching rows that it strictly contains: with any, it is overruled."""

    row: Row
    decides: bool
    exceptions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row.id,
            "file": self.row.file,
            "line": self.row.line or None,
            "cells": {column: text for column, text in self.row.cell_texts.items() if text != "*"},
            "stage": self.row.outcome.stage.value,
            "decides": self.decides,
            "exceptions": list(self.exceptions),
            "note": self.row.note,
        }


@dataclass(frozen=True, slots=True)
class NearRow:
    """A row that did not match, with the dimensions in which it did not (the why-not)."""

    row: Row
    mismatches: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        cells = self.row.cell_texts
        return {"row": self.row.id, "mismatches": {column: cells[column] for column in self.mismatches}}


@dataclass(frozen=True, slots=True)
class ShareEffect:
    """The pilot's split: in the cloud if allowed, or if the bucket lies below the threshold (share x 100).

    The bucket is all that is told of the share key: its whole hash would give away who is who.
    """

    share: str
    threshold: int
    bucket: int | None
    allow_hit: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "share": self.share,
            "hash": BUCKET_RULE,
            "threshold": self.threshold,
            "bucket": self.bucket,
            "allow_hit": self.allow_hit,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``result`` is ``decision``, ``gap`` or ``conflict``; ``effect`` says in a sentence how the target came about.

    ``exception_path``: the matching rows from the widest that contain the named row, down to it, each an exception to
    those before it. ``owners``: who answers for the domain's rules. ``cutover_date``: of the named row.
    """

    result: str
    domain: str
    table_version: str
    facts: Facts
    business_unit: str
    geography: str
    matched: tuple[MatchedRow, ...]
    deciding: tuple[str, ...]
    named_row: str | None
    stage: Stage | None
    share: ShareEffect | None
    effect: str
    system_id: str | None
    side: Side | None
    overlay: str | None
    nearest: tuple[NearRow, ...]
    exception_path: tuple[str, ...]
    owners: tuple[str, ...]
    cutover_date: date | None
    find_near_miss: Callable[[], NearMiss | None] = field(repr=False, compare=False)

    @property
    def near_miss(self) -> NearMiss | None:
        """The row that came nearest to deciding instead; looked for when somebody asks."""
        return self.find_near_miss()

    def as_json(self) -> dict[str, Any]:
        return {
            "result": self.result,
            "domain": self.domain,
            "table_version": self.table_version,
            "facts": self.facts.as_json() | {"business_unit": self.business_unit, "geography": self.geography},
            "matched": [one.as_json() for one in self.matched],
            "deciding": list(self.deciding),
            "named_row": self.named_row,
            "stage": self.stage and self.stage.value,
            "share": self.share and self.share.as_json(),
            "effect": self.effect,
            "target": self.system_id and {"system_id": self.system_id, "side": self.side and self.side.value},
            "overlay": self.overlay,
            "nearest": [one.as_json() for one in self.nearest],
            "exception_path": list(self.exception_path),
            "owners": list(self.owners),
            "cutover_date": self.cutover_date and self.cutover_date.isoformat(),
            "why_not": (miss := self.near_miss) and miss.as_json(),
        }


@dataclass(frozen=True, slots=True)
class TableEvidence:
    """The index and the resolution that an answer came from."""

    index: TableIndex
    found: Resolution

    @property
    def deciding(self) -> tuple[Row, ...]:
        return self.found.deciding

    def explain(self, answer: Decision | Gap | Conflict) -> Explanation:
        facts = answer.facts
        deciding = tuple(row.id for row in self.found.deciding)
        decision = answer if isinstance(answer, Decision) else None
        share = _share_effect(decision) if decision else None
        overlay = decision.overlay if decision else None
        matched = tuple(self._matched(row) for row in self.found.matched)
        return Explanation(
            result=type(answer).__name__.lower(),
            domain=facts.domain,
            table_version=answer.table_version,
            facts=facts,
            business_unit=facts.business_unit or self.index.business_units.root,
            geography=facts.geography or self.index.geographies.root,
            matched=matched,
            deciding=deciding,
            named_row=decision.row_id if decision else None,
            stage=decision.stage if decision else None,
            share=share,
            effect=_effect(answer, deciding, share),
            system_id=decision.system_id if decision else None,
            side=decision.side if decision else None,
            overlay=overlay and overlay.value,
            nearest=self._nearest(facts) if isinstance(answer, Gap) else (),
            exception_path=_exception_path(matched, decision.row) if decision else (),
            owners=self.index.owners,
            cutover_date=decision.row.outcome.cutover_date if decision else None,
            find_near_miss=partial(nearest_miss, self.index, facts, self.found),
        )

    def effect(self, decision: Decision) -> str:
        return _effect(decision, (), _share_effect(decision))

    def _matched(self, row: Row) -> MatchedRow:
        exceptions = tuple(other.id for other in self.found.matched if row.strictly_contains(other))
        return MatchedRow(row, not exceptions, exceptions)

    def _nearest(self, facts: Facts) -> tuple[NearRow, ...]:
        found = [NearRow(row, row.mismatches(facts)) for row in self.index.rows]
        found.sort(key=lambda one: len(one.mismatches))
        return tuple(found[:NEAREST_ROWS])


def _exception_path(matched: tuple[MatchedRow, ...], named: Row) -> tuple[str, ...]:
    above = [one for one in matched if one.row is named or one.row.strictly_contains(named)]
    above.sort(key=lambda one: -len(one.exceptions))
    return tuple(one.row.id for one in above)


def why_not(index: TableIndex, facts: Facts, row_id: str) -> NearRow:
    """Why this row did not match: the dimensions that refused. Empty: it did match. KeyError: no such row."""
    index.resolve(facts)  # for its UnknownNode: a node outside the trees is refused, not 'not matched'
    row = index.table.row(row_id)
    return NearRow(row, row.mismatches(facts))


def _share_effect(decision: Decision) -> ShareEffect | None:
    share = decision.share
    if decision.stage is not Stage.PILOT or share is None or decision.before_cutover:
        return None
    return ShareEffect(plain(share), share_threshold(share), decision.bucket, decision.allow_hit)


def _effect(answer: Decision | Gap | Conflict, deciding: tuple[str, ...], share: ShareEffect | None) -> str:
    if isinstance(answer, Gap):
        return "no row matches these facts"
    if isinstance(answer, Conflict):
        return f"rows {', '.join(deciding)} decide and yield different things; none is an exception to another"
    if answer.before_cutover:
        effect = (
            f"posting date {answer.facts.posting_date} lies before the cutover date {answer.row.outcome.cutover_date}, "
            "so it belongs to the legacy system"
        )
    elif share is None:
        effect = _STAGE_EFFECTS[answer.stage]
    elif share.allow_hit:
        effect = "the root is on the pilot's allow-list"
    elif share.bucket is None:
        effect = "the document has no share key, so only a share of 100 would take it to the cloud"
    elif answer.side is Side.CLOUD:
        effect = f"share bucket {share.bucket} lies below {share.threshold}"
    else:
        effect = f"share bucket {share.bucket} does not lie below {share.threshold}"
    return f"stage {answer.stage.value}: {effect}; target {answer.system_id}"
