"""A draft from its first save to its activation, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.cutover.desk import SAMPLE, Desk, noted


@pytest.fixture
async def desk(store: Any) -> AsyncIterator[Desk]:
    async with Desk.on(store) as opened:
        yield opened


async def test_three_persons_bring_a_draft_into_force(desk: Desk):
    draft_id = await desk.saved()
    await desk.approved(draft_id)
    answer = await desk.activate(desk.who("order-to-cash-activator"), draft_id)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["activationNumber"]) == ("activated", 2)
    assert await desk.in_force() == 2
    review = await desk.review(draft_id)
    assert (review["state"], review["activationNumber"]) == ("activated", 2)
    kinds = [one["kind"] for one in await desk.entries(draft_id)]
    assert kinds == ["draft_saved", "checked", "approved"]
    listed = (await desk.http.get("/v1/rulebooks", headers=desk.who("auditor"))).json()["items"]
    assert [(one["activationNumber"], one["inForce"], one["draftId"]) for one in listed] == [
        (2, True, draft_id),
        (1, False, None),
    ]
    whole = (await desk.http.get("/v1/rulebooks/2", headers=desk.who("auditor"))).json()
    assert {one["fileName"]: one["text"] for one in whole["files"]} == noted("first")
