"""Shares of budgets on every store: one row for a process and a system, divided by one at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.budget_shares import divide
from gateway.domain.budget_shares import Asked, BudgetShare
from gateway.store.store import Store, open_store
from gateway.transactions.parts import Tools
from tests.line.rig import Counting, Dead, HandClock, _tools
from tests.store.made import a_process

NOBODY = HandClock()


def tools_of(process_id: str, *ended: str) -> Tools:
    """Of a process that can prove of these that they ended."""
    return _tools(NOBODY, Counting(), Dead(set(ended)), process_id)


SHARE = BudgetShare("erp", "prc_1", wanted=2, places=3, paused_until=0, valid_until=100)


async def test_a_share_is_put_replaced_forgotten_and_left(store: Store) -> None:
    other = replace(SHARE, process_id="prc_2", valid_until=50)
    for share in (SHARE, other, changed := replace(SHARE, places=1, paused_until=7)):
        await store.write(lambda unit, one=share: unit.put_budget_share(one))
    assert list(await store.write(lambda unit: unit.budget_shares_alone())) == [changed, other]
    await store.write(lambda unit: unit.forget_budget_shares(50))
    assert list(await store.write(lambda unit: unit.budget_shares_alone())) == [changed]
    await store.write(lambda unit: unit.leave_budgets("prc_1"))
    assert list(await store.write(lambda unit: unit.budget_shares_alone())) == []


@pytest.mark.postgres
async def test_processes_that_divide_at_once_never_get_more_than_there_is(migrated_postgres_url: str) -> None:
    stores = [await open_store(migrated_postgres_url) for _ in range(4)]
    asked = [Asked("erp", budget=5, wanted=9, ceiling=0)]
    every = await asyncio.gather(
        *(
            one.write(lambda unit, name=f"prc_{at}": divide(unit, tools_of(name), asked))
            for at, one in enumerate(stores)
        )
    )
    assert sum(division.share.places for (division,) in every) == 5
    for one in stores:
        await one.close()


async def test_one_that_is_proven_ended_is_not_waited_for(store: Store) -> None:
    await store.write(lambda unit: unit.insert_process(a_process(process_id="prc_1")))
    asked = [Asked("erp", budget=5, wanted=9, ceiling=0)]
    (first,) = await store.write(lambda unit: divide(unit, tools_of("prc_1"), asked))
    (second,) = await store.write(lambda unit: divide(unit, tools_of("prc_2"), asked))
    assert (first.share.places, second.share.places, second.is_short) == (5, 0, True)
    (third,) = await store.write(lambda unit: divide(unit, tools_of("prc_2", "prc_1"), asked))
    assert (third.share.places, third.is_short) == (5, False)
    assert list(await store.write(lambda unit: unit.budget_shares_alone())) == [third.share]
