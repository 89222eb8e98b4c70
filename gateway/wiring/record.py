"""The record as this process takes it: where it is, who may write it, and who left work behind."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Awaitable, Callable, Container
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from gateway.errors import StoreUnavailable
from gateway.liveness import this_process
from gateway.settings import Settings, SettingsError, read_secret
from gateway.store.store import Store, StoreUnit
from gateway.store.url import SqliteDatabase, parse_url
from gateway.transactions.parts import SECOND, Tools
from gateway.transactions.ports import WriteUnit

KEPT_S: Final = 30 * 86_400.0
"""How long a process is known after its start, at least: whoever looks into a sending of last week finds who sent."""
_log = structlog.get_logger(__name__)


class AlreadyRunning(SettingsError):
    """Another process writes this data directory. The embedded default has one writing process."""


def store_url(data: Path, settings: Settings) -> str:
    """The database's address: from its file, from the settings, else the embedded default."""
    if settings.store.url_file is not None:
        return read_secret(data / settings.store.url_file)
    return settings.store.url or f"sqlite:///{data / 'gateway.db'}"


def may_hold_rules(data: Path, settings: Settings) -> bool:
    """Whether there may be a database in which a version is in force; then the files need not be readable."""
    url = parse_url(store_url(data, settings))
    return not isinstance(url, SqliteDatabase) or url.path.exists()


def shown_url(data: Path, settings: Settings) -> str:
    """The database's address for people: without what may hold a password."""
    if settings.store.url_file is not None:
        return "as its url_file says"
    return re.sub(r"//[^/@]*@", "//", store_url(data, settings))


def only_writer(data: Path) -> Callable[[], Awaitable[object]]:
    """Take the data directory for this process alone; the kernel gives it back when the process ends, however."""
    descriptor = os.open(data / "gateway.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AlreadyRunning(f"another gateway runs on {data}; stop it first, or use PostgreSQL") from error

    async def release() -> None:
        os.close(descriptor)

    return release


async def register(store: Store, tools: Tools) -> None:
    """Make this process known, and free the leases of processes that are proven ended."""
    record = this_process(tools.process_id, tools.clock.now())
    await store.write(lambda unit: unit.insert_process(record))
    now = tools.clock.now()
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
