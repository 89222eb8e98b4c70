"""Cutover dates on the line: an earlier posting date goes to legacy while its period is open, `drain` included."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.cutover.past_decisions import PastDecisions
from gateway.domain.queries import Visible
from gateway.domain.transaction import Status
from gateway.transactions.explain import explain
from tests.line.acts import close
from tests.line.asking import posted, refused
from tests.line.rig import Rig, invoice, order

BRAZIL = {"businessUnit": "Western", "geography": "BR"}
NORWAY = {"businessUnit": "Western", "geography": "NO"}
"""The sample rulebook: Western is live, and in Latin America at drain."""
DATES = "cutover_dates: {orders: {o-west: 1996-08-01, o-west-latam: 1996-08-01}}\n"


@pytest.fixture
async def dated(store: Any) -> Rig:
    return await Rig.on(store, edits={"rulebook.yaml": ("\nsystems:\n", f"\n{DATES}systems:\n")})


@pytest.mark.parametrize(("where", "stage"), [(NORWAY, "live"), (BRAZIL, "drain")])
async def test_what_is_posted_before_the_cutover_goes_to_legacy_and_what_follows_with_it(
    dated: Rig, where: dict[str, str], stage: str
):
    early = (await dated.send(order("1", **where), wait_s=5.0)).transaction
    late = (await dated.send(order("2", postingDate="1996-08-01", **where), wait_s=5.0)).transaction
    assert (early.status, early.system_id, early.stage) == (Status.POSTED, "legacy-main", stage)
    assert (late.status, late.system_id, late.stage) == (Status.POSTED, "cloud-main", stage)
    # the follow-up is posted after the cutover date, and follows its lineage all the same
    bill = invoice("INV-1", "1", postingDate="1996-09-01", **where)
    assert (await dated.send(bill, "invoices", wait_s=5.0)).transaction.system_id == "legacy-main"


async def test_the_entry_names_the_date_and_what_is_stored_gives_the_decision_again(dated: Rig):
    record = (await dated.send(order(**NORWAY), wait_s=5.0)).transaction
    (routed,) = (
        json.loads(entry.body) for entry in await dated.entries(record.transaction_id) if entry.kind == "routed"
    )
    assert "posting date 1996-07-04 lies before the cutover date 1996-08-01" in routed["explanation"]
    told = await PastDecisions(dated.store.reads).explain(
        record, Visible(), lambda facts: explain(dated.parts, facts).body
    )
    assert (told["reproduced"], told["wouldDiffer"]) == (True, False)
    assert told["asOfThen"]["cutoverDate"] == "1996-08-01"


async def test_once_the_period_is_closed_it_is_refused_and_moved_to_neither_erp(dated: Rig):
    await close(dated)
    problem = await refused(dated.send(order(**BRAZIL)))
    assert (problem.slug, problem.extra["period"]) == ("policy-check-failed", "1996-07")
    assert (dated.legacy.calls, dated.cloud.calls) == (0, 0)


async def test_without_a_date_the_table_alone_decides(rig: Rig):
    document_id = await posted(rig, order(**BRAZIL))
    assert (await rig.store.reads.lineage((await rig.document(document_id)).lineage_id, Visible())).pin.system_id == (
        "cloud-main"
    )
