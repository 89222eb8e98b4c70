"""Comparing the pins of lineages with what the entries tell. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.records import PinRecord
from gateway.ledger.state.compare import Adopted
from gateway.ledger.state.findings import Finding, unlike, unlike_time
from gateway.ledger.state.ruled import Ruled
from gateway.ledger.state.told import Told


def pin_findings(
    lineage_id: str, pin: PinRecord | None, told: Sequence[Told], adopted: Sequence[Adopted], ruled: Ruled
) -> Iterator[Finding]:
    """A pin that no transaction set, that stands elsewhere than where it was put last, or by another decision.

    Not judged by time: two processes' clocks differ. A transaction that pinned gives back what it pinned itself, so at
    most one pin stands, until a batch of adoptions moves it, which keeps the decision.
    """
    standing = [one for one in told if one.pin is not None]
    systems = {one.pin for one in standing if one.pin is not None}
    moved = max(adopted, key=lambda one: one.at, default=None)
    if moved is not None:
        systems = {moved.new.system_id}
    yield from unlike(lineage_id, "pin", pin.system_id if pin is not None else None, " and ".join(systems) or None)
    if pin is None or pin.system_id not in systems:
        return
    by = next((one for one in reversed(standing) if one.routed is not None), None)
    system_id, at = pin.system_id, moved.at if moved is not None else None
    if by is not None and by.routed is not None:
        rule = by.routed.get("rule", {})
        for what, stored, said in (
            ("stage of the pin", pin.stage, by.routed.get("stage")),
            ("rule_row of the pin", pin.rule_row, rule.get("row")),
            ("table_version of the pin", pin.table_version, rule.get("tableVersion")),
            ("activation_number of the pin", pin.activation_number, rule.get("activationNumber")),
        ):
            yield from unlike(lineage_id, what, stored, said)
        if moved is None:
            system_id, at = by.routed.get("ruledSystemId", system_id), by.pinned_at
    if not ruled.may_be_side(system_id, pin.side):
        yield Finding(lineage_id, "side of the pin", pin.side, f"{system_id}, which was never there")
    if at is not None:
        yield from unlike_time(lineage_id, "pinned_at", pin.pinned_at, at)
