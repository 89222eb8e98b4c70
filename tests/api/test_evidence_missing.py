"""Evidence of what is not there any more: an entry `erased` tells that it was erased; without one it is missing, and
that is an alarm on the page and in the verification, whatever the pack says."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs

from gateway.domain.refusals import SALT
from gateway.ledger.evidence.archive import archive_of, files_of
from gateway.ledger.evidence.contents import json_file
from gateway.ledger.evidence.manifest import MANIFEST, manifest_of
from gateway.ledger.evidence.openings import refusals_kept
from gateway.ledger.evidence.read_pack import ToldOpening
from gateway.ledger.evidence.told import _check_absent
from gateway.ledger.evidence.wrong import PackWrong
from gateway.store import schema
from gateway.store.statement import Command
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import EVIDENCE_KEY, ask, pack_of, verified, with_evidence
from tests.line.rig import order
from tests.privacy.desk import Desk


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield with_evidence(found)


async def _lineage(audit: Auditing) -> tuple[dict[str, Any], str]:
    """What a pack is asked about, and the transaction of its order."""
    (trace,) = (await audit.get("traces", name="10248"))["items"]
    lineage = {"about": "lineage", "lineageId": trace["document"]["lineageId"]}
    return lineage, trace["transactions"][0]["transactionId"]


async def _content(audit: Auditing, transaction: str) -> tuple[Any, ...]:
    """What the API says of the document's content."""
    path = f"/v1/orders/{(await audit.rig.record(transaction)).document_id}"
    body = (await audit.http.get(path, headers=audit.headers("documents:read"))).json()
    return body["contentState"], body["content"], body.get("isContentMissing")


def _told(files: Mapping[str, bytes]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files["pack.json"])
    return found


def _states(pack: bytes) -> list[str]:
    return [one["state"] for one in _told(files_of(pack))["openings"]]


def _said_again(pack: bytes, state: str) -> bytes:
    """By whoever holds the evidence key: all that is missing is said to be something else."""
    files = files_of(pack)
    told = _told(files)
    for one in told["openings"]:
        one["state"] = state if one["state"] == "missing" else one["state"]
    rest = {path: body for path, body in files.items() if path != MANIFEST} | {"pack.json": json_file(told)}
    return archive_of({**rest, MANIFEST: manifest_of(rest, EVIDENCE_KEY)})


@pytest.mark.parametrize("how", ["emptied", "deleted"])
@pytest.mark.parametrize("scopes", [("ledger:read", "documents:read"), ("ledger:read",)])
async def test_what_was_lost_is_missing_and_not_erased(audit: Auditing, how: str, scopes: tuple[str, ...]) -> None:
    subject, transaction = await _lineage(audit)
    payload_id = (await audit.rig.record(transaction)).payload_id
    if how == "emptied":
        await audit.rig.store.write(lambda unit: unit.erase_payload(payload_id, 1))
    else:
        gone = Command(delete(schema.payloads).where(schema.payloads.c.payload_id == payload_id))
        await audit.rig.store.write(lambda unit: unit._unit.run(gone, {}))
    with capture_logs() as logs:
        pack = await pack_of(audit, subject, *scopes)
    assert [one["trace"] for one in logs if one["event"] == "payload_missing"] == [transaction]
    found = verified(pack)
    assert "missing" in _states(pack)
    assert found.wrong is not None
    assert (found.wrong.reason, found.wrong.path) == ("payload", "pack.json")
    assert (await _content(audit, transaction)) == ("not_recorded", None, True)
    page = files_of(pack)["index.html"].decode()
    assert "<td>ALARM</td>" in page
    assert "payloadHash: missing" in page
    for state in ("erased", "unavailable"):
        assert verified(_said_again(pack, state)).wrong is not None, state


async def test_what_was_erased_is_told_so_once_its_entry_is_signed(audit: Auditing) -> None:
    subject, transaction = await _lineage(audit)
    desk = Desk(audit.rig)
    assert (await desk.erase()).state == "finished"
    assert (await _content(audit, transaction)) == ("erased", None, None)
    too_soon = await ask(audit, subject)
    assert (too_soon.status_code, too_soon.json()["code"]) == (503, "not-ready")
    await audit.catch_up()
    pack = await pack_of(audit, subject)
    assert _states(pack) == ["erased"] * 3
    found = verified(pack)
    assert found.wrong is None
    assert (found.opened, found.closed) == (0, 3)
    assert "ALARM" not in files_of(pack)["index.html"].decode()


async def test_the_words_of_a_refusal_open_with_their_salt_which_nobody_else_is_shown(audit: Auditing) -> None:
    audit.rig.legacy.script = ["reject"]
    sent = await audit.rig.send(order("10299"))
    await audit.rig.settle()
    await audit.catch_up()
    transaction = sent.transaction.transaction_id
    pack = await pack_of(audit, {"about": "transaction", "transactionId": transaction})
    assert verified(pack).wrong is None
    (opened,) = [one for one in _told(files_of(pack))["openings"] if one["member"] == "problemHash"]
    assert (opened["state"], opened["salt"]) == ("shown", "")
    kept = files_of(pack)[opened["path"]]
    assert sha256(kept).hexdigest() == opened["commitment"]
    salt = json.loads(kept)[SALT]
    shown = await audit.http.get(f"/v1/transactions/{transaction}", headers=audit.headers("documents:read"))
    assert shown.json()["problem"]["detail"]
    submitter = audit.headers("documents:submit", "documents:read", source="salesforce")
    again = await audit.http.post("/v1/orders", json=order("10299"), headers=submitter)
    assert (again.status_code, again.json()["transactionId"]) == (422, transaction)
    pending = await audit.rig.store.outbox.pending(100_000)
    events = [one.body for one in pending if transaction.encode() in one.body]
    assert len(events) >= 2
    for said in (shown.content, again.content, *events):
        assert salt.encode() not in said
        assert SALT.encode() not in said


@pytest.mark.parametrize("how", ["altered", "deleted"])
@pytest.mark.parametrize("scopes", [("ledger:read", "documents:read"), ("ledger:read",)])
async def test_a_refusal_that_was_altered_or_lost_is_missing(
    audit: Auditing, how: str, scopes: tuple[str, ...]
) -> None:
    audit.rig.legacy.script = ["reject"]
    transaction = (await audit.rig.send(order("10302"))).transaction.transaction_id
    await audit.rig.settle()
    await audit.catch_up()
    subject = {"about": "transaction", "transactionId": transaction}
    sound = await pack_of(audit, subject, *scopes)
    assert verified(sound).wrong is None
    assert "unavailable" not in _states(sound)
    record = await audit.rig.record(transaction)
    words = json.dumps(json.loads(record.problem or "{}") | {"detail": "the customer withdrew it"})
    changed = replace(record, problem=words if how == "altered" else None)
    await audit.rig.store.write(lambda unit: unit.update_transaction(changed))
    pack = await pack_of(audit, subject, *scopes)
    (said,) = [one["state"] for one in _told(files_of(pack))["openings"] if one["member"] == "problemHash"]
    assert said == "missing"
    for one in (pack, _said_again(pack, "unavailable"), _said_again(pack, "erased")):
        found = verified(one).wrong
        assert found is not None
        assert (found.reason, found.path) == ("payload", "pack.json")


def test_only_the_refusal_that_a_trace_ends_with_is_kept() -> None:
    def rejected(trace: str, digit: str, **more: str) -> dict[str, Any]:
        return {"trace": trace, "kind": "rejected", "code": "refused", "problemHash": digit * 64, **more}

    bodies = [
        rejected("a", "1"),
        {"trace": "a", "kind": "dispatched"},
        rejected("a", "2"),
        {"trace": "a", "kind": "compensated"},
        rejected("b", "3"),
        {"trace": "b", "kind": "erased", "payloadHashes": []},
        rejected("c", "4", direction="undo"),
        {"trace": "d", "kind": "rejected", "code": "refused"},
    ]
    assert refusals_kept(bodies) == {"a": "2" * 64}


def test_an_earlier_refusal_of_an_erased_trace_may_be_called_erased() -> None:
    """As packs of earlier programs do: a later refusal had taken its place."""
    said = {"logIndex": 1, "commitment": "0" * 64, "state": "erased", "path": None, "salt": None}
    entry = ToldOpening.model_validate({**said, "member": "problemHash"})
    _check_absent(entry, {"a"})
    for told, member in ((set[str](), "problemHash"), ({"a"}, "payloadHash")):
        with pytest.raises(PackWrong, match="is missing"):
            _check_absent(entry.model_copy(update={"member": member}), told)
