"""Lineages: one pin each, and events numbered without a hole."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.store.errors import ConstraintViolated, Fenced
from gateway.store.store import Store, StoreUnit
from tests.store.made import a_lineage, a_pin


async def test_the_first_pin_stands(store: Store) -> None:
    lineage = a_lineage()
    first = a_pin(lineage.lineage_id)

    async def write(unit: StoreUnit) -> None:
        await unit.insert_lineage(lineage)
        assert await unit.pin(lineage.lineage_id) is None
        assert await unit.insert_pin(first) == first

    await store.write(write)
    second = replace(first, system_id="cloud-eu")
    assert await store.write(lambda unit: unit.insert_pin(second)) == first
    assert await store.write(lambda unit: unit.pin(lineage.lineage_id)) == first
    await store.write(lambda unit: unit.delete_pin(lineage.lineage_id))
    assert await store.write(lambda unit: unit.insert_pin(second)) == second


async def test_of_many_who_pin_at_once_all_follow_one(store: Store) -> None:
    lineage = a_lineage()
    await store.write(lambda unit: unit.insert_lineage(lineage))

    async def pin(system_id: str) -> str:
        standing = await store.write(lambda unit: unit.insert_pin(a_pin(lineage.lineage_id, system_id=system_id)))
        return standing.system_id

    seen = await asyncio.gather(*(pin(f"system-{n}") for n in range(20)))
    assert len(set(seen)) == 1


async def test_a_pin_needs_its_lineage(store: Store) -> None:
    with pytest.raises(ConstraintViolated):
        await store.write(lambda unit: unit.insert_pin(a_pin("lin_none")))


async def test_event_sequences_have_no_holes_and_no_doubles(store: Store) -> None:
    lineage = a_lineage()
    await store.write(lambda unit: unit.insert_lineage(lineage))

    async def take(count: int) -> range:
        first = await store.write(lambda unit: unit.take_event_sequences(lineage.lineage_id, count))
        return range(first, first + count)

    taken = await asyncio.gather(*(take(1 + n % 3) for n in range(30)))
    numbers = sorted(number for one in taken for number in one)
    assert numbers == list(range(1, len(numbers) + 1))
    with pytest.raises(Fenced):
        await store.write(lambda unit: unit.take_event_sequences("lin_none", 1))
