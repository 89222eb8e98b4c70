"""Where a transaction goes and why, as its `routed` entry tells it for ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adapters.canonical import CanonicalDocument, ErpNumber, JournalEntry
from gateway.domain.facts import wire_members
from gateway.domain.legs import Leg
from gateway.domain.records import PinRecord, TransactionRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.home import HOME, capability, keeps
from gateway.transactions.parts import LineParts
from routing_rules import Decision, Facts

_ONE_FOR_EACH: Final = "submit one entry for each company code and currency"


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes and why. `tell` makes the wire members of its `routed` entry, when it is routed: what is accepted
    alone is judged at once, and routed by a worker later."""

    system_id: str
    side: str
    stage: str
    table_version: str | None
    rule_row: str | None
    activation_number: int | None
    pinned: bool
    tell: Callable[[], Mapping[str, object]] = field(compare=False, repr=False)

    @property
    def is_home(self) -> bool:
        """The gateway keeps it itself; nothing is to be called."""
        return self.system_id == HOME

    @property
    def for_leg(self) -> Mapping[str, Any]:
        """As members of a leg that goes there."""
        return {
            "system_id": self.system_id,
            "side": self.side,
            "stage": self.stage,
            "table_version": self.table_version,
            "rule_row": self.rule_row,
            "activation_number": self.activation_number,
            "pinned": self.pinned,
        }


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """A leg, and why it goes where it goes."""

    leg: Leg
    target: Target


@dataclass(frozen=True, slots=True)
class Ready:
    """It may go now, and every document that it names has a number there.

    `legs`: the parts into which it is split; then `target` is that of the first.
    """

    target: Target
    numbers: Mapping[str, ErpNumber]
    legs: tuple[PlannedLeg, ...] = ()


@dataclass(frozen=True, slots=True)
class Waits:
    """It waits for that transaction to be posted."""

    transaction_id: str
    field: str


@dataclass(frozen=True, slots=True)
class Held:
    """An overlay keeps it back; nothing was sent.

    `rule_row` of a planned overlay, `overlay_id` of one that was set; `late`: the kind of a late follow-up.
    """

    overlay: str
    rule_row: str | None = None
    overlay_id: str | None = None
    late: str | None = None

    @property
    def members(self) -> Mapping[str, object]:
        """Wire members of its `held` entry."""
        return {"overlay": self.overlay, "row": self.rule_row, "overlayId": self.overlay_id, "lateKind": self.late}

    @property
    def awaited(self) -> str:
        """What its job waits for: the end of an act wakes it; nothing wakes it from a planned overlay, and it is looked
        at again after a while."""
        return self.overlay_id or self.overlay


def decided(parts: LineParts, decision: Decision | None, facts: Facts) -> Target:
    """As the table says; a contract that the named system does not take stays with the gateway.

    Raises Problem `no-rule` where the table says nothing.
    """
    if decision is None:
        raise Problem("no-rule", "its lineage has no pin and the table has no row", remedy="ask the migration team")
    number = parts.rules.activation_number

    def tell() -> Mapping[str, object]:
        return {
            "systemId": decision.system_id,
            "stage": decision.stage.value,
            "rule": {"tableVersion": decision.table_version, "row": decision.row_id, "activationNumber": number},
            "explanation": decision.effect,
            "facts": facts_members(decision, facts),
            "pinned": False,
        }

    target = Target(
        system_id=decision.system_id,
        side=decision.side.value,
        stage=decision.stage.value,
        table_version=decision.table_version,
        rule_row=decision.row_id,
        activation_number=number,
        pinned=False,
        tell=tell,
    )
    system = parts.systems.get(target.system_id)
    return _at_home(target) if system is not None and keeps(facts.domain, system.port.capabilities()) else target


def _at_home(target: Target) -> Target:
    def tell() -> Mapping[str, object]:
        told = target.tell()
        effect = kept_effect(str(told["explanation"]), target.system_id)
        return {**told, "systemId": HOME, "ruledSystemId": target.system_id, "explanation": effect}

    return replace(target, system_id=HOME, tell=tell)


def kept_effect(effect: str, system_id: str) -> str:
    """The explanation of a decision whose system does not take the contract."""
    return f"{effect}; {system_id} takes no contracts, so the gateway keeps it itself"


def pinned(parts: LineParts, pin: PinRecord, decision: Decision | None, facts: Facts) -> Target:
    """Where its lineage is, whatever the table says now."""
    rule = {
        "tableVersion": pin.table_version,
        "row": pin.rule_row,
        "activationNumber": parts.rules.activation_number,
        "pinnedUnder": pin.activation_number,
    }

    def tell() -> Mapping[str, object]:
        return {
            "systemId": pin.system_id,
            "stage": pin.stage,
            "rule": {name: value for name, value in rule.items() if value is not None},
            "explanation": f"its lineage belongs to {pin.system_id} since its root was routed",
            "facts": facts_members(decision, facts),
            "pinned": True,
        }

    return Target(
        system_id=pin.system_id,
        side=pin.side,
        stage=pin.stage,
        table_version=pin.table_version,
        rule_row=pin.rule_row,
        activation_number=parts.rules.activation_number,
        pinned=True,
        tell=tell,
    )


def pin_of_leg(leg: Leg, lineage_id: str) -> PinRecord:
    """The leg's own pin: where it was posted is where it is reversed."""
    return PinRecord(
        lineage_id=lineage_id,
        system_id=leg.system_id,
        side=leg.side,
        stage=leg.stage,
        rule_row=leg.rule_row,
        table_version=leg.table_version,
        activation_number=pinned_under(leg),
        pinned_at=0,
    )


def pinned_under(routed: Leg | TransactionRecord) -> int | None:
    """The activation whose table decided where it went; None for what followed a pin itself: it says no more than what
    was in force by then, and its table may be another's."""
    return None if routed.pinned else routed.activation_number


def facts_members(decision: Decision | None, facts: Facts) -> dict[str, object]:
    """The deciding facts in wire words."""
    recorded = decision.deciding_facts() if decision is not None else facts.as_json()
    members: dict[str, object] = wire_members(recorded)
    return {name: value for name, value in members.items() if value is not None}


def refuse_unsupported(parts: LineParts, domain: str, target: Target) -> None:
    """Raise Problem `domain-not-served` if the target cannot take new documents of the domain at all."""
    can = capability(parts, target.system_id, domain, "create")
    if not can.supported:
        raise Problem(
            "domain-not-served",
            f"system {target.system_id} does not take create of {domain}: {can.reason}",
            remedy="the rulebook must name a system that does; tell the migration team",
        )


def refuse_too_many_lines(
    parts: LineParts, document: CanonicalDocument, target: Target, legs: tuple[PlannedLeg, ...] = ()
) -> None:
    """Raise Problem `invalid-document` for more lines than the target takes in one document, so that it is not found
    out after sending. `legs`: the parts into which it is split, each with a target of its own."""
    lines: tuple[object, ...] = getattr(document, "lines", ())
    posted = [(one.target, one.leg.line_count) for one in legs] or [(target, len(lines))]
    for where, count in posted:
        most = capability(parts, where.system_id, document.domain, "create").max_lines
        if count > most:
            message = f"are {count}, and system {where.system_id} takes {most} lines in one document"
            remedy = "submit it as several documents"
            raise Problem(
                "invalid-document",
                f"lines {message}",
                remedy=remedy,
                errors=(FieldError("lines", message, remedy),),
                extra={"systemId": where.system_id},
            )


def refuse_mixed_lines(parts: LineParts, entry: CanonicalDocument, target: Target) -> None:
    """Raise Problem `invalid-document` for a journal entry in one book that is not that of its head, if the target does
    not take such lines."""
    if not isinstance(entry, JournalEntry) or capability(parts, target.system_id, entry.domain, "create").mixed_lines:
        return
    system_id, errors = target.system_id, []
    for index, line in enumerate(entry.lines):
        if line.company_code not in {None, entry.company_code}:
            errors.append(FieldError(f"lines[{index}].companyCode", "differs from companyCode", _ONE_FOR_EACH))
        if line.currency_code not in {None, entry.currency_code}:
            errors.append(FieldError(f"lines[{index}].currencyCode", "differs from currencyCode", _ONE_FOR_EACH))
    if errors:
        raise Problem(
            "invalid-document",
            f"system {system_id} takes journal entries of one company code in one currency; "
            f"{errors[0].field} {errors[0].message}",
            remedy=_ONE_FOR_EACH,
            errors=tuple(errors),
            extra={"systemId": system_id},
        )


def refuse_unserved(
    parts: LineParts, domain: str, operation: str, target: Target, changed: frozenset[str] = frozenset()
) -> None:
    """Raise Problem `operation-not-served` if the target cannot do this to a document, or not to these members.

    `totals` follow from what they sum, so a system that can change that can change them.
    """
    can = capability(parts, target.system_id, domain, operation)
    if not can.supported:
        raise Problem(
            "operation-not-served",
            f"system {target.system_id}, to which the document belongs, cannot {operation} {domain}: {can.reason}",
            remedy="have it done in the ERP itself",
            extra={"systemId": target.system_id, "operation": operation},
        )
    beyond = sorted(changed - can.changeable - {"totals"})
    if beyond:
        able = f"it can change {', '.join(sorted(can.changeable)) or 'nothing'}"
        raise Problem(
            "operation-not-served",
            f"system {target.system_id}, to which the document belongs, cannot change {', '.join(beyond)} of {domain}",
            remedy=f"leave them out: {able}",
            errors=tuple(FieldError(one, f"cannot be changed in {target.system_id}", able) for one in beyond),
            extra={"systemId": target.system_id, "operation": operation},
        )
