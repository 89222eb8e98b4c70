"""What every system and every slice can do today: from the drivers' capabilities and the rules in force. Pure.

A row of a table is a slice as far as it goes: which system receives its new roots, which its follow-ups, and what can
be done to documents there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from adapters.canonical import MASTER_DOMAINS
from adapters.port import Capabilities, Capability, Operation
from gateway.api.resources import Resource
from gateway.domain.acts import ActiveOverlay
from gateway.domain.wire import instant
from gateway.transactions.home import CAPABILITIES as KEPT
from gateway.transactions.home import HOME, keeps
from gateway.transactions.overlays import EFFECTS
from gateway.transactions.queries import Visible
from routing_rules import NodeSet, Overlay, Row, Rulebook, Stage, System
from routing_rules.model import CUT_OVER

MOST_SLICES: Final = 1_000
"""Rows of one answer; a table may have tens of thousands. `domain` narrows the question."""
_ABSENT: Final = Capability(False, reason="its driver does not support it")
_CLOUD_TAKES_ROOTS: Final = frozenset({Stage.LIVE, Stage.DRAIN, Stage.READ_ONLY, Stage.RETIRED})
_LEGACY_ALONE: Final = frozenset({Stage.LEGACY, Stage.DARK, Stage.VALIDATE})
_LEGACY_RUNS_OUT: Final = frozenset({Stage.PILOT, Stage.LIVE, Stage.DRAIN})


def capability_report(
    rulebook: Rulebook,
    capabilities: Mapping[str, Capabilities],
    resources: Iterable[Resource],
    visible: Visible,
    domain: str | None = None,
    overlays: Sequence[ActiveOverlay] = (),
) -> dict[str, Any]:
    """In wire words. Slices that lie outside of `visible` are left out; `domain` limits everything to one. `overlays`:
    those that are set now."""
    able = {**capabilities, HOME: KEPT}
    asked = [one for one in resources if domain in {None, one.domain}]
    shown = [one for one in overlays if _is_seen_over(one, rulebook, visible)]
    rows = [
        (one, row)
        for one in asked
        if one.domain in rulebook.tables
        for row in rulebook.table(one.domain).rows
        if _is_seen(row.business_unit, visible.business_units) and _is_seen(row.geography, visible.geographies)
    ]
    return {
        "domains": [
            {
                "domain": one.domain,
                "served": one.domain in rulebook.tables,
                # what nobody serves can be asked for nowhere
                "operations": [operation.value for operation in one.operations]
                if one.domain in rulebook.tables
                else [],
            }
            for one in asked
        ],
        "systems": [_system(one, capabilities.get(one.id, {}), asked) for one in rulebook.systems.values()],
        "slices": [_slice(rulebook, one, row, able, shown) for one, row in rows[:MOST_SLICES]],
        "slicesLeftOut": max(0, len(rows) - MOST_SLICES),
    }


def _is_seen(cell: NodeSet, nodes: frozenset[str] | None) -> bool:
    return nodes is None or not cell.nodes.isdisjoint(nodes)


def _is_seen_over(overlay: ActiveOverlay, book: Rulebook, visible: Visible) -> bool:
    units, places = _covered(overlay, book)
    return (visible.business_units is None or not units.isdisjoint(visible.business_units)) and (
        visible.geographies is None or not places.isdisjoint(visible.geographies)
    )


def _system(system: System, capabilities: Capabilities, asked: list[Resource]) -> dict[str, Any]:
    return {
        "systemId": system.id,
        "systemName": system.name,
        "side": system.side.value,
        "driver": system.driver,
        "regions": list(system.regions),
        "domains": [
            {
                "domain": one.domain,
                "operations": [
                    _operation(operation, capabilities.get((one.domain, operation), _ABSENT))
                    for operation in one.operations
                ],
            }
            for one in asked
            if one.domain in system.domains
        ],
    }


def _operation(operation: Operation, capability: Capability) -> dict[str, Any]:
    return {
        "operation": operation.value,
        "supported": capability.supported,
        "reason": capability.reason,
        "maxLines": capability.max_lines if capability.supported else None,
        "mixedLines": capability.supported and capability.mixed_lines,
        "canValidate": capability.supported and capability.can_validate,
        "changeableMembers": sorted(capability.changeable),
        "referenceUnique": capability.supported and capability.reference_unique,
    }


def _slice(
    book: Rulebook,
    resource: Resource,
    row: Row,
    capabilities: Mapping[str, Capabilities],
    overlays: Sequence[ActiveOverlay],
) -> dict[str, Any]:
    roots = new_root_systems(row)
    takers = [one for one in roots if not keeps(resource.domain, capabilities.get(one, {}))]
    # What the gateway keeps is pinned to the gateway, so what may be done to it is done here as well.
    home = [HOME] if len(takers) < len(roots) else []
    held = follow_up_systems(resource.domain, row)
    holders = [*(one for one in held if not _never_holds(resource, capabilities.get(one, {}))), *home]
    cells = row.cell_texts
    return {
        "domain": resource.domain,
        "row": row.id,
        "businessUnit": cells["business_unit"],
        "geography": cells["geography"],
        "companyCode": cells["company_code"],
        "documentType": cells["document_type"],
        "customerSegment": cells["customer_segment"],
        "amount": cells["amount"],
        "stage": row.outcome.stage.value,
        "overlay": None if row.outcome.overlay is None else row.outcome.overlay.value,
        "overlaysInForce": [
            _lying(one, book, row) for one in overlays if one.domain == resource.domain and _meets(one, book, row)
        ],
        "newRootSystemIds": [*takers, *home],
        "followUpSystemIds": holders,
        "keptByGateway": bool(home),
        "operations": [
            {
                "operation": operation.value,
                "systemIds": [
                    one
                    for one in ([*takers, *home] if operation is Operation.CREATE else holders)
                    if _can(capabilities, one, resource.domain, operation)
                ],
            }
            for operation in resource.operations
            if row.operation.matches(operation.value)
        ],
    }


def _meets(overlay: ActiveOverlay, book: Rulebook, row: Row) -> bool:
    """Whether it lies over some of the row's nodes."""
    units, places = _covered(overlay, book)
    return not (units.isdisjoint(row.business_unit.nodes) or places.isdisjoint(row.geography.nodes))


def _lying(overlay: ActiveOverlay, book: Rulebook, row: Row) -> dict[str, Any]:
    units, places = _covered(overlay, book)
    return {
        "overlay": overlay.overlay,
        "overlayId": overlay.overlay_id,
        "businessUnit": overlay.business_unit,
        "geography": overlay.geography,
        "wholeSlice": row.business_unit.nodes <= units and row.geography.nodes <= places,
        "expectedUntil": None if overlay.expected_until is None else instant(overlay.expected_until),
        "effect": EFFECTS[Overlay(overlay.overlay)],
    }


def _covered(overlay: ActiveOverlay, book: Rulebook) -> tuple[frozenset[str], frozenset[str]]:
    """Business units and geographies at or below its nodes; none for a node that the rulebook has no longer."""
    units, places = book.business_units, book.geographies
    return (
        units.below(overlay.business_unit) if overlay.business_unit in units else frozenset(),
        places.below(overlay.geography) if overlay.geography in places else frozenset(),
    )


def _never_holds(resource: Resource, capabilities: Capabilities) -> bool:
    """Whether the gateway keeps what the system would hold, and nothing can be done to such documents there: then none
    is there, and none ever was."""
    every = (capabilities.get((resource.domain, one), _ABSENT) for one in Operation)
    return keeps(resource.domain, capabilities) and not any(one.supported for one in every)


def new_root_systems(row: Row) -> tuple[str, ...]:
    """Where new roots of the row go; to both in a pilot, by its share and allow-list, and by a cutover date."""
    outcome = row.outcome
    legacy, cloud = outcome.legacy_system, outcome.cloud_system
    if outcome.stage in _LEGACY_ALONE:
        return _known(legacy)
    if outcome.cutover_date is not None and outcome.stage in CUT_OVER:
        return _known(legacy, cloud)
    return _known(cloud) if outcome.stage in _CLOUD_TAKES_ROOTS else _known(legacy, cloud)


def follow_up_systems(domain: str, row: Row) -> tuple[str, ...]:
    """Where documents of such a lineage may belong, hence where its follow-ups go. Masters have no lineage."""
    outcome = row.outcome
    if domain not in MASTER_DOMAINS and outcome.stage in _LEGACY_RUNS_OUT:
        return _known(outcome.legacy_system, outcome.cloud_system)
    return new_root_systems(row)


def _known(*system_ids: str | None) -> tuple[str, ...]:
    return tuple(one for one in system_ids if one is not None)


def _can(capabilities: Mapping[str, Capabilities], system_id: str, domain: str, operation: Operation) -> bool:
    return capabilities.get(system_id, {}).get((domain, operation), _ABSENT).supported
