"""The audit of the state: every row that the gateway goes by, recomputed from the entries that the log proves.

An entry cannot be changed unnoticed (`gateway.ledger.verify`); a status, a pin or a number beside it could. So whatever
decides where and whether something is posted, and who asked what, is compared with what the entries tell. What no entry
tells (names of imported masters, leases, links of a document's text) is not judged here. A row that cannot be read is a
finding, and what stands beside it is judged all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord
from gateway.domain.transaction import Status
from gateway.ledger.state.accesses import AuditedAccesses, audit_accesses
from gateway.ledger.state.activations import AuditedActivations, audit_activations
from gateway.ledger.state.archived_index import ArchivedIndexState, IndexWithArchives
from gateway.ledger.state.checkpoints import AuditedLog, audit_checkpoints
from gateway.ledger.state.entries import AuditedEntries, audit_entries
from gateway.ledger.state.findings import Finding, as_far_as_readable, unreadable
from gateway.ledger.state.index import audit_index
from gateway.ledger.state.overlays import AuditedOverlays, audit_overlays
from gateway.ledger.state.parts import part_findings
from gateway.ledger.state.privacy import AuditedPrivacy, audit_privacy
from gateway.ledger.state.ruled import Ruled, read_ruled
from gateway.store.state_reads import StatePart

PART: Final = 200
"""Lineages of one look."""
MOST: Final = 100
"""Findings after which the audit ends: it is wrong by then."""

AuditProgress = Callable[[int], None]
"""Called with the lineages that were compared so far."""


Judge = Callable[[str, int], Awaitable[tuple[Sequence[str], list[Finding]]]]
"""Judges the next so many lineages after an id."""


class AuditedState(
    AuditedActivations, AuditedAccesses, AuditedPrivacy, AuditedOverlays, AuditedEntries, ArchivedIndexState, Protocol
):
    """What the audit reads; the store's reads are one."""

    async def state_part(self, after: str, most: int) -> StatePart: ...
    async def lineage_ids(self, after: str, most: int) -> Sequence[str]: ...
    async def traces_without_row(self) -> Sequence[str]: ...
    async def transactions_without_lineage(self) -> Sequence[str]: ...
    async def keys_without_document(self) -> Sequence[str]: ...
    async def statuses(self, transaction_ids: Sequence[str]) -> Mapping[str, Status]: ...


class AuditedArchives(Protocol):
    """Entries that are not in the database; `gateway.ledger.months.archived_entries.ArchivedEntries` is one."""

    @property
    def months(self) -> Collection[Month]: ...
    def of(self, traces: Sequence[str]) -> Sequence[EntryRecord]: ...
    def traces(self) -> Iterator[Sequence[str]]: ...


async def audit_state(
    state: AuditedState,
    commitment_key: bytes | None = None,
    progress: AuditProgress | None = None,
    gone: Collection[Month] = (),
    rest: Callable[[float], Awaitable[None]] | None = None,
    log: AuditedLog | None = None,
    archives: AuditedArchives | None = None,
) -> list[Finding]:
    """Compare everything; what differs, at most `MOST`. Others may write meanwhile.

    Args:
        commitment_key: opens the committed names in entries; without it natural keys are compared by row only.
        progress: called now and then.
        gone: months that were taken out of the ledger. What only their entries tell is not judged.
        rest: called after each part, with the seconds that it took.
        log: whose kept checkpoints are judged; without it they are not.
        archives: the entries of some of these months, so that their transactions are judged like others.

    Raises:
        ArchiveWrong: a file of an archive is another one since it was verified.
    """
    unread = set(gone) - set(archives.months if archives is not None else ())
    found = [Finding(one, "the row", None, "there") for one in await state.traces_without_row()]
    found += [
        Finding(one, "the row of its lineage", None, "there") for one in await state.transactions_without_lineage()
    ]
    found += [Finding(one, "an additional natural key", "there", None) for one in await state.keys_without_document()]
    if archives is not None:
        found += await _archived_without_row(state, archives)
    ruled = await _ruled(state)

    async def judged(after: str, most: int) -> tuple[Sequence[str], list[Finding]]:
        part = await state.state_part(after, most)
        if archives is not None:
            part = await asyncio.to_thread(_with_archived, part, archives)
        return part.lineage_ids, await asyncio.to_thread(_listed, part, commitment_key, unread, ruled)

    after, done = "", 0
    while len(found) < MOST:
        begun = time.monotonic()
        ids, differs = await _lineages(state, judged, after)
        if not ids:
            break
        found += differs
        after, done = ids[-1], done + len(ids)
        if progress is not None:
            progress(done)
        if rest is not None:
            await rest(time.monotonic() - begun)
    # what is done to the rules and asked of the ledger belongs to no month, so that it is judged always
    for what, beside in _BESIDE:
        if len(found) < MOST:
            found += await _audited(what, beside(state, MOST - len(found)))
    if len(found) < MOST:
        index = state if archives is None else IndexWithArchives(state, archives)
        found += await _audited("the index", audit_index(index, MOST - len(found), unread, rest))
    if log is not None and len(found) < MOST:
        found += await _audited("kept checkpoints", audit_checkpoints(log, MOST - len(found), rest))
    return found[:MOST]


_BESIDE: Final = (
    ("activations", audit_activations),
    ("questions and exports", audit_accesses),
    ("legal holds and erasures", audit_privacy),
    ("overlays", audit_overlays),
    ("entries of no transaction", audit_entries),
)


async def _lineages(state: AuditedState, judged: Judge, after: str) -> tuple[Sequence[str], list[Finding]]:
    """The next lineages and what differs in them; each by itself where a row of one of them cannot be read."""
    whole = await as_far_as_readable(judged(after, PART), lambda _: None)
    if whole is not None:
        return whole
    ids, found = await state.lineage_ids(after, PART), list[Finding]()
    for one in ids:
        found += await _alone(one, judged(after, 1))
        after = one
    return ids, found


async def _alone(lineage_id: str, judged: Awaitable[tuple[Sequence[str], list[Finding]]]) -> list[Finding]:
    """What differs in one lineage; or that a row of it cannot be read."""
    _, found = await as_far_as_readable(
        judged, lambda error: ((), [unreadable(lineage_id, "a row of the lineage", error)])
    )
    return found


async def _audited(what: str, audit: Awaitable[list[Finding]]) -> list[Finding]:
    """What an audit finds; that it cannot go on because of a row is one more finding."""
    return await as_far_as_readable(audit, lambda error: [unreadable(what, "a row", error)])


async def _ruled(state: AuditedState) -> Ruled:
    """What rulebooks say; nothing where an activation cannot be read, which the audit of these tells."""
    return await as_far_as_readable(read_ruled(state), lambda _: Ruled())


async def _archived_without_row(state: AuditedState, archives: AuditedArchives) -> list[Finding]:
    """Transactions of archives that have no row; the first of them."""
    found: list[Finding] = []
    parts = archives.traces()
    while len(found) < MOST and (traces := await asyncio.to_thread(next, parts, None)) is not None:
        for start in range(0, len(traces), PART):
            named = traces[start : start + PART]
            known = await state.statuses(named)
            found += [Finding(one, "the row", None, "there") for one in named if one not in known]
    return found[:MOST]


def _with_archived(part: StatePart, archives: AuditedArchives) -> StatePart:
    """With the entries of its archived transactions beside those that are stored."""
    archived = archives.of([one.transaction_id for one in part.transactions])
    entries = {(one.trace, one.seq): one for one in (*archived, *part.entries)}
    return replace(part, entries=[entries[key] for key in sorted(entries)])


def _listed(part: StatePart, commitment_key: bytes | None, gone: Collection[Month], ruled: Ruled) -> list[Finding]:
    return list(part_findings(part, commitment_key, gone, ruled))
