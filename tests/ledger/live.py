"""A log in a store, with a sequencer, to test with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.records import EntryRecord
from gateway.ledger.cosigning import Cosigners
from gateway.ledger.held import HeldFile
from gateway.ledger.log_files import LogFiles, WaitingTiles
from gateway.ledger.note_keys import Signer
from gateway.ledger.sequencer import Rhythm, Sequencer
from gateway.ledger.startup import LogCheck
from gateway.ledger.stored_log import StoredLog
from gateway.ledger.verification import Verification
from gateway.ledger.verify import verify_log
from gateway.store.store import Store
from tests.ledger.logs import KEY, LOG, ORIGIN

AT_ONCE = Rhythm(batch=100, sign_s=0.0, renew_s=0.0)
MOST = 1_000_000


class Clock:
    """Time in µs that tests set."""

    def __init__(self) -> None:
        self.at = 1_700_000_000_000_000

    def now(self) -> int:
        return self.at


def made(trace: str, seq: int) -> EntryRecord:
    return ledger_entry(EntryKind.ROUTED, trace=trace, seq=seq, at=1_700_000_000_000_000 + seq, actor="a")


@dataclass
class Live:
    """One process of a log: its store, its held file, its clock."""

    store: Store
    held: HeldFile
    clock: Clock = field(default_factory=Clock)
    process_id: str = "prc_1"
    keys: Sequence[Signer] = (KEY,)
    cosigners: Cosigners | None = None
    alone: bool = False

    def __post_init__(self) -> None:
        stored = StoredLog(self.store, ORIGIN, self.process_id, self.clock, alone=self.alone)
        self.sequencer = Sequencer(
            stored, ORIGIN, lambda: self.keys, self.held, self.cosigners, AT_ONCE, check=self.check().before_lead
        )
        self.files = LogFiles(self.store.log, ORIGIN)

    async def commit(self, *entries: EntryRecord) -> None:
        await self.store.write(lambda unit: unit.insert_entries(entries))

    async def settle(self) -> None:
        """Turn until nothing waits."""
        await self.sequencer.turn()
        while await self.store.log.waiting(1):
            await self.sequencer.turn()

    async def grow(self, size: int, trace: str = "txn_1") -> None:
        """Commit entries of a trace up to that `seq`, and sequence them."""
        first = len((await self.store.log.provable(ORIGIN, trace)).entries) + 1
        for start in range(first, size + 1, 200):
            await self.commit(*[made(trace, seq) for seq in range(start, min(start + 200, size + 1))])
        await self.settle()

    async def tiles(self) -> WaitingTiles:
        newest = await self.files.note("checkpoint")
        assert newest is not None
        return WaitingTiles(self.files, newest, asyncio.get_running_loop())

    async def verified(self) -> Verification:
        return await asyncio.to_thread(verify_log, await self.tiles(), LOG, None)

    def check(self) -> LogCheck:
        return LogCheck(self.store.log, LOG, self.held)


def live(store: Store, tmp_path: Path, **changes: object) -> Live:
    return Live(store, HeldFile(tmp_path / "held.json", ORIGIN), **changes)  # type: ignore[arg-type]
