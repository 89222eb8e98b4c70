"""The views of operations over HTTP: JSON, CSV, periods, filters, the data scope, and that asking is recorded."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.caller import DataScope
from gateway.domain.operational_views import View
from gateway.ledger.view_wire import COLUMNS
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.line.documents import credit_note
from tests.line.rig import BILLING, order

NORTHERN = DataScope(frozenset({"Northern"}), None)
SIDES = [("Western", "cloud"), ("Northern", "legacy")]


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _items(audit: Auditing, view: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await audit.get(f"views/{view}", **query))["items"]
    return items


async def test_by_month_slice_and_side(audit: Auditing) -> None:
    rows = await _items(audit, "cycle-time")
    assert [(one["businessUnit"], one["side"]) for one in rows] == sorted(SIDES)
    for one in rows:
        assert (one["month"], one["domain"], one["paidCount"]) == ("2023-11", "orders", 1)
        assert one["medianMs"] == one["p95Ms"] == one["longestMs"] == 0, "some microseconds, and no whole millisecond"
    (whole,) = await _items(audit, "complete-traces", groupBy="month", slice="orders.Northern.FR")
    assert (whole["transactionCount"], whole["completeCount"], whole["completeShare"]) == (1, 1, "1.0000")
    assert (whole["side"], whole["domain"]) == (None, None)
    (cloud,) = await _items(audit, "complete-traces", groupBy="side", side="cloud")
    assert (cloud["side"], cloud["month"], cloud["transactionCount"]) == ("cloud", None, 3)
    use = await _items(audit, "api-use", groupBy="side,month")
    assert [(one["side"], one["client"], one["acceptedCount"]) for one in use] == [
        ("cloud", "billing", 2),
        ("cloud", "salesforce", 1),
        ("legacy", "billing", 2),
        ("legacy", "salesforce", 1),
    ]


async def test_a_failure_that_was_made_good_and_an_invoice_that_was_corrected(audit: Auditing) -> None:
    audit.rig.legacy.script = ["reject"]
    sent = await audit.rig.send(order("10400"), wait_s=5.0)
    audit.rig.clock.forward(89.289)
    (failed,) = await _items(audit, "recovery-time", groupBy="side")
    assert (failed["failedCount"], failed["recoveredCount"], failed["medianMs"]) == (1, 0, None)
    await audit.rig.send(order("10400"), replaces=sent.transaction.transaction_id, wait_s=5.0)
    (failed,) = await _items(audit, "recovery-time", groupBy="side")
    assert (failed["failedCount"], failed["recoveredCount"]) == (1, 1)
    assert failed["medianMs"] == failed["longestMs"] == 89_289
    exported = (await audit.ask("views/recovery-time.csv", groupBy="side")).text
    assert "1,1,89289,89289,89289" in exported
    await audit.rig.send(credit_note("CN-1", "INV-10248"), "invoices", wait_s=5.0)
    rows = await _items(audit, "invoice-accuracy")
    assert [(one["side"], one["accurateCount"], one["creditedCount"], one["accurateShare"]) for one in rows] == [
        ("legacy", 0, 1, "0.0000"),
        ("cloud", 1, 0, "1.0000"),
    ]


async def test_what_is_undone_does_not_count(audit: Auditing) -> None:
    noted = await audit.rig.send(credit_note("CN-1", "INV-10248"), "invoices", wait_s=5.0)
    await audit.rig.reverse(noted.transaction.document_id, caller=BILLING)
    rows = await _items(audit, "invoice-accuracy", groupBy="side", side="legacy")
    assert [(one["accurateCount"], one["creditedCount"]) for one in rows] == [(1, 0)]
    (paid,) = (await audit.get("traces", name="PAY-10248", domain="payments"))["items"]
    await audit.rig.reverse(paid["document"]["documentId"], "payments", caller=BILLING)
    assert [one["side"] for one in await _items(audit, "cycle-time")] == ["cloud"]


@pytest.mark.parametrize("view", list(View))
async def test_a_view_is_recorded_exported_and_keeps_to_the_data_scope(audit: Auditing, view: View) -> None:
    period = {"acceptedFrom": "2023-11-01T00:00:00Z", "acceptedUntil": "2023-12-01T00:00:00Z", "groupBy": "slice"}
    answer = await audit.ask(f"views/{view}", **period)
    body = answer.json()
    assert (body["acceptedFrom"], body["acceptedUntil"]) == (
        "2023-11-01T00:00:00.000000Z",
        "2023-12-01T00:00:00.000000Z",
    )
    (entry,) = await audit.rig.entries(body["queryId"])
    assert sha256(answer.content).hexdigest().encode() in entry.body
    scoped = await _items(audit, view, data=NORTHERN, **period)
    assert scoped == [one for one in body["items"] if one["businessUnit"] == "Northern"]
    if view is not View.RECOVERY_TIME:
        assert 0 < len(scoped) < len(body["items"])
    exported = await audit.ask(f"views/{view}.csv", **period)
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    records, _, last = exported.text.rpartition("# ")
    assert f"rows={len(body['items'])} sha256={sha256(records.encode()).hexdigest()}" in last
    query_id = last.split()[0].removeprefix("queryId=")
    assert [one.kind for one in await audit.rig.entries(query_id)] == ["exported", "exported"]
    rows = list(csv.DictReader(io.StringIO(records)))
    assert records.splitlines()[0].split(",") == list(COLUMNS[view])
    told = [{name: "" if value is None else str(value) for name, value in one.items()} for one in body["items"]]
    assert rows == told


@pytest.mark.parametrize(
    "query",
    [
        {"acceptedFrom": "2024-01-01T00:00:00Z", "acceptedUntil": "2023-12-01T00:00:00Z"},
        {"acceptedFrom": "2022-01-01T00:00:00Z", "acceptedUntil": "2023-12-01T00:00:00Z"},
        {"acceptedUntil": "1969-12-01T00:00:00Z"},
        {"groupBy": "side,side"},
        {"groupBy": "client"},
        {"slice": "orders.Western.US", "domain": "orders"},
        {"businessUnit": "Nowhere"},
        {"side": "middle"},
    ],
)
async def test_what_is_no_question_is_refused(audit: Auditing, query: dict[str, str]) -> None:
    for form in ("", ".csv"):
        refused = await audit.ask(f"views/complete-traces{form}", **query)
        assert refused.status_code in {400, 422}, refused.text


async def test_what_is_too_much_names_the_period(audit: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.operational_views.MOST_ACCEPTED", 2)
    refused = await audit.ask("views/api-use")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "acceptedFrom"
