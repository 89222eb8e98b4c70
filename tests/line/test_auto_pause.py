"""The monitor: pauses a slice whose documents fail or are unknown, once, and never lifts."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from gateway.cutover.auto_pause import AutoPause, Thresholds
from gateway.domain.outcomes import SliceOutcomes
from gateway.domain.transaction import Status
from tests.line.acts import act_parts, lay, lift
from tests.line.documents import contract
from tests.line.rig import Rig, order

LOW = "thresholds:\n  auto_pause_least: 4\n  auto_pause_error_percent: 50\n  auto_pause_unknown_percent: 25\n"


async def watched(store: Any) -> tuple[Rig, AutoPause]:
    rig = await Rig.on(store, edits={"rulebook.yaml": ("thresholds:\n", LOW)})
    return rig, AutoPause(act_parts(rig))


async def send(rig: Rig, *script: str, first: int = 1, **changes: Any) -> None:
    """One order for each behaviour of the legacy ERP."""
    rig.legacy.script = list(script)
    for number, _ in enumerate(script, first):
        await rig.send(order(str(number), **changes))
        assert await rig.line.drain(30)


async def test_a_slice_that_fails_too_often_is_paused_and_no_other(store: Any):
    rig, monitor = await watched(store)
    await send(rig, "post", "reject", "reject", "post")
    await send(rig, "post", "post", "post", "reject", first=11, geography="ES")
    (record,) = await monitor.look()
    assert (record.overlay, record.slice, record.person) == ("paused", "orders.Northern.FR", None)
    assert await rig.kinds(record.overlay_id) == ["auto_paused"]
    entry = json.loads((await rig.entries(record.overlay_id))[0].body)
    assert (entry["actor"], entry["exceeded"]) == ("gateway", "auto_pause_error_percent")
    assert (entry["sent"], entry["failed"], entry["unknown"]) == (4, 2, 0)
    assert (await rig.send(order("5"))).transaction.status is Status.HELD
    assert (await rig.send(order("15", geography="ES"), wait_s=5.0)).transaction.status is Status.POSTED


@pytest.mark.parametrize(
    ("script", "exceeded"),
    [
        (["lost_call", "post", "post", "post"], "auto_pause_unknown_percent"),
        (["crash", "post", "post", "post"], "auto_pause_unknown_percent"),
        (["wrong_password", "wrong_password", "post", "post"], "auto_pause_error_percent"),
        (["busy", "busy", "busy", "down"], None),
        (["reject", "post", "post", "post"], None),
        (["reject", "reject", "reject"], None),
    ],
)
async def test_what_counts(store: Any, script: list[str], exceeded: str | None):
    rig, monitor = await watched(store)
    await send(rig, *script)
    found = [json.loads((await rig.entries(one.overlay_id))[0].body) for one in await monitor.look()]
    assert [one["exceeded"] for one in found] == ([exceeded] if exceeded else [])


async def test_it_pauses_once_however_many_look(store: Any):
    rig, monitor = await watched(store)
    other = await rig.another_process("prc_2")
    await send(rig, *["reject"] * 4)
    both = await asyncio.gather(monitor.look(), AutoPause(act_parts(other)).look())
    assert sorted(len(found) for found in both) == [0, 1]
    assert await monitor.look() == []


async def test_it_does_not_pause_again_what_people_lifted_for_what_they_knew(store: Any):
    rig, monitor = await watched(store)
    await send(rig, *["reject"] * 4)
    (record,) = await monitor.look()
    await lift(rig, record)
    assert await monitor.look() == []
    rig.clock.forward(301)
    await send(rig, *["reject"] * 4, first=11)
    assert len(await monitor.look()) == 1
    # what is set is never lifted by it, whatever happens then
    rig.clock.forward(10_000)
    assert await monitor.look() == []
    assert len(await rig.store.reads.overlays(lifted=False, limit=10, after=None)) == 1


async def test_old_documents_and_what_the_gateway_keeps_itself_do_not_count(store: Any):
    rig, monitor = await watched(store)
    await send(rig, *["reject"] * 4)
    rig.clock.forward(301)
    assert await monitor.look() == []
    for number in range(4):
        await rig.send(contract(str(number)), "contracts")
    held = await lay(rig, "hold")
    for number in range(20, 24):
        await rig.send(order(str(number)))
    assert await monitor.look() == []
    await lift(rig, held)


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ({}, Thresholds()),
        ({"auto_pause_error_percent": "12.5"}, Thresholds(error_percent=Decimal("12.5"))),
        ({"auto_pause_error_percent": "many", "auto_pause_least": 0}, Thresholds()),
        ({"auto_pause_window_s": 60, "auto_pause_unknown_percent": 101}, Thresholds(window_s=60)),
        ({"auto_pause_least": True, "auto_pause_window_s": "NaN"}, Thresholds()),
    ],
)
def test_thresholds_come_from_the_rulebook_and_have_defaults(said: dict[str, Any], used: Thresholds):
    assert Thresholds.of(said) == used


def test_both_rates_are_reached_at_their_very_value():
    limits = Thresholds(error_percent=Decimal(50), unknown_percent=Decimal(20), least=10)
    assert limits.exceeded_by(SliceOutcomes("o", "u", "g", 10, 5, 0)) == "error_percent"
    assert limits.exceeded_by(SliceOutcomes("o", "u", "g", 10, 4, 2)) == "unknown_percent"
    assert limits.exceeded_by(SliceOutcomes("o", "u", "g", 10, 4, 1)) is None
    assert limits.exceeded_by(SliceOutcomes("o", "u", "g", 9, 9, 9)) is None
