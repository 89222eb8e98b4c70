"""An entry that was altered in the database by hand: who makes something of it names it, and publishes none of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.entries import leaf_hash
from gateway.ledger.copying import copy_log
from gateway.ledger.errors import EntryAltered, TilesDisagree
from gateway.ledger.stored_receipts import receipts_of
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verify import verify_directory
from gateway.store.store import Store, open_store
from tests.ledger.live import Live, live, made
from tests.ledger.logs import KEY, LOG, ORIGIN
from tests.ledger.tampering_rows import without_guards
from tests.migrated import migrated_file

ALTERED = b'{"kind":"altered"}'


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """What is altered does not depend on the database."""
    found = await open_store(migrated_file(tmp_path / "gateway.db"))
    yield found
    await found.close()


def alter(tmp_path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows:
        without_guards(rows)
        assert rows.execute(sql, values).rowcount
        rows.commit()


def _alter_entry(tmp_path: Path, seq: int, body: bytes = ALTERED) -> None:
    alter(tmp_path, "UPDATE ledger_entries SET body = ? WHERE trace = 'txn_1' AND seq = ?", body, seq)


async def _publish(log: Live, directory: Path) -> int:
    signed = await asyncio.to_thread(copy_log, await log.tiles(), DirectoryTiles(directory), LOG)
    return signed.checkpoint.size


def _verified(directory: Path, tmp_path: Path) -> int:
    """The size of the sound log that is published there."""
    found = verify_directory(directory, [KEY.key], tmp_path / "seen.json")
    assert found.ok, found.wrong
    assert found.checkpoint is not None
    return found.checkpoint.size


@pytest.mark.parametrize("seq", [5, 300, 700])
async def test_a_receipt_names_the_entry_that_is_not_the_signed_one(store: Store, tmp_path: Path, seq: int) -> None:
    log = live(store, tmp_path)
    await log.grow(700)
    _alter_entry(tmp_path, seq)
    for which in (seq, None):
        with pytest.raises(EntryAltered, match=rf"entry {seq - 1} of the log \({seq} of txn_1\)") as raised:
            await receipts_of(store.log, ORIGIN, "txn_1", which)
        assert raised.value.log_index == seq - 1
    (beside,) = await receipts_of(store.log, ORIGIN, "txn_1", seq - 1)
    assert beside.entry == made("txn_1", seq - 1).body


async def test_where_it_may_be_a_hash_beside_the_entry_nothing_else_is_said(store: Store, tmp_path: Path) -> None:
    log = live(store, tmp_path)
    await log.grow(700)
    alter(tmp_path, "UPDATE ledger_entries SET leaf_hash = ? WHERE seq = 601", leaf_hash(ALTERED))
    with pytest.raises(EntryAltered, match=r"entry 601 of the log.* a hash beside it"):
        await receipts_of(store.log, ORIGIN, "txn_1", 602)
    (itself,) = await receipts_of(store.log, ORIGIN, "txn_1", 601)  # its bytes are what was signed
    assert itself.entry == made("txn_1", 601).body


@pytest.mark.parametrize("seq", [1, 300, 700])
async def test_nothing_is_published_of_a_bundle_with_an_altered_entry(store: Store, tmp_path: Path, seq: int) -> None:
    log, directory = live(store, tmp_path), tmp_path / "log"
    await log.grow(700)
    _alter_entry(tmp_path, seq)
    _alter_entry(tmp_path, seq + 1 if seq < 700 else 699)
    first = min(seq, 699) - 1
    with pytest.raises(EntryAltered, match=rf"entry {first} of the log \(tile/entries/.*\) is not the one") as raised:
        await _publish(log, directory)
    assert raised.value.log_index == first
    assert not (directory / "checkpoint").exists()
    for one in (seq, seq + 1 if seq < 700 else 699):
        _alter_entry(tmp_path, one, made("txn_1", one).body)
    assert await _publish(log, directory) == 700  # nothing is in the way that was not as it was signed
    assert _verified(directory, tmp_path) == 700


@pytest.mark.parametrize("before", [256, 300, 512])
async def test_a_good_checkpoint_stays_where_a_newer_entry_was_altered(
    store: Store, tmp_path: Path, before: int
) -> None:
    log, directory = live(store, tmp_path), tmp_path / "log"
    await log.grow(before)
    await _publish(log, directory)
    await log.grow(700)
    _alter_entry(tmp_path, 650)
    with pytest.raises(EntryAltered, match="entry 649 of the log"):
        await _publish(log, directory)
    assert _verified(directory, tmp_path) == before
    _alter_entry(tmp_path, 650, made("txn_1", 650).body)
    assert await _publish(log, directory) == 700
    assert await _publish(log, directory) == 700
    assert _verified(directory, tmp_path) == 700


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE log_tiles SET hashes = zeroblob(8192) WHERE tile_level = 0 AND tile_index = 1",
        "UPDATE log_tiles SET root = zeroblob(32) WHERE tile_level = 0 AND tile_index = 1",
        "UPDATE ledger_entries SET leaf_hash = zeroblob(32) WHERE trace = 'txn_1' AND seq = 601",
    ],
)
async def test_neither_are_hashes_that_do_not_lead_to_the_signed_root(store: Store, tmp_path: Path, sql: str) -> None:
    log, directory = live(store, tmp_path), tmp_path / "log"
    await log.grow(256)
    await _publish(log, directory)
    await log.grow(700)
    alter(tmp_path, sql)
    with pytest.raises(TilesDisagree, match="signed"):
        await _publish(log, directory)
    assert _verified(directory, tmp_path) == 256
