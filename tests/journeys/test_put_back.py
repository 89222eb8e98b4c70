"""The database of a working gateway is put back to an older state: what it has forgotten is not posted again."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gateway.demo.gateway_process import tokens
from gateway.demo.northwind import BILLING, SALESFORCE, load_northwind
from gateway.demo.readings import read_erp
from tests.journeys.record import Record
from tests.journeys.test_backup import Site, site

__all__ = ["site"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LIMIT_S = 120.0


async def test_what_an_older_database_has_forgotten_is_not_posted_again(site: Site) -> None:
    database, order = site.places.directory / "gateway.db", load_northwind().lineages[0].order
    headers = {
        "Authorization": f"Bearer {tokens(site.places, SALESFORCE, BILLING)[SALESFORCE]}",
        "Content-Type": "application/json",
        "Idempotency-Key": "once",
    }
    content = order.model_dump_json(exclude_none=True).encode()
    async with httpx.AsyncClient(base_url=site.gateway.base_url, timeout=30.0, trust_env=False) as http:

        async def sent() -> httpx.Response:
            return await http.post("/v1/orders", headers=headers, content=content)

        older = await asyncio.to_thread(_copied, database)
        assert (await sent()).json()["status"] in {"posted", "accepted", "dispatched"}
        await _until(lambda: set(Record.of(site.places.directory).transactions.values()) == {"posted"})
        await _until(lambda: _waiting(database) == 0)
        assert await _posted(site) == 1

        await asyncio.to_thread(_put, older, database)
        repeated = await sent()
        assert (repeated.status_code, repeated.json()["type"].rpartition("/")[2]) == (503, "not-ready")
        assert "not the one that it has written" in repeated.json()["detail"]
        ready = await http.get("/health/ready")
        assert ready.status_code == 503
        assert "record" in ready.json()["detail"]

        assert (await sent()).status_code == 503
    assert Record.of(site.places.directory).transactions == {}, "nothing was written into the older state"
    assert await _posted(site) == 1


async def _posted(site: Site) -> int:
    """Documents of the gateway that the ERPs hold."""
    return sum([len(await read_erp(erp)) for erp in site.erps])


def _copied(database: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(database)) as rows:
        rows.backup(copy)
    return copy


def _put(copy: sqlite3.Connection, database: Path) -> None:
    with closing(sqlite3.connect(database, timeout=30.0)) as rows:
        copy.backup(rows)
    copy.close()


def _waiting(database: Path) -> int:
    with closing(sqlite3.connect(database)) as rows:
        count: int = rows.execute("SELECT count(*) FROM log_pending").fetchone()[0]
    return count


async def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT_S
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < until
        await asyncio.sleep(0.1)
