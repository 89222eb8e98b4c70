"""What waits, by lane and system."""

from __future__ import annotations

import pytest

from tests.api.conftest import HttpClient, World


@pytest.mark.parametrize("scope", ["operations:act", "ledger:read"])
async def test_depth_and_age_by_lane_and_system(client: HttpClient, world: World, scope: str) -> None:
    answer = await client.get("/v1/queues", headers=world.token(scope))
    assert answer.status_code == 200
    bulk, interactive = answer.json()["items"]
    assert bulk == {
        "lane": "bulk", "systemId": None, "due": 3, "underWay": 1, "waiting": 2, "putOff": 0, "oldestS": 10,
        "oldestDueS": 1,
    }  # fmt: skip
    assert (interactive["systemId"], interactive["putOff"]) == ("cloud-main", 1)
    assert {name: answer.json()[name] for name in ("inDoubt", "events", "oldestEventS")} == {
        "inDoubt": 2, "events": 7, "oldestEventS": 1,
    }  # fmt: skip


async def test_the_same_in_the_metrics(client: HttpClient, world: World) -> None:
    text = (await client.get("/metrics", headers=world.token("operations:act"))).text
    assert 'erp_gateway_queue_depth{lane="bulk",state="due",system_id="unrouted"} 3.0' in text
    assert 'erp_gateway_queue_depth{lane="interactive",state="put_off",system_id="cloud-main"} 1.0' in text
    assert 'erp_gateway_queue_oldest_seconds{lane="bulk",system_id="unrouted"} 9.5' in text
    assert 'erp_gateway_queue_oldest_due_seconds{lane="bulk",system_id="unrouted"} 1.0' in text


async def test_no_queues_without_a_scope(client: HttpClient, world: World) -> None:
    assert (await client.get("/v1/queues", headers=world.token("documents:read"))).status_code == 403


async def test_no_queues_while_the_record_is_away(client: HttpClient, world: World) -> None:
    world.reads.down = True
    assert (await client.get("/v1/queues", headers=world.token())).status_code == 503
