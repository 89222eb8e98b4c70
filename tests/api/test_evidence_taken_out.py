"""What was taken out of a pack by who holds the evidence key, and signed again: what must be there is asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ledger.evidence.archive import archive_of, files_of
from gateway.ledger.evidence.contents import KINDS, PACK, json_file, rows_hash
from gateway.ledger.evidence.manifest import MANIFEST, manifest_of
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, pack_of, verified, with_evidence


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


def _without(pack: bytes, *folders: str, left_out: str | None = None) -> bytes:
    """Without the files of these folders, and what `pack.json` says of them."""
    files = {path: body for path, body in files_of(pack).items() if not path.startswith((*folders, MANIFEST))}
    told = json.loads(files[PACK])
    if "rules/" in folders:
        told["rules"] = []
    if "entries/" in folders:
        told["entries"], told["openings"] = [], []
        told["query"] |= {"rowCount": 0, "rowsHash": rows_hash([])}
        files |= {path: json_file([]) for path in KINDS}
    if left_out is not None:
        told["leftOut"].append(left_out)
    files[PACK] = json_file(told)
    return archive_of({**files, MANIFEST: manifest_of(files, EVIDENCE_KEY)})


async def test_rules_that_decided_are_there_or_are_said_to_be_left_out(audit: Auditing) -> None:
    (trace,) = (await audit.get("traces", name="10248"))["items"]
    pack = await pack_of(audit, {"about": "lineage", "lineageId": trace["document"]["lineageId"]})
    assert verified(pack).decisions > 0
    found = verified(_without(pack, "rules/")).wrong
    assert found is not None
    assert (found.reason, found.path) == ("rules", "rules/1.rules.json")
    told = verified(_without(pack, "rules/", left_out="the text of further rules than those of 20 activations"))
    assert (told.ok, told.decisions) == (True, 0)


async def test_a_rule_change_has_its_entry_and_its_rules(audit: Auditing) -> None:
    pack = await pack_of(audit, {"about": "ruleChange", "activationNumber": 1})
    assert verified(pack).wrong is None
    for folders, wrong in (
        (("entries/", "payloads/"), ("pack", PACK)),
        (("rules/",), ("rules", "rules/1.rules.json")),
    ):
        found = verified(_without(pack, *folders)).wrong
        assert found is not None, folders
        assert (found.reason, found.path) == wrong
