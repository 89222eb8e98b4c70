"""Evidence packs over HTTP: what is in them, for whom, and that whoever asked is recorded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.caller import DataScope
from gateway.ledger.evidence.archive import files_of
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import NONCE, ask, pack_of, verified, with_evidence

WESTERN = DataScope(frozenset({"Western"}), None)


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _records(audit: Auditing, name: str = "10248") -> tuple[str, str]:
    """Lineage and transaction of an order."""
    (trace,) = (await audit.get("traces", name=name))["items"]
    return trace["document"]["lineageId"], trace["transactions"][0]["transactionId"]


def _json(files: dict[str, bytes], path: str) -> Any:
    return json.loads(files[path])


async def test_a_pack_of_a_transaction_holds_what_proves_it(audit: Auditing) -> None:
    _, transaction = await _records(audit)
    pack = await pack_of(audit, {"about": "transaction", "transactionId": transaction})
    found = verified(pack)
    assert found.wrong is None
    assert found.manifest_checked
    files = files_of(pack)
    told = _json(files, "pack.json")
    assert {one["trace"] for one in told["entries"] if one["role"] == "found"} == {transaction}
    assert told["query"]["rowCount"] == len([one for one in told["entries"] if one["role"] == "found"])
    assert [one["state"] for one in told["openings"]] == ["shown"]
    payload = _json(files, told["openings"][0]["path"])
    assert payload["externalId"] == "10248"
    assert [one["entry"]["kind"] for one in _json(files, "decisions.json")] == ["routed"]
    (answer,) = _json(files, "answers.json")
    assert answer["entry"]["confirmed"]["amount"]
    assert answer["entry"]["erp"]["documentNumber"]
    (rules,) = told["rules"]
    assert sha256(files["rules/1.rules.json"]).hexdigest() == rules["rulesVersion"]
    assert (found.opened, found.decisions) == (1, 1)


async def test_a_pack_of_a_lineage_is_of_all_its_documents(audit: Auditing) -> None:
    lineage, _ = await _records(audit)
    pack = await pack_of(audit, {"about": "lineage", "lineageId": lineage})
    assert verified(pack).wrong is None
    files = files_of(pack)
    entries = [_json(files, f"entries/{one['logIndex']}.json") for one in _json(files, "pack.json")["entries"]]
    domains = [one["domain"] for one in entries if one["kind"] == "accepted"]
    assert domains == ["orders", "invoices", "payments"]


async def test_without_documents_read_what_documents_say_is_left_out(audit: Auditing) -> None:
    lineage, _ = await _records(audit)
    pack = await pack_of(audit, {"about": "lineage", "lineageId": lineage}, "ledger:read")
    found = verified(pack)
    assert found.wrong is None
    assert (found.opened, found.closed) == (0, 3)
    assert b"10248" not in pack


async def test_what_lies_outside_the_data_scope_is_not_found(audit: Auditing) -> None:
    for name, inside in (("10248", "Western"), ("10249", "Western")):
        lineage, transaction = await _records(audit, name)
        view = await audit.get(f"lineages/{lineage}")
        unit = view["nodes"][0]["document"]["businessUnit"]
        for body in (
            {"about": "lineage", "lineageId": lineage},
            {"about": "transaction", "transactionId": transaction},
        ):
            answer = await ask(audit, body, "ledger:read", "documents:read", data=WESTERN)
            assert answer.status_code == (200 if unit == inside else 404)
            if unit == inside:
                told = _json(files_of(answer.content), "pack.json")
                assert told["wholeDataScope"] is False
                assert told["leftOut"]
                assert {one["role"] for one in told["entries"]} == {"found"}
    answer = await ask(audit, {"about": "ruleChange", "activationNumber": 1}, data=WESTERN)
    assert answer.status_code == 403


async def test_a_pack_is_an_export_in_the_ledger(audit: Auditing) -> None:
    _, transaction = await _records(audit)
    pack = await pack_of(audit, {"about": "transaction", "transactionId": transaction})
    pack_id = _json(files_of(pack), "pack.json")["packId"]
    begun, ended = [json.loads(one.body) for one in await audit.rig.store.reads.entries(pack_id)]
    assert (begun["kind"], begun["resource"], begun["state"]) == ("exported", "/v1/ledger/evidence", "begun")
    assert ended["answerHash"] == sha256(pack).hexdigest()
    listed = await audit.get("queries")
    assert listed["items"][0]["filter"] == {"about": "transaction", "transactionId": transaction} or any(
        one["queryId"] == pack_id for one in listed["items"]
    )


async def test_a_pack_of_a_rule_change_tells_who_did_it(audit: Auditing) -> None:
    pack = await pack_of(audit, {"about": "ruleChange", "activationNumber": 1})
    assert verified(pack).wrong is None
    assert "rules/1.rules.json" in files_of(pack)


async def test_a_sample_is_drawn_and_verifies(audit: Auditing) -> None:
    body = {"about": "sample", "sampleSize": 2, "nonce": NONCE, "domain": "invoices"}
    pack = await pack_of(audit, body)
    assert verified(pack).wrong is None
    sample = _json(files_of(pack), "pack.json")["sample"]
    assert sample["population"]["transactionCount"] == 2 == len(sample["drawn"])
    assert sample["population"]["conditions"] == {"domain": "invoices"}
    assert {one["kind"] for one in sample["population"]["sums"]} == {"routed", "posted"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"about": "transaction"}, "transactionId"),
        ({"about": "lineage", "lineageId": "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV", "domain": "orders"}, "domain"),
        ({"about": "sample", "sampleSize": 3}, "nonce"),
        ({"about": "sample", "sampleSize": 3, "nonce": NONCE, "domain": "elephants"}, "domain"),
    ],
)
async def test_what_does_not_fit_together_is_refused(audit: Auditing, body: dict[str, Any], field: str) -> None:
    answer = await ask(audit, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_size_that_was_seen_and_is_not_there_is_refused(audit: Auditing) -> None:
    _, transaction = await _records(audit)
    answer = await ask(audit, {"about": "transaction", "transactionId": transaction, "heldSize": 10**6})
    assert answer.status_code == 400
    assert "older state" in answer.json()["detail"]
