"""A gateway that starts waits for locks of others, says so in its log, and gives up after its patience; and it forgets
the processes of long ago."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from gateway.domain.processes import ProcessRecord
from gateway.settings import load_settings
from gateway.store import patient
from gateway.store.budget_shares import BUDGET_LOCK
from gateway.store.errors import StoreBusy
from gateway.store.migrate import migrate
from gateway.store.postgres_writer import PoolLimits
from gateway.store.store import StoreUnit, open_store
from gateway.transactions.parts import SECOND
from gateway.wiring import runtime
from gateway.wiring.record import KEPT_S
from gateway.wiring.runtime import open_runtime
from tests.integration.test_wiring import data
from tests.store.made import a_process

__all__ = ["data"]

WAITS_S = 30.0


@pytest.fixture(autouse=True)
def short_lock_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "open_store", partial(open_store, pool_limits=PoolLimits(lock_s=0.2)))


async def _locked(url: str, lock: str = "LOCK TABLE processes IN EXCLUSIVE MODE") -> asyncpg.Connection:
    """A session that stands still with a lock which every start needs."""
    await migrate(url)
    session = await asyncpg.connect(url)
    await session.execute("BEGIN")
    await session.execute(lock)
    return session


def _on(data: Path, url: str) -> None:
    with (data / "gateway.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[store]\nurl = "{url}"\n')


@pytest.mark.postgres
async def test_a_start_waits_until_another_session_lets_go(data: Path, postgres_url: str) -> None:
    _on(data, postgres_url)
    session = await _locked(postgres_url)
    with capture_logs() as said:
        starting = asyncio.create_task(open_runtime(data, load_settings(data)))
        async with asyncio.timeout(WAITS_S):
            while not (waits := [one for one in said if one["event"] == "start_waits_for_database"]):
                assert not starting.done(), starting.result()
                await asyncio.sleep(0.05)
        await session.execute("ROLLBACK")
        await session.close()
        started = await asyncio.wait_for(starting, WAITS_S)
        try:
            assert waits[0]["what"].startswith("to register this process")
            assert "lock timeout" in waits[0]["error"]
            assert await started.store.reads.process(started.process_id) is not None
        finally:
            await started.stop()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("lock", "event"),
    [
        ("LOCK TABLE heartbeats IN EXCLUSIVE MODE", "start_waits_for_database"),
        (f"SELECT pg_advisory_xact_lock({BUDGET_LOCK})", "budgets_not_divided"),
    ],
)
async def test_a_start_goes_on_while_another_session_stands_still(
    data: Path, postgres_url: str, lock: str, event: str
) -> None:
    _on(data, postgres_url)
    session = await _locked(postgres_url, lock)
    with capture_logs() as said:
        starting = asyncio.create_task(open_runtime(data, load_settings(data)))
        async with asyncio.timeout(WAITS_S):
            while all(one["event"] != event for one in said):
                assert not starting.done(), starting.result()
                await asyncio.sleep(0.05)
        await session.execute("ROLLBACK")
        await session.close()
        started = await asyncio.wait_for(starting, WAITS_S)
        try:
            started.start()
            async with asyncio.timeout(WAITS_S):
                while not all(system.places() for system in started.systems.values()):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
        finally:
            await started.stop()


@pytest.mark.postgres
async def test_a_start_gives_up_after_its_patience_and_says_what_for(
    data: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _on(data, postgres_url)
    monkeypatch.setattr(patient, "PATIENCE_S", 0.3)
    session = await _locked(postgres_url)
    try:
        with pytest.raises(StoreBusy, match=r"waited \d+\.\d s to register this process .*: 55P03 "):
            await open_runtime(data, load_settings(data))
    finally:
        await session.close()


async def test_a_start_forgets_who_was_registered_long_ago(data: Path) -> None:
    first = await open_runtime(data, load_settings(data))
    now = time.time_ns() // 1_000
    old, young = (a_process(registered_at=now - int(age_s * SECOND)) for age_s in (KEPT_S + 60, KEPT_S - 60))
    try:
        for one in (old, young):
            await first.store.write(partial(_inserted, record=one))
    finally:
        await first.stop()
    second = await open_runtime(data, load_settings(data))
    try:
        assert await second.store.reads.process(old.process_id) is None
        assert await second.store.reads.process(young.process_id) == young
    finally:
        await second.stop()


async def _inserted(unit: StoreUnit, record: ProcessRecord) -> None:
    await unit.insert_process(record)
