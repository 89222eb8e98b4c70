"""From a request to what is in force: prepared by all, judged once, committed at the instant or recorded as failed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.cutover import activation_steps
from gateway.cutover.activation_steps import Judgement, Step, claim, commit
from gateway.cutover.gates.gate import GateResult
from gateway.cutover.heartbeats import EXPIRED_S
from gateway.cutover.schedule import withdraw_activation
from gateway.domain.activations import ActivationRequest, ActivationState, Heartbeat, RulesState
from gateway.errors import Problem
from routing_rules import Rulebook
from tests.cutover.activating import Process, look_until_settled, variant
from tests.line.rig import order

SECOND = 1_000_000


@pytest.fixture
async def process(store: Any) -> Process:
    return await Process.on(store)


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [one["kind"] for one in entries]


async def test_a_version_comes_into_force_with_all_that_shows_how(process: Process):
    wanted, first = variant("a"), process.rig.rules.current.rulebook
    asked = await process.schedule(wanted, person="commitment")
    assert (asked.state, asked.base_activation_number) == (ActivationState.SCHEDULED, 1)
    ended = await look_until_settled([process], asked.activation_id)
    assert (ended.state, ended.activation_number) == (ActivationState.ACTIVATED, 2)
    record = await process.in_force()
    assert (record.table_version, record.rules) == (wanted.version, wanted.canonical_json().decode())
    assert process.rig.rules.current.rulebook.version == wanted.version
    entries = await process.entries(asked.activation_id)
    assert kinds(entries) == ["activation_prepared", "gate_passed", "gate_passed", "activated"]
    assert [one["seq"] for one in entries] == [1, 2, 3, 4]
    assert entries[0]["processes"] == ["prc_1"]
    assert [one["gate"] for one in entries[1:3]] == ["proof_clean", "version_loaded"]
    activated = entries[-1]
    assert activated["rule"] == {
        "tableVersion": wanted.version,
        "governanceVersion": wanted.governance_version,
        "activationNumber": 2,
    }
    assert (activated["actor"], activated["person"], activated["draftId"]) == ("console", "commitment", "drf_1")
    events = [json.loads(one.body) for one in await process.rig.store.outbox.pending(1_000)]
    told = [one for one in events if one["type"] == "erp.control.activated.v1"][-1]
    assert (told["subject"], told["data"]["activationNumber"]) == (asked.activation_id, 2)
    assert told["data"]["activationId"] == asked.activation_id
    (candidate,) = process.gates.asked
    assert (candidate.base.version, candidate.base_activation_number) == (first.version, 1)


async def test_what_is_accepted_after_names_the_new_number_and_version_though_its_process_was_not_told(
    process: Process,
):
    other = await process.another()
    wanted = variant("a")
    asked = await process.schedule(wanted)
    ended = await look_until_settled([process, other], asked.activation_id)
    behind = await other.another("prc_3")
    assert ended.activation_number == 2
    again = await process.schedule(variant("b"))
    await look_until_settled([process, other], again.activation_id)
    assert behind.rig.rules.current.activation_number == 2
    answer = await behind.rig.send(order())
    assert answer.transaction.activation_number == 3
    assert answer.transaction.table_version == variant("b").table_version("orders")
    assert behind.rig.rules.current.activation_number == 3


async def test_a_waiting_document_is_routed_by_what_is_in_force_then(process: Process):
    rig = process.rig
    rig.legacy.script = ["lost_answer"]
    first = await rig.send(order())
    follow = order("INV-1", orderReference={"externalId": "10248", "source": "salesforce"})
    follow["customer"] = {"externalId": "VINET", "source": "salesforce"}
    follow["lines"][0]["product"] = {"externalId": "11", "source": "salesforce"}
    second = await rig.send(follow, "invoices")
    assert second.transaction.status == "waiting"
    asked = await process.schedule(variant("a"))
    other = await process.another()
    await look_until_settled([other], asked.activation_id)
    await rig.until(10.0)
    await rig.until(200.0)
    posted = [await rig.record(one.transaction.transaction_id) for one in (first, second)]
    assert [one.status for one in posted] == ["posted", "posted"]
    assert [one.activation_number for one in posted] == [1, 2]


async def test_it_is_prepared_only_when_every_live_process_has_it(process: Process):
    other = await process.another()
    await other.activator.say()
    asked = await process.schedule(variant("a"))
    for _ in range(3):
        await process.activator.look()
    assert (await process.request(asked.activation_id)).state is ActivationState.SCHEDULED
    await other.activator.look()
    ended = await look_until_settled([process, other], asked.activation_id)
    assert ended.state is ActivationState.ACTIVATED
    assert (await process.entries(asked.activation_id))[0]["processes"] == ["prc_1", "prc_2"]


async def test_a_process_that_says_nothing_any_more_does_not_count(process: Process):
    now = await process.rig.store.reads.database_now()
    gone = Heartbeat("prc_gone", 1, 0, "x:y", "", now - int(EXPIRED_S * SECOND) - 1)
    await process.rig.store.write(lambda unit: unit.put_heartbeat(gone))
    asked = await process.schedule(variant("a"))
    assert (await look_until_settled([process], asked.activation_id)).state is ActivationState.ACTIVATED


async def test_a_process_that_leaves_is_not_waited_for(process: Process):
    other = await process.another()
    await other.activator.say()
    await other.activator.leave()
    asked = await process.schedule(variant("a"))
    assert (await look_until_settled([process], asked.activation_id)).state is ActivationState.ACTIVATED


async def test_a_process_that_cannot_load_it_is_waited_for_and_then_named(process: Process):
    def refuses(rulebook: Rulebook) -> None:
        raise ValueError("no such system here")

    other = await process.another()
    other.rig.rules._fits = refuses
    await other.activator.say()
    asked = await process.schedule(variant("a"))
    for _ in range(3):
        await process.activator.look()
        await other.activator.look()
    assert (await process.request(asked.activation_id)).state is ActivationState.SCHEDULED
    assert list(other.rig.rules.refused.values()) == ["no such system here"]
    hasty = Process.of(process.rig, prepare_limit_s=0.0)
    ended = await look_until_settled([hasty, other], asked.activation_id)
    assert ended.state is ActivationState.FAILED
    assert json.loads(ended.failure or "")["gates"][0]["gate"] == "version_loaded"
    entries = await process.entries(asked.activation_id)
    assert kinds(entries) == ["gate_passed", "gate_failed", "activation_failed"]
    assert entries[1]["evidence"]["withoutIt"] == ["prc_2"]
    assert (await process.in_force()).activation_number == 1


async def test_not_before_its_instant_by_the_databases_clock(process: Process):
    process.rig.clock.forward(-86_400)
    ahead = await process.rig.store.reads.database_now() + 3_600 * SECOND
    asked = await process.schedule(variant("a"), effective_at=ahead)
    process.rig.clock.forward(100 * 86_400)
    for _ in range(3):
        await process.activator.look()
    found = await process.request(asked.activation_id)
    assert (found.state, process.gates.asked) == (ActivationState.PREPARED, [])
    assert (await process.in_force()).activation_number == 1


async def test_a_gate_that_fails_leaves_the_old_version_and_says_why(process: Process):
    process.gates.results = [
        GateResult(gate="control_totals", passed=False, why="they do not tie", subject="orders.Eastern.DE"),
        GateResult(gate="proof_clean", passed=True, why="ok"),
    ]
    asked = await process.schedule(variant("a"))
    ended = await look_until_settled([process], asked.activation_id)
    assert (ended.state, ended.activation_number) == (ActivationState.FAILED, None)
    assert json.loads(ended.failure or "")["gates"] == [
        {"gate": "control_totals", "subject": "orders.Eastern.DE", "why": "they do not tie"}
    ]
    entries = await process.entries(asked.activation_id)
    assert kinds(entries)[1:] == ["gate_failed", "gate_passed", "gate_passed", "activation_failed"]
    assert (entries[1]["slice"], entries[-1]["gates"]) == ("orders.Eastern.DE", ["control_totals"])
    assert await process.rig.store.reads.rules_state() == RulesState(1, 0)
    assert (await process.rig.send(order())).transaction.activation_number == 1


async def test_gates_that_cannot_be_asked_do_not_hold(process: Process):
    async def broken(_times: int) -> None:
        raise LookupError("no such table")

    process.gates.meanwhile = broken
    asked = await process.schedule(variant("a"))
    ended = await look_until_settled([process], asked.activation_id)
    assert ended.state is ActivationState.FAILED
    assert json.loads(ended.failure or "")["gates"][0]["gate"] == "gates"


async def test_a_gate_that_is_waived_does_not_stop_it(process: Process):
    process.gates.results = [GateResult(gate="control_totals", passed=False, why="they do not tie")]
    process.gates.waiver_id = "wvr_1"
    asked = await process.schedule(variant("a"))
    assert (await look_until_settled([process], asked.activation_id)).state is ActivationState.ACTIVATED
    entries = await process.entries(asked.activation_id)
    assert (entries[1]["kind"], entries[1]["waiverId"]) == ("gate_failed", "wvr_1")


async def test_acts_that_come_while_the_gates_are_asked_have_them_asked_again(process: Process):
    store = process.rig.store

    async def act(times: int) -> None:
        if times == 1:
            await store.write(lambda unit: unit.set_rules_state(RulesState(1, 1)))

    process.gates.meanwhile = act
    asked = await process.schedule(variant("a"))
    ended = await look_until_settled([process], asked.activation_id)
    assert (ended.state, len(process.gates.asked)) == (ActivationState.ACTIVATED, 2)
    assert await store.reads.rules_state() == RulesState(2, 1)


async def test_another_base_voids_it(process: Process):
    first, second = await process.schedule(variant("a")), await process.schedule(variant("b"))
    assert (await look_until_settled([process], first.activation_id)).state is ActivationState.ACTIVATED
    ended = await look_until_settled([process], second.activation_id)
    assert ended.state is ActivationState.FAILED
    assert "activation 2 is in force" in json.loads(ended.failure or "")["gates"][0]["why"]
    assert (await process.in_force()).activation_number == 2


async def test_what_is_asked_over_another_base_or_changes_nothing_is_refused(process: Process):
    with pytest.raises(Problem, match="activation 1 is in force") as stale:
        await process.schedule(variant("a"), base_activation_number=7)
    assert stale.value.slug == "stale"
    with pytest.raises(Problem, match="in force already"):
        await process.schedule(process.rig.parts.rules.rulebook)
    with pytest.raises(Problem, match="400 days"):
        await process.schedule(variant("a"), effective_at=2**62)


async def test_an_instant_that_is_past_is_refused_but_for_what_a_request_takes_to_arrive(process: Process):
    now = await process.rig.store.reads.database_now()
    with pytest.raises(Problem, match="is past") as past:
        await process.schedule(variant("a"), effective_at=now - 60 * SECOND)
    assert past.value.slug == "invalid-document"
    asked = await process.schedule(variant("a"), effective_at=now - SECOND)
    assert asked.effective_at >= now


async def test_one_that_waited_is_judged_when_it_comes_into_force(process: Process):
    asked = await process.schedule(variant("a"))
    waited = replace(asked, activation_id="act_waited", effective_at=asked.effective_at - 30 * 86_400 * SECOND)
    await process.rig.store.write(lambda unit: unit.insert_activation_request(waited))
    await process.activator.look()
    assert process.gates.asked
    assert all(one.effective_at >= asked.effective_at for one in process.gates.asked)
    assert (await process.request(waited.activation_id)).state is ActivationState.ACTIVATED


async def test_what_was_judged_on_another_day_is_judged_again(process: Process, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(activation_steps, "GATES_AGE_S", 10**6)
    store, tools = process.rig.store, process.rig.parts.tools
    asked = await process.schedule(variant("a"))
    now = await store.reads.database_now()

    async def committed(since: int) -> Step:
        judgement = Judgement(verdicts=[], state=RulesState(1, 0), since=since)

        async def unit_of_work(unit: Any) -> Step:
            await claim(unit, tools.process_id, asked.activation_id)
            return (await commit(unit, tools, asked.activation_id, judgement, ["evt_1", "evt_2"], give_up_at=0))[0]

        return await store.write(unit_of_work)

    assert await committed(now - 86_400 * SECOND) is Step.JUDGE_AGAIN
    assert await committed(await store.reads.database_now()) is not Step.JUDGE_AGAIN


async def test_back_is_not_prepared(process: Process):
    other = await process.another()
    await other.activator.say()
    asked = await process.schedule(variant("a"), draft_id=None)
    await process.activator.look()
    ended = await process.request(asked.activation_id)
    assert ended.state is ActivationState.ACTIVATED
    entries = await process.entries(asked.activation_id)
    assert (kinds(entries), entries[-1]["back"]) == (["gate_passed", "activated"], True)
    assert (await other.rig.send(order())).transaction.activation_number == 2


async def test_what_is_withdrawn_does_not_come(process: Process):
    store, tools = process.rig.store, process.rig.parts.tools
    asked = await process.schedule(variant("a"))
    await withdraw_activation(store, tools, asked.activation_id, "console")
    await process.activator.look()
    assert (await process.request(asked.activation_id)).state is ActivationState.WITHDRAWN
    (entry,) = await process.entries(asked.activation_id)
    assert (entry["kind"], entry["reason"]) == ("activation_failed", "withdrawn")
    with pytest.raises(Problem, match="cannot be withdrawn"):
        await withdraw_activation(store, tools, asked.activation_id, "console")
    with pytest.raises(Problem, match="no activation"):
        await withdraw_activation(store, tools, "act_none", "console")


async def test_one_process_judges_and_another_takes_over_when_it_is_gone(process: Process):
    store = process.rig.store
    asked = await process.schedule(variant("a"), draft_id=None)
    now = await store.reads.database_now()

    async def claimed_by(process_id: str, said_at: int) -> None:
        await store.write(lambda unit: unit.put_heartbeat(Heartbeat(process_id, 1, 0, "x:y", "", said_at)))

        async def take(unit: Any) -> None:
            request = await unit.activation_request(asked.activation_id)
            taken = replace(request, claimed_by=process_id, claimed_until=now + 300 * SECOND)
            await unit.update_activation_request(taken)

        await store.write(take)

    await claimed_by("prc_busy", now)
    await process.activator.look()
    assert (process.gates.asked, (await process.request(asked.activation_id)).state) == ([], "scheduled")
    await claimed_by("prc_busy", now - int(EXPIRED_S * SECOND) - SECOND)
    await process.activator.look()
    assert (await process.request(asked.activation_id)).state is ActivationState.ACTIVATED


async def test_what_must_end_with_it_ends_in_its_commit(process: Process):
    ended: list[ActivationRequest] = []

    async def settled(unit: Any, request: ActivationRequest) -> None:
        ended.append(request)
        if len(ended) == 1:
            raise RuntimeError("the draft cannot be closed")

    other = Process.of(process.rig, settled=settled)
    asked = await other.schedule(variant("a"))
    with pytest.raises(RuntimeError):
        await look_until_settled([other], asked.activation_id)
    assert (await process.request(asked.activation_id)).state is ActivationState.PREPARED
    assert await process.rig.store.reads.rules_state() == RulesState(1, 0)
    assert (await look_until_settled([other], asked.activation_id)).state is ActivationState.ACTIVATED
    assert ended[-1].activation_number == 2
