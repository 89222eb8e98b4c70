"""The check before anything is served or signed: is the log in the database the one whose checkpoint is held outside?

The stored frontier must not be smaller than the held tree, and everything since must lead from the one to the other.
What lies below is recomputed too where the log is small enough to be read in a few seconds; of a larger log that goes
on in the background (`recheck`). Whoever takes the lead compares in the same way before the first signature
(`before_lead`), and whoever does not lead every few seconds (`following`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.errors import (
    LogRefused,
    Malformed,
    ProofInvalid,
    TilesDisagree,
)
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.held import Held, HeldFile
from gateway.ledger.log_files import LogFiles, WaitingTiles, size_of
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.months.gaps import StoredGaps, is_gone
from gateway.ledger.months.records import GoneMonths, believed
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.notes import parse_note
from gateway.ledger.stored_extension import stored_extension
from gateway.ledger.stored_facts import StoredFacts, refusal, stored_facts
from gateway.ledger.tiles import TILE_WIDTH, hashes_in
from gateway.ledger.verification import Reason, Wrong
from gateway.ledger.verify import Progress, verify_log
from gateway.store.log_reads import PART, EntriesMissing, LogReads, PlacedEntry

T = TypeVar("T")

ANOTHER: Final = frozenset({Reason.SMALLER, Reason.FORKED, Reason.FRONTIER})
"""By these the tree as a whole is not the one that was: what this process has written may not be in it."""
MONTH_AHEAD_US: Final = 7 * 86_400_000_000
_log = structlog.get_logger(__name__)


class LogCheck:
    """Compares the log in a database with its keys and with what is held outside.

    `evidence_key`: by which the records of months are believed that were taken out; without it none is. `seen` is told
    how many entries a tree has that continues what is held; `lost` is told, with the report, when the database of a
    running process turns out to be another one than it was, or an older one.
    """

    def __init__(
        self,
        log: LogReads,
        keys: LogKeys,
        held: HeldFile,
        evidence_key: VerifierKey | None = None,
        *,
        seen: Callable[[int], None] = lambda _size: None,
        lost: Callable[[str], object] = lambda _report: None,
    ) -> None:
        self._seen = seen
        self._lost = lost
        self._evidence_key = evidence_key
        self._log = log
        self._keys = keys
        self._held = held
        self._files = LogFiles(log, keys.origin)
        self._followed: tuple[Checkpoint, Checkpoint] | None = None

    async def at_start(self, most: int) -> bool:
        """Check before serving; whether that was everything. `most`: entries that may be read for it.

        Raises:
            LogRefused: the database is not as it was signed; the message is the report.
            StateBroken: the held checkpoint is damaged or of another log.
        """
        await self.warn_of_months()
        facts = await stored_facts(self._log, self._keys, self._held)
        facts.check_notes()
        held = facts.held
        if held is None and facts.newest is not None:
            _log.warning("no_held_checkpoint", origin=self._keys.origin, size=size_of(facts.newest))
        if held is None and facts.frontier.size > most:
            return False
        await self._check_growth(facts, Frontier() if held is None else held.frontier)
        self._seen(facts.frontier.size)
        if facts.checkpoint is None or size_of(facts.checkpoint) > most:
            return facts.checkpoint is None
        await self.whole(None)
        return True

    async def before_lead(self) -> Frontier:
        """Check before this process signs: the stored tree must continue what is held, and the newest signed one.

        The stored tree is answered. Nobody else may write to the log meanwhile.

        Raises:
            LogRefused, StateBroken: as `at_start`.
        """
        return await self._beside_months(self._before_lead)

    async def _before_lead(self, _gone: GoneMonths) -> Frontier:
        facts = await stored_facts(self._log, self._keys, self._held)
        facts.check_notes()
        if facts.held is not None:
            await self._check_growth(facts, facts.held.frontier)
        if facts.newest is not None:
            await self._continues(facts, _checkpoint(facts.newest), self._stored(facts))
        self._seen(facts.frontier.size)
        return facts.frontier

    async def follow(self) -> None:
        """Check that the log continues what is held, and hold the newest signed checkpoint. Others may write meanwhile.

        Raises:
            LogRefused, StateBroken: as `at_start`; what is held stays as it is.
        """
        await self._beside_months(self._follow)

    async def _follow(self, _gone: GoneMonths) -> None:
        facts = await stored_facts(self._log, self._keys, self._held)
        facts.check_notes()
        held, note = facts.held, facts.newest
        if held is not None and (note is None or size_of(note) < held.checkpoint.size):
            note = held.note  # who signed last has held it and not shown it; the next one signs at least as many
        if note is None:
            return
        newest, stored = _checkpoint(note), self._stored(facts)
        if (newest, stored) != self._followed:
            await self._continues(facts, newest, stored)
            self._followed = newest, stored
            self._seen(stored.size)
        if newest.size > 0 and (held is None or note != held.note):
            frontier = await self._continues(facts, held.checkpoint if held else None, newest)
            await asyncio.to_thread(self._held.write, Held(newest, frontier, note))

    def _stored(self, facts: StoredFacts) -> Checkpoint:
        return Checkpoint.of(self._keys.origin, facts.frontier)

    async def _continues(self, facts: StoredFacts, old: Checkpoint | None, new: Checkpoint) -> Frontier:
        """The peaks of the new tree, which the stored hashes show to continue the old one. Raises LogRefused."""
        try:
            return await stored_extension(self._log, facts.frontier.size, old, new)
        except (Malformed, ProofInvalid, TilesDisagree) as error:
            begins = "nothing" if old is None else f"the {old.size} entries that were signed"
            detail = f"the stored hashes do not show that its {new.size} entries begin with {begins}: {error}"
            raise await refusal(self._log, facts, Wrong(Reason.FORKED, detail)) from error

    async def whole(self, progress: Progress | None) -> int:
        """Recompute every entry up to the newest signed checkpoint; how many. For the background, and for small logs.

        Raises:
            LogRefused: as above. Also if entries are neither in the tree nor on their way into it.
        """
        return await self._beside_months(lambda gone: self._whole(progress, gone))

    async def _beside_months(self, check: Callable[[GoneMonths], Awaitable[T]]) -> T:
        """What a check answers. It is made again where a month was taken out or put back meanwhile."""
        while True:
            gone = await self.gone()
            try:
                return await check(gone)
            except LogRefused as error:
                if await self.gone() == gone:
                    if error.reason in ANOTHER:
                        self._lost(str(error))
                    raise

    async def _whole(self, progress: Progress | None, gone: GoneMonths) -> int:
        facts = await stored_facts(self._log, self._keys, self._held)
        facts.check_notes()
        tally = await self._log.tally()
        archived = sum(one.entries for one in gone.values())
        also = f" and {archived} archived" if archived else ""
        placed, waiting = tally.placed, tally.waiting
        in_tree = Frontier.from_bytes(tally.frontier).size if tally.frontier is not None else 0
        if (tally.entries + archived, in_tree) != (placed + waiting, placed):
            detail = (
                f"{tally.entries} entries are stored{also}, {placed} have a place in the log and {waiting} wait for "
                f"one; {in_tree} are in its tree"
            )
            raise await refusal(self._log, facts, Wrong(Reason.TALLY, detail))
        if facts.checkpoint is None:
            return 0
        loop = asyncio.get_running_loop()
        tiles = WaitingTiles(self._files, facts.checkpoint, loop)
        gaps = StoredGaps(self._log, gone, loop) if gone else None
        try:
            found = await asyncio.to_thread(verify_log, tiles, self._keys, facts.held, progress=progress, gaps=gaps)
        except EntriesMissing as error:
            raise facts.refusal(f"missing: {error}", Reason.MISSING) from error
        if found.wrong is not None:
            raise await refusal(self._log, facts, found.wrong)
        return found.entries

    async def warn_of_months(self) -> None:
        """Say so where a month that begins soon has no table: its entries would lie in the default part."""
        month = await self._log.month_missing(MONTH_AHEAD_US)
        if month is not None:
            _log.warning("ledger_month_missing", month=str(month), remedy="erp-gateway ledger partitions make")

    async def gone(self) -> GoneMonths:
        """The months that were taken out. Raises LogRefused for a record that cannot be believed."""
        return believed(await self._log.archived_months(), self._evidence_key)

    async def _check_growth(self, facts: StoredFacts, base: Frontier) -> None:
        """Everything since the held tree must lead to the stored one."""
        tree = base
        gone = await self.gone()
        for first in range(base.size, facts.frontier.size, PART):
            end = min(first + PART, facts.frontier.size)
            rows = await self._log.placed(first, end)
            leaves = []
            archived = await self._archived(rows, first, gone)
            for index, row in enumerate(rows, first):
                if index in archived:
                    leaves.append(archived[index])
                    continue
                if row.log_index != index or row.body is None:
                    raise await refusal(self._log, facts, _wrong(index, f"entry {index} is gone"))
                leaves.append(leaf_hash(row.body))
                if leaves[-1] != row.leaf_hash:
                    raise await refusal(self._log, facts, _wrong(index, f"entry {index} does not have its hash"))
            if len(rows) != end - first:
                without = first + len(rows)
                raise await refusal(self._log, facts, _wrong(without, f"entry {without} has no row"))
            tree = tree.appended(leaves)
        if tree != facts.frontier:
            detail = f"the entries from {base.size} on do not lead from the held tree to the stored one"
            raise await refusal(self._log, facts, Wrong(Reason.FRONTIER, detail, None, base.size))

    async def _archived(self, rows: Sequence[PlacedEntry], first: int, gone: GoneMonths) -> dict[int, bytes]:
        """The hashes of those of these entries that were taken out with their months, by place. They stand in full
        tiles; the tree over all of them is compared."""
        missing = [place for place, row in enumerate(rows, first) if row.body is None and is_gone(row.trace, gone)]
        found: dict[int, bytes] = {}
        for number in sorted({place // TILE_WIDTH for place in missing}):
            hashes = await self._log.tile_hashes(0, number)
            if hashes is not None:
                found |= dict(enumerate(hashes_in(hashes), number * TILE_WIDTH))
        return {place: found[place] for place in missing if place in found}


def _checkpoint(note: bytes) -> Checkpoint:
    """What a note says whose signature was checked."""
    return parse_checkpoint(parse_note(note).text)


def _wrong(index: int, detail: str) -> Wrong:
    return Wrong(Reason.ENTRY, detail, None, index, index + 1)
