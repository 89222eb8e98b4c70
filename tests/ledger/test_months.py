"""Months on PostgreSQL: where entries lie, what is refused, taken out and put back; and the reads that know it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from gateway.domain.entry_filter import EntryFilter
from gateway.domain.months import Month
from gateway.errors import StoreUnavailable
from gateway.ledger.copying import copy_log
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.entry_pages import Asked, read_page
from gateway.ledger.entry_wire import csv_lines, entries_of
from gateway.ledger.errors import LogRefused
from gateway.ledger.months.detach import attachable, detachable, rows_of
from gateway.ledger.months.write import write_archive
from gateway.ledger.months.wrong import MonthRefused
from gateway.ledger.receipt import verify_receipt
from gateway.ledger.startup import LogCheck
from gateway.ledger.state.audit import audit_state
from gateway.ledger.stored_receipts import receipts_of
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.store.errors import UniqueViolated
from gateway.store.log_reads import EntriesArchived, EntriesMissing, Tally
from gateway.store.month_moves import CannotMove, put_back, take_out
from gateway.store.months import listed_months, make_months, without_month
from gateway.store.owner import NoParts, as_owner
from gateway.store.partitions import bounds_of, part_of
from gateway.store.store import Store, StoreUnit, open_store
from tests.ledger.live import MOST, Live, live
from tests.ledger.logs import KEY, LOG, ORIGIN, OTHER_KEY
from tests.ledger.month_world import EVIDENCE, JULY, JUNE, MAY, entry_of, grow, lived, trace_at, trace_of
from tests.store.made import a_document, a_lineage, a_transaction

# ruff: noqa: S608, ISC004  names of ours; statements over two lines
pytestmark = pytest.mark.postgres
NOW = Month(2027, 9).first_at


@pytest.fixture
async def store(migrated_postgres_url: str) -> AsyncIterator[Store]:
    opened = await open_store(migrated_postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def owner(migrated_postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated_postgres_url)
    yield connection
    await connection.close()


async def made(url: str) -> list[Month]:
    """Those of which entries were written. The months that come are there from the start, but for one: a new month may
    have begun since the database was migrated."""
    return [one for one in await as_owner(url, make_months) if one <= JULY]


async def listed(url: str) -> list[Month]:
    return [one.month for one in await as_owner(url, listed_months)]


async def full_log(store: Store, tmp_path: Path, url: str) -> Live:
    """Three months with tables of their own, in a log whose last tile is full."""
    log = live(store, tmp_path)
    await grow(log, {MAY: 20, JUNE: 60, JULY: 20})
    await made(url)
    await log.commit(*[entry_of(f"qry_end_{number}", 1) for number in range(256)])
    await log.settle()
    await EntryIndexer(store).finish()
    return log


async def archived(store: Store, tmp_path: Path, month: Month = JUNE) -> Path:
    directory = tmp_path / str(month)
    await write_archive(store.log, LOG, month, directory, EVIDENCE, NOW)
    return directory


async def taken_out(store: Store, tmp_path: Path, url: str, month: Month = JUNE) -> Path:
    directory = await archived(store, tmp_path, month)
    record = await detachable(store, [KEY.key], EVIDENCE.key, month, directory, NOW)
    await as_owner(url, lambda connection: take_out(connection, record))
    return directory


async def rows(owner: asyncpg.Connection, table: str = "ledger_entries") -> list[asyncpg.Record]:
    return await owner.fetch(f"SELECT * FROM {table} ORDER BY trace, seq")


async def test_an_entry_lies_in_the_month_of_its_trace_or_in_none_and_is_moved_when_the_month_is_made(
    store: Store, owner: asyncpg.Connection, migrated_postgres_url: str
):
    # those of today and the next three
    from_the_start = await listed(migrated_postgres_url)
    assert len(from_the_start) == 4
    last, first = trace_at(JULY.first_at - 1_000, 5), trace_at(JULY.first_at)
    entries = [entry_of(one, 1) for one in (last, first, "txn_1", "act_1", "zzz_1")]
    await store.write(lambda unit: unit.insert_entries(entries))
    before = await rows(owner)
    assert {row["trace"] for row in await rows(owner, "ledger_entries_without_month")} == {last, first, "txn_1"}
    assert set(await made(migrated_postgres_url)) == {JUNE, JULY}
    assert [row["trace"] for row in await rows(owner, part_of(JUNE))] == [last]
    assert [row["trace"] for row in await rows(owner, part_of(JULY))] == [first]
    assert [row["trace"] for row in await rows(owner, "ledger_entries_without_month")] == ["txn_1"]
    assert await rows(owner) == before
    assert await made(migrated_postgres_url) == []
    assert (await listed(migrated_postgres_url))[:6] == [JUNE, JULY, *from_the_start]
    assert await as_owner(migrated_postgres_url, without_month) == 1


async def test_the_key_is_one_over_all_months_and_every_part_only_grows(
    store: Store, owner: asyncpg.Connection, migrated_postgres_url: str
):
    entries = [entry_of(one, 1) for one in (trace_of(JUNE, 1), trace_of(JULY, 1), "txn_1", "act_1", "zzz_1")]
    await store.write(lambda unit: unit.insert_entries(entries))
    await made(migrated_postgres_url)
    for again in entries:
        with pytest.raises(UniqueViolated):
            await store.write(lambda unit, again=again: unit.insert_entries([again]))
    parts = await owner.fetch("SELECT inhrelid::regclass::text AS part FROM pg_inherits WHERE "
                              "inhparent = 'ledger_entries'::regclass")  # fmt: skip
    assert len(parts) == 3 + len(await listed(migrated_postgres_url))
    assert {part_of(month) for month in (JUNE, JULY)} <= {part for (part,) in parts}
    for (part,) in [("ledger_entries",), *parts]:
        statements = [f"TRUNCATE {part}"]
        if await owner.fetchval(f"SELECT count(*) FROM {part}"):
            statements += [f"DELETE FROM {part}", f"UPDATE {part} SET at = at"]
        for statement in statements:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
                await owner.execute(statement)
    assert len(await rows(owner)) == 5


async def test_a_month_that_is_taken_out_is_proven_by_hashes_and_comes_back_as_it_was(
    store: Store,
    owner: asyncpg.Connection,
    migrated_postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    log = await full_log(store, tmp_path, migrated_postgres_url)
    before = await rows(owner)
    directory = await taken_out(store, tmp_path, migrated_postgres_url)
    assert len(await rows(owner)) == len(before) - 180
    assert await owner.fetchval("SELECT to_regclass($1)", part_of(JUNE)) is None

    check = LogCheck(store.log, LOG, log.held, EVIDENCE.key)
    assert await check.at_start(MOST) is True
    assert await check.whole(None) == 300 + 180 + 256
    (tmp_path / "held.json").unlink()
    assert await LogCheck(store.log, LOG, live(store, tmp_path).held, EVIDENCE.key).at_start(MOST) is True
    with pytest.raises(LogRefused, match="cannot be believed"):
        await LogCheck(store.log, LOG, log.held).at_start(MOST)
    with pytest.raises(LogRefused, match="cannot be believed"):
        await LogCheck(store.log, LOG, log.held, OTHER_KEY.key).at_start(MOST)

    await reads_know_it(store, log, tmp_path)

    # the log goes on, also with what comes late to the month; it has no table, and gets none
    late = entry_of(trace_of(JUNE, 3), 4)
    await log.commit(late)
    await log.settle()
    assert await made(migrated_postgres_url) == []
    assert await check.whole(None) == 737
    with pytest.raises(MonthRefused, match="was taken out"):
        await archived(store, tmp_path / "again", JUNE)

    records = {one.month: one for one in await store.log.archived_months()}
    found = await attachable(records["2026-06"], [KEY.key], EVIDENCE.key, JUNE, directory)
    tally = store.log.tally

    async def put_back_meanwhile() -> Tally:
        monkeypatch.setattr(store.log, "tally", tally)
        await as_owner(migrated_postgres_url, lambda one: put_back(one, JUNE, rows_of(directory, found)))
        return await tally()

    monkeypatch.setattr(store.log, "tally", put_back_meanwhile)
    assert await check.whole(None) == 737
    back = await rows(owner)
    assert [row for row in back if (row["trace"], row["seq"]) != (late.trace, 4)] == before
    assert len(await rows(owner, part_of(JUNE))) == 181
    assert await as_owner(migrated_postgres_url, without_month) == 0
    assert (await log.verified()).ok
    assert await LogCheck(store.log, LOG, log.held).whole(None) == 737
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await owner.execute(f"DELETE FROM {part_of(JUNE)}")


async def reads_know_it(store: Store, log: Live, tmp_path: Path) -> None:
    """What is asked of the archived month is answered with its name, by its index and hashes."""
    trace = trace_of(JUNE, 2)
    entries = lived(trace)
    page = await read_page(store.ledger, Asked(where=EntryFilter(trace=frozenset({trace})), end=MOST), -1, 10)
    told = await entries_of(store.ledger, page.rows)
    assert [(one["seq"], one["kind"], one["archivedMonth"], one["entry"]) for one in told] == [
        (1, "accepted", "2026-06", None),
        (2, "routed", "2026-06", None),
        (3, "posted", "2026-06", None),
    ]
    assert [one["leafHash"] for one in told] == [one.leaf_hash.hex() for one in entries]
    assert (told[2]["amount"], told[2]["currencyCode"], told[2]["hashedBytes"]) == ("10.1", "EUR", None)
    assert len(csv_lines(told).splitlines()) == 3
    steps = await store.ledger.steps_of([trace, trace_of(MAY, 1), "txn_none"])
    assert [one.kind for one in steps[trace]] == ["accepted", "routed", "posted"]
    assert [one.kind for one in steps[trace_of(MAY, 1)]] == ["accepted", "routed", "posted"]
    receipts = await receipts_of(store.log, ORIGIN, trace)
    assert [(one.entry, str(one.archived_month)) for one in receipts] == [(None, "2026-06")] * 3
    for one, entry in zip(receipts, entries, strict=True):
        assert verify_receipt(one.receipt, entry.body, LOG, WitnessPolicy()).index == one.receipt.index
    with pytest.raises(EntriesArchived, match="is archived with 2026-06"):
        await log.files.read("tile/entries/000")
    with pytest.raises(EntriesArchived, match="is archived with 2026-06"):
        await asyncio.to_thread(copy_log, await log.tiles(), DirectoryTiles(tmp_path / "published"), LOG)
    assert await log.files.read("tile/0/000") is not None


async def test_an_entry_that_was_deleted_is_not_excused_by_archived_ones_beside_it(
    store: Store, owner: asyncpg.Connection, migrated_postgres_url: str, tmp_path: Path
):
    log = await full_log(store, tmp_path, migrated_postgres_url)
    await taken_out(store, tmp_path, migrated_postgres_url)
    with pytest.raises(EntriesArchived) as told:
        await log.files.read("tile/entries/000")
    assert told.value.months == (JUNE,)
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("DELETE FROM ledger_entries WHERE trace = 'qry_1_3'")
    with pytest.raises(EntriesMissing, match=r"is gone \(1 of qry_1_3\)") as missing:
        await log.files.read("tile/entries/000")
    assert not isinstance(missing.value, EntriesArchived)


async def test_entries_that_are_missing_without_a_record_are_an_alarm(
    store: Store, owner: asyncpg.Connection, migrated_postgres_url: str, tmp_path: Path
):
    log = await full_log(store, tmp_path, migrated_postgres_url)
    await taken_out(store, tmp_path, migrated_postgres_url)
    check = LogCheck(store.log, LOG, log.held, EVIDENCE.key)
    await check.whole(None)
    may, bounds = part_of(MAY), bounds_of(MAY)
    for change, undo, said in (
        (
            f"ALTER TABLE ledger_entries DETACH PARTITION {may}",
            f"ALTER TABLE ledger_entries ATTACH PARTITION {may} {bounds}",
            "180 archived",
        ),
        (
            "UPDATE archived_months SET entries = entries + 60",
            "UPDATE archived_months SET entries = entries - 60",
            "the record of another archive",
        ),
        (
            "UPDATE archived_months SET told = told || ' '::bytea",
            "UPDATE archived_months SET told = substr(told, 1, length(told) - 1)",
            "another one",
        ),
        (
            "UPDATE archived_months SET month = '2026-05'",
            "UPDATE archived_months SET month = '2026-06'",
            "the record of another archive",
        ),
    ):
        await owner.execute(change)
        with pytest.raises(LogRefused, match=said):
            await check.whole(None)
        await owner.execute(undo)
        await check.whole(None)
    await owner.execute("DELETE FROM archived_months")
    with pytest.raises(LogRefused, match="556 entries are stored, 736 have a place"):
        await check.whole(None)


async def test_another_hash_in_the_place_of_an_archived_entry_is_an_alarm(
    store: Store, owner: asyncpg.Connection, migrated_postgres_url: str, tmp_path: Path
):
    log = await full_log(store, tmp_path, migrated_postgres_url)
    await taken_out(store, tmp_path, migrated_postgres_url)
    await owner.execute("ALTER TABLE log_tiles DISABLE TRIGGER USER")
    await owner.execute(
        "UPDATE log_tiles SET hashes = overlay(hashes PLACING '\\x00'::bytea FROM 1 + 32 * ("
        f"SELECT log_index::int FROM log_entries WHERE trace = '{trace_of(JUNE, 1)}' AND seq = 1)) "
        "WHERE tile_level = 0 AND tile_index = 0"
    )
    with pytest.raises(LogRefused, match="NOT as it was signed"):
        await LogCheck(store.log, LOG, log.held, EVIDENCE.key).whole(None)


async def test_what_is_open_or_held_or_in_front_of_a_person_keeps_its_month(
    store: Store, owner: asyncpg.Connection, migrated_postgres_url: str, tmp_path: Path
):
    await full_log(store, tmp_path, migrated_postgres_url)
    directory = await archived(store, tmp_path)
    record = await detachable(store, [KEY.key], EVIDENCE.key, JUNE, directory, NOW)
    trace = trace_of(JUNE, 7)

    async def write(unit: StoreUnit) -> None:
        document = a_document(document_id="doc_1", lineage_id="lin_7", transaction_id=trace, customer_id="doc_c")
        await unit.insert_lineage(a_lineage(lineage_id="lin_7"))
        await unit.insert_document(document)
        await unit.insert_transaction(
            a_transaction(
                transaction_id=trace, lineage_id="lin_7", document_id="doc_1", status="posted", customer_id="doc_e"
            )
        )

    await store.write(write)
    other = trace_of(JULY, 900)
    for block, free, said in (
        ("UPDATE transactions SET status = 'unknown'", "UPDATE transactions SET status = 'posted'", "has not ended"),
        (
            "UPDATE transactions SET exception_id = 'exc_1'",
            "UPDATE transactions SET exception_id = NULL",
            "in front of a person as exc_1",
        ),
        (
            "INSERT INTO legal_holds (hold_id, customer_id, payload_id, set_at, set_by, set_person, entry_count) "
            "VALUES ('hld_1', 'doc_c', 'pay_1', 1, 'a', 'b', 1)",
            "UPDATE legal_holds SET lifted_at = 1",
            "under the legal hold hld_1",
        ),
        (
            "INSERT INTO legal_holds (hold_id, lineage_id, payload_id, set_at, set_by, set_person, entry_count) "
            "VALUES ('hld_2', 'lin_7', 'pay_1', 1, 'a', 'b', 1)",
            "UPDATE legal_holds SET lifted_at = 1",
            "under the legal hold hld_2",
        ),
        (
            "INSERT INTO legal_holds (hold_id, customer_id, payload_id, set_at, set_by, set_person, entry_count) "
            "VALUES ('hld_3', 'doc_e', 'pay_1', 1, 'a', 'b', 1)",
            "UPDATE legal_holds SET lifted_at = 1",
            "under the legal hold hld_3",
        ),
        (
            "CREATE TEMP TABLE one AS SELECT * FROM transactions; UPDATE one SET status = 'waiting', "
            f"transaction_id = '{other}'; INSERT INTO transactions SELECT * FROM one",
            f"DELETE FROM transactions WHERE transaction_id = '{other}'",
            f"lineage with the open transaction {other}",
        ),
    ):
        await owner.execute(block)
        with pytest.raises(CannotMove, match=f"{trace}.*{said}"):
            await as_owner(migrated_postgres_url, lambda one: take_out(one, record))
        await owner.execute(free)
    await store.write(lambda unit: unit.insert_entries([entry_of(trace, 4)]))
    with pytest.raises(CannotMove, match="181 entries of 2026-06 are stored, 180 are archived"):
        await as_owner(migrated_postgres_url, lambda one: take_out(one, record))
    assert await store.log.archived_months() == []


async def test_a_month_stays_while_its_archive_is_another_or_what_looks_back_needs_it(
    store: Store, migrated_postgres_url: str, tmp_path: Path
):
    log = live(store, tmp_path)
    await grow(log, {MAY: 20, JUNE: 60})
    await made(migrated_postgres_url)
    june = await archived(store, tmp_path)
    may = await archived(store, tmp_path, MAY)

    async def refused(month: Month, directory: Path, said: str, now: int = NOW) -> None:
        with pytest.raises(MonthRefused, match=said):
            await detachable(store, [KEY.key], EVIDENCE.key, month, directory, now)

    await refused(JUNE, may, "is the archive of 2026-05")
    await refused(JUNE, june, "less than 12 months ago", Month(2027, 6).first_at)
    await refused(JUNE, june, "in a tile of the log that is not full yet", Month(2027, 7).first_at)
    await log.commit(*[entry_of(f"qry_end_{number}", 1) for number in range(256)])
    await log.settle()
    await refused(JUNE, june, "in the index by which they are found")
    await EntryIndexer(store).finish()
    await detachable(store, [KEY.key], EVIDENCE.key, JUNE, june, NOW)
    await log.commit(entry_of(trace_of(JUNE, 1), 4))
    await log.settle()
    await refused(JUNE, june, "181 entries of 2026-06 are stored, and the 180")
    with pytest.raises(MonthRefused, match="was not taken out"):
        await attachable(None, [KEY.key], EVIDENCE.key, JUNE, june)


async def test_sqlite_keeps_its_months_and_says_so(tmp_path: Path):
    with pytest.raises(NoParts, match="PostgreSQL"):
        await as_owner(f"sqlite:///{tmp_path / 'gateway.db'}", make_months)


async def test_a_role_that_does_not_own_the_tables_is_refused(owner: asyncpg.Connection, migrated_postgres_url: str):
    await owner.execute("CREATE ROLE months_stranger LOGIN")
    try:
        await owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO months_stranger")
        stranger = migrated_postgres_url.replace("postgres@", "months_stranger@")
        with pytest.raises(StoreUnavailable, match=r"permission denied|must be owner"):
            await as_owner(stranger, lambda one: make_months(one, 9))
    finally:
        await owner.execute("DROP OWNED BY months_stranger")
        await owner.execute("DROP ROLE months_stranger")


async def test_the_audit_of_the_state_does_not_judge_what_only_archived_entries_tell(
    store: Store, migrated_postgres_url: str
):
    trace = trace_of(JUNE, 7)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_lineage(a_lineage(lineage_id="lin_7"))
        await unit.insert_transaction(
            a_transaction(transaction_id=trace, lineage_id="lin_7", document_id="doc_1", status="posted")
        )

    await store.write(write)
    assert len(await audit_state(store.reads)) > 0
    assert await audit_state(store.reads, gone=[JUNE]) == []
    assert len(await audit_state(store.reads, gone=[MAY])) > 0
