"""Every process loads and says so; preparing, judging and committing are the leader's, under its epoch."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.activations import ActivationState
from gateway.domain.leaders import ACTIVATIONS, Lead
from gateway.store.errors import LeadLost
from tests.cutover.activating import Process, look_until_settled, variant
from tests.line.rig import Rig


def leading(rig: Rig) -> tuple[Process, Lead]:
    lead = Lead(ACTIVATIONS)
    return Process.of(rig, lead=lead, led=rig.store.led(lead)), lead


async def take(rig: Rig, process_id: str, length: int = 60_000_000) -> int | None:
    return await rig.store.write(lambda unit: unit.take_task(ACTIVATIONS, process_id, length))


async def test_only_the_leader_brings_it_into_force_and_all_swap(store: Any) -> None:
    rig = await Rig.on(store)
    first, lead = leading(rig)
    second, _ = leading(await rig.another_process("prc_2"))
    await first.activator.say()
    await second.activator.say()
    asked = await first.schedule(variant("a"))
    for _ in range(3):
        await first.activator.look()
        await second.activator.look()
    request = await store.reads.activation_request(asked.activation_id)
    assert request.state is ActivationState.SCHEDULED
    lead.epoch = await take(rig, "prc_1")
    ended = await look_until_settled([second, first], asked.activation_id)
    assert ended.state is ActivationState.ACTIVATED
    assert second.gates.asked == []
    await second.activator.look()
    assert second.rig.rules.current.activation_number == 2


@pytest.mark.parametrize("how", [None, "drf_1"])
async def test_a_leader_that_was_frozen_past_its_lease_brings_nothing(store: Any, how: str | None) -> None:
    rig = await Rig.on(store)
    first, lead = leading(rig)
    second, next_lead = leading(await rig.another_process("prc_2"))
    await first.activator.say()
    await second.activator.say()
    lead.epoch = await take(rig, "prc_1", length=0)
    # back is not prepared, so that the first write is the claim
    asked = await first.schedule(variant("a"), draft_id=how)
    next_lead.epoch = await take(rig, "prc_2")
    with pytest.raises(LeadLost):
        await first.activator.look()
    assert first.gates.asked == []
    request = await store.reads.activation_request(asked.activation_id)
    assert (request.state, request.claimed_by) == (ActivationState.SCHEDULED, None)
    ended = await look_until_settled([second, first], asked.activation_id)
    assert (ended.state, ended.activation_number) == (ActivationState.ACTIVATED, 2)
