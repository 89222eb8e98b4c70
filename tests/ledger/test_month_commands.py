"""`erp-gateway ledger archive`, `verify DIR` and `partitions` as an operator types them, on either database."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.ledger.current_keys import make_missing
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.held import HeldFile
from gateway.ledger.key_files import KeyFiles, KeyPurpose
from gateway.store.store import open_store
from tests.ledger.live import Live
from tests.ledger.logs import ORIGIN
from tests.ledger.month_world import JUNE, MAY, entry_of, grow
from tests.ledger.tampering_rows import without_guards

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def files(tmp_path: Path, migrated_url: str) -> KeyFiles:
    """A data directory whose ledger has two months and a last tile that is full."""
    (tmp_path / "gateway.toml").write_text(
        f'name = "one"\nrulebook = "rules"\n[store]\nurl = "{migrated_url}"\n[ledger]\norigin = "{ORIGIN}"\n',
        encoding="utf-8",
    )
    found = KeyFiles(tmp_path, ORIGIN)
    make_missing(found)
    found.create(KeyPurpose.COMMITMENTS)

    async def fill() -> None:
        store = await open_store(migrated_url)
        log = Live(store, HeldFile(tmp_path / "held.json", ORIGIN), keys=found.log_signers())
        await grow(log, {MAY: 5, JUNE: 10})
        await log.commit(*[entry_of(f"qry_end_{number}", 1) for number in range(256)])
        await log.settle()
        await EntryIndexer(store).finish()
        await store.close()

    asyncio.run(fill())
    return found


@pytest.fixture
def run(tmp_path: Path, files: KeyFiles, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`erp-gateway ledger …` in that data directory: exit code, stdout, stderr."""

    def command(*words: Any, data: bool = True) -> tuple[int, str, str]:
        capsys.readouterr()
        where = ["--data", str(tmp_path)] if data else []
        monkeypatch.setattr("sys.argv", ["erp-gateway", "ledger", *map(str, words), *where])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return command


def keys_of(files: KeyFiles) -> list[str]:
    log, evidence = files.signer(KeyPurpose.LOG).key.text, files.signer(KeyPurpose.EVIDENCE).key.text
    return ["--key", log, "--evidence-key", evidence]


def test_an_archive_is_written_and_verified(run: Run, files: KeyFiles, tmp_path: Path):
    directory = tmp_path / "may"
    assert run("archive", "2026-05", directory)[:2] == (
        0,
        f"15 entries of 5 transactions of 2026-05 are in {directory}\n",
    )
    code, out, err = run("verify", directory, *keys_of(files), data=False)
    assert (code, err) == (0, "")
    assert out.startswith(f"{directory}: 15 entries of 2026-05 are in the log of {ORIGIN}, as signed\n")
    code, out, err = run("verify", directory, *keys_of(files)[:2], "--json", data=False)
    assert (code, json.loads(out)["manifestChecked"], json.loads(out)["entriesVerified"]) == (0, False, 15)
    part = directory / "entries" / "000.jsonl"
    part.write_bytes(part.read_bytes().replace(b"10.10", b"10.11", 1))
    code, _, err = run("verify", directory, *keys_of(files), data=False)
    assert code == 1
    assert "entries/000.jsonl: line 2: entry 2 of txn_" in err
    assert "is not the one that was signed" in err
    assert run("archive", "May", directory)[0] == 2
    assert run("archive", "2026-05", directory)[0] == 1


def test_a_place_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path):
    file, nowhere = tmp_path / "file", tmp_path / "nowhere"
    file.write_text("mine", encoding="utf-8")
    nowhere.symlink_to(tmp_path / "away" / "none")
    receipt = ["receipt", "qry_end_1", "--out"]
    for words in (["publish"], ["archive", "2026-05"], receipt):
        for place in (file, file / "below", nowhere, Path("/proc/none")):
            code, out, err = run(*words, place)
            assert (code, out) == (2, ""), err
            assert err.startswith(f"erp-gateway: {place} cannot be written: ")
            assert err.count("\n") == 1
    assert file.read_text(encoding="utf-8") == "mine"
    code, _, err = run("publish", file / "below")
    assert err == f"erp-gateway: {file}/below cannot be written: there is a file where a directory must be ({file})\n"


def test_publishing_an_altered_entry_is_refused_and_names_it(run: Run, tmp_path: Path, migrated_url: str):
    if not migrated_url.startswith("sqlite"):
        return  # what is compared does not depend on the database
    with closing(sqlite3.connect(migrated_url.removeprefix("sqlite:///"))) as rows:
        without_guards(rows)
        (trace, seq) = rows.execute("SELECT trace, seq FROM log_entries WHERE log_index = 7").fetchone()
        rows.execute("UPDATE ledger_entries SET body = x'7b7d' WHERE trace = ? AND seq = ?", (trace, seq))
        rows.commit()
    code, out, err = run("publish", tmp_path / "published")
    assert (code, out) == (1, "")
    assert "entry 7 of the log (tile/entries/000) is not the one that was signed" in err
    assert not (tmp_path / "published" / "checkpoint").exists()
    code, out, err = run("receipt", trace)
    assert (code, out) == (1, "")
    assert f"entry 7 of the log ({seq} of {trace}) is not the one that was signed" in err


def test_a_month_leaves_and_comes_back(run: Run, tmp_path: Path, migrated_url: str):
    directory = tmp_path / "may"
    run("archive", "2026-05", directory)
    if migrated_url.startswith("sqlite"):
        for words in (["make"], ["list"], ["detach", "2026-05", directory, "--keep-months", "1"]):
            code, _, err = run("partitions", *words)
            assert code == 1
            assert "SQLite keeps the whole ledger in one table" in err
        return
    # and this month's, where it has begun since the database was migrated
    assert run("partitions", "make")[1].startswith("made: 2026-05, 2026-06")
    code, _, err = run("partitions", "detach", "2026-05", directory, "--keep-months", "12000")
    assert (code, "less than 12000 months ago" in err) == (1, True)
    code, out, err = run("partitions", "detach", "2026-05", directory, "--keep-months", "1")
    assert (code, out, err) == (0, f"15 entries of 2026-05 are in {directory} only: keep it in two places\n", "")
    listed = json.loads(run("partitions", "list", "--json")[1])
    assert [(one["month"], one["entries"]) for one in listed["archived"]] == [("2026-05", 15)]
    assert listed["entriesWithoutMonth"] == 0
    assert "archived" in run("partitions", "list")[1]
    code, _, err = run("publish", tmp_path / "published")
    assert (code, "is archived with 2026-05" in err) == (1, True)
    the_audit_reads_an_archive_that_is_named(run, directory)
    code, out, _ = run("partitions", "attach", "2026-05", directory)
    assert (code, out) == (0, "15 entries of 2026-05 are in the database again\n")
    assert run("publish", tmp_path / "published")[0] == 0


def the_audit_reads_an_archive_that_is_named(run: Run, directory: Path) -> None:
    """No transaction of these entries has a row, which is a finding wherever the entries are."""
    for words, said, archived, unread, without_row in (
        ([], "archived, so not compared: 2026-05 (5 transactions)\n", ["2026-05"], 5, 10),
        (["--archive", directory], "archived, and compared with its archive: 2026-05 (5 transactions)\n", [], 0, 15),
    ):
        code, out, err = run("audit", *words)
        assert out.startswith(said), err
        code, out, _ = run("audit", *words, "--json")
        told = json.loads(out)
        assert (code, told["archivedMonths"], told["notComparedCount"]) == (1, archived, unread)
        rows = [one for one in told["findings"] if one["subject"].startswith("txn_") and one["what"] == "the row"]
        assert len(rows) == without_row
    assert run("audit", "--archive", directory, "--key", "none")[0] == 2
    code, _, err = run("audit", "--archive", directory.parent)
    assert (code, "manifest: it is missing" in err) == (1, True)
