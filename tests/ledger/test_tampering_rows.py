"""Whatever is done to the rows of a database is noticed: in the log at or below a held checkpoint, in payloads always,
in the state wherever entries tell of it. Sound databases alarm nobody."""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import LedgerError, LogRefused
from gateway.ledger.held import HeldFile
from gateway.ledger.log_keys import sign_checkpoint
from gateway.ledger.sequencer import Sequencer
from gateway.ledger.startup import LogCheck
from gateway.ledger.state.audit import audit_state
from gateway.ledger.stored_log import StoredLog, stored_frontier
from gateway.store.log_reads import EntriesMissing
from gateway.store.store import Store, open_store
from tests.ledger.live import AT_ONCE, Clock
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY
from tests.ledger.tampering_rows import LOG_ACTS, Act, without_guards
from tests.ledger.tampering_state import STATE_ACTS
from tests.line.rig import Rig, invoice, order, payment
from tests.migrated import migrated_file

MOST = 1_000_000
ACTS = int(os.environ.get("TAMPERINGS", "400"))
"""Of each sort; `make tamper` does 1,250."""


async def business(rig: Rig, chance: random.Random, first: int, count: int) -> None:
    """Orders with what follows, on both systems, some refused, unknown, cancelled, reversed or changed."""
    for number in range(first, first + count):
        where = chance.choice([{}, {"businessUnit": "Western", "geography": "US"}])
        rig.legacy.script = chance.choice([[], [], ["lost_answer"], ["reject"], ["lost_call"]])
        rig.cloud.script = chance.choice([[], [], ["lost_answer"], ["reject"]])
        sent = await rig.send(order(str(number), **where))
        await rig.settle()
        await rig.until(300.0)
        rig.legacy.script = rig.cloud.script = []
        if (await rig.record(sent.transaction.transaction_id)).status != "posted":
            continue
        if chance.random() < 0.3:
            await rig.cancel(sent.transaction.document_id)
            await rig.settle()
            continue
        billed = await rig.send(invoice(f"INV-{number}", str(number), **where), "invoices")
        await rig.settle()
        if chance.random() < 0.3:
            await rig.reverse(billed.transaction.document_id)
        else:
            await rig.send(payment(f"PAY-{number}", (f"INV-{number}",), **where), "payments")
        await rig.settle()


async def sequenced(store: Store, held: HeldFile) -> None:
    """Give every entry its place, and sign."""
    stored = StoredLog(store, ORIGIN, "prc_1", Clock(), alone=True)
    check = LogCheck(store.log, LOG, held).before_lead
    sequencer = Sequencer(stored, ORIGIN, lambda: (KEY,), held, None, AT_ONCE, check=check)
    await sequencer.turn()
    while await store.log.waiting(1):
        await sequencer.turn()


@dataclass
class Kept:
    """A database, the copy from which it is put back, an older copy, and the checkpoint that is held outside of it."""

    path: Path
    store: Store
    held: HeldFile
    sound: sqlite3.Connection
    older: sqlite3.Connection
    key: bytes

    async def grow(self, rig: Rig, chance: random.Random, first: int, count: int) -> None:
        await business(rig, chance, first, count)
        await sequenced(self.store, self.held)

    def copy_to(self, other: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(self.path)) as rows:
            rows.backup(other)

    def put(self, copy: sqlite3.Connection) -> None:
        with closing(sqlite3.connect(self.path)) as rows:
            copy.backup(rows)

    def tamper(self, act: Act, chance: random.Random) -> str | None:
        with closing(sqlite3.connect(self.path)) as rows, rows:
            without_guards(rows)
            return act(chance, rows)

    async def noticed(self) -> bool:
        """By the check at a start and the audit of the state, as a gateway makes them."""
        try:
            await LogCheck(self.store.log, LOG, self.held).at_start(MOST)
        except (LogRefused, EntriesMissing, LedgerError):
            return True
        return bool(await audit_state(self.store.reads, self.key))


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    path = tmp_path / "gateway.db"
    migrated_file(path)
    store = await open_store(f"sqlite:///{path}")
    rig = await Rig.on(store)
    older, sound = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    one = Kept(path, store, HeldFile(tmp_path / "held.json", ORIGIN), sound, older, rig.parts.tools.commitment_key)
    chance = random.Random(1)
    await one.grow(rig, chance, 11_000, 6)
    one.copy_to(older)
    await one.grow(rig, chance, 12_000, 6)
    one.copy_to(sound)
    yield one
    await store.close()
    sound.close()
    older.close()


async def test_an_older_copy_is_noticed(kept: Kept) -> None:
    kept.put(kept.older)
    assert await kept.noticed()
    kept.put(kept.sound)
    assert not await kept.noticed()


async def test_a_fork_under_the_true_key_is_noticed(kept: Kept, tmp_path: Path) -> None:
    """An older copy goes on with other business and is signed by the log's own key; only the held checkpoint tells."""
    kept.put(kept.older)
    # a process that has not seen the newer state; one that has writes nothing any more
    store = await open_store(f"sqlite:///{kept.path}")
    theirs = replace(kept, store=store, held=HeldFile(tmp_path / "theirs.json", ORIGIN))
    rig = await Rig.on(store, "prc_2", seed=7)
    await theirs.grow(rig, random.Random(9), 13_000, 12)
    assert not await theirs.noticed(), "to itself it is sound"
    assert await kept.noticed()
    await store.close()


async def test_signing_again_with_another_key_is_noticed(kept: Kept) -> None:
    frontier = await stored_frontier(kept.store.log)
    note = sign_checkpoint(Checkpoint(ORIGIN, frontier.size, frontier.root), [OTHER_KEY])
    with closing(sqlite3.connect(kept.path)) as rows, rows:
        without_guards(rows)
        rows.execute("UPDATE log_checkpoints SET note = ? WHERE size = ?", (bytes(note), frontier.size))
    assert await kept.noticed()


@pytest.mark.slow
@pytest.mark.parametrize("acts", [STATE_ACTS, LOG_ACTS], ids=["state", "log"])
async def test_acts_on_rows_are_all_noticed(kept: Kept, acts: tuple[Act, ...]) -> None:
    assert not await kept.noticed(), "it alarms before anything was done"
    done: Counter[str] = Counter()
    unnoticed = []
    seed = 0
    while sum(done.values()) < ACTS:
        seed += 1
        chance = random.Random(seed)
        act = chance.choice(acts)
        what = kept.tamper(act, chance)
        if what is not None:
            done[act.__name__] += 1
            if not await kept.noticed():
                unnoticed.append((seed, act.__name__, what))
        kept.put(kept.sound)
    assert unnoticed == []
    assert len(done) == len(acts)
    assert not await kept.noticed(), "it alarms after everything was put back"
