"""A pack about a change of the rules that three persons made on the real way: it tells who."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway.domain.identity import person_commitment
from gateway.ledger.access_log import AccessLog, Asker
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.evidence.archive import files_of
from gateway.ledger.evidence.desk import EvidenceDesk
from gateway.ledger.evidence.subjects import For, OfRuleChange
from gateway.store.store import Store
from tests.api.evidence import EVIDENCE_KEY, verified
from tests.cutover.desk import Desk, noted
from tests.ledger.live import live
from tests.ledger.logs import ORIGIN


async def test_a_rule_change_by_three_persons(store: Store, tmp_path: Path) -> None:
    async with Desk.on(store) as desk:
        number = await desk.forward(noted("first"))
    log, tools = live(store, tmp_path), desk.rig.parts.tools
    log.clock.at = desk.rig.clock.now()
    await log.settle()
    await EntryIndexer(store).finish()
    evidence = EvidenceDesk(store, AccessLog(store, tools), ORIGIN, lambda: EVIDENCE_KEY)
    asker = Asker(client="auditor", person="ada", issuer="urn:test")
    files = files_of(pack := (await evidence.make(OfRuleChange(number), For(), asker)).archive)
    assert verified(pack).wrong is None
    told = json.loads(files["pack.json"])
    assert [one["activationNumber"] for one in told["rules"]] == [number - 1, number]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for path in files:
        if path.startswith("entries/") and path.endswith(".json"):
            entry = json.loads(files[path])
            by_kind.setdefault(entry["kind"], []).append(entry)
    persons = {kind: {one["person"] for one in by_kind[kind]} for kind in ("draft_saved", "approved", "activated")}
    names = {"draft_saved": "author", "approved": "approver", "activated": "activator"}
    for kind, name in names.items():
        assert persons[kind] == {person_commitment(tools.commitment_key, f"order-to-cash-{name}")}
    assert {one["rule"]["activationNumber"] for one in by_kind["activated"]} == {number}
