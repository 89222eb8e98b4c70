"""The check before anything is served: is the log in the database the one whose checkpoint is held outside of it?

The stored frontier must not be smaller than the held tree, and everything since must lead from the one to the other.
What lies below is recomputed too where the log is small enough to be read in a few seconds; of a larger log that goes
on in the background (`recheck`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.ledger.errors import LedgerError, LogRefused, Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.held import Held, HeldFile
from gateway.ledger.lines import base64_text
from gateway.ledger.log_files import LogFiles, WaitingTiles, size_of
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.stored_log import stored_frontier
from gateway.ledger.verification import Reason, Wrong
from gateway.ledger.verify import Progress, verify_log
from gateway.store.log_reads import PART, EntriesMissing, LogReads

REMEDY: Final = (
    "Nothing was started and nothing was written. Keep the database as it is: it is evidence. Then restore one that "
    "holds these entries, or follow docs/ledger.md, 'When the start is refused'."
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """What is compared: the stored tree, the held checkpoint, the newest signed one in the database, and its keys."""

    frontier: Frontier
    held: Held | None
    newest: bytes | None
    keys: LogKeys

    @property
    def checkpoint(self) -> bytes | None:
        """The signed note of the most entries, wherever it is."""
        if self.held is None:
            return self.newest
        if self.newest is None or size_of(self.newest) <= self.held.checkpoint.size:
            return self.held.note
        return self.newest


class LogCheck:
    """Compares the log in a database with its keys and with what is held outside."""

    def __init__(self, log: LogReads, keys: LogKeys, held: HeldFile) -> None:
        self._log = log
        self._keys = keys
        self._held = held
        self._files = LogFiles(log, keys.origin)

    async def at_start(self, most: int) -> bool:
        """Check before serving; whether that was everything. `most`: entries that may be read for it.

        Raises:
            LogRefused: the database is not as it was signed; the message is the report.
            StateBroken: the held checkpoint is damaged or of another log.
        """
        facts = await self._facts()
        self._check_notes(facts)
        held = facts.held
        if held is None and facts.newest is not None:
            _log.warning("no_held_checkpoint", origin=self._keys.origin, size=size_of(facts.newest))
        if held is None and facts.frontier.size > most:
            return False
        await self._check_growth(facts, Frontier() if held is None else held.frontier)
        if facts.checkpoint is None or size_of(facts.checkpoint) > most:
            return facts.checkpoint is None
        await self.whole(None)
        return True

    async def whole(self, progress: Progress | None) -> int:
        """Recompute every entry up to the newest signed checkpoint; how many. For the background, and for small logs.

        Raises:
            LogRefused: as above. Also if entries are neither in the tree nor on their way into it.
        """
        facts = await self._facts()
        self._check_notes(facts)
        tally = await self._log.tally()
        placed, waiting = tally.placed, tally.waiting
        in_tree = Frontier.from_bytes(tally.frontier).size if tally.frontier is not None else 0
        if (tally.entries, in_tree) != (placed + waiting, placed):
            detail = (
                f"{tally.entries} entries are stored, {placed} have a place in the log and {waiting} wait for one; "
                f"{in_tree} are in its tree"
            )
            raise await self._refusal(facts, Wrong(Reason.TALLY, detail))
        if facts.checkpoint is None:
            return 0
        tiles = WaitingTiles(self._files, facts.checkpoint, asyncio.get_running_loop())
        try:
            found = await asyncio.to_thread(verify_log, tiles, self._keys, facts.held, progress=progress)
        except EntriesMissing as error:
            raise LogRefused(_report(self._keys.origin, facts, f"missing: {error}")) from error
        if found.wrong is not None:
            raise await self._refusal(facts, found.wrong)
        return found.entries

    async def _facts(self) -> StoredFacts:
        held = await asyncio.to_thread(self._held.read)
        newest = await self._log.newest_checkpoint(self._keys.origin)
        try:
            # a key that followed while this process ran is announced by one that it knew when it started
            keys = self._keys.following(await self._log.announcements(self._keys.origin))
        except (Malformed, SignatureInvalid) as error:
            raise LogRefused(f"an announced key of {self._keys.origin} was altered: {error}. {REMEDY}") from error
        try:
            # last: the tree only grows, so it is never smaller than a checkpoint that was read before
            frontier = await stored_frontier(self._log)
        except Malformed as error:
            raise LogRefused(f"the stored tree of {self._keys.origin} cannot be read: {error}. {REMEDY}") from error
        return StoredFacts(frontier, held, newest, keys)

    def _check_notes(self, facts: StoredFacts) -> None:
        for note, where in (
            (facts.held.note if facts.held else None, "held outside"),
            (facts.newest, "in the database"),
        ):
            if note is None:
                continue
            try:
                size = facts.keys.open_checkpoint(note).checkpoint.size
            except (Malformed, NoteUnsigned, SignatureInvalid) as error:
                raise LogRefused(
                    f"the checkpoint of {self._keys.origin} that is {where} is not signed by its key: {error}. If the "
                    f"key file was lost, restore it; a new key needs a new origin (ledger.origin). {REMEDY}"
                ) from error
            if size > facts.frontier.size:
                raise LogRefused(
                    _report(
                        self._keys.origin,
                        facts,
                        f"smaller: the database has {facts.frontier.size} entries in its log, {size} were signed "
                        f"(the checkpoint {where}); it was put back to an older state",
                    )
                )

    async def _check_growth(self, facts: StoredFacts, base: Frontier) -> None:
        """Everything since the held tree must lead to the stored one."""
        tree = base
        for first in range(base.size, facts.frontier.size, PART):
            end = min(first + PART, facts.frontier.size)
            rows = await self._log.placed(first, end)
            leaves = []
            for index, row in enumerate(rows, first):
                if row.log_index != index or row.body is None:
                    raise await self._refusal(facts, _wrong(index, f"entry {index} is gone"))
                leaves.append(leaf_hash(row.body))
                if leaves[-1] != row.leaf_hash:
                    raise await self._refusal(facts, _wrong(index, f"entry {index} does not have its hash"))
            if len(rows) != end - first:
                raise await self._refusal(facts, _wrong(first + len(rows), f"entry {first + len(rows)} has no row"))
            tree = tree.appended(leaves)
        if tree != facts.frontier:
            detail = f"the entries from {base.size} on do not lead from the held tree to the stored one"
            raise await self._refusal(facts, Wrong(Reason.FRONTIER, detail, None, base.size))

    async def _refusal(self, facts: StoredFacts, wrong: Wrong) -> LogRefused:
        detail = f"{wrong.reason}: {wrong.detail}"
        if wrong.entry is not None:
            try:
                rows = await self._log.placed(wrong.entry, wrong.entry + 1)
            except LedgerError:
                rows = []
            detail += "".join(f" (entry {row.seq} of {row.trace})" for row in rows)
        return LogRefused(_report(self._keys.origin, facts, detail))


def _wrong(index: int, detail: str) -> Wrong:
    return Wrong(Reason.ENTRY, detail, None, index, index + 1)


def _report(origin: str, facts: StoredFacts, detail: str) -> str:
    held = facts.held
    return "\n".join(
        [
            f"the ledger of {origin} in the database is NOT as it was signed",
            f"  what differs:     {detail}",
            "  held outside:     "
            + (f"{held.checkpoint.size} entries, root {base64_text(held.checkpoint.root)}" if held else "nothing"),
            f"  in the database:  {facts.frontier.size} entries, root {base64_text(facts.frontier.root)}",
            f"  {REMEDY}",
        ]
    )
