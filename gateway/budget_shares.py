"""One budget for all processes: each takes its share of every system's, for some seconds at a time.

1. *Ask.* A process says how many operations it would have at a system, and how many it may have until it hears more.
2. *Divide.* In one commit, alone, it reads what others have and takes its fair share of what nobody has.
3. *Use.* It fills no more places than that, and makes calls at that part of the system's rate.

What it has more than its fair share it gives up first and says so afterwards: its next commit tells the others. So the
shares that stand never exceed the budget. A process that stands still has its shares until they are over, and one that
is proven ended not even so long; one that cannot reach the database does nothing with what was its own. A pause that a
system asks one for holds for all.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

import structlog

from gateway.cancellation import cancellable
from gateway.domain.budget_shares import Asked, BudgetShare, Division, divided
from gateway.domain.processes import ProcessRecord
from gateway.errors import GatewayError, StoreUnavailable
from gateway.transactions.parts import SECOND, Tools

T = TypeVar("T")
LEASE_S: Final = 5.0
"""How long a process uses a share without asking again."""
STANDS_S: Final = 10.0
"""How long nobody else gets it: what was begun at its end has the time in between to come back."""
RENEW_S: Final = 1.0
"""How often shares are asked for again."""
SHORT_RENEW_S: Final = 0.2
"""The same while a system has more to do here than this process may, or something is to be given up."""
TURN_S: Final = 10.0
"""How long the same one is first where places cannot be divided evenly."""
_log = structlog.get_logger(__name__)


class BudgetUnit(Protocol):
    """Shares in a write transaction."""

    async def database_now(self) -> int: ...
    async def budget_shares_alone(self) -> Sequence[BudgetShare]: ...
    async def put_budget_share(self, share: BudgetShare) -> None: ...
    async def forget_budget_shares(self, now: int) -> None: ...
    async def leave_budgets(self, process_id: str) -> None: ...
    async def process(self, process_id: str) -> ProcessRecord | None: ...


class BudgetStore(Protocol):
    """Writes, in the terms of `gateway.transactions.ports.Store`."""

    async def write(self, fn: Callable[[BudgetUnit], Coroutine[Any, Any, T]]) -> T: ...


class SharedPort(Protocol):
    """A system of which this process has a share (`adapters.guard.GuardedPort`)."""

    @property
    def system_id(self) -> str: ...
    @property
    def places(self) -> int: ...
    @property
    def places_of_all(self) -> int: ...
    @property
    def ceiling(self) -> int: ...
    @property
    def is_short(self) -> bool: ...
    @property
    def told_to_wait_s(self) -> float: ...
    def wanted(self) -> int: ...
    def allow(self, places: int, until: float) -> None: ...
    def pause(self, seconds: float) -> None: ...


def end_at_once() -> None:
    """End this process as a crash would."""
    os._exit(1)


class BudgetShares:
    """This process's shares. `now`: seconds on the clock of the ports. `grown`: called when there are more places than
    before. `shown`: told of each system what this process may. `end`: called if it is on record that this process
    ended: one that stood still until its supervisor gave it up has no places when it wakes, and asks here first.
    """

    def __init__(
        self,
        store: BudgetStore,
        tools: Tools,
        ports: Sequence[SharedPort],
        now: Callable[[], float],
        *,
        grown: Callable[[], None] = lambda: None,
        shown: Callable[[str, int], None] = lambda _system, _places: None,
        end: Callable[[], None] = end_at_once,
    ) -> None:
        self._store = store
        self._tools = tools
        self._ports = ports
        self._now = now
        self._grown = grown
        self._shown = shown
        self._end = end
        self._places: dict[str, int] = {}
        self._short = False
        for port in ports:
            port.allow(0, now())

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for; what was this process's own ends meanwhile."""
        while True:
            try:
                with cancellable():
                    await self.renew()
            except StoreUnavailable as error:
                _log.warning("budgets_not_divided", error=str(error))
                for port in self._ports:
                    self._tell(port.system_id, port.places)
            except OnRecordAsEnded as error:
                # it may not send any more, and has no place to: it makes room for one that may
                _log.critical("on_record_as_ended", why=str(error))
                self._end()
            except Exception:
                # a process that asks no more would call nobody any more
                _log.exception("budgets_not_divided")
            await self._rest()

    async def _rest(self) -> None:
        for _ in range(int(RENEW_S / SHORT_RENEW_S)):
            await self._tools.clock.sleep(SHORT_RENEW_S)
            if self._short or any(one.is_short for one in self._ports):
                return

    async def renew(self) -> None:
        """Take this process's share of every system. Raises StoreUnavailable; then it has what it had, until that is
        over."""
        begun = self._now()
        asked = [
            Asked(one.system_id, one.places_of_all, one.wanted(), one.ceiling, int(one.told_to_wait_s * SECOND))
            for one in self._ports
        ]
        divisions = await self._store.write(lambda unit: divide(unit, self._tools, asked))
        self._short = False
        for port, wish, division in zip(self._ports, asked, divisions, strict=True):
            allowed = division.allowed
            port.allow(allowed, begun + LEASE_S)
            if division.pause > 0:
                port.pause(division.pause / SECOND)
            self._short = self._short or allowed < max(division.share.places, min(wish.wanted, wish.budget))
            self._tell(port.system_id, allowed)

    async def leave(self) -> None:
        """The process calls nobody any more: others have its places at once. Raises StoreUnavailable."""
        process_id = self._tools.process_id
        for port in self._ports:
            port.allow(0, self._now())
        await self._store.write(lambda unit: unit.leave_budgets(process_id))

    def _tell(self, system_id: str, places: int) -> None:
        before, self._places[system_id] = self._places.get(system_id, 0), places
        self._shown(system_id, places)
        if places > before:
            self._grown()


class OnRecordAsEnded(GatewayError):
    """This process lives, and it is on record that it ended: what it sends would be taken for impossible."""


async def divide(unit: BudgetUnit, tools: Tools, asked: Sequence[Asked]) -> list[Division]:
    """Take this process's share of each system that it asks for. One that is proven ended is not waited for.

    Raises OnRecordAsEnded.
    """
    own = await unit.process(tools.process_id)
    if own is not None and own.ended_at is not None:
        raise OnRecordAsEnded(f"{tools.process_id} is on record as ended: {own.ended_proof}")
    every = await unit.budget_shares_alone()
    now = await unit.database_now()
    standing = [one for one in every if one.valid_until > now and one.process_id != tools.process_id]
    if any(one.valid_until <= now for one in every):
        await unit.forget_budget_shares(now)
    found = _divided(tools.process_id, asked, standing, now)
    if any(division.is_short for division in found):
        ended = {name for name in {one.process_id for one in standing} if await _has_ended(unit, tools, name)}
        for name in ended:
            await unit.leave_budgets(name)
        found = _divided(tools.process_id, asked, [one for one in standing if one.process_id not in ended], now)
    for division in found:
        await unit.put_budget_share(division.share)
    return found


def _divided(process_id: str, asked: Sequence[Asked], standing: Sequence[BudgetShare], now: int) -> list[Division]:
    others: defaultdict[str, list[BudgetShare]] = defaultdict(list)
    for one in standing:
        others[one.system_id].append(one)
    turn, length = now // int(TURN_S * SECOND), int(STANDS_S * SECOND)
    return [divided(process_id, one, others[one.system_id], turn=turn, now=now, length=length) for one in asked]


async def _has_ended(unit: BudgetUnit, tools: Tools, process_id: str) -> bool:
    record = await unit.process(process_id)
    return record is not None and tools.liveness.has_ended(record)
