"""Back-up and restore as docs/operations.md describes them, by the very commands that stand there.

A gateway works under load for two ERPs. A back-up is taken meanwhile; more is posted; then its machine is lost. The
back-up is restored into another directory, as another machine would, and the gateway goes on with the same ERPs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.canonical import CanonicalDocument
from gateway.demo.children import Children
from gateway.demo.client import ANSWER_LIMIT_S, Caller, Outcome
from gateway.demo.erps import Erp, start_erps
from gateway.demo.gateway_process import NAME as GATEWAY
from gateway.demo.gateway_process import Gateway, tokens, write_settings
from gateway.demo.load import LoadOptions, load
from gateway.demo.masters import put_masters
from gateway.demo.northwind import BILLING, SALESFORCE, Northwind, load_northwind
from gateway.demo.places import Memory, Places
from gateway.demo.readings import read_erp, read_masters
from gateway.intake.cross_references import write_rows
from tests.demo_memory import demo_memory
from tests.journeys.quick_erps import say_quick
from tests.journeys.record import Record, announced, by_lineage, count, move_to_another_machine, unpublished

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LIMIT_S = 240.0
"""Longest wait for a condition, on a busy machine."""
BACKUPS = 8
"""Tried until something is under way in one: between two documents of the load, now and then, nothing is."""
KEYS = "load"
"""What the idempotency keys of the load begin with."""
SECRETS = ("cross-references.csv", "legacy-main.secret", "cloud-main.secret")
"""What the settings of this gateway name besides; the documentation says to copy such files too."""
MASTERS = {"customers", "products"}


@dataclass
class Site:
    """The ERPs, and the gateway that works for them now."""

    places: Places
    memory: Memory
    children: Children
    erps: tuple[Erp, Erp]
    gateway: Gateway

    async def restart_at(self, places: Places) -> None:
        """Another gateway for the same ERPs, in another directory."""
        self.places = places
        self.gateway = Gateway(self.children, places, self.memory, print)
        await self.gateway.start()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two ERPs with their masters, and a gateway. Its times are short, so that a lost call is soon asked for."""
    places = Places(tmp_path / "first")
    places.prepare(fresh=False)
    memory = demo_memory(places)
    children = Children(places.children, str(tmp_path))
    try:
        erps = await start_erps(children, places, memory)
        write_rows(places.cross_references, await put_masters(erps[0], load_northwind(), lambda: None))
        write_settings(places, memory, *erps)
        say_quick(places.settings)
        text = places.settings.read_text(encoding="utf-8")
        text = text.replace("longest_execution_s =", "call_s = 5\nlongest_execution_s =")
        places.settings.write_text(f"{text}\n[line]\nlease_margin_s = 2\n", encoding="utf-8")
        gateway = Gateway(children, places, memory, print)
        await gateway.start()
        yield Site(places, memory, children, erps, gateway)
    finally:
        await asyncio.to_thread(children.stop_all)


async def test_a_backup_of_a_working_gateway_goes_on_elsewhere(site: Site, tmp_path: Path):
    northwind = load_northwind()
    part = replace(northwind, lineages=northwind.lineages[:500])
    first, restored = site.places, Places(tmp_path / "restored")
    token_of = tokens(first, SALESFORCE, BILLING)

    # A back-up under load, and load after it.
    options = LoadOptions(base_url=site.gateway.base_url, tokens=token_of, key_prefix=KEYS)
    loading = asyncio.create_task(load(part, options, lambda _: None))
    await _until(lambda: count(first.directory) >= 350, loading)
    backup, held = await _backed_up(first, tmp_path)
    await _until(lambda: count(first.directory) >= len(held.transactions) + 100, loading)

    # The machine is lost.
    assert site.gateway.child is not None
    os.kill(site.gateway.child.pid, signal.SIGKILL)
    await asyncio.to_thread(site.children.stop, GATEWAY)
    loading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loading
    lost = Record.of(first.directory)
    assert lost.transactions.keys() > held.transactions.keys()
    assert held.entries.items() <= lost.entries.items(), "an entry of the back-up is not the same, byte for byte"

    # Restored on another machine, which can prove nothing of the processes of the first.
    for name in SECRETS:
        shutil.copy2(first.directory / name, backup / name)
    await asyncio.to_thread(_documented, "Restore", DATA=restored.directory, BACKUP=backup)
    assert Record.of(restored.directory).entries == held.entries, "looking at a restored record changes nothing"
    move_to_another_machine(restored.directory)
    await site.restart_at(restored)

    # It goes on: what was under way comes to its end, and a new document is posted.
    await _until(lambda: not Record.of(restored.directory).open)
    now = Record.of(restored.directory)
    assert held.transactions.keys() == now.transactions.keys()
    assert set(now.transactions.values()) == {"posted"}
    assert held.entries.items() <= now.entries.items()
    async with _callers(site, token_of, KEYS) as callers:
        new = await callers[SALESFORCE].settle(await callers[SALESFORCE].send(northwind.lineages[-1].order))
    assert new.posted
    assert not new.body["replayed"]

    # Keys are still found, by tokens that the first gateway gave out.
    known = _documents(northwind, held)
    assert len(known) > 300
    for prefix in (KEYS, "another"):
        async with _callers(site, token_of, prefix) as callers:
            for outcome in await _send_all(callers, known):
                name = (outcome.domain, outcome.external_id)
                assert outcome.body["transactionId"] == held.natural_keys[name], name
                assert outcome.body["replayed"], name
    assert len(Record.of(restored.directory).transactions) == len(held.transactions) + 1

    # Nothing that the back-up holds was posted twice. What was posted after it is there, and unknown to the record:
    # the documentation says what to do about that.
    posted = await _references(site)
    twice = {reference for reference, count in posted.items() if count > 1}
    assert twice == set()
    assert held.references.keys() <= posted.keys()
    strange = posted.keys() - Record.of(restored.directory).references.keys()
    after = {reference: status for reference, status in lost.references.items() if reference not in held.references}
    assert {reference for reference, status in after.items() if status == "posted"} <= strange <= after.keys()
    assert len(strange) > 50

    await _until(lambda: unpublished(restored.directory) == 0)
    assert _streamed(restored.directory) == announced(restored.directory), "a new stream holds every event, in order"


async def _backed_up(first: Places, root: Path) -> tuple[Path, Record]:
    """The first back-up in which something is under way: one of a gateway at rest proves nothing."""
    for number in range(BACKUPS):
        before, backup = Record.of(first.directory), root / f"backup-{number}"
        await asyncio.to_thread(_documented, "Back-up", DATA=first.directory, BACKUP=backup)
        held = Record.of(backup)
        assert before.entries.items() <= held.entries.items(), "what was accepted before the back-up is in it"
        if held.open:
            return backup, held
    raise AssertionError(f"nothing was under way at {BACKUPS} instants")


def _documented(section: str, **places: Path) -> None:
    """Run the console block of a section of the documentation, with the environment's commands on the path."""
    text = OPERATIONS.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    block = text.partition("```console\n")[2].partition("```")[0]
    script = "\n".join(line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))
    assert script.count("\n") >= 3
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        | {name: str(place) for name, place in places.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def _streamed(directory: Path) -> dict[str, list[int]]:
    """The same, as a consumer reads them from the stream."""
    most = sum(len(numbers) for numbers in announced(directory).values())
    command = [Path(sys.executable).with_name("erp-gateway"), "events", "tail", "--from-start", "--json"]
    done = subprocess.run(
        [*command, "--count", str(most), "--data", directory], capture_output=True, text=True, check=True, timeout=240
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return by_lineage([(event["lineageid"], int(event["sequence"])) for event in events])


async def _until(condition: Any, busy: asyncio.Task[Any] | None = None) -> None:
    """Wait for a condition of a database; `busy` must not end before it."""
    deadline = time.monotonic() + LIMIT_S
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "the condition did not come in time"
        assert busy is None or not busy.done(), "the load ended too early"
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _callers(site: Site, token_of: dict[str, str], prefix: str) -> AsyncIterator[dict[str, Caller]]:
    """Both clients, with the keys that the load makes of the prefix."""
    async with httpx.AsyncClient(base_url=site.gateway.base_url, timeout=ANSWER_LIMIT_S, trust_env=False) as http:
        ends_at = time.monotonic() + LIMIT_S
        yield {
            client: Caller(http, token, key_prefix=f"{prefix}:{client}", ends_at=ends_at)
            for client, token in token_of.items()
        }


def _documents(northwind: Northwind, held: Record) -> list[CanonicalDocument]:
    """Those that the record knows by their natural key."""
    everything = (
        *northwind.customers, *northwind.products, *northwind.orders, *northwind.invoices, *northwind.payments
    )  # fmt: skip
    return [one for one in everything if (one.domain, str(one.external_id)) in held.natural_keys]


async def _send_all(callers: dict[str, Caller], documents: list[CanonicalDocument]) -> list[Outcome]:
    at_once = asyncio.Semaphore(8)

    async def send(document: CanonicalDocument) -> Outcome:
        client = BILLING if document.domain in {"invoices", "payments"} else SALESFORCE
        async with at_once:
            return await callers[client].send(document)

    return await asyncio.gather(*(send(document) for document in documents))


async def _references(site: Site) -> Counter[str]:
    """How often each of our references stands in an ERP; masters, which have none there, must be there once too."""
    found: Counter[str] = Counter()
    for erp in site.erps:
        found.update(one.reference for one in await read_erp(erp))
        masters = await read_masters(erp)
        for domain in MASTERS:
            ours = [one for one in masters[domain] if one]
            assert len(ours) == len(set(ours)), f"{domain} of {erp.system_id}"
    return found
