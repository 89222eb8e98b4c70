"""What auditors ask over HTTP: traces by any name, lineages as trees, entries by filters, sums, as of then."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.api import ledger_filters, ledger_traces
from gateway.domain.caller import DataScope
from gateway.domain.identity import external_reference, person_commitment
from gateway.domain.wire import instant
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.line.documents import credit_note
from tests.line.rig import BILLING, SALESFORCE, order

DOCS = (Path(__file__).parents[2] / "docs/ledger.md").read_text("utf-8")
NORTHERN = DataScope(frozenset({"Northern"}), None)


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _names(audit: Auditing, **query: Any) -> list[str]:
    """The external ids of the documents that are found."""
    page = await audit.get("traces", **query)
    return sorted(one["document"]["externalId"] for one in page["items"])


async def test_a_document_is_found_by_any_of_its_names(audit: Auditing) -> None:
    (found,) = (await audit.get("traces", name="10248"))["items"]
    document, (done,) = found["document"], found["transactions"]
    number = done["documentNumber"]
    (numbered,) = document["erpNumbers"]
    assert done["status"] == "posted"
    assert [one["kind"] for one in done["entries"]][:2] == ["accepted", "routed"]
    assert all(one["logIndex"] is not None for one in done["entries"])
    for names in (
        {"name": document["documentId"]},
        {"name": done["transactionId"]},
        {"name": external_reference(done["transactionId"], 1, "do")},
        {"documentId": document["documentId"]},
        {"transactionId": done["transactionId"]},
        {"externalId": "10248"},
        {"externalId": "10248", "source": "salesforce"},
        {"documentNumber": number},
        {name: numbered[name] for name in ("documentNumber", "systemId", "documentType")},
        {"lineageId": document["lineageId"], "domain": "orders"},
        {
            "customer": "VINET",
            "amount": "168",
            "domain": "orders",
            "postingDateFrom": "1996-07-04",
            "source": "salesforce",
        },
    ):
        assert "10248" in await _names(audit, **names), names
    assert await _names(audit, name=document["lineageId"]) == ["10248", "INV-10248", "PAY-10248"]
    # the number of one ERP may be that of another document in the other one
    assert "10248" in await _names(audit, name=number)
    assert await _names(audit, amount="168.0", currencyCode="USD", domain="invoices") == ["INV-10248", "INV-10249"]
    assert await _names(audit, amount="168.01") == []
    assert await _names(audit, customer="VINET", domain="payments") == ["PAY-10248", "PAY-10249"]
    assert await _names(audit, customer="nobody") == []
    assert await _names(audit, postingDateFrom="1996-07-05", postingDateUntil="1996-08-01") == []
    assert len(await _names(audit, postingDateFrom="1996-07-01", postingDateUntil="1996-08-01")) == 6
    assert await _names(audit, name="10249", documentNumber=number, systemId="legacy-main") == []
    page = await audit.get("traces", customer="VINET", pageSize=4)
    rest = await audit.get("traces", customer="VINET", pageSize=4, cursor=page["nextCursor"])
    ids = [one["document"]["documentId"] for one in (*page["items"], *rest["items"])]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 6


async def test_what_is_asked_must_narrow(audit: Auditing) -> None:
    for query in (
        {},
        {"domain": "orders"},
        {"postingDateFrom": "1996-07-01"},
        {"systemId": "legacy-main", "name": "1"},
    ):
        refused = await audit.ask("traces", **query)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request"), query


async def test_a_lineage_is_a_tree(audit: Auditing) -> None:
    (found,) = (await audit.get("traces", externalId="10249"))["items"]
    tree = await audit.get(f"lineages/{found['document']['lineageId']}")
    assert [(one["depth"], one["document"]["externalId"]) for one in tree["nodes"]] == [
        (0, "10249"),
        (1, "INV-10249"),
        (2, "PAY-10249"),
    ]
    assert tree["pin"]["systemId"] == "cloud-main"
    root, bill, paid = tree["nodes"]
    assert bill["parentDocumentId"] == root["document"]["documentId"]
    assert paid["document"]["amount"] == "168.00"
    assert {one["systemId"] for one in root["document"]["erpNumbers"]} == {"cloud-main"}
    places = [one["logIndex"] for node in tree["nodes"] for done in node["transactions"] for one in done["entries"]]
    assert len(set(places)) == len(places)
    answer = await audit.ask(f"lineages/{found['document']['lineageId']}", data=NORTHERN)
    assert answer.status_code == 404


async def test_entries_by_filter(audit: Auditing) -> None:
    posted = (await audit.get("entries", kind="posted"))["items"]
    assert len(posted) == 6
    assert {one["entry"]["kind"] for one in posted} == {"posted"}
    assert [one["logIndex"] for one in posted] == sorted(one["logIndex"] for one in posted)
    western = (await audit.get("entries", slice="orders.Western.US"))["items"]
    assert {(one["domain"], one["businessUnit"], one["geography"]) for one in western} == {("orders", "Western", "US")}
    (routed,) = (await audit.get("entries", slice="orders.Western.US", kind="routed"))["items"]
    row, version = routed["row"], routed["tableVersion"]
    assert routed in (await audit.get("entries", row=row))["items"]
    assert routed in (await audit.get("entries", tableVersion=version, activationNumber=1, domain="orders"))["items"]
    assert (await audit.get("entries", row="no-such-row"))["items"] == []
    pins = (await audit.get("entries", kind="pinned,pin_released,adopted"))["items"]
    assert {one["systemId"] for one in pins} == {"legacy-main", "cloud-main"}
    trace = (await audit.get("entries", trace=routed["trace"]))["items"]
    assert [one["seq"] for one in trace] == list(range(1, len(trace) + 1))
    lineage = (await audit.get("entries", lineageId=routed["lineageId"]))["items"]
    assert {one["domain"] for one in lineage} == {"orders", "invoices", "payments"}
    between = await audit.get("entries", atFrom=posted[0]["recordedAt"], atUntil=posted[1]["recordedAt"])
    assert posted[0] in between["items"]
    assert posted[1] not in between["items"]
    seen = (await audit.get("entries", data=NORTHERN))["items"]
    assert {one["businessUnit"] for one in seen} == {"Northern"}


async def test_pages_of_entries(audit: Auditing) -> None:
    whole = (await audit.get("entries", pageSize=200))["items"]
    found, cursor = [], None
    for turn in range(100):
        page = await audit.get("entries", pageSize=20, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        if turn < 3:  # each question is an entry as well, so it would never end
            await audit.rig.send(order(f"N{turn}"))
            await audit.catch_up()
    assert cursor is None
    assert found[: len(whole)] == whole
    assert len({one["logIndex"] for one in found}) == len(found) > len(whole)
    first = await audit.get("entries", pageSize=2)
    refused = await audit.ask("entries", kind="posted", pageSize=2, cursor=first["nextCursor"])
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "nothing"},
        {"slice": "orders.Western.US", "domain": "orders"},
        {"slice": "nothing.Western.US"},
        {"businessUnit": "Nowhere"},
        {"knownAt": "2023-11-14T22:13:20Z", "logSize": "5"},
        {"knownAt": "2001-01-01T00:00:00Z"},
        {"knownAt": "2199-01-01T00:00:00Z"},
        {"activationNumber": "x"},
    ],
)
async def test_a_filter_that_says_nothing_is_refused(audit: Auditing, query: dict[str, str]) -> None:
    assert (await audit.ask("entries", **query)).status_code in {400, 422}


async def test_the_acts_of_a_person_by_name_or_commitment(audit: Auditing) -> None:
    await audit.get("entries", kind="posted")
    await audit.catch_up()
    key = audit.rig.parts.tools.commitment_key
    for name in ("ada", person_commitment(key, "ada")):
        found = (await audit.get("entries", person=name, kind="queried", pageSize=2))["items"]
        assert found
        assert all(one["persons"] == [person_commitment(key, "ada")] for one in found)
    assert (await audit.get("entries", person="bob"))["items"] == []
    clerk = replace(SALESFORCE, person="bob")
    sent = await audit.rig.send(order("10252"), caller=clerk)
    await audit.rig.settle()
    await audit.rig.cancel(sent.transaction.document_id, caller=clerk)
    await audit.rig.settle()
    await audit.catch_up()
    done = (await audit.get("entries", person="bob"))["items"]
    assert [(one["kind"], one["operation"]) for one in done] == [("accepted", "create"), ("accepted", "cancel")]
    assert done[0]["trace"] == sent.transaction.transaction_id


async def test_as_of_a_past_instant(audit: Auditing) -> None:
    then = await audit.get("entries", pageSize=200)
    known_at = instant(audit.log.clock.at)
    size = then["asOf"]["logSize"]
    audit.rig.clock.forward(60)
    await audit.rig.send(order("10250"))
    await audit.catch_up()
    for query in ({"knownAt": known_at}, {"logSize": str(size)}):
        past = await audit.get("entries", pageSize=200, **query)
        assert past["items"] == then["items"]
        assert past["asOf"]["logSize"] == size
        assert past["asOf"]["activationNumber"] == 1
        assert past["asOf"]["tableVersion"] == audit.rig.rules.current.rulebook.version
    assert (await audit.get("entries", pageSize=200))["asOf"]["logSize"] > size


async def test_what_was_undone_is_parted_by_the_operation_as_the_docs_say(audit: Auditing) -> None:
    noted = await audit.rig.send(credit_note("CN-1", "INV-10248"), "invoices", wait_s=5.0)
    await audit.rig.reverse(noted.transaction.document_id, caller=BILLING)
    await audit.rig.settle()
    await audit.catch_up()
    written = re.search(r"`erp-gateway ledger query --group-by (\w+) (\w+)=(\w+)`, or narrow with `(\w+)=(\w+)`", DOCS)
    assert written is not None
    by, kind, posted, narrowed, create = written.groups()
    asked = {kind: posted, "domain": "invoices"}
    groups = (await audit.get("summary", groupBy=by, **asked))["groups"]
    amounts = {one["key"][by]: Decimal(one["sums"][0]["amount"]) for one in groups}
    assert set(amounts) == {"create", "reverse"}
    (whole,) = (await audit.get("summary", groupBy="kind", **asked))["groups"]
    assert Decimal(whole["sums"][0]["amount"]) == amounts["create"] + amounts["reverse"], "with the same sign"
    (created,) = (await audit.get("summary", groupBy=by, **asked, **{narrowed: create}))["groups"]
    assert Decimal(created["sums"][0]["amount"]) == amounts["create"]


async def test_counts_and_sums(audit: Auditing) -> None:
    groups = (await audit.get("summary", groupBy="kind,systemId", kind="posted"))["groups"]
    assert [(one["key"]["systemId"], one["entryCount"]) for one in groups] == [("cloud-main", 3), ("legacy-main", 3)]
    for one in groups:
        (money,) = [found for found in one["sums"] if found["currencyCode"] == "USD"]
        assert (money["kind"], money["amount"]) == ("posted", "504")
    (seen,) = (await audit.get("summary", data=NORTHERN, kind="posted"))["groups"]
    assert seen["entryCount"] == 3
    assert (await audit.ask("summary", groupBy="trace")).status_code == 400
    assert (await audit.ask("summary", groupBy="kind,kind")).status_code == 400


async def test_transactions_without_an_end(audit: Auditing) -> None:
    assert (await audit.get("unended"))["items"] == []
    audit.rig.legacy.script = ["lost_answer"]
    sent = await audit.rig.send(order("10251"))
    await audit.rig.line.drain(30)
    await audit.catch_up()
    (open_,) = (await audit.get("unended"))["items"]
    assert (open_["transactionId"], open_["endedIndex"]) == (sent.transaction.transaction_id, None)
    size = (await audit.get("unended"))["asOf"]["logSize"]
    await audit.rig.until(200.0)
    await audit.catch_up()
    assert (await audit.get("unended"))["items"] == []
    (then,) = (await audit.get("unended", logSize=str(size)))["items"]
    assert then["transactionId"] == open_["transactionId"]
    assert then["statusNow"] == "posted"
    assert then["endedIndex"] >= size


@pytest.mark.parametrize("member", ["lineageId", "documentId"])
@pytest.mark.parametrize("path", ["entries", "entries.csv", "summary"])
async def test_a_filter_that_means_too_many_transactions_is_refused_and_never_cut(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch, path: str, member: str
) -> None:
    made = await audit.rig.send(order("10270"))
    await audit.rig.settle()
    await audit.rig.change(made.transaction.document_id, {"requestedDeliveryDate": "1996-08-02"})
    await audit.rig.settle()
    name = {"lineageId": made.transaction.lineage_id, "documentId": made.transaction.document_id}[member]
    asked = {member: name} | ({"groupBy": "kind"} if path == "summary" else {})
    for most, status in ((2, 200), (1, 400)):
        monkeypatch.setattr(ledger_filters, "MOST_TRACES", most)
        answer = await audit.ask(path, **asked)
        assert answer.status_code == status, answer.text
    (told,) = answer.json()["errors"]
    assert told["field"] == member
    assert f"/v1/ledger/traces?{member}=" in told["remedy"]


async def test_traces_and_lineages_say_that_there_is_more(audit: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await audit.get("traces", name="10248")
    lineage = f"lineages/{found['items'][0]['document']['lineageId']}"
    assert (found["isCut"], (await audit.get(lineage))["isCut"]) == (False, False)
    monkeypatch.setattr(ledger_traces, "MOST_OF_THESE", 1)
    monkeypatch.setattr(ledger_traces, "LINEAGE_ROWS", 3)
    assert (await audit.get("traces", name="10248"))["isCut"] is True
    assert (await audit.get(lineage))["isCut"] is True
