"""Judging the kept checkpoints: what was known at an instant is what they and the times beside them say.

Every note is read and its time compared; signatures and roots are checked of all of them where they are few, else of
the newest and of a sample that is spread evenly and drawn anew by each audit. That some were deleted cannot be seen.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.errors import Malformed, NoteUnsigned, SignatureInvalid, TilesDisagree
from gateway.ledger.log_keys import LogKeys
from gateway.ledger.notes import parse_note
from gateway.ledger.proofs import root_at
from gateway.ledger.state.findings import Finding
from gateway.ledger.stored_log import stored_frontier
from gateway.ledger.stored_nodes import NO_PEAKS, StoredNodes, WantedHashes
from gateway.ledger.stored_receipts import wanted_hashes
from gateway.store.kept_checkpoints import KeptCheckpoint
from gateway.store.log_reads import LogReads

PART: Final = 200
"""Checkpoints of one look."""
SAMPLE: Final = 2_000
"""Checkpoints whose signature and root are checked: about a second."""
APART_US: Final = 10_000_000
"""How far (µs) the clocks of several processes may be apart, or one be set back, before it is told."""
_BEFORE_ALL: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class AuditedLog:
    """The log whose kept checkpoints are judged. `keys`: those that sign now; what they announced and followed is read
    beside them."""

    reads: LogReads
    keys: LogKeys


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The keys of a log. `dropped`: ids of keys that one of these followed; they are gone, so that what they signed can
    be judged by its root alone."""

    keys: LogKeys
    dropped: frozenset[bytes]

    @classmethod
    def by(cls, keys: LogKeys, announcements: Sequence[bytes]) -> TrustedKeys:
        """Raises `Malformed`, `SignatureInvalid`: an announcement was altered."""
        following = keys.following(announcements)
        known = {key.key_id for key in following.known}
        ids = set(known)
        for data in reversed(announcements):
            signed = {one.key_id for one in parse_note(data).signatures if one.name == keys.origin}
            if signed & ids:
                ids |= signed
        return cls(following, frozenset(ids - known))

    def check(self, note: bytes) -> None:
        """Raises `NoteUnsigned`, `SignatureInvalid`: no key of the log signed it."""
        try:
            self.keys.open_checkpoint(note)
        except NoteUnsigned:
            signed = {one.key_id for one in parse_note(note).signatures if one.name == self.keys.origin}
            if not signed & self.dropped:
                raise


async def audit_checkpoints(
    log: AuditedLog, most: int, rest: Callable[[float], Awaitable[None]] | None = None
) -> list[Finding]:
    """All that are kept; what differs, at most `most`. Others may write meanwhile.

    Args:
        rest: called after each part, with the seconds that it took.
    """
    origin = log.keys.origin
    try:
        keys = TrustedKeys.by(log.keys, await log.reads.announcements(origin))
    except (Malformed, SignatureInvalid) as error:
        return [Finding(f"log_announcements of {origin}", "note", str(error), "a key of this log")]
    kept = await log.reads.kept_count(origin)
    step = max(1, -(-kept.count // SAMPLE))
    offset, number, after = secrets.randbelow(step), 0, _BEFORE_ALL
    times, found = KeptTimes(), list[Finding]()
    while len(found) < most:
        begun = time.monotonic()
        part = await log.reads.kept_checkpoints(origin, after, PART)
        if not part:
            break
        after = part[-1].size
        opened, wrong = await asyncio.to_thread(_opened, part, origin)
        found += wrong
        drawn = {
            one.size: opened[one.size]
            for place, one in enumerate(part, number)
            if (place % step == offset or one.size == kept.newest) and one.size in opened
        }
        number += len(part)
        found += await _roots(log.reads, drawn)
        found += await asyncio.to_thread(_signatures, [one for one in part if one.size in drawn], keys)
        for one in part:
            found += times.next(one)
        if rest is not None:
            await rest(time.monotonic() - begun)
    return [*found, *times.last()][:most]


def _opened(part: Sequence[KeptCheckpoint], origin: str) -> tuple[dict[int, Checkpoint], list[Finding]]:
    """What the notes say, by size; and those that say something else than their row."""
    opened, found = dict[int, Checkpoint](), list[Finding]()
    for one in part:
        try:
            checkpoint = parse_checkpoint(parse_note(one.note).text)
        except Malformed as error:
            found.append(Finding(_of(one.size), "note", str(error), "a checkpoint"))
            continue
        if (checkpoint.origin, checkpoint.size) == (origin, one.size):
            opened[one.size] = checkpoint
        else:
            said = f"of {checkpoint.size} entries of {checkpoint.origin}"
            found.append(Finding(_of(one.size), "note", said, f"{one.size} of {origin}"))
    return opened, found


def _signatures(part: Sequence[KeptCheckpoint], keys: TrustedKeys) -> list[Finding]:
    found = []
    for one in part:
        try:
            keys.check(one.note)
        except (Malformed, NoteUnsigned, SignatureInvalid) as error:
            found.append(Finding(_of(one.size), "signature", str(error), "one by a key of this log"))
    return found


async def _roots(log: LogReads, drawn: Mapping[int, Checkpoint]) -> list[Finding]:
    """Those whose root is not that of the stored tree at their size."""
    tree = (await stored_frontier(log)).size
    found = [Finding(_of(size), "the row", "there", None) for size in drawn if size > tree]
    within = [one for one in drawn.values() if one.size <= tree]
    wanted = WantedHashes(tree, NO_PEAKS)
    for one in within:
        root_at(wanted, one.size)
    nodes = StoredNodes(NO_PEAKS, await wanted_hashes(log, wanted))
    return found + await asyncio.to_thread(_other_roots, within, nodes)


def _other_roots(checkpoints: Sequence[Checkpoint], nodes: StoredNodes) -> list[Finding]:
    found = []
    for one in checkpoints:
        try:
            told: str | None = root_at(nodes, one.size).hex()
        except TilesDisagree:
            told = None
        if one.root.hex() != told:
            found.append(Finding(_of(one.size), "root", one.root.hex(), told))
    return found


class KeptTimes:
    """Compares the times at which checkpoints were kept with each other and with those of the newest entries.

    Where a clock was set back, the entries show it as well: that is no finding. Nothing is told of a checkpoint whose
    newest entry is not stored.
    """

    def __init__(self) -> None:
        self._before: KeptCheckpoint | None = None
        self._before_at: int | None = None
        self._early: Finding | None = None

    def next(self, kept: KeptCheckpoint) -> Iterator[Finding]:
        """What is wrong with the next one by size, or with the one before it."""
        at = None if kept.newest is None else int(json.loads(kept.newest)["at"])
        before, set_back = self._before, self._is_earlier(at)
        if self._early is not None and not set_back:
            yield self._early
        self._early = None
        if kept.kept_at is None:
            if before is not None and before.kept_at is not None:
                yield Finding(_of(kept.size), "kept_at", None, f"not before {before.kept_at}")
                return
        elif at is not None:
            if kept.kept_at < at - APART_US:
                said = f"its newest entry at {at}"
                self._early = Finding(_of(kept.size), "kept_at", kept.kept_at, said)
            elif (
                before is not None
                and before.kept_at is not None
                and self._before_at is not None
                and kept.kept_at < before.kept_at - APART_US
                and not set_back
            ):
                said = f"that of {before.size} entries was kept before it, at {before.kept_at}"
                yield Finding(_of(kept.size), "kept_at", kept.kept_at, said)
        self._before, self._before_at = kept, at

    def last(self) -> Iterator[Finding]:
        """What is wrong with the last one."""
        if self._early is not None:
            yield self._early

    def _is_earlier(self, at: int | None) -> bool:
        return at is not None and self._before_at is not None and at < self._before_at - APART_US


def _of(size: int) -> str:
    return f"log_checkpoints, size {size}"
