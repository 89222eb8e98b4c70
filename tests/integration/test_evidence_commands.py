"""`erp-gateway evidence` on the record of a data directory, and of a gateway: names of files, an altered entry."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from gateway.cli import app, evidence
from gateway.cli.console import Failure
from gateway.ledger.current_keys import make_missing
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.key_files import KeyFiles
from gateway.store.store import open_store
from tests.integration.test_wiring import NOBODY, SETTINGS
from tests.ledger.live import live
from tests.ledger.logs import ORIGIN
from tests.ledger.tampering_rows import without_guards
from tests.line.rig import Rig, order
from tests.migrated import migrated_file

PACKS: Final = ("evd_01ARZ3NDEKTSV4RRFFQ69G5FA1", "evd_01ARZ3NDEKTSV4RRFFQ69G5FA2")


class Gateway:
    """Gives the packs one after the other."""

    def __init__(self, *archives: bytes) -> None:
        self._archives = list(archives)

    def post_for_bytes(self, path: str, body: dict[str, Any]) -> bytes:
        assert (path, body["about"]) == (evidence.RESOURCE, "transaction")
        return self._archives.pop(0)


def _pack(pack_id: object) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr("pack.json", json.dumps({"packId": pack_id}))
    return out.getvalue()


def _of(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, *more: str) -> Any:
    monkeypatch.setattr(evidence, "gateway_of", lambda *_: gateway)
    return CliRunner().invoke(app, ["evidence", "transaction", "txn_1", "--live", "--json", *more])


def test_each_pack_of_a_gateway_is_saved_under_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gateway = Gateway(*map(_pack, PACKS))
    for pack_id in PACKS:
        done = _of(gateway, monkeypatch)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["file"] == f"{pack_id}.zip"
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"{one}.zip" for one in PACKS]
    _of(Gateway(_pack(PACKS[0])), monkeypatch, "--out", "mine.zip")
    assert (tmp_path / "mine.zip").exists()


@pytest.mark.parametrize("archive", [b"PK", _pack("../evd_01ARZ3NDEKTSV4RRFFQ69G5FA1"), _pack(1), _pack("evd_1")])
def test_what_a_gateway_calls_its_pack_is_believed_no_path(
    archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = _of(Gateway(archive), monkeypatch)
    assert isinstance(done.exception, Failure)
    assert "is no evidence pack" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


async def _business(directory: Path) -> str:
    """A posted order, signed; its transaction."""
    store = await open_store(migrated_file(directory / "gateway.db"))
    rig = await Rig.on(store)
    sent = await rig.send(order("10248"), wait_s=5.0)
    await live(store, directory).settle()
    await EntryIndexer(store).finish()
    await store.close()
    return sent.transaction.transaction_id


def test_a_pack_over_an_altered_entry_is_refused_and_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SETTINGS.format(url=NOBODY)
    (tmp_path / "gateway.toml").write_text(f'{settings}\n[ledger]\norigin = "{ORIGIN}"\n', encoding="utf-8")
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    key = tmp_path / "commitments.key"
    key.write_bytes(b"c" * 32)
    key.chmod(0o600)
    make_missing(KeyFiles(tmp_path, ORIGIN))
    transaction = asyncio.run(_business(tmp_path))
    monkeypatch.chdir(tmp_path)
    asked = ["evidence", "transaction", transaction, "--data", str(tmp_path)]
    sound = CliRunner().invoke(app, [*asked, "--out", "sound.zip"])
    assert sound.exit_code == 0, sound.exception
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as rows:
        without_guards(rows)
        where = "WHERE trace = ? AND seq = 2"
        (index,) = rows.execute(f"SELECT log_index FROM log_entries {where}", (transaction,)).fetchone()  # noqa: S608
        rows.execute(f"UPDATE ledger_entries SET body = x'7b7d' {where}", (transaction,))  # noqa: S608
        rows.commit()
    done = CliRunner().invoke(app, asked)
    assert isinstance(done.exception, Failure)
    assert done.exception.exit_code == 1
    named = f"entry {index} of the log (2 of {transaction}) is not the one that was signed"
    assert str(done.exception).startswith(named)
    assert "`erp-gateway ledger verify`" in str(done.exception)
    assert [one.name for one in tmp_path.glob("*.zip")] == ["sound.zip"]
