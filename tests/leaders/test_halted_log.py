"""A log that one process found to be wrong is signed by none, as long as that process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from gateway.domain.leaders import SEQUENCER, Lead
from gateway.leaders import Leaders, LeaderTask, LeadRhythm
from gateway.ledger.held import HeldFile
from gateway.ledger.sequencer import Rhythm, Sequencer
from gateway.ledger.startup import LogCheck
from gateway.ledger.stored_log import StoredLog
from gateway.store.store import Store
from gateway.transactions.parts import Tools
from gateway.wiring.leaders import sequence_or_hold_back
from tests.leaders.test_leading import LoopClock, Morgue
from tests.ledger.live import Clock, made
from tests.ledger.logs import KEY, LOG, ORIGIN

LEASES = LeadRhythm(lease_s=60.0, renew_s=0.2, look_s=0.1)
"""A lease that no busy machine lets end: here the lead is given up, handed over or seized."""
OFTEN = Rhythm(sign_s=0.0, poll_s=0.02, follow_s=0.05, renew_s=0.2, retry_s=0.05)
LONG_S = 1.5
"""After so long without a signature, nobody signs."""
LIMIT_S = 60.0


class Process:
    """What of a process leads the log."""

    def __init__(self, store: Store, name: str, tmp_path: Path) -> None:
        self.lead = Lead(SEQUENCER)
        held = HeldFile(tmp_path / name / "held.json", ORIGIN)
        stored = StoredLog(store.led(self.lead), ORIGIN, name, Clock(), alone=True)
        check = LogCheck(store.log, LOG, held)
        self.sequencer = Sequencer(stored, ORIGIN, lambda: (KEY,), held, rhythm=OFTEN, check=check.before_lead)
        tools = Tools(LoopClock(), None, None, Morgue(), name, "test", b"")  # type: ignore[arg-type]
        task = LeaderTask(
            self.lead,
            partial(sequence_or_hold_back, self.sequencer),
            self.sequencer.finish,
            able=lambda: self.sequencer.halted is None or self.sequencer.halts_all,
            seizes=lambda: self.sequencer.halts_all,
        )
        self.leaders = Leaders(store, store.reads, tools, [task], alone=False, rhythm=LEASES)
        self._run = asyncio.create_task(self.leaders.run())

    async def stop(self) -> None:
        self._run.cancel()
        await asyncio.wait([self._run])
        await self.leaders.stop()


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = LIMIT_S) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = true()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


async def grown(store: Store, trace: str) -> None:
    """One entry more, which has its place and a signature. Raises TimeoutError."""
    await store.write(lambda unit: unit.insert_entries([made(trace, 1)]))
    await until(lambda: _is_signed(store))


async def stands(store: Store, trace: str) -> bool:
    """Whether one entry more gets no place or no signature for a while."""
    await store.write(lambda unit: unit.insert_entries([made(trace, 1)]))
    try:
        await until(lambda: _is_signed(store), LONG_S)
    except TimeoutError:
        return True
    return False


async def _is_signed(store: Store) -> bool:
    newest = await store.log.newest_checkpoint(ORIGIN)
    size = 0 if newest is None else LOG.open_checkpoint(newest).checkpoint.size
    return await store.log.waiting(1) == 0 and size == len(await store.log.placed(0, 1_000))


async def test_the_leader_that_halts_keeps_the_lead(store: Store, tmp_path: Path) -> None:
    first = Process(store, "prc_1", tmp_path)
    await until(lambda: first.sequencer.leads)
    second = Process(store, "prc_2", tmp_path)
    await grown(store, "txn_1")
    first.sequencer.halt("entry 3 is another one")
    assert await stands(store, "txn_2")
    assert (first.lead.epoch is None, second.lead.epoch is None) == (False, True)
    await first.stop()
    await until(lambda: _is_signed(store))
    assert second.sequencer.leads
    await second.stop()


async def test_another_process_that_halts_takes_the_lead_and_keeps_it(store: Store, tmp_path: Path) -> None:
    first = Process(store, "prc_1", tmp_path)
    await until(lambda: first.sequencer.leads)
    second = Process(store, "prc_2", tmp_path)
    await grown(store, "txn_1")
    second.sequencer.halt("entry 3 is another one")
    await until(lambda: second.lead.epoch is not None)
    assert await stands(store, "txn_2")
    assert second.lead.epoch is not None
    for one in (second, first):
        await one.stop()


async def test_what_is_one_process_own_affair_leaves_the_log_to_the_others(store: Store, tmp_path: Path) -> None:
    """A key or a state file that it cannot use, a statement that the database does not take from it."""
    first = Process(store, "prc_1", tmp_path)
    await until(lambda: first.sequencer.leads)
    second = Process(store, "prc_2", tmp_path)
    await grown(store, "txn_1")
    (tmp_path / "prc_1" / "held.json").write_bytes(b"{damaged")
    await store.write(lambda unit: unit.insert_entries([made("txn_2", 1)]))
    await until(lambda: first.sequencer.halted is not None)
    await until(lambda: second.sequencer.leads)
    await until(lambda: _is_signed(store))
    assert first.lead.epoch is None
    for one in (second, first):
        await one.stop()
