"""What lies over a slice: the planned overlay of the table's row, and over it what people and monitors set.

The strictest wins. `freeze` refuses what is new and stops what is accepted, `hold` accepts and keeps back, `paused`
keeps new roots back only. Source: docs/rules.md, 'Overlays'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from adapters.canonical import CanonicalDocument
from gateway.domain.acts import ActiveOverlay
from gateway.domain.facts import facts_of, facts_of_leg
from gateway.domain.legs import Leg, legs_of
from gateway.domain.records import TransactionRecord
from gateway.domain.wire import instant
from gateway.errors import Problem
from gateway.transactions.parts import SECOND, RulesInForce
from gateway.transactions.target import Held
from routing_rules import Conflict, Decision, DomainNotServed, Facts, Gap, Overlay, Tree, UnknownNode, decide

STRICTEST_FIRST: Final = (Overlay.FREEZE, Overlay.HOLD, Overlay.PAUSED)
EFFECTS: Final[Mapping[Overlay, str]] = {
    Overlay.FREEZE: "nothing new is accepted (409 frozen), and what was accepted and not sent is kept back",
    Overlay.HOLD: "everything is accepted and kept back as held until it is lifted, follow-ups as well",
    Overlay.PAUSED: "new roots are accepted and kept back as held until it is lifted; what follows or is done to a "
    "document goes on",
}
"""What each does, in a sentence for callers."""
UNPLANNED_RETRY_S: Final = 3_600
"""What a caller is told who meets a freeze of which nobody said how long it will last; seconds."""
LEAST_RETRY_S: Final = 60
"""The same where it should be over by now, and is not."""


@dataclass(frozen=True, slots=True)
class Lying:
    """The strictest of what lies over a transaction: an act (`overlay_id`) or a column (`rule_row`)."""

    overlay: Overlay
    overlay_id: str | None = None
    rule_row: str | None = None
    expected_until: int | None = None

    @property
    def window_id(self) -> str:
        """What a caller names when asking about it."""
        return self.overlay_id or self.rule_row or ""

    @property
    def held(self) -> Held:
        """How a transaction stands under it."""
        return Held(self.overlay.value, self.rule_row, self.overlay_id)

    @property
    def members(self) -> dict[str, object]:
        """In wire words, for people who ask what lies over a slice now."""
        return {
            "overlay": self.overlay.value,
            "overlayId": self.overlay_id,
            "row": self.rule_row,
            "expectedUntil": None if self.expected_until is None else instant(self.expected_until),
            "effect": EFFECTS[self.overlay],
        }

    def stops(self, *, follows: bool) -> bool:
        """Whether it keeps this back; a pause is for new roots only."""
        return not (follows and self.overlay is Overlay.PAUSED)


def lying_over(rules: RulesInForce, facts: Facts, decision: Decision | None) -> Lying | None:
    """The strictest of what lies over the slice of these facts; a follow-up's own slice counts, not its root's."""
    planned = decision.overlay if decision is not None else None
    found = [Lying(planned, rule_row=decision.row_id)] if decision is not None and planned is not None else []
    found += [
        Lying(Overlay(one.overlay), overlay_id=one.overlay_id, expected_until=one.expected_until)
        for one in _covering(rules, facts)
    ]
    return strictest(found)


def lying_over_legs(rules: RulesInForce, facts: Facts, legs: Sequence[Leg]) -> Lying | None:
    """The strictest of what lies over the slice of any leg. `facts`: of the document as a whole."""
    own = [facts_of_leg(facts, leg) for leg in legs]
    return strictest(lying_over(rules, one, _decided(rules, one)) for one in own)


def strictest(found: Iterable[Lying | None]) -> Lying | None:
    """The strictest of several, if there is any."""
    lying = [one for one in found if one is not None]
    if not lying:
        return None
    return min(lying, key=lambda one: STRICTEST_FIRST.index(one.overlay))


def _covering(rules: RulesInForce, facts: Facts) -> Iterator[ActiveOverlay]:
    book = rules.rulebook
    for one in rules.acts.overlays:
        if (
            one.domain == facts.domain
            and _covers(book.business_units, one.business_unit, facts.business_unit)
            and _covers(book.geographies, one.geography, facts.geography)
        ):
            yield one


def _covers(tree: Tree, node: str, fact: str | None) -> bool:
    # ids of nodes are never reused: an overlay over a node that a later version does not have covers nothing
    return node in tree and (tree.root if fact is None else fact) in tree.below(node)


def refuse_frozen(lying: Lying | None, now: int) -> None:
    """Raise Problem `frozen` for what is new where a freeze lies. `now`: µs."""
    if lying is None or lying.overlay is not Overlay.FREEZE:
        return
    retry_after_s = UNPLANNED_RETRY_S
    if lying.expected_until is not None:
        retry_after_s = max(LEAST_RETRY_S, -((now - lying.expected_until) // SECOND))
    by = f"row {lying.rule_row}" if lying.overlay_id is None else f"overlay {lying.overlay_id}"
    raise Problem(
        "frozen",
        f"{by} freezes this slice: nothing is accepted until it is lifted",
        remedy="send the same request again once the freeze is over",
        retry_after_s=retry_after_s,
        extra={"windowId": lying.window_id},
    )


def holding_again(rules: RulesInForce, record: TransactionRecord, document: CanonicalDocument) -> Held | None:
    """What keeps back a transaction of which nothing was sent although it was dispatched, before it is sent again.

    It was routed and stays where it was routed to; so only its slice counts, and those of its legs, and a pause lets it
    pass.
    """
    facts = facts_of(document, operation=record.operation, share_key=None, is_root=False)
    if record.posting_date is not None:
        facts = replace(facts, posting_date=date.fromisoformat(record.posting_date))
    lying = strictest(
        [lying_over(rules, facts, _decided(rules, facts)), lying_over_legs(rules, facts, legs_of(record))]
    )
    return lying.held if lying is not None and lying.stops(follows=True) else None


def _decided(rules: RulesInForce, facts: Facts) -> Decision | None:
    try:
        answer = decide(rules.rulebook, facts)
    except (DomainNotServed, UnknownNode):
        return None
    return None if isinstance(answer, Gap | Conflict) else answer
