"""What a database and the held checkpoint say of the log, and the report where they disagree."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from gateway.ledger.errors import LedgerError, LogRefused, Malformed, NoteUnsigned, SignatureInvalid
from gateway.ledger.frontier import Frontier
from gateway.ledger.held import Held, HeldFile
from gateway.ledger.lines import base64_text
from gateway.ledger.log_files import size_of
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.stored_log import stored_frontier
from gateway.ledger.verification import Reason, Wrong
from gateway.store.log_reads import LogReads

REMEDY: Final = (
    "Nothing is signed, and a start ends here and has written nothing. Keep the database as it is: it is evidence. "
    "Then restore one that holds these entries, or follow docs/ledger.md, 'When the start is refused'."
)


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

    def refusal(self, detail: str, reason: Reason | str = "") -> LogRefused:
        """The report: what differs, and what is held and stored."""
        held = self.held
        lines = [
            f"the ledger of {self.keys.origin} in the database is NOT as it was signed",
            f"  what differs:     {detail}",
            "  held outside:     "
            + (f"{held.checkpoint.size} entries, root {base64_text(held.checkpoint.root)}" if held else "nothing"),
            f"  in the database:  {self.frontier.size} entries, root {base64_text(self.frontier.root)}",
            f"  {REMEDY}",
        ]
        return LogRefused("\n".join(lines), str(reason))

    def check_notes(self) -> None:
        """Both notes are signed by the log's keys, and of no more than the stored tree. Raises LogRefused."""
        for note, where in (
            (self.held.note if self.held else None, "held outside"),
            (self.newest, "in the database"),
        ):
            if note is None:
                continue
            try:
                size = self.keys.open_checkpoint(note).checkpoint.size
            except (Malformed, NoteUnsigned, SignatureInvalid) as error:
                raise LogRefused(
                    f"the checkpoint of {self.keys.origin} that is {where} is not signed by its key: {error}. If the "
                    f"key file was lost, restore it; a new key needs a new origin (ledger.origin). {REMEDY}"
                ) from error
            if size > self.frontier.size:
                raise self.refusal(
                    f"smaller: the database has {self.frontier.size} entries in its log, {size} were signed "
                    f"(the checkpoint {where}); it was put back to an older state",
                    Reason.SMALLER,
                )


async def stored_facts(log: LogReads, pinned: LogKeys, held_file: HeldFile) -> StoredFacts:
    """Read them. Raises LogRefused where a key or the tree cannot be read, StateBroken for the held file."""
    held = await asyncio.to_thread(held_file.read)
    newest = await log.newest_checkpoint(pinned.origin)
    try:
        # a key that followed while this process ran is announced by one that it knew when it started
        keys = pinned.following(await log.announcements(pinned.origin))
    except (Malformed, SignatureInvalid) as error:
        raise LogRefused(f"an announced key of {pinned.origin} was altered: {error}. {REMEDY}") from error
    try:
        # last: the tree only grows, so it is never smaller than a checkpoint that was read before
        frontier = await stored_frontier(log)
    except Malformed as error:
        raise LogRefused(f"the stored tree of {pinned.origin} cannot be read: {error}. {REMEDY}") from error
    return StoredFacts(frontier, held, newest, keys)


async def refusal(log: LogReads, facts: StoredFacts, wrong: Wrong) -> LogRefused:
    """The report of what is wrong, with the trace of the entry that it concerns."""
    detail = f"{wrong.reason}: {wrong.detail}"
    if wrong.entry is not None:
        try:
            rows = await log.placed(wrong.entry, wrong.entry + 1)
        except LedgerError:
            rows = []
        detail += "".join(f" (entry {row.seq} of {row.trace})" for row in rows)
    return facts.refusal(detail, wrong.reason)
