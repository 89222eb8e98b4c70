"""That reading the ledger is recorded in the ledger, before it is read; exports; who used which scope; completeness."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from litestar.exceptions import LitestarException

from gateway.api.cursor import make_cursor
from gateway.domain.caller import DataScope
from gateway.domain.identity import person_commitment
from gateway.domain.wire import instant
from gateway.errors import StoreUnavailable
from gateway.ledger.access_log import AccessLog
from gateway.store.store import Store
from tests.api.auditing import ISSUER, Auditing, auditing
from tests.api.evidence import pack_of, with_evidence
from tests.line.rig import SALESFORCE, invoice, order

NORTHERN = DataScope(frozenset({"Northern"}), None)
NOVEMBER = {"sentFrom": "2023-11-01", "sentUntil": "2023-12-01"}


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _entries_of(audit: Auditing, query_id: str) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in await audit.rig.store.reads.entries(query_id)]


QUESTIONS = [
    ("traces", {"name": "10248"}, 1),
    ("entries", {"kind": "posted"}, 6),
    ("summary", {"groupBy": "kind", "kind": "posted"}, 1),
    ("unended", {}, 0),
    ("access", {}, 0),
    ("queries", {}, 0),
]


@pytest.mark.parametrize(("path", "query", "rows"), QUESTIONS)
async def test_every_question_is_an_entry_with_the_hash_of_its_answer(
    audit: Auditing, path: str, query: dict[str, str], rows: int
) -> None:
    answer = await audit.ask(path, **query)
    query_id = answer.json()["queryId"]
    (entry,) = await _entries_of(audit, query_id)
    person = person_commitment(audit.rig.parts.tools.commitment_key, "ada")
    assert (entry["kind"], entry["actor"], entry["person"]) == ("queried", "auditor", person)
    assert entry["resource"] == f"/v1/ledger/{path}"
    assert entry["answerHash"] == sha256(answer.content).hexdigest()
    assert entry["rows"] == rows
    assert "filterHash" in entry
    assert not {"filter", "personName"} & set(entry)  # the question and the name lie beside, and can be erased
    (listed,) = [one for one in (await audit.get("queries"))["items"] if one["queryId"] == query_id]
    assert (listed["filter"], listed["personName"], listed["issuer"]) == (query, "ada", ISSUER)
    assert listed["teams"] == ["revision"]
    await audit.catch_up()
    found = (await audit.get("entries", trace=query_id))["items"]
    assert [one["kind"] for one in found] == ["queried"]


async def test_a_question_that_cannot_be_recorded_is_not_answered(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(AccessLog, "_begin", down)
    for path in ("entries", "entries.csv"):
        answer = await audit.ask(path)
        assert answer.status_code == 503
        assert "10248" not in answer.text


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_an_export_tells_its_count_and_hash_and_so_does_the_ledger(audit: Auditing, form: str) -> None:
    page = (await audit.get("entries", kind="posted", pageSize=200))["items"]
    answer = await audit.ask(f"entries.{form}", kind="posted")
    assert answer.status_code == 200
    if form == "jsonl":
        *lines, last = answer.text.splitlines()
        told = json.loads(last)["export"]
        assert [json.loads(one) for one in lines] == page
    else:
        records, _, last = answer.text.rpartition("# ")
        told = dict(part.split("=") for part in last.split())
        rows = list(csv.DictReader(io.StringIO(records)))
        assert [int(one["logIndex"]) for one in rows] == [one["logIndex"] for one in page]
        assert {one["documentNumber"] for one in rows} == {one["entry"]["erp"]["documentNumber"] for one in page}
        assert json.loads(rows[0]["entry"]) == page[0]["entry"]
    head = answer.content[: answer.content.rstrip().rindex(b"\n") + 1]
    assert (told["sha256"], int(told["rows"])) == (sha256(head).hexdigest(), 6)
    begun, ended = await _entries_of(audit, told["queryId"])
    assert (begun["kind"], begun["state"], "answerHash" in begun) == ("exported", "begun", False)
    assert (ended["state"], ended["rows"], ended["answerHash"]) == ("ended", 6, told["sha256"])
    restricted = await audit.ask(f"entries.{form}", data=NORTHERN, kind="posted")
    assert "Western" not in restricted.text


async def test_an_export_whose_reader_leaves_is_recorded_as_broken(audit: Auditing) -> None:
    sent: list[Any] = []

    async def leaves(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            raise ConnectionError("the reader has left")

    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/v1/ledger/entries.jsonl",
        "query_string": b"",
        "headers": [(b"host", b"x"), *((k.lower().encode(), v.encode()) for k, v in audit.headers().items())],
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "root_path": "",
        "state": {},
    }

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    with pytest.raises(LitestarException):
        await audit.app(scope, nothing, leaves)
    (listed,) = (await audit.get("queries"))["items"]
    assert (listed["kind"], listed["state"]) == ("exported", "broken")
    begun, broken = await _entries_of(audit, listed["queryId"])
    assert (begun["state"], broken["state"]) == ("begun", "broken")
    assert broken["rows"] > 0


async def test_who_used_which_scope(audit: Auditing) -> None:
    await audit.get("entries")
    await audit.get("entries")
    await audit.http.get(
        "/v1/orders", headers=audit.headers("documents:read", person=None, source="salesforce", teams=())
    )
    await audit.http.get("/v1/orders", headers=audit.headers("ledger:read"))  # refused: that is no use
    await audit.uses.flush()
    await audit.uses.flush()
    review = await audit.get("access")
    found = {(one["scope"], one["client"], one["personName"]): one["uses"] for one in review["items"]}
    assert found == {("ledger:read", "auditor", "ada"): 2, ("documents:read", "salesforce", "salesforce"): 1}
    assert {(one["scope"], one["name"]) for one in review["byIssuer"]} == {
        ("ledger:read", ISSUER),
        ("documents:read", ISSUER),
    }
    assert [(one["scope"], one["name"], one["uses"]) for one in review["byTeam"]] == [("ledger:read", "revision", 2)]
    await audit.uses.flush()
    assert {one["uses"] for one in (await audit.get("access"))["items"] if one["client"] == "auditor"} == {3}
    for path in ("access", "queries"):
        assert (await audit.ask(path, data=NORTHERN)).status_code == 403


@pytest.mark.parametrize(("path", "of"), [("access", "used"), ("queries", "asked")])
async def test_a_period_that_ends_before_it_begins_is_refused(audit: Auditing, path: str, of: str) -> None:
    days = ("2023-12-01T00:00:00Z", "2023-11-01T00:00:00Z")
    for since, until in (days, (days[0], days[0])):
        answer = await audit.ask(path, **{f"{of}From": since, f"{of}Until": until})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, f"{of}From")
    assert (await audit.ask(path, **{f"{of}From": days[1], f"{of}Until": days[0]})).status_code == 200


async def _complete(audit: Auditing, headers: dict[str, str], *lines: dict[str, str], **more: str) -> Any:
    body = {**NOVEMBER, "documents": list(lines), **more}
    return await audit.http.post("/v1/ledger/completeness", json=body, headers=headers)


async def test_completeness_on_either_side(audit: Auditing) -> None:
    await audit.rig.send(order("10260"))
    headers = audit.headers()
    answer = await _complete(
        audit,
        headers,
        {"externalId": "10248", "amount": "168.0", "currencyCode": "USD"},
        {"externalId": "10249", "amount": "168.01"},
        {"externalId": "10249"},
        {"externalId": "LOST"},
        source="salesforce",
        domain="orders",
    )
    told = answer.json()
    assert answer.status_code == 200, told
    assert (told["listedCount"], told["acceptedCount"], told["agreedCount"]) == (4, 3, 1)
    assert told["missingHere"] == ["LOST"]
    assert [one["externalId"] for one in told["missingThere"]] == ["10260"]
    assert [(one["externalId"], one["members"]) for one in told["differing"]] == [("10249", ["amount"])]
    assert told["repeated"] == ["10249"]
    assert told["isComplete"] is False
    lines = [{"externalId": one, "currencyCode": "USD"} for one in ("10248", "10249", "10260")]
    whole = (await _complete(audit, headers, *lines, source="salesforce", domain="orders")).json()
    assert whole["isComplete"] is True
    (entry,) = await _entries_of(audit, whole["queryId"])
    assert entry["resource"] == "/v1/ledger/completeness"
    late = (
        await _complete(audit, headers, *lines, source="salesforce", sentFrom="2023-12-01", sentUntil="2023-12-31")
    ).json()
    assert [one["externalId"] for one in late["otherPeriod"]] == ["10248", "10249", "10260"]
    assert (late["listedCount"], late["acceptedCount"], late["agreedCount"]) == (3, 0, 0)
    own = audit.headers("documents:submit", person=None, source="salesforce")
    assert (await _complete(audit, own, *lines, domain="orders")).json()["isComplete"] is True
    others = (await _complete(audit, own, source="billing")).json()
    assert (others["status"], others["code"]) == (403, "out-of-scope")
    assert "this token is of salesforce" in others["detail"]
    for way in ("Leave `source` out", "a token of that source", "ledger:read"):
        assert way in others["remedy"]
    assert (await _complete(audit, headers, sentFrom="2023-12-01", sentUntil="2023-11-01")).status_code == 400
    assert (await _complete(audit, headers, {"externalId": "x", "amount": "1e3"})).status_code == 422


async def test_completeness_of_an_id_that_documents_of_two_domains_bear(audit: Auditing) -> None:
    await audit.rig.send(invoice("10248", "10248"), "invoices", caller=SALESFORCE)
    headers = audit.headers()
    line = {"externalId": "10248", "amount": "168.00", "currencyCode": "USD"}
    rest = [{"externalId": "10249"}]
    told = (await _complete(audit, headers, line, *rest, source="salesforce")).json()
    assert (told["isComplete"], told["ambiguous"], told["ambiguousCount"]) == (False, ["10248"], 1)
    orders = {**line, "domain": "orders"}
    told = (await _complete(audit, headers, orders, *rest, source="salesforce")).json()
    assert (told["isComplete"], told["ambiguous"]) == (False, [])
    assert [(one["domain"], one["externalId"]) for one in told["missingThere"]] == [("invoices", "10248")]
    both = {"externalId": "10248", "domain": "invoices"}
    assert (await _complete(audit, headers, orders, both, *rest, source="salesforce")).json()["isComplete"] is True
    lost = {"externalId": "10248", "domain": "journal_entries"}
    told = (await _complete(audit, headers, orders, both, lost, *rest, source="salesforce")).json()
    assert told["missingHereDocuments"] == [lost]
    for refused in ({**line, "domain": "nonsense"}, {**line, "domain": "invoices"}):
        answer = await _complete(audit, headers, refused, source="salesforce", domain="orders")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "documents[0].domain")


async def test_completeness_says_within_which_data_scope_it_was_compared(audit: Auditing) -> None:
    line = {"externalId": "10249", "domain": "orders"}
    whole = (await _complete(audit, audit.headers(), line, source="salesforce")).json()
    assert (whole["dataScope"], whole["missingHere"]) == (None, [])
    told = (await _complete(audit, audit.headers(data=NORTHERN), line, source="salesforce")).json()
    assert told["dataScope"] == {"businessUnits": ["Northern"], "geographies": None}
    assert (told["missingHere"], told["acceptedCount"]) == (["10249"], 1)
    unknown = await _complete(audit, audit.headers(data=NORTHERN), {**line, "externalId": "x"}, source="salesforce")
    same = {"missingHere", "missingHereDocuments", "queryId", "traceId", "rateLimit"}
    assert {n: v for n, v in unknown.json().items() if n not in same} == {
        n: v for n, v in told.items() if n not in same
    }  # what lies outside looks like what is not there at all


async def test_questions_and_packs_are_listed_newest_first_page_by_page(audit: Auditing) -> None:
    lineage_id = (await audit.get("traces", name="10248"))["items"][0]["document"]["lineageId"]
    audit = with_evidence(audit)
    for _ in range(3):
        audit.rig.clock.micros += 1_000_000
        await audit.get("summary", kind="posted")
        audit.rig.clock.micros += 1_000_000
        await pack_of(audit, {"about": "lineage", "lineageId": lineage_id})
    until: dict[str, Any] = {"askedUntil": instant(audit.rig.clock.micros + 1_000), "pageSize": "2"}
    audit.rig.clock.micros += 1_000_000
    found: list[dict[str, Any]] = []
    page = await audit.get("queries", **until)
    while True:
        found += page["items"]
        if page["nextCursor"] is None:
            break
        page = await audit.get("queries", **until, cursor=page["nextCursor"])
    assert [one["queryId"][:4] for one in found] == ["evd_", "qry_"] * 3 + ["qry_"]
    assert [one["askedAt"] for one in found] == sorted((one["askedAt"] for one in found), reverse=True)
    old = make_cursor("/v1/ledger/queries", until, found[1]["queryId"])  # of an earlier release
    assert (await audit.ask("queries", **until, cursor=old)).status_code == 400
