"""The board over HTTP, on a store: stages, what is open on either side, the drain, what going back would meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import routing_rules
from gateway.cutover.gates.no_lineage_stranded import NoLineageStranded
from gateway.cutover.gates.nothing_unknown import NothingUnknown
from gateway.domain.acts import ActiveOverlay, Acts
from gateway.domain.caller import DataScope
from gateway.domain.transaction import Status
from gateway.store.store import open_store
from routing_rules import load_rulebook
from tests.api.conftest import World, in_this_loop
from tests.cutover.slice_world import Clock, SliceWorld
from tests.migrated import migrated_file

PATH = "/v1/cutover/slices"


@pytest.fixture
async def slices(tmp_path: Path) -> AsyncIterator[SliceWorld]:
    url = migrated_file(tmp_path / "store.db")
    store = await open_store(url)
    yield SliceWorld(store, load_rulebook(Path(routing_rules.__file__).parent / "tables"))
    await store.close()


@pytest.fixture
async def client(slices: SliceWorld) -> AsyncIterator[httpx.AsyncClient]:
    gates = (NoLineageStranded(slices.store.reads, Clock()), NothingUnknown(slices.store.reads))
    async with in_this_loop(slices.app_parts(WORLD.parts(), *gates)) as opened:
        yield opened


WORLD = World()


async def _get(client: httpx.AsyncClient, path: str, **query: str) -> Any:
    answer = await client.get(path, params=query, headers=WORLD.token("ledger:read"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_slice_shows_what_is_open_on_either_side(slices: SliceWorld, client: httpx.AsyncClient) -> None:
    await slices.order("Western", "BR", "legacy", amount="100.00", billed="40.00", days=10)
    await slices.order("Western", "BR", "legacy", amount="50.00", billed="50.00", paid="50.00", days=10)
    await slices.order("Western", "MX", "cloud", amount="30.00")
    await slices.order("Western", "US", "cloud", amount="7.00")
    found = await _get(client, f"{PATH}/orders.Western.LATAM")
    assert found["stages"] == ["drain"]
    assert found["openLineages"] == {
        "legacy": {"lineageCount": 1, "amounts": [{"currencyCode": "USD", "amount": "100.00"}]},
        "cloud": {"lineageCount": 1, "amounts": [{"currencyCode": "USD", "amount": "30.00"}]},
    }
    assert found["roots"]["legacy"] == {"lineageCount": 2, "amounts": [{"currencyCode": "USD", "amount": "150.00"}]}
    ages = {one["fromDays"]: one["lineageCount"] for one in found["drainAges"]}
    assert ages == {0: 0, 1: 0, 7: 1, 30: 0, 90: 0}
    assert [one["open"] for one in found["drainDays"]][-1] == 1
    assert len(found["drainDays"]) == 30
    assert found["rollbackImpact"] == {
        "lineageCount": 1,
        "amounts": [{"currencyCode": "USD", "amount": "30.00"}],
        "followUps": [
            {
                "reason": "order_not_invoiced",
                "documentCount": 1,
                "amounts": [{"currencyCode": "USD", "amount": "30.00"}],
                "expected": "invoices, or its cancellation",
            }
        ],
    }
    assert found["companyCodes"][0]["companyCode"] == "NW01"


async def test_customers_open_on_both_sides_are_told(slices: SliceWorld, client: httpx.AsyncClient) -> None:
    for side in ("legacy", "cloud"):
        await slices.order("Eastern", "DE", side, customer_id="doc_a")
    await slices.order("Eastern", "DE", "cloud", customer_id="doc_b")
    found = (await _get(client, f"{PATH}/orders.Eastern.DE"))["openInBoth"]
    assert found["customerCount"] == 1
    assert found["openLineages"]["cloud"]["lineageCount"] == 1


async def test_the_board_lists_named_slices_and_those_with_documents(
    slices: SliceWorld, client: httpx.AsyncClient
) -> None:
    await slices.order("Eastern", "FR", "legacy")
    items = (await _get(client, PATH, domain="orders"))["items"]
    by_id = {one["sliceId"]: one for one in items}
    assert list(by_id) == sorted(by_id)
    assert by_id["orders.Eastern.FR"]["openLineages"]["legacy"]["lineageCount"] == 1
    assert by_id["orders.Eastern.EMEA"]["openLineages"]["legacy"]["lineageCount"] == 1
    assert by_id["orders.Eastern.DE"]["stages"] == ["pilot", "validate"]
    assert by_id["orders.Western.LATAM"]["parts"][0]["cloudSystemId"] == "cloud-main"
    drained = (await _get(client, PATH, domain="orders", stage="drain"))["items"]
    assert {one["sliceId"] for one in drained} == {
        "orders.Northwind.World",
        "orders.Western.LATAM",
        "orders.Western.World",
    }


async def test_pages_of_the_board_follow_each_other(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    query = {"pageSize": "3"}
    while True:
        page = await _get(client, PATH, **query)
        seen += [one["sliceId"] for one in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    everything = await _get(client, PATH, pageSize="200")
    assert seen == [one["sliceId"] for one in everything["items"]]
    assert len(seen) > 30


async def test_overlays_lie_over_what_they_touch(slices: SliceWorld, client: httpx.AsyncClient) -> None:
    overlay = ActiveOverlay(
        overlay_id="ovl_1", overlay="hold", domain="orders", business_unit="Western", geography="LATAM"
    )
    slices.acts = Acts(overlays=(overlay,))
    for name, lies in (("Western.BR", 1), ("Western.World", 1), ("Northwind.World", 1), ("Western.US", 0)):
        assert len((await _get(client, f"{PATH}/orders.{name}"))["overlays"]) == lies
    assert (await _get(client, f"{PATH}/invoices.Western.BR"))["overlays"] == []


async def test_open_lineages_of_a_slice_are_paged_by_side(slices: SliceWorld, client: httpx.AsyncClient) -> None:
    made = [await slices.order("Western", "BR", "legacy", billed="60.00") for _ in range(3)]
    await slices.order("Western", "BR", "cloud")
    path = f"{PATH}/orders.Western.BR/lineages"
    first = await _get(client, path, side="legacy", pageSize="2")
    assert [one["lineageId"] for one in first["items"]] == made[:2]
    assert {one["reason"]: one["amount"] for one in first["items"][0]["reasons"]} == {
        "order_not_invoiced": "40.00",
        "invoice_not_paid": "60.00",
    }
    rest = await client.get(
        path,
        params={"side": "legacy", "pageSize": "2", "cursor": first["nextCursor"]},
        headers=WORLD.token("ledger:read"),
    )
    assert [one["lineageId"] for one in rest.json()["items"]] == made[2:]
    assert rest.json()["nextCursor"] is None


async def test_the_gates_of_a_slice_are_judged_as_if_it_went_on(slices: SliceWorld, client: httpx.AsyncClient) -> None:
    await slices.order("Western", "BR", "legacy", status=Status.IN_DOUBT)
    found = await _get(client, f"{PATH}/orders.Western.BR/gates")
    assert found["nextStages"] == ["read_only"]
    by_gate: dict[str, list[bool]] = {}
    for one in found["gates"]:
        by_gate.setdefault(one["gate"], []).append(one["holds"])
    assert by_gate["no_lineage_stranded"] == [True, False]
    assert by_gate["nothing_unknown"] == [False]
    assert by_gate["calendar"] == [False], "a gate that is asked for and is not there does not hold"
    summary = (await _get(client, f"{PATH}/orders.Western.BR"))["gates"]
    assert "nothing_unknown" in summary["failed"]
    assert summary["passed"] == 1


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("nonsense", 400, "invalid-request"),
        ("nothing.Western.BR", 400, "invalid-request"),
        ("orders.Nowhere.BR", 422, "unknown-node"),
        ("orders.Western.Nowhere/gates", 422, "unknown-node"),
    ],
)
async def test_what_is_no_slice_is_refused(client: httpx.AsyncClient, path: str, status: int, slug: str) -> None:
    answer = await client.get(f"{PATH}/{path}", headers=WORLD.token("ledger:read"))
    assert (answer.status_code, answer.json()["code"]) == (status, slug)


async def test_nobody_sees_beyond_the_data_scope(slices: SliceWorld, client: httpx.AsyncClient) -> None:
    await slices.order("Western", "BR", "legacy")
    await slices.order("Eastern", "DE", "legacy")
    headers = WORLD.token("ledger:read", data=DataScope(frozenset({"Eastern"}), None))
    items = (await client.get(PATH, params={"domain": "orders"}, headers=headers)).json()["items"]
    counted = {one["sliceId"]: one["openLineages"]["legacy"]["lineageCount"] for one in items}
    assert "orders.Western.BR" not in counted
    assert counted["orders.Northwind.World"] == 1
    refused = await client.get(f"{PATH}/orders.Western.BR", headers=headers)
    assert refused.json()["code"] == "out-of-scope"


async def test_a_process_without_a_board_says_so(slices: SliceWorld) -> None:
    parts = replace(slices.app_parts(WORLD.parts()), slices=None)
    async with in_this_loop(parts) as client:
        answer = await client.get(PATH, headers=WORLD.token("ledger:read"))
    assert answer.json()["code"] == "not-ready"
