"""Requests by caller and version: counted by the words of the route, added now and then, told by the view `api-use`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar.exceptions import LitestarException

from gateway.domain.caller import DataScope
from gateway.ledger import api_uses
from gateway.ledger.api_uses import ApiUse, ApiUses
from gateway.store.errors import StoreUnavailable
from gateway.store.ledger_reads import LedgerReads
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing

NORTHERN = DataScope(frozenset({"Northern"}), None)
READ = ApiUse("salesforce", "salesforce", "v1", "listOrders")
COUNTS = ("answeredCount", "refusedCount", "failedCount", "brokenCount")
NAMES = ("month", "client", "source", "apiVersion", "operationId")


@pytest.fixture
async def audit(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    async with auditing(store, tmp_path) as found:
        yield found


async def _told(audit: Auditing, **query: Any) -> dict[tuple[Any, ...], tuple[int, ...]]:
    requests = (await audit.get("views/api-use", **query))["requests"]
    found = {tuple(one[name] for name in NAMES): tuple(one[name] for name in COUNTS) for one in requests}
    assert len(found) == len(requests)
    assert list(found) == sorted(found, key=lambda key: (key[0] or "", *key[1:]))
    return found


def _scope(path: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"x"), *((name.lower().encode(), value.encode()) for name, value in headers.items())],
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "root_path": "",
        "state": {},
    }


async def test_two_callers_two_operations_and_refused_requests(audit: Auditing) -> None:
    sales = audit.headers("documents:read", person="grace hopper", source="salesforce", teams=())
    for _ in range(2):
        assert (await audit.http.get("/v1/orders", headers=sales)).status_code == 200
    assert (await audit.http.get("/v1/orders/none", headers=sales)).status_code == 400
    assert (await audit.http.get("/v1/ledger/entries", headers=sales)).status_code == 403
    billing = audit.headers("documents:read", person=None, source="billing", teams=())
    assert (await audit.http.get("/v1/orders", headers=billing)).status_code == 200
    assert await _told(audit) == {}  # not before it was added
    await audit.api_uses.flush()
    await audit.api_uses.flush()
    told = await _told(audit)
    assert told == {
        ("2023-11", "auditor", "auditor", "v1", "viewApiUse"): (1, 0, 0, 0),
        ("2023-11", "billing", "billing", "v1", "listOrders"): (1, 0, 0, 0),
        ("2023-11", "salesforce", "salesforce", "v1", "getOrder"): (0, 1, 0, 0),
        ("2023-11", "salesforce", "salesforce", "v1", "listLedgerEntries"): (0, 1, 0, 0),
        ("2023-11", "salesforce", "salesforce", "v1", "listOrders"): (2, 0, 0, 0),
    }
    await audit.api_uses.flush()
    answer = await audit.ask("views/api-use", groupBy="side")
    (own,) = [one for one in answer.json()["requests"] if one["client"] == "auditor"]
    assert (own["month"], own["answeredCount"]) == (None, 2)
    assert b"grace" not in answer.content  # clients, no persons


async def test_what_strangers_write_is_not_counted(audit: Auditing) -> None:
    for path in ("/v1/orders", "/v1/nothing-there", "/v7/orders", "/health", "/v1/problems/not-found"):
        await audit.http.get(path)
        await audit.http.get(path, headers={"Authorization": "Bearer none"})
    for path in ("/v7/orders", "/v1/nothing-there", "/v1/orders/", "/health"):  # a good token for what is no operation
        await audit.http.get(path, headers=audit.headers())
    await audit.http.options("/v1/orders", headers=audit.headers())
    await audit.api_uses.flush()
    assert await _told(audit) == {}


async def test_a_part_of_the_record_has_no_requests(audit: Auditing) -> None:
    await audit.get("views/api-use")
    await audit.api_uses.flush()
    for query in ({"side": "cloud"}, {"domain": "orders"}, {"businessUnit": "Western"}, {"slice": "orders.Western.US"}):
        assert (await audit.get("views/api-use", **query))["requests"] is None
    assert (await audit.get("views/api-use", NORTHERN))["requests"] is None
    assert "requests" not in await audit.get("views/cycle-time")
    exported = await audit.ask("views/api-use.csv")
    assert "viewApiUse" not in exported.text


async def test_periods_of_whole_hours_and_months_apart(audit: Auditing) -> None:
    await audit.get("views/api-use")
    await audit.api_uses.flush()
    audit.rig.clock.forward(30 * 86_400.0)
    await audit.get("views/api-use")
    await audit.api_uses.flush()
    told = await _told(audit, acceptedFrom="2023-11-01T00:00:00Z")
    assert {(key[0], counts[0]) for key, counts in told.items()} == {("2023-11", 1), ("2023-12", 1)}
    assert {key[0] for key in await _told(audit)} == {"2023-12"}
    # The hour in which it came, from its middle on.
    since = {"acceptedFrom": "2023-11-14T22:59:00Z", "acceptedUntil": "2023-11-14T23:00:00Z"}
    assert sum(counts[0] for counts in (await _told(audit, **since)).values()) == 1
    later = {"acceptedFrom": "2023-11-14T23:00:00Z", "acceptedUntil": "2023-11-15T00:00:00Z"}
    assert await _told(audit, **later) == {}


async def test_what_could_not_be_added_is_added_later_and_what_was_not_added_is_lost(
    store: Store, audit: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_unit: Any) -> None:
        raise StoreUnavailable("not now")

    uses = ApiUses(store, audit.rig.clock)
    for status in (200, 304, 404, 429, 500, 503, 499, 0):
        uses.note(READ, status)
    with monkeypatch.context() as broken:
        broken.setattr(store, "write", down)
        with pytest.raises(StoreUnavailable):
            await uses.flush()
    uses.note(READ, 201)
    await uses.flush()
    killed = ApiUses(store, audit.rig.clock)
    killed.note(READ, 200)  # and never added
    del killed
    await ApiUses(store, audit.rig.clock).flush()
    assert await _told(audit) == {("2023-11", *READ): (3, 2, 2, 2)}


async def test_a_caller_that_leaves_and_an_operation_that_fails(
    audit: Auditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("not now")

    async def leaves(_message: Any) -> None:
        raise ConnectionResetError("the caller left")

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    with monkeypatch.context() as broken:
        broken.setattr(LedgerReads, "view", fails)
        assert (await audit.ask("views/api-use")).status_code == 503
    with pytest.raises(LitestarException):
        await audit.app(_scope("/v1/ledger/views/api-use", audit.headers()), nothing, leaves)
    await audit.api_uses.flush()
    assert await _told(audit) == {("2023-11", "auditor", "auditor", "v1", "viewApiUse"): (0, 0, 1, 1)}


async def test_it_stays_bounded(store: Store, audit: Auditing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_uses, "MOST_KEPT", 2)
    for name in ("a", "b", "c", "d", "a"):
        audit.api_uses.note(READ._replace(client=name), 200)
    await audit.api_uses.flush()
    told = await _told(audit)
    assert {key[1]: counts[0] for key, counts in told.items()} == {"a": 2, "b": 1, "(more)": 2}
    monkeypatch.setattr("gateway.store.api_uses.MOST_SUMS", 2)
    refused = await audit.ask("views/api-use")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "acceptedFrom")
