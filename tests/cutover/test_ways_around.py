"""Ways around the three persons: every one is refused, and what is in force stays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.auth import DEFAULT_CLIENTS
from gateway.cutover.schedule import schedule_activation
from gateway.domain.activations import OPEN_STATES
from gateway.store.store import open_store
from gateway.wiring.rules import RulesFiles, rules_at_start
from routing_rules import parse_rulebook
from tests.cutover.desk import NEXT_YEAR, SAMPLE, Desk, body, noted
from tests.migrated import migrated_file

AUTHOR, APPROVER, ACTIVATOR = "order-to-cash-author", "order-to-cash-approver", "order-to-cash-activator"
APPROVES, ACTIVATES, WAIVES = (frozenset({f"rules:{verb}"}) for verb in ("approve", "activate", "waive"))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """With version 1 in force, which must be in force at the end."""
    url = migrated_file(tmp_path / "gateway.db")
    store = await open_store(url)
    async with Desk.on(store) as opened:
        yield opened
        assert await opened.in_force() == 1
    await store.close()


def refused(answer: httpx.Response, *words: str, status: int = 422, code: str = "policy-check-failed") -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    for word in words:
        assert word in answer.json()["detail"].lower(), answer.text


async def test_the_author_approves(desk: Desk):
    draft_id = await desk.saved()
    refused(await desk.approve(desk.who(AUTHOR, scopes=APPROVES), draft_id), "author")


async def test_a_machine_client_of_the_author_approves(desk: Desk):
    draft_id = await desk.saved()
    machine = replace(DEFAULT_CLIENTS[APPROVER], name="nightly-job", person=AUTHOR)
    refused(await desk.approve(desk.token(machine), draft_id), "author")


@pytest.mark.parametrize("spelled", [AUTHOR.upper(), AUTHOR.title()])
async def test_the_author_spelled_in_another_way(desk: Desk, spelled: str):
    draft_id = await desk.saved()
    other = replace(DEFAULT_CLIENTS[APPROVER], name="nightly-job", person=spelled)
    refused(await desk.approve(desk.token(other), draft_id), "author")


async def test_a_machine_client_of_the_author_activates(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    machine = replace(DEFAULT_CLIENTS[ACTIVATOR], name="nightly-job", person=AUTHOR)
    refused(await desk.activate(desk.token(machine), draft_id), "author")


async def test_a_machine_client_of_the_approver_activates(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    machine = replace(DEFAULT_CLIENTS[ACTIVATOR], name="nightly-job", person=APPROVER)
    refused(await desk.activate(desk.token(machine), draft_id), "approved")


@pytest.mark.parametrize("step", ["save", "approve", "activate", "waive", "roll back"])
async def test_a_machine_client_that_names_no_person(desk: Desk, step: str):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    scopes = frozenset({"rules:edit", "rules:approve", "rules:activate", "rules:waive"})
    nobody = desk.who(ACTIVATOR, scopes=scopes, person=None)
    match step:
        case "save":
            answer = await desk.save(nobody, noted("by nobody"))
        case "approve":
            answer = await desk.approve(nobody, draft_id)
        case "activate":
            answer = await desk.activate(nobody, draft_id)
        case "waive":
            answer = await desk.waive(nobody, draft_id)
        case _:
            answer = await roll_back(desk, nobody)
    refused(answer, "which person")


async def test_an_edit_after_the_approval(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    assert (await desk.edit(desk.who(AUTHOR), draft_id, noted("something else"), "v1")).status_code == 200
    refused(await desk.activate(desk.who(ACTIVATOR), draft_id), "no approval that counts")
    [approval] = (await desk.review(draft_id))["approvals"]
    assert not approval["counts"]
    assert "the draft was edited" in approval["voidReasons"]


async def test_an_edit_there_and_back_again(desk: Desk):
    """The files are what was approved, and yet somebody had them in hand since."""
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    for tag, note in (("v1", "something else"), ("v2", "first")):
        assert (await desk.edit(desk.who(AUTHOR), draft_id, noted(note), tag)).status_code == 200
    refused(await desk.activate(desk.who(ACTIVATOR), draft_id), "no approval that counts")


async def test_the_approver_edits_and_somebody_else_approves_on_the_old_tag(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    editor = desk.who(APPROVER, scopes=frozenset({"rules:edit"}))
    assert (await desk.edit(editor, draft_id, noted("more"), "v1")).status_code == 200
    refused(await desk.approve(desk.who(APPROVER), draft_id, "v2"), "author")
    other = replace(DEFAULT_CLIENTS[APPROVER], name="b", person="somebody-else")
    refused(await desk.approve(desk.token(other), draft_id, "v1"), status=412, code="stale")


async def test_an_approval_that_does_not_say_what_was_read(desk: Desk):
    draft_id = await desk.saved()
    answer = await desk.http.post(f"/v1/drafts/{draft_id}/approve", headers=desk.who(APPROVER), json={})
    refused(answer, status=428, code="precondition-required")


async def test_an_approver_of_another_team(desk: Desk):
    draft_id = await desk.saved()
    refused(await desk.approve(desk.who("treasury-approver"), draft_id), "order-to-cash-team")


async def test_a_draft_that_makes_the_authors_team_the_owner(desk: Desk):
    stolen = SAMPLE["rulebook.yaml"].replace("orders: [order-to-cash-team]", "orders: [treasury-team]")
    assert stolen != SAMPLE["rulebook.yaml"]
    draft_id = await desk.saved(noted("mine") | {"rulebook.yaml": stolen}, by="treasury-author")
    refused(await desk.approve(desk.who("treasury-approver"), draft_id), "order-to-cash-team")


async def test_a_draft_that_no_longer_asks_for_approvals(desk: Desk):
    lax = SAMPLE["rulebook.yaml"].replace("  - {id: approvals, waivable: false}\n", "")
    assert lax != SAMPLE["rulebook.yaml"]
    draft_id = await desk.saved(SAMPLE | {"rulebook.yaml": lax})
    refused(await desk.activate(desk.who(ACTIVATOR), draft_id), "no approval that counts")
    await desk.approved(draft_id)
    refused(await desk.activate(desk.who(ACTIVATOR), draft_id), "payments")


async def test_the_approval_of_another_draft_with_the_same_files(desk: Desk):
    first, second = await desk.saved(), await desk.saved()
    await desk.approved(first)
    refused(await desk.activate(desk.who(ACTIVATOR), second), "no approval that counts")


async def test_an_imported_draft_that_brings_its_approvals(desk: Desk):
    imported = body(noted("imported")) | {"state": "activated", "approvals": [{"person": APPROVER}]}
    answer = await desk.http.post("/v1/drafts", headers=desk.who(AUTHOR), json=imported)
    refused(answer, status=422, code="invalid-document")
    assert {one["field"] for one in answer.json()["errors"]} == {"state", "approvals"}


async def test_a_file_instead_of_the_api(desk: Desk, tmp_path: Path):
    """Whoever may write the rulebook's directory and start the gateway again."""
    directory = tmp_path / "rulebook"
    directory.mkdir()
    for name, text in noted("by hand").items():
        (directory / name).write_text(text, encoding="utf-8")
    start = await rules_at_start(tmp_path, desk.rig.store, RulesFiles.read(directory))
    assert start.number == 1
    assert start.rulebook.version == desk.rig.rules.current.rulebook.version


async def test_a_waiver_by_the_author(desk: Desk):
    draft_id = await desk.saved()
    refused(await desk.waive(desk.who(AUTHOR, scopes=WAIVES), draft_id), "author")


async def test_a_waiver_by_the_activator(desk: Desk):
    """Before the activation, and for one that was asked for."""
    desk.says["calendar"].passes = False
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    activator = desk.who(ACTIVATOR, scopes=ACTIVATES | WAIVES)
    assert (await desk.waive(activator, draft_id)).status_code == 200
    refused(await desk.activate(activator, draft_id), "waived")
    other = replace(DEFAULT_CLIENTS[ACTIVATOR], scopes=ACTIVATES | WAIVES, name="c", person="third")
    later = await desk.activate(desk.token(other), draft_id, effectiveAt=NEXT_YEAR)
    assert later.status_code == 202, later.text
    refused(await desk.waive(desk.token(other), draft_id), "activates")


@pytest.mark.parametrize("gate", ["approvals", "proof_clean", "residency", "no_lineage_stranded", "version_loaded"])
async def test_a_waiver_of_what_is_never_waived(desk: Desk, gate: str):
    draft_id = await desk.saved()
    refused(await desk.waive(desk.who("controller"), draft_id, gate), "never waived")


async def test_a_waiver_outlives_no_edit(desk: Desk):
    desk.says["calendar"].passes = False
    draft_id = await desk.saved()
    assert (await desk.waive(desk.who("controller"), draft_id)).status_code == 200
    assert (await desk.edit(desk.who(AUTHOR), draft_id, noted("more"), "v1")).status_code == 200
    await desk.approved(draft_id, "v2")
    answer = await desk.activate(desk.who(ACTIVATOR), draft_id)
    refused(answer, "calendar")


async def test_a_replayed_approval(desk: Desk):
    """Twice the same is once, and after an edit it is of something that is no more."""
    draft_id = await desk.saved()
    token = desk.who(APPROVER)
    first, again = await desk.approve(token, draft_id), await desk.approve(token, draft_id)
    assert first.json()["approvalId"] == again.json()["approvalId"]
    assert len((await desk.review(draft_id))["approvals"]) == 1
    assert (await desk.edit(desk.who(AUTHOR), draft_id, noted("more"), "v1")).status_code == 200
    refused(await desk.approve(token, draft_id), status=412, code="stale")


async def test_a_replayed_token(desk: Desk):
    draft_id = await desk.saved()
    token = desk.who(APPROVER)
    desk.rig.clock.forward(3_700)
    refused(await desk.approve(token, draft_id), status=401, code="unauthenticated")


async def test_a_token_for_something_else(desk: Desk):
    draft_id = await desk.saved()
    for path, content in (("approve", {"ifMatch": "v1"}), ("activate", {}), ("waive", {})):
        answer = await desk.http.post(f"/v1/drafts/{draft_id}/{path}", headers=desk.who(AUTHOR), json=content)
        refused(answer, status=403, code="forbidden")


async def test_an_edit_while_the_activation_waits_for_its_time(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    waiting = await desk.activate(desk.who(ACTIVATOR), draft_id, effectiveAt=NEXT_YEAR)
    assert waiting.status_code == 202, waiting.text
    assert (await desk.edit(desk.who(AUTHOR), draft_id, noted("more"), "v1")).status_code == 200
    candidate = parse_rulebook({name: text.encode() for name, text in noted("first").items()})
    verdicts = await evaluated(desk, draft_id, candidate)
    assert "the draft was edited since" in verdicts["approvals"]


async def test_the_activation_of_a_version_that_no_draft_is_of(desk: Desk):
    """Whoever can ask the activator itself, past the API: its gates ask who approved it."""
    tools = desk.rig.parts.tools
    rulebook = parse_rulebook({name: text.encode() for name, text in noted("past the API").items()})
    asked = await schedule_activation(
        desk.rig.store,
        tools,
        rulebook,
        draft_id="drf_01JD9Q5V8W2M4N6P8R0S2T4V6W",
        base_activation_number=1,
        effective_at=None,
        requested_by="nobody",
    )
    desk.activating.wake()
    ended = await desk.settled(asked.activation_id)
    assert ended.state not in OPEN_STATES
    assert "approvals" in {one["gate"] for one in json.loads(ended.failure or "{}")["gates"]}


async def roll_back(desk: Desk, by: dict[str, str]) -> httpx.Response:
    return await desk.roll_back(by, "orders.Western.US")


async def evaluated(desk: Desk, draft_id: str, candidate: Any) -> dict[str, str]:
    rules = desk.rig.rules.current
    verdicts = await desk.evaluate(draft_id, candidate, rules)
    return {one.result.gate: one.result.why for one in verdicts}
