"""One bit of the database file or of its write-ahead log is another one: the process refuses, or every answer is the
clean copy's."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.domain.queries import TransactionFilter, Visible
from gateway.errors import GatewayError
from gateway.ledger.held import HeldFile
from gateway.ledger.startup import LogCheck
from gateway.ledger.state.recheck import StateRecheck
from gateway.store.migrate import migrate
from gateway.store.soundness import check_sound
from gateway.store.store import Store, open_store
from tests.ledger.logs import LOG, ORIGIN
from tests.ledger.test_tampering_rows import MOST, business, sequenced
from tests.line.rig import Rig
from tests.migrated import migrated_file

CASES = int(os.environ.get("BIT_FLIPS", "150"))
"""`make tamper` does 1,000."""


async def answers(store: Store) -> str:
    """What callers and auditors read, all of it."""
    reads = store.reads
    told: list[object] = []
    transactions = await reads.transactions(TransactionFilter(), Visible(), 10_000, None)
    for one in transactions:
        told += [
            one,
            await reads.steps(one.transaction_id),
            await reads.entries(one.transaction_id),
            await reads.payload(one.payload_id),
        ]
    told += [await reads.lineage(one, Visible()) for one in sorted({each.lineage_id for each in transactions})]
    return repr(told)


@dataclass
class Copy:
    """The files of a database whose log is not empty, as a crash leaves them."""

    place: Path
    held: HeldFile
    key: bytes
    clean: str

    @property
    def target(self) -> Path:
        return self.place / "damaged.db"

    def put(self) -> None:
        for end in ("", "-wal"):
            shutil.copy(self.place / f"kept.db{end}", f"{self.target}{end}")
        Path(f"{self.target}-shm").unlink(missing_ok=True)

    async def started(self) -> Store:
        """As a gateway starts on it. Raises GatewayError where it refuses."""
        url = f"sqlite:///{self.target}"
        await check_sound(url)
        await migrate(url)
        store = await open_store(url)
        try:
            await LogCheck(store.log, LOG, self.held).at_start(MOST)
            await StateRecheck(store.reads, self.key, 1.0, first_after_s=1.0).at_start()
        except BaseException:
            await store.close()
            raise
        return store


@pytest.fixture
async def copy(tmp_path: Path) -> AsyncIterator[Copy]:
    path = tmp_path / "gateway.db"
    migrated_file(path)
    store = await open_store(f"sqlite:///{path}")
    rig = await Rig.on(store)
    held = HeldFile(tmp_path / "held.json", ORIGIN)
    await business(rig, random.Random(1), 11_000, 4)
    await sequenced(store, held)
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", tmp_path / f"kept.db{end}")
    yield Copy(tmp_path, held, rig.parts.tools.commitment_key, await answers(store))
    await store.close()


def flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("end", ["", "-wal"], ids=["database", "log"])
async def test_a_flipped_bit_changes_no_answer(copy: Copy, end: str) -> None:
    ended: Counter[str] = Counter()
    for seed in range(CASES // 2):
        chance = random.Random(seed)
        copy.put()
        if end == "":  # all of it in the database file, none in its log
            store = await copy.started()
            await store.close()
        flip(Path(f"{copy.target}{end}"), chance)
        try:
            store = await copy.started()
        except GatewayError:
            ended["refused"] += 1
            continue
        try:
            assert await answers(store) == copy.clean, f"seed {seed}: another answer, and nobody noticed"
        except GatewayError:
            ended["refused"] += 1
        else:
            ended["equal"] += 1
        finally:
            await store.close()
    assert ended["refused"] > 0
    if end == "":  # what a log loses is newer than what was held, so that a damaged one is always refused
        assert ended["equal"] > 0
