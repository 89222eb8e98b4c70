"""Entries that were taken out of a pack, signed again by the evidence key: the published log shows that they exist."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.cli.console import Failure
from gateway.cli.ledger_verify_pack import check_pack
from gateway.domain.caller import DataScope
from gateway.ledger.copying import copy_log
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.contents import PACK
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, pack_of, verified, with_evidence, without
from tests.ledger.logs import KEY, LOG
from tests.line.rig import order


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _published(audit: Auditing, log: Path) -> DirectoryTiles:
    await asyncio.to_thread(copy_log, await audit.log.tiles(), DirectoryTiles(log), LOG)
    return DirectoryTiles(log)


async def _transaction(audit: Auditing, name: str) -> tuple[str, str]:
    (item,) = (await audit.get("traces", name=name))["items"]
    return item["transactions"][0]["transactionId"], item["document"]["lineageId"]


async def test_the_published_log_shows_what_a_lineage_lacks(audit: Auditing, tmp_path: Path) -> None:
    ordered, lineage_id = await _transaction(audit, "10248")
    paid, _ = await _transaction(audit, "PAY-10248")
    pack = await pack_of(audit, {"about": "lineage", "lineageId": lineage_id})
    await audit.rig.send(order("LATER"))  # what is published since then is nothing to it
    await audit.rig.settle()
    await audit.catch_up()
    log = await _published(audit, tmp_path / "published")
    whole = verified(pack, published=log)
    assert (whole.wrong, whole.compared) == (None, json.loads(files_of(pack)[PACK])["query"]["rowCount"])
    for drops in (
        lambda body: body["trace"] == paid,
        lambda body: body["trace"] == ordered and body["kind"] != "accepted",
    ):
        cut = without(pack, drops)
        assert verified(cut).wrong is None, "in itself it is sound"
        wrong = verified(cut, published=log).wrong
        assert wrong is not None
        assert (wrong.reason, "missing" in wrong.detail) == ("members", True)


async def test_the_published_log_shows_where_a_transaction_was_cut(audit: Auditing, tmp_path: Path) -> None:
    ordered, _ = await _transaction(audit, "10248")
    log = await _published(audit, tmp_path / "published")
    for data in (DataScope(), DataScope(frozenset({"Northern"}), None)):
        pack = await pack_of(audit, {"about": "transaction", "transactionId": ordered}, data=data)
        assert verified(pack, published=log).compared
        cut = without(pack, lambda body: body["trace"] == ordered and body["seq"] > 3)
        assert verified(cut).wrong is None
        wrong = verified(cut, published=log).wrong
        assert wrong is not None
        assert wrong.reason == "members"


async def test_another_log_or_a_part_of_the_lineage_compares_nothing(
    audit: Auditing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, lineage_id = await _transaction(audit, "10248")
    pack = await pack_of(audit, {"about": "lineage", "lineageId": lineage_id})
    restricted = await pack_of(
        audit, {"about": "lineage", "lineageId": lineage_id}, data=DataScope(frozenset({"Northern"}), None)
    )
    rules = await pack_of(audit, {"about": "ruleChange", "activationNumber": 1})
    log = tmp_path / "published"
    tiles = await _published(audit, log)
    wrong = verified(restricted, published=tiles).wrong
    assert wrong is not None
    assert (wrong.reason, "restricted" in wrong.detail) == ("members", True)
    file = tmp_path / "pack.zip"
    for body, code in ((pack, None), (rules, 2)):
        file.write_bytes(body)
        try:
            check_pack(file, [KEY.key.text], EVIDENCE_KEY.key.text, None, [], 0, log, json=False)
        except Failure as failure:
            assert (failure.exit_code, "a change of the rules" in str(failure)) == (code, True)
        else:
            assert code is None
    assert "no other up to the same checkpoint" in capsys.readouterr().out
    (bundle,) = [one for one in (log / "tile/entries").rglob("*") if one.is_file()]
    bundle.write_bytes(bundle.read_bytes().replace(b'"kind":"accepted"', b'"kind":"acceptex"', 1))
    assert verified(pack, published=tiles).wrong is not None
