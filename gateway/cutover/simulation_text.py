"""A simulation as a page of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from gateway.cutover.simulation_view import SimulationView, Sum, counted, minute_told

MOST_SLICES: Final = 40
"""Lines of slices that the page shows; JSON and report have all of them."""
MOST_NAMED: Final = 5
"""Transactions that a line names."""


def text_of(stored: Mapping[str, Any]) -> str:
    """The page, of what `SimulationRun.as_json` stored."""
    return "\n".join(_lines(SimulationView(stored))) + "\n"


def _lines(view: SimulationView) -> Iterator[str]:
    stored, found = view.stored, view.found
    base, position = stored["base"], stored["position"]
    yield f"simulation of {stored['candidate']['tableVersion']}"
    yield f"  over activation {base['activationNumber']}, {base['tableVersion']}"
    yield f"  window {stored['window']['since']} to {stored['window']['until']} (end excluded)"
    yield f"  read {position['entries']:,} entries of the ledger, leaves {position['leavesHash']}"
    yield (
        f"  {found['documents']:,} documents: decided anew {found['decided']:,}, follow their root "
        f"{found['followed']:,}, pinned before the window {found['pinned']:,}, undecided {view.undecided:,}"
    )
    yield f"moves: {found['movedDocuments']:,} documents"
    yield from _sums(view.moved_by("direction"))
    yield from _block("by slice", view.moved_by("direction", "domain", "businessUnit", "geography"))
    yield from _block("by company code and period", view.moved_by("companyCode", "period"))
    yield from _block("stays", view.totals("keptTotals"), none="nothing was decided")
    yield from _block("pinned, does not move", view.totals("pinnedTotals"))
    yield from _block("undetermined, by what was not recorded", view.totals("undetermined"))
    for name, told in (("unmatchedInForce", "in force"), ("unmatchedCandidate", "the candidate")):
        unmatched = view.unmatched(name)
        yield f"given no system by {told}: {'none' if not unmatched else ''}".rstrip()
        for one, transactions in unmatched:
            yield f"  {one.name}: {counted(one.documents)}, {one.money}: {', '.join(transactions[:MOST_NAMED])}"
    yield from _both(view)
    yield "busiest minute by system, calls and share of its budget"
    for peak in found["peaks"]:
        yield (
            f"  {peak['systemId']}: {peak['inForceCalls']:,} in force, {peak['candidateCalls']:,} by the candidate "
            f"({peak['candidatePercent']} % of {peak['budget']:,}{_at(peak['candidateMinute'])})"
        )
    yield f"largest that move: {'' if found['largest'] else 'none'}".rstrip()
    for one in found["largest"]:
        yield (
            f"  {one['amount']} {one['currencyCode']} {one['transactionId']} {one['domain']}: {one['fromSystem']} "
            f"({one['rowBefore']}) to {one['toSystem']} ({one['rowAfter']})"
        )
    yield f"result {stored['resultHash']}"


def _at(minute: int | None) -> str:
    return "" if minute is None else f", {minute_told(minute)}"


def _block(title: str, sums: list[Sum], none: str = "none") -> Iterator[str]:
    yield f"{title}:" if sums else f"{title}: {none}"
    yield from _sums(sums[:MOST_SLICES])
    if len(sums) > MOST_SLICES:
        yield f"  and {len(sums) - MOST_SLICES:,} more; JSON and report have them"


def _sums(sums: Iterable[Sum]) -> Iterator[str]:
    for one in sums:
        yield f"  {one.name}: {counted(one.documents)}, {one.money}"


def _both(view: SimulationView) -> Iterator[str]:
    before, after = view.found["openInBothInForce"], view.found["openInBothCandidate"]
    yield f"customers open in both ERPs: {before['customers']:,} in force, {after['customers']:,} by the candidate"
    for side in ("legacy", "cloud"):
        for one in after[side]:
            yield f"  open in {side}: {one['documents']:,} lineages, {one['amount']} {one['currencyCode']}"
