"""With the archive of a month its transactions are judged like others; without it they are not, and that is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest

from gateway.ledger.months import archived_entries
from gateway.ledger.months.archived_entries import ArchivedEntries, opened_archives
from gateway.ledger.months.lines import PART_ENTRIES
from gateway.ledger.months.write import write_archive
from gateway.ledger.months.wrong import ArchiveWrong, MonthRefused
from gateway.ledger.state.audit import audit_state
from gateway.store.store import open_store
from tests.ledger.archived_world import DECEMBER, NOVEMBER, ArchivedWorld, archived_world
from tests.ledger.logs import KEY, LOG
from tests.ledger.month_world import EVIDENCE, entry_of

# ruff: noqa: S608  names of ours
pytestmark = pytest.mark.postgres
IN_NOVEMBER = "WHERE transaction_id IN (SELECT transaction_id FROM transactions WHERE accepted_at < 1701388800000000)"
WHOLE = "lineage_id = ':lineage'"
TRACES = IN_NOVEMBER.replace("transaction_id", "trace", 1).removeprefix("WHERE ")
PLACES = f"log_index IN (SELECT log_index FROM log_entries WHERE {TRACES})"
BY_PAYLOAD = f"WHERE payload_id IN (SELECT payload_id FROM transactions {IN_NOVEMBER})"


@pytest.fixture(params=[PART_ENTRIES, 5], ids=["one file", "many files"])
async def world(
    migrated_postgres_url: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ArchivedWorld]:
    """Its archive has one file, or many, of which few are held in memory and several end within a transaction."""
    monkeypatch.setattr("gateway.ledger.months.write.PART_ENTRIES", request.param)
    monkeypatch.setattr(archived_entries, "PARTS_KEPT", 2)
    store = await open_store(migrated_postgres_url)
    async with archived_world(store, migrated_postgres_url, tmp_path) as found:
        yield found
    await store.close()


async def archives_of(world: ArchivedWorld, *directories: Path) -> ArchivedEntries:
    records = await world.audit.rig.store.log.archived_months()
    return opened_archives(directories or [world.archive], records, [KEY.key], EVIDENCE.key)


async def audited(world: ArchivedWorld, archives: ArchivedEntries | None = None) -> Sequence[str]:
    key = world.audit.rig.parts.tools.commitment_key
    gone = await world.audit.rig.store.ledger.months_taken_out()
    return [str(one) for one in await audit_state(world.audit.rig.store.reads, key, gone=gone, archives=archives)]


async def test_archived_transactions_are_judged_by_their_archive(world: ArchivedWorld) -> None:
    assert await audited(world) == []
    await world.take_out()
    archives = await archives_of(world)
    assert (await audited(world), await audited(world, archives)) == ([], [])
    for change, said in (
        (f"UPDATE transactions SET amount = '1.00' {IN_NOVEMBER} AND status = 'posted'", ": amount is 1.00, and the"),
        (f"UPDATE pins SET system_id = 'cloud-main' WHERE {WHOLE}", ": pin is cloud-main, and"),
        (f"UPDATE payloads SET body = NULL, erased_at = 1 {BY_PAYLOAD}", ": payload is missing, and"),
        (f"UPDATE documents SET state = 'cancelled' WHERE {WHOLE}", ": state is cancelled, and"),
        (f"UPDATE indexed_entries SET amount_units = 7 WHERE {PLACES} AND kind = 'posted'", ": amount_units is 7, and"),
        (f"DELETE FROM indexed_entries WHERE {PLACES} AND kind = 'linked'", ": the row is nothing, and"),
        ("DELETE FROM indexed_terms WHERE term = 'kind:rejected'", ": term kind:rejected is nothing, and"),
        (f"UPDATE indexed_transactions SET ended_index = 2 WHERE {TRACES}", ": ended_index is 2, and"),
    ):
        await tampered(world, change)
        assert await audited(world) == [], "nobody can tell without the archive"
        found = await audited(world, archives)
        assert [one for one in found if said in one], (change, found)
    await tampered(world, "DELETE FROM transactions WHERE status = 'rejected'")
    said = ": the row is nothing, and the ledger tells there"
    assert [one for one in await audited(world, archives) if said in one]


async def tampered(world: ArchivedWorld, change: str) -> None:
    owner = await asyncpg.connect(world.url)
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(change.replace(":lineage", world.november))
    await owner.close()


async def test_only_the_archive_with_which_it_was_taken_out_is_read(world: ArchivedWorld, tmp_path: Path) -> None:
    log, now = world.audit.rig.store.log, DECEMBER.following.first_at
    december, earlier = tmp_path / "december", tmp_path / "earlier"
    await write_archive(log, LOG, NOVEMBER, earlier, EVIDENCE, now)
    await world.audit.log.commit(entry_of("qry_more", 1))
    await world.audit.log.settle()
    await world.take_out()
    with pytest.raises(MonthRefused, match=f"not the archive with which {NOVEMBER} was taken out"):
        await archives_of(world, earlier)
    await write_archive(log, LOG, DECEMBER, december, EVIDENCE, now)
    with pytest.raises(MonthRefused, match=f"archive of {DECEMBER}, which was not taken out"):
        await archives_of(world, world.archive, december)
    archives = await archives_of(world)
    assert set(archives.months) == {NOVEMBER}
    part = world.archive / "entries/000.jsonl"
    part.write_bytes(part.read_bytes().replace(b"168.00", b"168.01", 1))
    with pytest.raises(ArchiveWrong, match="not the file that the manifest lists"):
        await audited(world, archives)
    with pytest.raises(ArchiveWrong, match="is not the one that was signed"):
        await archives_of(world)
