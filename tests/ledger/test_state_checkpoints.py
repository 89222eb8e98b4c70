"""The audit of kept checkpoints: what they say, who signed them, and when they were kept."""

# ruff: noqa: S608  (the statements are made of this file's own names)

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.log_keys import LogKeys, announce_key, sign_checkpoint
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.state import checkpoints
from gateway.ledger.state.audit import audit_state
from gateway.ledger.state.checkpoints import AuditedLog, audit_checkpoints
from gateway.store.store import Store, open_store
from tests.ledger.live import Live, live
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file

MOST = 100
SECOND = 1_000_000
THIRD_KEY = SigningKey(ORIGIN, b"t" * 32)


async def grow(log: Live, checkpoint_count: int, first: int = 0, every_s: int = 60) -> None:
    """So many checkpoints, each of nine entries, half a second after the newest of them."""
    for number in range(first, first + checkpoint_count):
        log.clock.at += every_s * SECOND
        at = log.clock.at - SECOND // 2
        trace = f"txn_{number}"
        await log.commit(
            *[ledger_entry(EntryKind.ROUTED, trace=trace, seq=seq, at=at, actor="a") for seq in range(1, 10)]
        )
        await log.settle()


async def _found(store: Store, keys: LogKeys = LOG) -> list[str]:
    return [str(one) for one in await audit_checkpoints(AuditedLog(store.log, keys), MOST)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Forty checkpoints, a minute apart, as the bytes of their file."""
    path = tmp_path_factory.mktemp("kept") / "gateway.db"
    migrated_file(path)

    async def make() -> None:
        store = await open_store(f"sqlite:///{path}")
        await grow(live(store, path.parent), 40)
        await store.close()

    asyncio.run(make())
    return path.read_bytes()


async def test_what_was_kept_alarms_nobody(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _found(store) == []
    await grow(live(store, tmp_path), 12)
    assert await _found(store) == []
    monkeypatch.setattr(checkpoints, "PART", 5)
    monkeypatch.setattr(checkpoints, "SAMPLE", 3)
    rests: list[float] = []

    async def rest(worked_s: float) -> None:
        rests.append(worked_s)

    assert await audit_checkpoints(AuditedLog(store.log, LOG), MOST, rest) == []
    assert len(rests) == 3


async def test_keys_that_followed_and_those_that_are_gone_count(store: Store, tmp_path: Path) -> None:
    log = live(store, tmp_path)
    await grow(log, 3)
    for number, (old, new) in enumerate([(KEY, OTHER_KEY), (OTHER_KEY, THIRD_KEY)], 1):
        size = await store.ledger.log_size()
        note = bytes(announce_key(old, new, size))
        await store.write(lambda unit, number=number, note=note: unit.insert_announcement(ORIGIN, number, note))
        for keys in ((old, new), (new,)):
            log.keys = keys
            await grow(log, 2, first=100 * number + 10 * len(keys))
            assert await _found(store) == []
    for key in (KEY, OTHER_KEY, THIRD_KEY):
        assert await _found(store, LogKeys.pinned(key.key)) == [], key
    strange = LogKeys.pinned(SigningKey(ORIGIN, b"s" * 32).key)
    assert len(await _found(store, strange)) == (await store.log.kept_count(ORIGIN)).count


async def test_a_record_that_was_restored_goes_on(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    store = await open_store(f"sqlite:///{path}")
    log = live(store, tmp_path)
    log.clock.at += 90_000 * SECOND
    await grow(log, 3, first=100)
    assert await _found(store) == []
    await store.close()


async def test_a_clock_that_was_set_back_shows_in_the_entries_too(store: Store, tmp_path: Path) -> None:
    log = live(store, tmp_path)
    await grow(log, 3)
    log.clock.at -= 3600 * SECOND
    await grow(log, 3, first=10)
    assert await _found(store) == []


async def _set(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as rows, rows:
        without_guards(rows)
        assert rows.execute(statement, values).rowcount > 0


def _flipped(note: bytes, line: int) -> bytes:
    """A note with another byte in that line: 1 size, 2 root, 4 the first signature."""
    lines = note.split(b"\n")
    at = len(lines[line]) // 2 if line != 1 else 0
    lines[line] = lines[line][:at] + (b"A" if lines[line][at : at + 1] != b"A" else b"B") + lines[line][at + 1 :]
    return b"\n".join(lines)


EARLIER, LATER = "kept_at = kept_at - 30000000", "kept_at = kept_at + 90000000"
TIMES = {
    "earlier": (EARLIER, 90, ("size 90: kept_at is", "and the ledger tells its newest entry at")),
    "earlier, the newest of all": (EARLIER, 360, ("size 360: kept_at is",)),
    "later than the next": (LATER, 90, ("size 99: kept_at is", "that of 90 entries was kept before it")),
    "never": ("kept_at = NULL", 90, ("size 90: kept_at is nothing",)),
}


@pytest.mark.parametrize("edit", TIMES)
async def test_a_time_that_was_moved_is_named(made: bytes, tmp_path: Path, edit: str) -> None:
    change, size, words = TIMES[edit]
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    await _set(path, f"UPDATE log_checkpoints SET {change} WHERE size = ?", size)
    store = await open_store(f"sqlite:///{path}")
    found = await _found(store)
    await store.close()
    assert len(found) == 1
    assert all(word in found[0] for word in words), found


@pytest.mark.parametrize(("line", "told"), [(1, "note is"), (2, "is"), (4, "signature is")])
@pytest.mark.parametrize("size", [9, 90, 360])
async def test_a_byte_that_was_changed_is_named(made: bytes, tmp_path: Path, size: int, line: int, told: str) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    with closing(sqlite3.connect(path)) as rows:
        ((note,),) = rows.execute("SELECT note FROM log_checkpoints WHERE size = ?", (size,)).fetchall()
    await _set(path, "UPDATE log_checkpoints SET note = ? WHERE size = ?", _flipped(note, line), size)
    store = await open_store(f"sqlite:///{path}")
    found = await _found(store)
    await store.close()
    assert found
    assert all(f"log_checkpoints, size {size}: " in one for one in found), found
    assert any(told in one for one in found), found


async def _resigned(path: Path, keys: Sequence[SigningKey]) -> None:
    """The same tree size with another root, signed by these."""
    note = bytes(sign_checkpoint(Checkpoint(ORIGIN, 90, b"r" * 32), keys))
    assert base64.b64encode(b"r" * 32) in note
    await _set(path, "UPDATE log_checkpoints SET note = ? WHERE size = 90", note)


async def test_another_root_under_the_true_key_is_named(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    await _resigned(path, [KEY])
    store = await open_store(f"sqlite:///{path}")
    (found,) = await _found(store)
    await store.close()
    assert found.startswith("log_checkpoints, size 90: root is 7272")


async def test_the_audit_of_the_state_judges_the_index_and_with_a_log_its_checkpoints(
    made: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    await _resigned(path, [KEY])
    await _set(path, "INSERT INTO indexed_blocks VALUES (7, 1, 2)")
    store = await open_store(f"sqlite:///{path}")
    with_log = await audit_state(store.reads, log=AuditedLog(store.log, LOG))
    without = await audit_state(store.reads)
    await store.close()
    assert [one.subject for one in with_log][-2:] == ["indexed_blocks, block 7", "log_checkpoints, size 90"]
    assert without == with_log[:-1]


async def test_a_checkpoint_of_a_larger_tree_and_one_under_another_size_are_named(made: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(made)
    await _set(path, "UPDATE log_checkpoints SET size = 91 WHERE size = 90")
    await _set(path, "UPDATE log_checkpoints SET size = 9000 WHERE size = 180")
    store = await open_store(f"sqlite:///{path}")
    found = await _found(store)
    await store.close()
    assert {one.split(":")[0] for one in found} == {"log_checkpoints, size 91", "log_checkpoints, size 9000"}
