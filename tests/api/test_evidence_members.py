"""Entries that were taken out of a pack, signed again by the evidence key: the published log shows that they exist.

Where that log itself is at fault, or the question, nothing is said against the pack."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.console import Failure
from gateway.cli.ledger_verify_pack import check_pack
from gateway.domain.caller import DataScope
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.contents import PACK
from gateway.ledger.log_keys import sign_checkpoint
from gateway.ledger.note_keys import SigningKey
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, NONCE, pack_of, published_log, verified, with_evidence, without
from tests.ledger.logs import KEY, LOG, ORIGIN
from tests.line.rig import order


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


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
    log = await published_log(audit, tmp_path / "published")
    read: list[tuple[int, int]] = []
    whole = verified(pack, published=log, progress=lambda done, total: read.append((done, total)))
    assert read == [(whole.size, whole.size)], "one bundle"
    assert whole.compared is not None
    assert (whole.wrong, whole.compared.entries) == (None, json.loads(files_of(pack)[PACK])["query"]["rowCount"])
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
    log = await published_log(audit, tmp_path / "published")
    for data in (DataScope(), DataScope(frozenset({"Northern"}), None)):
        pack = await pack_of(audit, {"about": "transaction", "transactionId": ordered}, data=data)
        assert verified(pack, published=log).compared
        cut = without(pack, lambda body: body["trace"] == ordered and body["seq"] > 3)
        assert verified(cut).wrong is None
        wrong = verified(cut, published=log).wrong
        assert wrong is not None
        assert wrong.reason == "members"


async def test_the_published_log_shows_what_the_transactions_of_a_sample_lack(audit: Auditing, tmp_path: Path) -> None:
    for number in range(4):
        await audit.rig.send(order(f"S-{number}"))
    await audit.rig.settle()
    await audit.catch_up()
    log = await published_log(audit, tmp_path / "published")
    pack = await pack_of(audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE})
    whole = verified(pack, published=log)
    assert whole.compared is not None
    assert (whole.wrong, whole.compared.entries) == (None, json.loads(files_of(pack)[PACK])["query"]["rowCount"])
    assert whole.compared.redrawn == 10
    cut = without(pack, lambda body: body["trace"].startswith("txn_") and body["seq"] > 3)
    assert verified(cut).wrong is None, "in itself it is sound"
    wrong = verified(cut, published=log).wrong
    assert wrong is not None
    assert (wrong.reason, "missing" in wrong.detail) == ("members", True)


Comparing = Callable[[bytes, Path], tuple[int, str, dict[str, Any]]]


@pytest.fixture
def compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Comparing:
    """What `ledger verify PACK.zip --directory LOG --json` ends with: exit code, complaint, JSON."""

    def compare(pack: bytes, log: Path) -> tuple[int, str, dict[str, Any]]:
        file = tmp_path / "pack.zip"
        file.write_bytes(pack)
        code, said = 0, ""
        try:
            check_pack(file, [KEY.key.text], EVIDENCE_KEY.key.text, None, [], 0, log, json=True)
        except Failure as failure:
            code, said = failure.exit_code, str(failure)
        return code, said, json.loads(capsys.readouterr().out)

    return compare


async def test_a_pack_that_cannot_be_compared_is_sound_in_itself(
    audit: Auditing, tmp_path: Path, compared: Comparing
) -> None:
    _, lineage_id = await _transaction(audit, "10248")
    lineage, narrow = {"about": "lineage", "lineageId": lineage_id}, DataScope(frozenset({"Northern"}), None)
    short, log = tmp_path / "short", tmp_path / "published"
    await published_log(audit, short)
    before = LOG.open_checkpoint((short / "checkpoint").read_bytes()).checkpoint.size
    await audit.rig.send(order("LATER"))
    await audit.rig.settle()
    await audit.catch_up()
    pack = await pack_of(audit, lineage)
    await published_log(audit, log)
    asked = {
        "restricted": await pack_of(audit, lineage, data=narrow),
        "restricted data": await pack_of(audit, {"about": "sample", "sampleSize": 2, "nonce": NONCE}, data=narrow),
        "a change of the rules": await pack_of(audit, {"about": "ruleChange", "activationNumber": 1}),
    }
    for words, other in asked.items():
        _not_compared(compared(other, log), words)
    empty, file = tmp_path / "empty", tmp_path / "file"
    empty.mkdir()
    file.write_text("file")
    lacking, other_log, unsigned = (tmp_path / name for name in ("lacking", "other", "unsigned"))
    for copy in (lacking, other_log, unsigned):
        shutil.copytree(log, copy)
    shutil.rmtree(lacking / "tile/entries")
    stranger = SigningKey("ledger.example/two", b"2" * 32)
    mine = LOG.open_checkpoint((log / "checkpoint").read_bytes()).checkpoint
    for directory, key in ((other_log, stranger), (unsigned, SigningKey(ORIGIN, b"3" * 32))):
        theirs = replace(mine, origin=key.key.name)
        (directory / "checkpoint").write_bytes(bytes(sign_checkpoint(theirs, [key])))
    for words, directory in {
        f"the published log has {before} entries, the pack's checkpoint {mine.size}": short,
        "there is no directory": tmp_path / "nowhere",
        "no directory": file,
        "no checkpoint": empty,
        "not whole": lacking,
        f"none of {ORIGIN}": other_log,
        "of which no key is known": unsigned,
    }.items():
        _not_compared(compared(pack, directory), words)
    code, said, told = compared(pack, log)
    assert (code, said, told["notCompared"]) == (0, "", None)


def _not_compared(found: tuple[int, str, dict[str, Any]], words: str) -> None:
    code, said, told = found
    assert (code, told["ok"], told["wrong"], told["comparedEntryCount"]) == (2, True, None, None), (words, found)
    assert words in told["notCompared"]
    assert said.endswith(f"{told['notCompared']}")


async def test_another_tree_of_the_same_log_is_wrong(audit: Auditing, tmp_path: Path, compared: Comparing) -> None:
    _, lineage_id = await _transaction(audit, "10248")
    pack = await pack_of(audit, {"about": "lineage", "lineageId": lineage_id})
    log = tmp_path / "published"
    await published_log(audit, log)
    mine = LOG.open_checkpoint((log / "checkpoint").read_bytes()).checkpoint
    (log / "checkpoint").write_bytes(bytes(sign_checkpoint(replace(mine, root=b"0" * 32), [KEY])))
    code, said, told = compared(pack, log)
    assert (code, told["wrong"]["reason"], "NOT sound" in said) == (1, "forked", True)
    (log / "checkpoint").write_bytes(bytes(sign_checkpoint(mine, [KEY])))
    (bundle,) = [one for one in (log / "tile/entries").rglob("*") if one.is_file()]
    sound = bundle.read_bytes()
    for old, new in ((b'"kind":"accepted"', b'"kind":"acceptex"'), (b'"trace":"txn_', b'"trace":["xn_')):
        bundle.write_bytes(sound.replace(old, new, 1))
        code, _, told = compared(pack, log)
        assert (code, told["wrong"]["reason"]) == (1, "members")
    bundle.write_bytes(sound)
    assert compared(pack, log)[0] == 0


async def test_an_entry_that_no_gateway_writes_is_wrong_and_breaks_nothing(
    audit: Auditing, tmp_path: Path, compared: Comparing
) -> None:
    pack = await pack_of(audit, {"about": "sample", "sampleSize": 3, "nonce": NONCE, "businessUnit": "Northern"})
    log = tmp_path / "published"
    await published_log(audit, log)
    (bundle,) = [one for one in (log / "tile/entries").rglob("*") if one.is_file()]
    sound = bundle.read_bytes()
    facts = re.search(rb'"facts":\{[^}]*\}', sound)
    assert facts is not None
    bundle.write_bytes(sound.replace(facts[0], b'"facts":"' + b"x" * (len(facts[0]) - 10) + b'"', 1))
    code, _, told = compared(pack, log)
    assert (code, told["wrong"]["reason"]) == (1, "sample")
