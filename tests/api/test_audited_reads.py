"""That no read which an auditor's scope opens goes without an entry in the ledger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from litestar import Request
from litestar.handlers import HTTPRouteHandler

import gateway.app
from gateway.api.answer import Answer
from gateway.api.openapi import describe
from gateway.domain.queries import TransactionFilter, Visible
from gateway.errors import StoreUnavailable
from gateway.ledger.access_log import AccessLog
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.conftest import in_this_loop
from tests.api.evidence import with_evidence

EXCEPTIONS = {
    "getLedgerCheckpoint": "a mirror follows the log, which would never rest if it grew by being read",
    "getLedgerKeyAnnouncement": "the same",
    "getLedgerTile": "the same",
    "replayEvents": "leaves the entry `replayed`",
    "makeEvidencePack": "leaves entries `exported`: tests/api/test_ledger_evidence.py",
    "checkCompleteness": "is recorded for callers too: tests/api/test_ledger_access.py",
    "getBatchResults": "are streamed, to the client alone that sent the batch",
}
"""Operations that an auditor may use and that leave no entry `queried`, and why."""
ANSWERED = {
    "getTransactionTrace", "explainTransaction", "getLineage", "getTransactionReceipts", "findLedgerTraces",
    "getLedgerLineage", "listLedgerEntries", "summarizeLedger", "exportLedgerEntriesCsv", "exportLedgerEntriesJsonl",
    "listUnendedTransactions", "findWhereStuck", "findWhyFailed", "findEventsTold", "findWaitingDocuments",
    "getTransaction", "listTransactions", "listOrders", "getOrder", "getCapabilities",
    "viewCycleTime", "exportCycleTime", "viewApiUse", "exportApiUse", "reviewAccess", "listLedgerQueries",
}  # fmt: skip
"""At least these are asked for real; others need parts that are not here, and answer a few bytes instead."""


AnyRequest = Request[Any, Any, Any]


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _names(audit: Auditing) -> dict[str, str]:
    where = TransactionFilter(external_id="10248")
    (record,) = await audit.rig.store.reads.transactions(where, Visible(), 2, None)
    return {
        "transactionId": record.transaction_id,
        "lineageId": record.lineage_id,
        "documentId": record.document_id,
    }


async def _recorded(audit: Auditing) -> list[Any]:
    found = await audit.rig.store.ledger.accesses(0, 2**62, 500, None)
    return list(found)


def _operations(audit: Auditing) -> dict[str, tuple[str, str]]:
    """By id, method and address of all operations that an auditor may use, as the description names them: what
    `ledger:read` opens, and all reads that `documents:read` does."""
    document = describe(gateway.app.routes(audit.parts), audit.parts.limits)
    return {
        one["operationId"]: (method.upper(), path)
        for path, item in document["paths"].items()
        for method, one in item.items()
        if "ledger:read" in one.get("x-any-scope-of", ())
        or (method == "get" and "documents:read" in one.get("x-any-scope-of", ()))
    }


def _stubs(made: Any, answered: set[str]) -> Any:
    """The routes, of which those that could not be answered for real answer a few bytes."""

    async def instead(request: AnyRequest) -> Answer:
        return Answer(200, b"{}")

    def routes(parts: Any) -> list[HTTPRouteHandler]:
        handlers: list[HTTPRouteHandler] = made(parts)
        for one in handlers:
            if str(one.operation_id) not in answered:
                one._fn = instead
        return handlers

    return routes


async def test_every_read_of_an_auditor_is_an_entry(audit: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    names = await _names(audit)
    reads = {name: one for name, one in _operations(audit).items() if name not in EXCEPTIONS}
    assert {method for method, _ in reads.values()} == {"GET"}
    answered: set[str] = set()

    async def ask(http: Any, name: str) -> bool:
        before = {one.query_id for one in await _recorded(audit)}
        path = reads[name][1]
        for member in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{member}}}", names.get(member, "1"))
        asked = {"name": "10248"} if "questions" in path or path.endswith("traces") else {}
        asked |= {"groupBy": "kind"} if path.endswith("summary") else {}
        answer = await http.get(path, params=asked, headers=audit.headers("ledger:read", "documents:read"))
        new = [one for one in await _recorded(audit) if one.query_id not in before]
        if answer.status_code >= 300:
            assert [one.row_count for one in new] == ([0] if answer.status_code == 404 else []), name
            return False
        assert len(new) == 1, f"{name} leaves {len(new)} records of itself"
        return True

    for name in reads:
        if await ask(audit.http, name):
            answered.add(name)
    assert answered >= ANSWERED
    monkeypatch.setattr(gateway.app, "routes", _stubs(gateway.app.routes, answered))
    async with in_this_loop(audit.parts) as http:
        for name in reads.keys() - answered:
            assert await ask(http, name), name


async def test_what_is_recorded_of_a_trace(audit: Auditing) -> None:
    names = await _names(audit)
    path = f"/v1/transactions/{names['transactionId']}/trace"
    answer = await audit.http.get(path, headers=audit.headers())
    (listed,) = (await audit.get("queries"))["items"]
    assert listed["resource"] == "/v1/transactions/{transactionId}/trace"
    assert (listed["personName"], listed["filter"]) == ("ada", {"transactionId": names["transactionId"]})
    assert listed["rowCount"] == len(answer.json()["entries"]) > 1
    (entry,) = await audit.rig.store.reads.entries(listed["queryId"])
    told = json.loads(entry.body)
    assert (told["kind"], told["answerHash"]) == ("queried", sha256(answer.content).hexdigest())


async def test_a_read_that_cannot_be_recorded_is_not_answered(audit: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the disk is full")

    path = f"/v1/transactions/{(await _names(audit))['transactionId']}/trace"
    monkeypatch.setattr(AccessLog, "_begin", down)
    answer = await audit.http.get(path, headers=audit.headers())
    assert (answer.status_code, "entries" in answer.json()) == (503, False)


NOTHING = (
    "/v1/ledger/questions/why-failed?name=Miller-Anna-Berlin",
    "/v1/ledger/lineages/lin_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "/v1/transactions/txn_01ARZ3NDEKTSV4RRFFQ69G5FAV/trace",
    "/v1/orders/doc_01ARZ3NDEKTSV4RRFFQ69G5FAV",
)


@pytest.mark.parametrize("path", NOTHING)
async def test_a_question_for_which_there_is_nothing_is_recorded(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    headers = audit.headers("ledger:read", "documents:read")
    answer = await audit.http.get(path, headers=headers)
    assert answer.status_code == 404
    (listed,) = (await audit.get("queries"))["items"]
    assert (listed["rowCount"], listed["answerHash"]) == (0, sha256(answer.content).hexdigest())
    assert ("Miller-Anna-Berlin" in str(listed["filter"])) == ("Miller" in path)

    async def down(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(AccessLog, "_begin", down)
    assert (await audit.http.get(path, headers=headers)).status_code == 503


async def test_an_evidence_pack_of_nothing_is_recorded(audit: Auditing) -> None:
    desk = with_evidence(audit)
    asked = {"about": "lineage", "lineageId": "lin_01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    async with in_this_loop(desk.parts) as http:
        answer = await http.post("/v1/ledger/evidence", json=asked, headers=audit.headers())
        assert answer.status_code == 404
        (one,) = await _recorded(audit)
        assert (one.kind, one.resource, one.row_count) == ("queried", "/v1/ledger/evidence", 0)
        asked["lineageId"] = (await _names(audit))["lineageId"]
        assert (await http.post("/v1/ledger/evidence", json=asked, headers=audit.headers())).status_code == 200
    assert sorted(one.kind for one in await _recorded(audit)) == ["exported", "queried"]


async def test_what_an_auditor_reads_of_documents_is_recorded(audit: Auditing) -> None:
    names = await _names(audit)
    headers = audit.headers("ledger:read", "documents:read")
    for path in ("/v1/orders?externalId=10248", f"/v1/orders/{names['documentId']}", "/v1/transactions?status=posted"):
        assert (await audit.http.get(path, headers=headers)).status_code == 200
    listed = (await audit.get("queries"))["items"]
    assert [(one["resource"], one["filter"]) for one in reversed(listed)] == [
        ("/v1/orders", {"externalId": "10248"}),
        ("/v1/orders/{documentId}", {"documentId": names["documentId"]}),
        ("/v1/transactions", {"status": "posted"}),
    ]


async def test_that_a_document_is_as_it_was_is_an_answer_too(audit: Auditing) -> None:
    path = f"/v1/orders/{(await _names(audit))['documentId']}"
    headers = audit.headers("ledger:read", "documents:read")
    tag = (await audit.http.get(path, headers=headers)).headers["etag"]
    assert (await audit.http.get(path, headers=headers | {"If-None-Match": tag})).status_code == 304
    assert sorted(one.row_count for one in await _recorded(audit)) == [0, 1]


OTHERS = (
    ("trace", ("documents:read", "documents:submit")),  # the caller's own
    ("explanation", ("ledger:read", "operations:act")),  # at work
    ("receipts", ("documents:read",)),
    ("", ("documents:read",)),
    ("", ("ledger:read", "documents:read", "documents:submit")),  # at work
)


async def test_reads_of_others_leave_none(audit: Auditing) -> None:
    names = await _names(audit)
    for path, scopes in OTHERS:
        address = f"/v1/transactions/{names['transactionId']}/{path}".removesuffix("/")
        assert (await audit.http.get(address, headers=audit.headers(*scopes))).status_code == 200
    assert await _recorded(audit) == []
