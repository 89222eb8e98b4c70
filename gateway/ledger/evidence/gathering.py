"""What a pack is about, gathered from the record: which traces, which rules, which payloads."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.months import Month
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.records import ActivationRecord, TransactionRecord
from gateway.errors import Problem
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.entry_pages import Asked, all_rows
from gateway.ledger.evidence.gathered_rules import rules_of
from gateway.ledger.evidence.openings import MISSING, REFUSAL, Candidates, erased_in, openings, refusals_kept
from gateway.ledger.evidence.population import read_population
from gateway.ledger.evidence.sampling import ALGORITHM, draw, population_hash, seed_of
from gateway.ledger.evidence.subjects import For, OfLineage, OfRuleChange, OfSample, OfTransaction, Subject
from gateway.ledger.lines import base64_text
from gateway.ledger.log_files import size_of
from gateway.ledger.notes import parse_note
from gateway.store.ledger_reads import LedgerReads
from gateway.store.log_reads import LogReads, PlacedEntry
from gateway.store.reads import StoreReads

MOST_ENTRIES: Final = 4_000
"""Of a pack: each is two files."""


@dataclass(frozen=True, slots=True)
class SampleDrawn:
    """`words`: what the pack says of the draw. `closing`: the signed checkpoint that closes the population."""

    words: dict[str, Any]
    closing: bytes
    size: int


@dataclass(slots=True)
class Gathered:
    """`found`: the entries that the question is about, `beside`: those of the roots whose decision they follow, and of
    the changes of the rules that decided; both
    in the order of the log. `rules`: what was in force, by activation number. `left_out`: what the asker may not
    see."""

    found: list[PlacedEntry]
    beside: list[PlacedEntry] = field(default_factory=list)
    rules: dict[int, ActivationRecord] = field(default_factory=dict)
    candidates: Candidates = field(default_factory=Candidates)
    sample: SampleDrawn | None = None
    left_out: list[str] = field(default_factory=list)


Prove = Callable[[Sequence[PlacedEntry]], Awaitable[None]]
"""Raises for an entry that does not lead to the signed root."""


class Gatherer:
    """Reads for one pack. `end`: how many entries the checkpoint covers to which all proofs lead. `prove`: is given all
    entries before anything is read out of them, for what was altered may be no entry at all."""

    def __init__(self, reads: StoreReads, ledger: LedgerReads, log: LogReads, origin: str, prove: Prove) -> None:
        self._reads = reads
        self._ledger = ledger
        self._log = log
        self._origin = origin
        self._prove = prove

    async def gather(self, subject: Subject, whose: For, end: int) -> Gathered:
        """All of it. Raises Problem: `not-found`, `out-of-scope`, `invalid-request`, `not-ready`; and what `prove`
        raises."""
        sample: SampleDrawn | None = None
        if isinstance(subject, OfRuleChange):
            return await self._rule_change(subject, whose, end)
        if isinstance(subject, OfTransaction):
            one = await self._reads.transaction(subject.transaction_id, whose.visible)
            records: Sequence[TransactionRecord] = [] if one is None else [one]
        elif isinstance(subject, OfLineage):
            view = await self._reads.lineage(subject.lineage_id, whose.visible)
            records = [] if view is None else view.transactions
        else:
            sample, traces = await self._drawn(subject, whose.visible, end)
            records = await self._ledger.transactions_with(traces, whose.visible)
        if not records and not isinstance(subject, OfSample):
            raise Problem("not-found", "There is no such document here, or it is not within your data scope.")
        gathered = await self._of_transactions(records, whose, end, sample)
        if isinstance(subject, OfLineage):
            await self._adoptions(subject.lineage_id, gathered, whose, end)
        return gathered

    async def _adoptions(self, lineage_id: str, gathered: Gathered, whose: For, end: int) -> None:
        """Add what moved the lineage's pin: entries of no transaction, each beside the rest of its batch where the
        asker may see all of that; else alone, which proves it as well, for such an entry says all of its act."""
        told = await self._ledger.entries_beside(lineage_id)
        if not told:
            return
        if not await self._ledger.lineages_seen([lineage_id], whose.visible):
            gathered.left_out.append("what moved the lineage's pin: it belongs to the slice of the lineage's root")
            return
        late = next((one for one in told if one.log_index is None or one.log_index >= end), None)
        if late is not None:
            raise _unsigned(late.trace)
        own = {one.log_index for one in told}
        placed = await self._ledger.placed_at(sorted(index for index in own if index is not None))
        gathered.found = await self._proven([*gathered.found, *placed.values()], placed.values())
        for trace in dict.fromkeys(one.trace for one in told):
            there = len(gathered.found) + len(gathered.beside)
            batch = await self._ledger.placed_of_all([trace], MOST_ENTRIES + 1 - there)
            others = [one for one in batch if one.log_index < end and one.log_index not in own]
            if len(batch) > MOST_ENTRIES - there:
                gathered.left_out.append(f"other lineages of the batch {trace}: too many for one pack")
                continue
            await self._proven((), others)
            if not await self._all_seen(others, whose):
                gathered.left_out.append(f"other lineages of the batch {trace}: they are not all in the data scope")
                continue
            gathered.beside = sorted([*gathered.beside, *others], key=lambda one: one.log_index)

    async def _all_seen(self, entries: Sequence[PlacedEntry], whose: For) -> bool:
        if whose.sees_all:
            return True
        lineages = {json.loads(one.body or b"{}").get("lineageId") for one in entries}
        named = [one for one in lineages if isinstance(one, str)]
        return len(await self._ledger.lineages_seen(named, whose.visible)) == len(lineages)

    async def _proven(self, every: Iterable[PlacedEntry], new: Iterable[PlacedEntry]) -> list[PlacedEntry]:
        """All of them in the order of the log, after a look at what is new among them."""
        await self._refuse_archived(list(new))
        await self._prove(list(new))
        return sorted(every, key=lambda one: one.log_index)

    async def _of_transactions(
        self, records: Sequence[TransactionRecord], whose: For, end: int, sample: SampleDrawn | None
    ) -> Gathered:
        found = await self._placed([one.transaction_id for one in records], end)
        roots = await self._roots(records, whose)
        beside = await self._placed([one.transaction_id for one in roots], end)
        gathered = Gathered(found, beside, sample=sample)
        gathered.rules, left_out = await rules_of(self._reads, [*found, *beside])
        gathered.left_out += left_out
        if whose.sees_all:
            traces = [trace for number in gathered.rules for trace in await self._control_traces(number, gathered)]
            gathered.beside = [*beside, *await self._placed(list(dict.fromkeys(traces)), end)]
        else:
            gathered.left_out.append("who wrote, approved and activated the rules: it belongs to no business unit")
        await self._candidates([*records, *roots], gathered, whose)
        return gathered

    async def _roots(self, records: Sequence[TransactionRecord], whose: For) -> list[TransactionRecord]:
        """Those whose decision others of these follow: of each lineage the newest that follows no pin itself."""
        known, found = {one.transaction_id for one in records}, []
        for lineage_id in dict.fromkeys(one.lineage_id for one in records if one.pinned):
            of_lineage = TransactionFilter(lineage_id=lineage_id)
            every = await self._reads.transactions(of_lineage, whose.visible, MOST_ENTRIES, None)
            root = next((one for one in every if not one.pinned and one.system_id is not None), None)
            if root is not None and root.transaction_id not in known:
                found.append(root)
        return found

    async def _rule_change(self, subject: OfRuleChange, whose: For, end: int) -> Gathered:
        if not whose.sees_all:
            raise Problem("out-of-scope", "A change of the rules is of every business unit; your token covers a part.")
        number = subject.activation_number
        known = await self._reads.activation(number)
        if known is None:
            raise Problem("not-found", f"There is no activation {number}.")
        before = await self._reads.activation(number - 1) if number > 1 else None
        gathered = Gathered([], rules={one.activation_number: one for one in (before, known) if one is not None})
        gathered.found = await self._placed(await self._control_traces(number, gathered), end)
        await self._candidates((), gathered, whose)
        return gathered

    async def _control_traces(self, number: int, gathered: Gathered) -> list[str]:
        """The traces by which that activation came to be; what was said in words is noted."""
        traces: list[str] = []
        where = EntryFilter(kind=frozenset({"activated"}), activation_number=frozenset({number}))
        asked = Asked(where=where, end=await self._ledger.indexed_size())
        async for rows in all_rows(self._ledger, asked):
            placed = await self._ledger.placed_at([one.log_index for one in rows])
            traces += [placed[index].trace for index in sorted(placed)]
        draft = await self._reads.draft_of_activation(number)
        if draft is not None:
            traces += [draft.draft_id, *([draft.activation_id] if draft.activation_id else [])]
            for approval in await self._reads.approvals(draft.draft_id):
                traces += [approval.simulation_id] if approval.simulation_id else []
            gathered.candidates.add(one.reason_payload_id for one in await self._reads.waivers(draft.draft_id))
        for back in await self._reads.rollbacks():
            if back.activation_number == number:
                traces.append(back.activation_id)
                gathered.candidates.add([back.reason_payload_id])
        return list(dict.fromkeys(traces))

    async def _placed(self, traces: Sequence[str], end: int) -> list[PlacedEntry]:
        """Raises Problem where these are too many, have no signed place yet, or are archived."""
        found = await self._ledger.placed_of_all(traces, MOST_ENTRIES + 1)
        if len(found) > MOST_ENTRIES:
            raise Problem(
                "invalid-request",
                f"A pack has at most {MOST_ENTRIES:,} entries, and this is about more.",
                remedy="Ask for parts of it, each by its transaction.",
            )
        inside = sorted((one for one in found if one.log_index < end), key=lambda one: one.log_index)
        signed = {one.trace for one in inside}
        missing = [trace for trace in traces if trace.startswith("txn_") and trace not in signed]
        if missing:
            raise _unsigned(missing[0])
        await self._refuse_archived(inside)
        await self._prove(inside)
        return inside

    async def _refuse_archived(self, entries: Iterable[PlacedEntry]) -> None:
        without = [one for one in entries if one.body is None]
        gone = await self._ledger.months_taken_out() if without else frozenset()
        for one in without:
            month = Month.of_trace(one.trace)
            if month in gone:
                raise Problem(
                    "not-found",
                    f"The entries of {one.trace} are in the archive of {month}.",
                    remedy="The archive proves them by itself; a pack can be made once the month is attached again.",
                )

    async def _candidates(self, records: Sequence[TransactionRecord], gathered: Gathered, whose: For) -> None:
        """The payloads that the entries may commit to."""
        known = gathered.candidates
        for one in records:
            known.add([one.payload_id, one.base_payload_id])
            # also where it will be withheld: whether it is there is told to everybody
            if one.problem is not None:
                known.say(f"problem-{one.transaction_id}", one.problem.encode())
        for entry in (*gathered.found, *gathered.beside):
            named = json.loads(entry.body or b"{}").get("payloadId")
            known.add([named] if isinstance(named, str) else [])
        known.add(await self._ledger.words_of([one.transaction_id for one in records]))
        known.records = await self._ledger.payloads(list(known.payload_ids))
        await self._refuse_just_changed(gathered)

    async def _refuse_just_changed(self, gathered: Gathered) -> None:
        """Raise Problem `not-ready` for what was erased after the checkpoint, and for a refusal that something followed
        since: that entry has no signed place yet, and without it nobody can tell it from what was lost."""
        for one in openings([*gathered.found, *gathered.beside], gathered.candidates, may_read=True):
            if one.state == MISSING:
                bodies = [json.loads(entry.body) for entry in await self._reads.entries(one.entry.trace)]
                gone = one.commitment in erased_in(bodies).get(one.entry.trace, ())
                followed = one.member == REFUSAL and refusals_kept(bodies).get(one.entry.trace) != one.commitment
                if gone or followed:
                    raise _unsigned(one.entry.trace)

    async def _drawn(self, subject: OfSample, visible: Visible, end: int) -> tuple[SampleDrawn, list[str]]:
        closing = await self._log.checkpoint_at_least(self._origin, subject.log_size or 1)
        if subject.log_size is None:
            closing = await self._log.newest_checkpoint(self._origin)
        size = 0 if closing is None else size_of(closing)
        if closing is None or size > end:
            raise Problem("invalid-request", f"No checkpoint of at least {subject.log_size} entries is signed yet.")
        if await self._ledger.indexed_size() < size:
            raise Problem("not-ready", "The newest entries are not in the index yet.", retry_after_s=2)
        population = await read_population(self._ledger, subject.population, visible, size)
        root = parse_checkpoint(parse_note(closing).text).root
        seed = seed_of(subject.nonce, root)
        drawn = draw(seed, population.traces, subject.size)
        words = {
            "algorithm": ALGORITHM,
            "nonce": subject.nonce,
            "seed": seed.hex(),
            "closing": {"size": size, "rootHash": base64_text(root)},
            "population": {
                "conditions": subject.population.conditions(),
                "transactionCount": len(population.traces),
                "indexHash": population_hash(population.traces),
                "sums": [one.words() for one in population.sums],
            },
            "sampleSize": subject.size,
            "drawn": [
                {"logIndex": one.index, "trace": population.traces[one.index], "score": one.score.hex()}
                for one in drawn
            ],
        }
        return SampleDrawn(words, closing, size), [population.traces[one.index] for one in drawn]


def _unsigned(trace: str) -> Problem:
    return Problem("not-ready", f"The entries of {trace} are not signed yet.", retry_after_s=2)
