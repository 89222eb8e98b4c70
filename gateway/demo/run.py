"""`erp-gateway demo`: the main job on real input, on embedded parts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from gateway.demo.children import ChildEnded, Children
from gateway.demo.client import OutOfTime
from gateway.demo.erps import Erp, start_erps
from gateway.demo.expectations import expectations
from gateway.demo.gateway_process import Gateway, tokens, write_settings
from gateway.demo.load import ORDER_OF_DOMAINS, LoadOptions, LoadReport, load
from gateway.demo.lock import DataInUse, NoLock, held, refuse_if_served
from gateway.demo.master_tie_out import tie_out_masters
from gateway.demo.masters import put_masters
from gateway.demo.northwind import BILLING, SALESFORCE, load_northwind
from gateway.demo.odata import OdataError
from gateway.demo.places import Memory, NotOurs, Places
from gateway.demo.progress import Progress
from gateway.demo.readings import customer_numbers, read_claims, read_erp, read_masters
from gateway.demo.summary import Summary
from gateway.demo.tie_out import tie_out
from gateway.demo.tour import print_tour
from gateway.intake.cross_references import CrossReferenceRow, write_rows
from gateway.settings import default_data
from routing_rules.loader import load_rulebook

DONE: Final = 0
DISAGREES: Final = 1
"""The tie-out does not hold, or the demo could not do its work."""
REFUSED: Final = 2
"""The data directory is in use, not a demo's, or cannot be locked."""
INTERRUPTED: Final = 130
"""Ended by Ctrl-C or SIGTERM before the summary."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line says. `data`: None is the user's own state directory; `port`: None is any free one."""

    data: Path | None = None
    fresh: bool = False
    exit_when_done: bool = False
    as_json: bool = False
    port: int | None = None
    in_flight: int = 16


def run_demo(options: DemoOptions) -> int:
    """Run the demo; the exit code of the process. With `as_json` stdout holds the summary and nothing else."""
    screen = Console(stderr=options.as_json, highlight=False)
    places = Places((options.data or default_data()).expanduser().absolute())
    try:
        with held(places.directory):
            # What a killed demo left running holds the data; only somebody else's gateway may refuse us.
            for name in Children(places.children, str(places.directory)).end_orphans():
                screen.print(f"Ended {name}, which an earlier demo left running.", markup=False)
            refuse_if_served(places.directory)
            places.prepare(fresh=options.fresh)
            memory = Memory.recall(places.memory, gateway_port=options.port)
            return asyncio.run(_Demo(options, places, memory, screen).run())
    except DataInUse as error:
        screen.print(f"{error}. Stop it first, or name another directory with --data.", style="red", markup=False)
        return REFUSED
    except (NotOurs, NoLock) as error:
        screen.print(f"{error}. Name another one with --data.", style="red", markup=False)
        return REFUSED


class _Demo:
    def __init__(self, options: DemoOptions, places: Places, memory: Memory, screen: Console) -> None:
        self._options = options
        self._places = places
        self._memory = memory
        self._screen = screen
        self._children = Children(places.children, str(places.directory))
        self._gateway = Gateway(self._children, places, memory, self._say)
        self._stop = asyncio.Event()
        self._exit_code = INTERRUPTED

    async def run(self) -> int:
        """All of it, until it is done or somebody stops it; no child outlives this."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            await self._unless_stopped(self._work())
        except* (ChildEnded, OutOfTime, TimeoutError, OdataError, httpx.HTTPError) as errors:
            self._exit_code = DISAGREES
            for error in _single(errors):
                self._say_wrong(error)
        finally:
            await asyncio.to_thread(self._children.stop_all)
        return self._exit_code

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until it ends or a signal comes, whichever is first."""
        stopped = asyncio.ensure_future(self._stop.wait())
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait({stopped, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            if not working.done():
                self._say("Stopping.")
                working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    async def _work(self) -> None:
        self._say(f"Data in {self._places.directory}")
        legacy, cloud, rows = await self._prepare()
        await self._gateway.start()
        self._say(f"The gateway answers at {self._gateway.base_url}.")
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._gateway.keep())
            summary = await self._summary(legacy, cloud, rows)
            self._show(summary)
            if not self._options.exit_when_done:
                child = self._gateway.child
                pid = child.pid if child is not None else 0
                print_tour(self._screen, self._places, self._gateway.base_url, pid, legacy, cloud)
                self._say("Serving until Ctrl-C.")
                await self._stop.wait()
            keeping.cancel()

    async def _prepare(self) -> tuple[Erp, Erp, list[CrossReferenceRow]]:
        """Both ERPs, the masters that the legacy one had before, and the gateway's settings."""
        self._say("Starting two ERPs (mock-sap): a legacy ECC and a cloud S/4HANA.")
        legacy, cloud = await start_erps(self._children, self._places, self._memory)
        northwind = load_northwind()
        with Progress(self._screen) as progress:
            progress.expect("masters of the legacy ERP", len(northwind.customers) + len(northwind.products))
            rows = await put_masters(legacy, northwind, lambda: progress.advance("masters of the legacy ERP"))
        write_rows(self._places.cross_references, rows)
        write_settings(self._places, self._memory, legacy, cloud)
        return legacy, cloud, rows

    async def _summary(self, legacy: Erp, cloud: Erp, rows: list[CrossReferenceRow]) -> Summary:
        """Send everything, then read both ERPs and compare."""
        northwind = load_northwind()
        token_of = tokens(self._places, SALESFORCE, BILLING, "auditor")
        options = LoadOptions(
            base_url=self._gateway.base_url,
            tokens={client: token_of[client] for client in (SALESFORCE, BILLING)},
            in_flight=self._options.in_flight,
        )
        with Progress(self._screen) as progress:
            for domain in ORDER_OF_DOMAINS:
                progress.expect(domain, len(getattr(northwind, domain)))
            report: LoadReport = await load(northwind, options, lambda outcome: progress.advance(outcome.domain))
        self._say("Reading both ERPs back, over their own interfaces.")
        claims = await read_claims(self._gateway.base_url, token_of["auditor"], ORDER_OF_DOMAINS, report.references)
        found = [*await read_erp(legacy), *await read_erp(cloud)]
        documents = [claim for claim in claims if claim.domain not in {"customers", "products"}]
        masters, master_faults = tie_out_masters(rows, claims, await read_masters(legacy), await read_masters(cloud))
        return Summary(
            load=report,
            result=tie_out(expectations(northwind), found, documents, customer_numbers(rows, claims)),
            masters=masters,
            master_faults=master_faults,
            region_of=_regions(self._places.directory / "rulebook"),
        )

    def _show(self, summary: Summary) -> None:
        self._exit_code = DONE if summary.holds else DISAGREES
        text = json.dumps(summary.as_json(), indent=2)
        self._places.summary.write_text(text, encoding="utf-8")
        summary.print(self._screen)
        if self._options.as_json:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def _say_wrong(self, error: BaseException) -> None:
        self._screen.print(str(error) or type(error).__name__, style="red", markup=False)

    def _say(self, text: str) -> None:
        self._screen.print(text, markup=False)


def _single(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _single(inner)
    else:
        yield error


def _regions(rulebook: Path) -> dict[str, str]:
    """The region that each country lies in."""
    parents = load_rulebook(rulebook).geographies.parents
    return {country: parent for country, parent in parents.items() if parent is not None}
