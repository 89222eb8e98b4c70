"""What is done to a database under a running gateway is never signed, and takes the place of nothing that is held."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from gateway.ledger.errors import KeyMisused, LogRefused, StateBroken
from gateway.ledger.following import Following
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.held import HeldFile
from gateway.ledger.log_keys import LogKeys, announce_key
from gateway.ledger.recheck import Recheck
from gateway.ledger.sequencer import Deposed
from gateway.ledger.startup import LogCheck
from gateway.store.errors import RecordUnsound, StatementRefused
from gateway.store.store import Store, open_store
from tests.ledger.live import MOST, Live, live, made
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file

TURNS = 4
"""The lead is lost in the first, taken again in the second."""


@dataclass
class Running:
    """A database, and the processes that run on it. `theirs`: as another one opened it, which has seen nothing yet."""

    path: Path
    store: Store
    theirs: Store
    tmp_path: Path

    def process(self, name: str, *, alone: bool = False, store: Store | None = None) -> Live:
        return live(store or self.store, self.tmp_path / name, process_id=f"prc_{name}", alone=alone)

    def copied(self) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self.path)) as rows:
            rows.backup(copy)
        return copy

    def put(self, copy: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(self.path)) as rows:
            copy.backup(rows)
        copy.close()

    def rewrite(self, *, epoch: bool, checkpoints: bool) -> None:
        """Somebody who has the database only changes what entry 5 tells, and all that follows from it."""
        with closing(sqlite3.connect(self.path)) as rows, rows:
            without_guards(rows)
            (told,) = rows.execute("SELECT body FROM ledger_entries WHERE trace = 'txn_1' AND seq = 5").fetchone()
            body: dict[str, Any] = json.loads(told)
            fresh = rfc8785.dumps(body | {"actor": "somebody-else"})
            rows.execute(
                "UPDATE ledger_entries SET body = ?, leaf_hash = ? WHERE trace = 'txn_1' AND seq = 5",
                (fresh, leaf_hash(fresh)),
            )
            leaves = rows.execute(
                "SELECT leaf_hash FROM log_entries JOIN ledger_entries USING (trace, seq) ORDER BY log_index"
            ).fetchall()
            frontier = bytes(Frontier().appended(leaf for (leaf,) in leaves))
            rows.execute("UPDATE log_leader SET frontier = ?, epoch = epoch + ?", (frontier, int(epoch)))
            if checkpoints:
                rows.execute("DELETE FROM log_checkpoints")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    path = tmp_path / "gateway.db"
    migrated_file(path)
    store, theirs = await open_store(f"sqlite:///{path}"), await open_store(f"sqlite:///{path}")
    yield Running(path, store, theirs, tmp_path)
    await theirs.close()
    await store.close()


async def turns(log: Live) -> None:
    for _ in range(TURNS):
        if log.sequencer.halted is None:
            await log.sequencer._turn()


async def refused(log: Live) -> bool:
    try:
        await log.check().at_start(MOST)
    except LogRefused:
        return True
    return False


@pytest.mark.parametrize("entries_come", [False, True])
async def test_a_database_that_was_put_back_is_not_signed(running: Running, entries_come: bool) -> None:
    log = running.process("a", alone=True)
    await log.grow(300)
    older = running.copied()
    await log.grow(600)
    held = log.held.read()
    running.put(older)
    if entries_come:
        with pytest.raises(RecordUnsound):
            await log.commit(made("txn_other", 1))
    await turns(log)
    assert "put back to an older state: 300 ledger entries have a place, 600 had one" in (log.sequencer.halted or "")
    assert log.held.read() == held
    assert await refused(log)


async def test_one_that_was_put_back_and_has_grown_again_is_not_signed(running: Running) -> None:
    """As many entries as before, others among them: the size alone does not tell."""
    log, theirs = running.process("a", alone=True), running.process("theirs", alone=True, store=running.theirs)
    await log.grow(300)
    older = running.copied()
    await log.grow(600)
    held = log.held.read()
    running.put(older)
    await theirs.grow(300, trace="txn_other")
    await theirs.commit(made("txn_2", 1))
    await turns(log)
    assert "do not lead from the held tree to the stored one" in (log.sequencer.halted or "")
    assert log.held.read() == held
    assert await refused(log)


@pytest.mark.parametrize("entries_come", [False, True])
@pytest.mark.parametrize("epoch", [False, True])
@pytest.mark.parametrize("checkpoints", [False, True])
async def test_a_rewritten_log_is_not_signed(
    running: Running, entries_come: bool, epoch: bool, checkpoints: bool
) -> None:
    log = running.process("a", alone=True)
    await log.grow(100)
    held = log.held.read()
    running.rewrite(epoch=epoch, checkpoints=checkpoints)
    if entries_come:
        await log.commit(made("txn_2", 1))
    await turns(log)
    assert "NOT as it was signed" in (log.sequencer.halted or "")
    assert log.held.read() == held
    assert await refused(log)


async def test_a_held_file_that_is_taken_away_meanwhile_takes_nothing_back(running: Running) -> None:
    log = running.process("a", alone=True)
    await log.grow(300)
    older, file = running.copied(), running.tmp_path / "a" / "held.json"
    smaller = file.read_bytes()
    await log.grow(600)
    held = log.held.read()
    file.write_bytes(smaller)
    assert log.held.read() == held
    file.unlink()
    running.put(older)
    # of a store that has seen nothing: what is held must tell
    looking = Live(running.theirs, log.held, process_id=log.process_id, alone=True)
    await looking.commit(made("txn_other", 1))
    await turns(looking)
    assert "600 were signed" in (looking.sequencer.halted or "")


async def test_to_a_database_that_was_put_back_nothing_is_written_any_more(running: Running) -> None:
    """By a process that signs nothing itself, too: what the older state does not know would be posted again."""
    leader, guard = running.process("a"), running.theirs.guard
    await leader.grow(100)
    older = running.copied()
    await leader.grow(200)
    other = HeldFile(running.tmp_path / "held.json", ORIGIN)
    check = LogCheck(running.theirs.log, LOG, other, seen=guard.saw, lost=guard.end)
    following = Following(check, lambda: True, lambda _report: None)
    await following.once()
    assert (guard.entries, guard.reason) == (200, None)
    running.put(older)
    guard.entries = 0  # as where the size alone shows nothing
    await following.once()
    assert "put back to an older state" in (guard.reason or "")
    with pytest.raises(RecordUnsound, match="end all processes"):
        await running.theirs.write(lambda unit: unit.insert_entries([made("txn_2", 1)]))
    assert not await running.theirs.is_usable()
    assert await running.theirs.log.placed(0, 1), "reads go on: it is evidence"


async def test_an_altered_entry_does_not_end_the_writing(running: Running) -> None:
    """The record is the one that was written, but for that entry: what was posted it knows."""
    leader, guard = running.process("a"), running.theirs.guard
    await leader.grow(10)
    check = LogCheck(running.theirs.log, LOG, leader.held, seen=guard.saw, lost=guard.end)
    with closing(sqlite3.connect(running.path)) as rows, rows:
        without_guards(rows)
        rows.execute("UPDATE ledger_entries SET body = X'7B7D' WHERE seq = 5")
    with pytest.raises(LogRefused):
        await check.whole(None)
    assert guard.reason is None


async def test_who_takes_the_lead_looks_before_it_signs(running: Running) -> None:
    first, second = running.process("a"), running.process("b", alone=True)
    await first.grow(100)
    await second.check().follow()
    running.rewrite(epoch=False, checkpoints=True)
    await second.commit(made("txn_2", 1))
    await turns(second)
    assert "NOT as it was signed" in (second.sequencer.halted or "")
    assert await second.files.note("checkpoint") is None


async def test_who_takes_the_lead_believes_the_newest_checkpoint_where_nothing_is_held(running: Running) -> None:
    first, second = running.process("a"), running.process("b", alone=True)
    await first.grow(100)
    signed = await first.files.note("checkpoint")
    running.rewrite(epoch=False, checkpoints=False)
    await second.commit(made("txn_2", 1))
    await turns(second)
    assert "begin with the 100 entries that were signed" in (second.sequencer.halted or "")
    assert await second.files.note("checkpoint") == signed


async def test_who_does_not_lead_holds_what_was_signed(running: Running) -> None:
    leader, other = running.process("a"), running.process("b")
    following = Following(other.check(), lambda: True, other.sequencer.halt)
    for size in (1, 255, 256, 257, 700, 701):
        await leader.grow(size)
        await following.once()
        held = other.held.read()
        assert held == leader.held.read()
    assert (following.wrong, following.failure) == (None, None)


async def test_what_is_held_has_the_signatures_of_a_key_that_follows_too(running: Running) -> None:
    """Or a start after the rotation would not know the key that signed what is held."""
    leader, other = running.process("a"), running.process("b")
    await leader.grow(5)
    await other.check().follow()
    await running.store.write(lambda unit: unit.insert_announcement(ORIGIN, 1, bytes(announce_key(KEY, OTHER_KEY, 5))))
    leader.keys = (KEY, OTHER_KEY)
    await leader.sequencer.turn()
    await other.check().follow()
    assert other.held.read() == leader.held.read()
    assert await LogCheck(running.store.log, LogKeys.pinned(OTHER_KEY.key), other.held).at_start(MOST)


async def test_a_leader_that_was_overtaken_puts_nothing_older_in_the_place_of_what_is_held(running: Running) -> None:
    first, second = running.process("a"), running.process("b", alone=True)
    await first.grow(100)
    await second.grow(200)
    await first.check().follow()
    with pytest.raises(Deposed, match="another tree than this one of 100 entries is held"):
        await first.sequencer._sign((KEY,))
    assert first.held.read() == second.held.read()


async def test_whichever_process_starts_alone_refuses_what_was_put_back(running: Running) -> None:
    leader, other = running.process("a"), running.process("b")
    following = Following(other.check(), lambda: True, other.sequencer.halt)
    await leader.grow(300)
    older = running.copied()
    await leader.grow(600)
    await following.once()
    running.put(older)
    assert await refused(other)


async def test_whichever_process_runs_notices_what_was_put_back_or_rewritten(running: Running) -> None:
    leader, other = running.process("a"), running.process("b")
    await leader.grow(100)
    older = running.copied()
    await leader.grow(200)
    whole = running.copied()
    for what in ("put back", "rewritten"):
        found: list[str] = []
        following = Following(other.check(), lambda: True, found.append, every_s=0.0)
        await following.once()
        held = other.held.read()
        assert held is not None
        assert held.checkpoint.size == 200
        if what == "put back":
            running.put(older)
        else:
            running.rewrite(epoch=False, checkpoints=True)
        await asyncio.wait_for(following.run(), 60)
        assert found == [following.wrong]
        assert "NOT as it was signed" in found[0]
        assert other.held.read() == held, "what is held is evidence"
        if what == "put back":
            running.put(whole)


async def test_who_leads_does_not_follow_and_a_look_that_fails_is_made_again(running: Running) -> None:
    leader, other = running.process("a"), running.process("b")
    await leader.grow(5)
    leads, failed = True, []

    class Broken:
        async def follow(self) -> None:
            failed.append("asked")
            raise RuntimeError("a defect")

    following = Following(Broken(), lambda: not leads, failed.append, every_s=0.0, failed=lambda: failed.append("told"))  # type: ignore[arg-type]
    task = asyncio.create_task(following.run())
    await asyncio.sleep(0.05)
    assert failed == []
    leads = False
    async with asyncio.timeout(60):
        while len(failed) < 4:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    task.cancel()
    assert failed[:4] == ["asked", "told", "asked", "told"]
    assert following.failure == "RuntimeError: a defect"
    following._check = other.check()
    await following.once()
    assert following.failure is None
    assert other.held.read() == leader.held.read()


@pytest.mark.parametrize(
    "error", [StatementRefused("42501 permission denied"), StateBroken("damaged"), KeyMisused("gone")]
)
async def test_what_is_this_process_own_affair_is_no_finding(running: Running, error: Exception) -> None:
    """Readiness shows it, the look is made again, and nobody is kept from signing."""
    other, failed = running.process("b"), []
    await running.process("a").grow(5)

    class Hindered:
        hindered = True

        async def follow(self) -> None:
            if self.hindered:
                raise error

        async def warn_of_months(self) -> None:
            pass

        async def whole(self, _progress: object) -> int:
            await self.follow()
            return 5

    check = Hindered()
    following = Following(check, lambda: True, other.sequencer.halt, failed=lambda: failed.append("held"))  # type: ignore[arg-type]
    recheck = Recheck(check, 60.0, other.sequencer.halt, first_after_s=0.0, failed=lambda: failed.append("log"))  # type: ignore[arg-type]
    for look in (following, recheck):
        await look.once()
        assert (look.wrong, look.failure) == (None, str(error))
    assert failed == ["held", "log"]
    assert other.sequencer.halted is None
    check.hindered = False
    for look in (following, recheck):
        await look.once()
        assert look.failure is None
