"""The record as this process takes it: whether it was restored, and who left work behind."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from gateway.errors import StoreUnavailable
from gateway.liveness import this_process
from gateway.process_locks import hold_lock
from gateway.settings import Settings
from gateway.store.store import Store, StoreUnit
from gateway.store.url import SqliteDatabase, parse_url
from gateway.transactions.parts import SECOND, Tools
from gateway.transactions.ports import WriteUnit
from gateway.wiring.database_url import store_url

BY_LOCK: Final = "its lock was free"
"""Proof of the kernel's that a process ended (`gateway.process_locks`)."""
KEPT_S: Final = 30 * 86_400.0
"""How long a process is known after its start, at least: whoever looks into a sending of last week finds who sent."""
_log = structlog.get_logger(__name__)


def may_hold_rules(data: Path, settings: Settings) -> bool:
    """Whether there may be a database in which a version is in force; then the files need not be readable."""
    url = parse_url(store_url(data, settings))
    return not isinstance(url, SqliteDatabase) or url.path.exists()


async def register(store: Store, tools: Tools, data: Path, ends: list[Callable[[], Awaitable[object]]]) -> None:
    """Make this process known, put on record who ended by their locks, and free the leases of all who are proven ended.

    Raises StoreUnavailable.
    """
    lock = hold_lock(data, tools.process_id)
    ends.append(lock.release)
    record = this_process(tools.process_id, tools.clock.now())
    now = tools.clock.now()

    async def unit_of_work(unit: StoreUnit) -> list[str]:
        await unit.insert_process(record)
        return [one for one in lock.ended if await unit.note_process_ended(one, BY_LOCK, now, record.boot_id)]

    for ended in await store.write(unit_of_work):
        _log.info("process_ended", process=ended, proof=BY_LOCK)
    lock.noted()
    holders = await store.write(lambda unit: unit.processes_holding_leases(now))
    for holder in holders:
        if tools.liveness.has_ended(holder):
            freed = await store.write(partial(_free, owner=holder.process_id, now=now))
            _log.info("leases_freed", process=holder.process_id, jobs=freed)


async def last_restore(store: Store, tools: Tools, *, looks_restored: bool) -> int:
    """When the record was last restored from a back-up (µs; 0: never), as `erp-gateway restored` said.

    `looks_restored`: nobody need have said it. The log was signed, and what is held outside of the database, which no
    back-up holds, is not there.
    """
    if looks_restored:
        now = tools.clock.now()
        await store.patient("to note the restore").write(lambda unit: unit.note_restore(now))
        _log.warning("record_taken_for_restored", remedy="what was accepted until now is inquired before it is sent")
    return await store.reads.restored_at()


async def forget_ended(store: Store, now: int) -> None:
    """Delete what processes of long ago left behind: a start adds a row, so a start is when they are looked for. It can
    wait for a later start."""
    try:
        forgotten = await store.write(lambda unit: unit.forget_processes_before(now - int(KEPT_S * SECOND)))
    except StoreUnavailable as error:
        _log.warning("processes_not_forgotten", error=str(error))
        return
    if forgotten:
        _log.info("processes_forgotten", processes=forgotten)


async def hand_jobs_over(store: Store, process_id: str, busy_with: Container[str]) -> None:
    """At the end of the process: others take what it claimed and does not work on. A job whose call is under way keeps
    its lease: the ERP may still be at it."""
    now = time.time_ns() // 1_000

    async def unit_of_work(unit: StoreUnit) -> int:
        left = [one for one in await unit.jobs_leased_by(process_id) if one not in busy_with]
        await unit.give_jobs_back(left, process_id, now)
        return len(left)

    try:
        left = await store.write(unit_of_work)
    except StoreUnavailable as error:
        _log.warning("jobs_not_handed_over", error=str(error))
        return
    if left:
        _log.info("jobs_handed_over", jobs=left)


async def _free(unit: WriteUnit, owner: str, now: int) -> int:
    return await unit.release_leases_of(owner, now)
