"""The two ERPs of the demo: `mock-sap` processes, one as the legacy ECC, one as the cloud S/4HANA.

They imitate SAP's protocols, not its business logic; what they prove is "protocol, against a simulator".
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from gateway.demo.children import Child, Children
from gateway.demo.places import Memory, Places

LEGACY: Final = "legacy-main"
"""The legacy ERP's id in the sample rulebook."""
CLOUD: Final = "cloud-main"
"""The cloud ERP's id in the sample rulebook."""

CLOCK: Final = "1996-07-01T08:00"
"""The ERPs' own date: just before the first order, so that delivery dates of 1996 lie ahead of it. Posting dates are
the documents' own, but for legacy orders: the simulator's BAPI gives each the date of this clock, and that is what the
ledger has as confirmed. It knows no periods, and takes dates of 1998 as well."""

READY_LIMIT_S: Final = 30.0
"""How long an ERP may take to answer, in seconds. It takes about one; a loaded machine needs more."""

LONGEST_EXECUTION_S: Final = 150
"""No execution ends later than this after its caller is gone, in seconds. The simulator's longest is that under its
fault rule `timeout`: 120 s, fixed in its program, and then the document is posted. The rest is for a busy machine."""

RANGES: Final[Mapping[str, int]] = {
    "BUSINESSPARTNER": 100_000_000,
    "SALESORDER": 200_000_000,
    "DELIVERY": 300_000_000,
    "BILLINGDOCUMENT": 400_000_000,
    "ACCOUNTINGDOCUMENT": 500_000_000,
}
"""Start of each number range, behind the digit of the system; ten digits in all, so none is padded with zeros."""

LAUNCH: Final = (
    "import runpy, socketserver; "
    "socketserver.StreamRequestHandler.disable_nagle_algorithm = True; "
    "runpy.run_module('mocksap', run_name='__main__', alter_sys=True)"
)
"""`python -m mocksap`, but with TCP_NODELAY. The simulator sends head and body of an answer in two segments; with
Nagle's algorithm the second waits for the acknowledgement of the first, which the client's kernel delays by 40 ms
(RFC 1122, 4.2.3.2): 48 ms a call instead of 9, on every kept connection, for nothing that an ERP would be."""

_DIGIT: Final[Mapping[str, int]] = {LEGACY: 1, CLOUD: 2}


def range_start(system_id: str, name: str) -> int:
    """The number before the first one of a system's range: legacy's begin with 1, the cloud's with 2."""
    return _DIGIT[system_id] * 1_000_000_000 + RANGES[name]


@dataclass(frozen=True, slots=True)
class Erp:
    """One running ERP. `auth` are credentials for Basic (legacy) or OAuth2 client credentials (cloud)."""

    system_id: str
    base_url: str
    auth: tuple[str, str]


async def start_erps(children: Children, places: Places, memory: Memory) -> tuple[Erp, Erp]:
    """Start both, the legacy one first in the answer; returns when both answer. Raises `ChildEnded`, TimeoutError."""
    legacy = Erp(LEGACY, _address(memory.legacy_port), (memory.legacy_user, memory.legacy_password))
    cloud = Erp(CLOUD, _address(memory.cloud_port), (memory.cloud_client, memory.cloud_secret))
    # The simulator takes credentials on its command line only, where other users of the machine can read them. They
    # are random, good for the demo's own data alone, and its ports are bound to the loopback address.
    legacy_options = ["--no-csrf", "--auth", ":".join(legacy.auth)]
    cloud_options = ["--oauth", ":".join(cloud.auth), "--require-if-match"]
    async with asyncio.TaskGroup() as both:
        both.create_task(_start(children, places, legacy, memory.legacy_port, legacy_options))
        both.create_task(_start(children, places, cloud, memory.cloud_port, cloud_options))
    return legacy, cloud


async def _start(children: Children, places: Places, erp: Erp, port: int, options: list[str]) -> None:
    database = places.erp_database(erp.system_id)
    log = places.log(erp.system_id)
    command = [
        sys.executable,
        *("-c", LAUNCH),
        *("--host", "127.0.0.1"),
        *("--port", str(port)),
        *("--db", str(database)),
        *("--clock", CLOCK),
        "--quiet",
        *options,
    ]
    if not _ranges_set(database, erp.system_id):
        # Every installation begins at the same numbers, and its first start lays out its database; so it is started,
        # ended, moved to its own numbers, and started for good.
        await _ready(children.start(erp.system_id, command, log), erp, database)
        await asyncio.to_thread(children.stop, erp.system_id)
        _set_ranges(database, erp.system_id)
    await _ready(children.start(erp.system_id, command, log), erp, database)


async def _ready(child: Child, erp: Erp, database: Path) -> None:
    """Wait until this very process answers (the control plane names its database, so nobody else is meant)."""
    async with asyncio.timeout(READY_LIMIT_S), httpx.AsyncClient(base_url=erp.base_url, trust_env=False) as client:
        while True:
            child.check()
            with contextlib.suppress(httpx.TransportError, ValueError):
                if (await client.get("/_mock/health")).json().get("database") == str(database):
                    return
            await asyncio.sleep(0.05)


def _ranges_set(database: Path, system_id: str) -> bool:
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            found = dict(connection.execute("SELECT object, current FROM number_range").fetchall())
        except sqlite3.OperationalError:  # an earlier first start was cut short
            return False
    return all(found.get(name, 0) >= range_start(system_id, name) for name in RANGES)


def _set_ranges(database: Path, system_id: str) -> None:
    rows = [(name, range_start(system_id, name)) for name in RANGES]
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO number_range(object, current) VALUES (?, ?) "
            "ON CONFLICT(object) DO UPDATE SET current = excluded.current",
            rows,
        )


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}"
