"""A month of the ledger as files: they prove themselves, and whatever is altered in them is named."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from gateway.domain.months import Month
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.lines import base64_text
from gateway.ledger.months.lines import ArchivedEntry, part_path
from gateway.ledger.months.verify import verify_archive
from gateway.ledger.months.write import write_archive
from gateway.ledger.months.wrong import ArchiveWrong, MonthRefused
from gateway.ledger.receipt import receipt_for
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_nodes import TileNodes
from gateway.store.store import Store
from tests.ledger.live import Live, live
from tests.ledger.logs import KEY, LOG, OTHER_KEY
from tests.ledger.month_world import EVIDENCE, JULY, JUNE, MAY, entry_of, grow, trace_of
from tools.go_verifier.program import GoVerifier

NOW = JULY.following.first_at
MONTHS = {MAY: 30, JUNE: 90, JULY: 40}


@pytest.fixture
async def log(store: Store, tmp_path: Path) -> Live:
    """Three months in one log of some tiles, their entries in turns."""
    found = live(store, tmp_path)
    await grow(found, MONTHS)
    return found


async def archived(log: Live, directory: Path, month: Month = JUNE) -> dict[str, object]:
    return await write_archive(log.store.log, LOG, month, directory, EVIDENCE, NOW)


async def test_an_archive_is_checked_with_nothing_but_the_key(log: Live, tmp_path: Path):
    told = await archived(log, tmp_path / "june")
    assert (told["entries"], told["traces"], told["kinds"]) == (270, 90, {"accepted": 90, "posted": 90, "routed": 90})
    assert {"kind": "posted", "currencyCode": "EUR", "entries": 90, "sum": "909.00"} in told["amounts"]
    found = await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key])
    assert (found.entries, found.month, found.vouched) == (270, JUNE, False)
    assert found.signed.checkpoint.size == 3 * (160 + 90)
    assert (await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key], evidence_key=EVIDENCE.key)).vouched
    # not all of the log's tiles, and no entry of another month
    assert {path.name for path in (tmp_path / "june").iterdir()} == {
        "archive.json", "checkpoint", "entries", "manifest", "tile",
    }  # fmt: skip


async def test_go_accepts_proofs_that_are_made_of_the_archive_alone(log: Live, tmp_path: Path, go: GoVerifier):
    await archived(log, tmp_path / "june")
    entries: list[ArchivedEntry] = []
    found = await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key], on_entry=entries.append)
    checkpoint = found.signed.checkpoint
    nodes = TileNodes(DirectoryTiles(tmp_path / "june"), checkpoint.size)
    receipts = [(one, receipt_for(nodes, one.log_index, one.body, found.signed)) for one in entries]
    asked = [
        {
            "do": "inclusion",
            "size": checkpoint.size,
            "root": base64_text(checkpoint.root),
            "index": one.log_index,
            "leaf": base64_text(leaf_hash(one.body)),
            "proof": [base64_text(line) for line in receipt.proof],
        }
        for one, receipt in receipts
    ]
    assert len(asked) == 270
    assert [answer["ok"] for answer in go.ask(asked, 60.0)] == [True] * 270


async def test_every_altered_byte_is_named(log: Live, tmp_path: Path):
    await archived(log, tmp_path / "june")
    files = sorted(path for path in (tmp_path / "june").rglob("*") if path.is_file())
    for number, path in enumerate(files):
        name, data = path.relative_to(tmp_path / "june").as_posix(), path.read_bytes()
        for at in {0, len(data) // 2, len(data) - 1, (number * 7919) % len(data)}:
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with pytest.raises(ArchiveWrong) as wrong:
                await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key], evidence_key=EVIDENCE.key)
            assert wrong.value.path == name or name.startswith("tile/"), (name, at, str(wrong.value))
            assert "tile" in str(wrong.value) or not name.startswith("tile/"), (name, at, str(wrong.value))
        path.write_bytes(data)
    await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key], evidence_key=EVIDENCE.key)


async def test_an_altered_entry_is_named_with_its_line(log: Live, tmp_path: Path):
    await archived(log, tmp_path / "june")
    part = tmp_path / "june" / part_path(0)
    lines = part.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b"10.10", b"99.10")
    part.write_bytes(b"\n".join(lines))
    with pytest.raises(ArchiveWrong, match=f"line 2: entry 2 of {trace_of(JUNE, 0)} .* is not the one that was signed"):
        await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key])


async def test_entries_that_are_left_out_are_missed_though_the_manifest_is_not_checked(log: Live, tmp_path: Path):
    await archived(log, tmp_path / "june")
    part = tmp_path / "june" / part_path(0)
    lines = part.read_bytes().splitlines(keepends=True)
    for gone, said in ((lines[:1] + lines[2:], "does not follow"), (lines[:-3], "SHA-256")):
        part.write_bytes(b"".join(gone))
        with pytest.raises(ArchiveWrong, match=said):
            await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key])


async def test_another_key_and_other_counts_and_files_too_many_or_gone_are_refused(log: Live, tmp_path: Path):
    await archived(log, tmp_path / "june")
    with pytest.raises(ArchiveWrong, match="checkpoint"):
        await asyncio.to_thread(verify_archive, tmp_path / "june", [OTHER_KEY.key])
    with pytest.raises(ArchiveWrong, match="manifest"):
        await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key], evidence_key=OTHER_KEY.key)
    (tmp_path / "june" / "entries" / "001.jsonl").write_bytes(b"")
    with pytest.raises(ArchiveWrong, match="not listed"):
        await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key])
    shutil.rmtree(tmp_path / "june" / "entries")
    with pytest.raises(ArchiveWrong, match="missing"):
        await asyncio.to_thread(verify_archive, tmp_path / "june", [KEY.key])


async def test_what_cannot_be_archived_yet_is_refused(log: Live, tmp_path: Path):
    with pytest.raises(MonthRefused, match="has not ended"):
        await write_archive(log.store.log, LOG, JULY, tmp_path / "july", EVIDENCE, NOW - 1)
    with pytest.raises(MonthRefused, match="no entries"):
        await archived(log, tmp_path / "april", Month(2026, 4))
    await archived(log, tmp_path / "june")
    with pytest.raises(MonthRefused, match="not empty"):
        await archived(log, tmp_path / "june", MAY)
    await log.commit(entry_of(trace_of(MAY, 0), 4))
    with pytest.raises(MonthRefused, match=f"entry 4 of {trace_of(MAY, 0)} is not covered"):
        await archived(log, tmp_path / "may", MAY)


def test_a_month_is_told_by_the_id():
    assert Month.of_trace(trace_of(JUNE, 0)) == JUNE == Month.parse("2026-06")
    assert Month.of_trace("txn_1") is None
    assert Month.of_trace(trace_of(JUNE, 0).replace("txn", "qry")) is None
    assert Month.of_trace("txn_7" + "Z" * 25) is None
    assert JUNE.first_trace < trace_of(JUNE, 0) < JUNE.following.first_trace == JULY.first_trace
    assert Month(2026, 12).following == Month(2027, 1)
    assert json.dumps(str(Month(2027, 1))) == '"2027-01"'
