"""Late follow-ups: what comes for a lineage of the legacy ERP after its root's slice was closed there.

Through `drain` the legacy ERP takes them. In `read_only` and `retired` the rulebook's `late` says, by slice of the root
and kind, whether a late document becomes a new root in the cloud that relates (`cloud`), is kept back (`hold`) or is
refused (`refuse`). Source: docs/rules.md, 'Late follow-ups'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Literal

from adapters.canonical import DOMAINS, CanonicalDocument
from gateway.domain.facts import facts_of
from gateway.domain.records import DocumentRecord, PinRecord
from gateway.errors import Problem
from gateway.transactions.home import HOME
from gateway.transactions.links import LinkedDocument
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import WriteUnit
from routing_rules import Decision, DomainNotServed, Facts, LatePolicy, Rulebook, Stage, UnknownNode, decide

Late = Literal["cloud", "hold", "refuse"]

CLOSED: Final = frozenset({Stage.READ_ONLY, Stage.RETIRED})
_STRICTEST_FIRST: Final[tuple[Late, ...]] = ("refuse", "hold", "cloud")
_KEPT_BACK: Final = frozenset({"payment", "chargeback"})
"""Money that has arrived, or left again, is not refused where nobody said so: a person looks."""


def kind_of(document: CanonicalDocument, operation: str) -> str:
    """What the rulebook's `late` calls it; `other` for what no policy can allow."""
    if operation == "create":
        if document.domain == "payments":
            return "payment"
        return "credit" if getattr(document, "document_type", None) == "credit_note" else "other"
    if operation == "change":
        return "other"
    return "chargeback" if document.domain == "payments" else "reversal"


async def late_of(
    unit: WriteUnit, parts: LineParts, pin: PinRecord | None, lineages: Iterable[str], domain: str, kind: str
) -> Late | None:
    """What is to be done with a follow-up in lineages that share this pin; None: it is not late."""
    book = parts.rules.rulebook
    if pin is None or pin.side != "legacy" or pin.system_id == HOME or not book.closed_domains:
        return None
    found: list[Late] = []
    for lineage_id in dict.fromkeys(lineages):
        root = await unit.root_of(lineage_id)
        if root is None or root.domain not in book.closed_domains:
            continue
        if _is_closed(book, await _facts_of_root(unit, root)):
            found.append(policy_for(book, domain, kind, root.business_unit, root.geography))
    return min(found, key=_STRICTEST_FIRST.index, default=None)


def late_of_own(
    parts: LineParts, pin: PinRecord, facts: Facts, business_unit: str, geography: str, kind: str
) -> Late | None:
    """The same for what is a root itself. `facts`: with which it would be created now."""
    book = parts.rules.rulebook
    if pin.side != "legacy" or facts.domain not in book.closed_domains or not _is_closed(book, facts):
        return None
    return policy_for(book, facts.domain, kind, business_unit, geography)


def policy_for(book: Rulebook, domain: str, kind: str, business_unit: str, geography: str) -> Late:
    """Of the policies that hold for a slice, the narrowest; of those that do not contain each other, the strictest."""
    matching = [
        one
        for one in book.late
        if (one.domain, one.kind) == (domain, kind)
        and one.business_unit.matches(business_unit)
        and one.geography.matches(geography)
    ]
    narrowest = [one for one in matching if not any(_contains(one, other) for other in matching if other is not one)]
    said = {one.policy for one in narrowest}
    return next((late for late in _STRICTEST_FIRST if late in said), "hold" if kind in _KEPT_BACK else "refuse")


def _contains(wide: LatePolicy, narrow: LatePolicy) -> bool:
    return (
        wide.business_unit.contains(narrow.business_unit)
        and wide.geography.contains(narrow.geography)
        and (wide.business_unit.nodes, wide.geography.nodes) != (narrow.business_unit.nodes, narrow.geography.nodes)
    )


def _is_closed(book: Rulebook, root: Facts) -> bool:
    """Whether the root's slice, as the rules stand now, takes no more follow-ups in the legacy ERP."""
    try:
        answer = decide(book, root)
    except (DomainNotServed, UnknownNode):
        return False
    return isinstance(answer, Decision) and answer.stage in CLOSED


async def _facts_of_root(unit: WriteUnit, root: DocumentRecord) -> Facts:
    """From the document itself; what was imported by its number, or erased, says only what its row says."""
    payload = await unit.payload(root.payload_id) if root.payload_id is not None else None
    if payload is not None and payload.body is not None:
        document = DOMAINS[root.domain].model_validate_json(payload.body)
        return facts_of(document, operation="create", share_key=None, is_root=True)
    return Facts(
        domain=root.domain,
        operation="create",
        business_unit=root.business_unit,
        geography=root.geography,
        company_code=root.company_code,
        document_type=root.document_type,
    )


def refuse_late(late: Late | None, pin: PinRecord | None, kind: str, *, can_move: bool = True) -> None:
    """Raise Problem `lineage-closed` where the policy refuses.

    `can_move`: whether it is a document of its own, which another ERP could take; what is done to a document happens
    where the document is.
    """
    if late is None or pin is None or (late == "hold" or (late == "cloud" and can_move)):
        return
    raise Problem(
        "lineage-closed",
        f"its lineage belongs to {pin.system_id}, where its slice is closed: a late {kind} is not taken there",
        remedy="ask operations how late documents of this slice are handled"
        if can_move
        else "submit a document of its own that corrects it, such as a credit note",
        extra={"systemId": pin.system_id, "lateKind": kind},
    )


def refuse_legacy(side: str, kind: str) -> None:
    """Raise Problem `lineage-closed` where a late document is to go to the cloud, and the table of its domain sends new
    documents of its slice elsewhere."""
    if side != "cloud":
        raise Problem(
            "lineage-closed",
            f"a late {kind} is to go to the cloud, but the rule table of its domain keeps its slice in the legacy ERP",
            remedy="tell the migration team: the slice of the follow-ups is behind that of their roots",
            extra={"lateKind": kind},
        )


def relating(linked: Sequence[LinkedDocument]) -> list[LinkedDocument]:
    """The links of a late document that becomes a root of its own: it relates to what it would have followed."""
    return [
        LinkedDocument(replace(one.link, kind="relates"), one.document, one.transaction)
        if one.link.kind == "follows"
        else one
        for one in linked
    ]
