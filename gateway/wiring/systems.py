"""The rulebook's systems become drivers, each behind its budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Final

from opentelemetry.trace import Tracer

from adapters.guard import (
    Breaker,
    BreakerLimits,
    CallBudget,
    ConcurrencyLimit,
    ConcurrencyLimits,
    CountingTransport,
    GuardedPort,
)
from adapters.port import ErpPort, Operation
from adapters.transport import HttpTransport, TransportLimits
from gateway.settings import SettingsError, SystemSettings
from gateway.transactions.home import keeps
from gateway.transactions.parts import ErpSystem, SystemPolicy
from gateway.wiring.drivers import DRIVERS
from gateway.wiring.refusals import RulebookRefused
from routing_rules import Rulebook, System

NEEDED_OPERATIONS: Final = (Operation.CREATE,)
"""What a system must be able to do that a row for all operations names. What else callers may ask for is refused
document by document where a system cannot do it."""
CALLS_BEFORE_A_POSTING: Final = 3
"""Calls that a driver may make one after the other before the first byte that posts, each with its limit: a token, a
session, and what a change or reversal reads. Then the lease is looked at again."""
CALLS_IN_A_POSTING: Final = 2
"""Calls from then on: posting, commit."""


def connect_systems(
    rulebook: Rulebook, settings: list[SystemSettings], data: Path, tracer: Tracer | None = None
) -> dict[str, ErpSystem]:
    """A driver for each system of the rulebook; nothing is called yet.

    Raises SettingsError for a system without address, an unknown driver, or wrong options.
    """
    by_id = {one.id: one for one in settings}
    for extra in by_id.keys() - rulebook.systems.keys():
        raise SettingsError(f"systems: {extra!r} is not in the rulebook")
    connected: dict[str, ErpSystem] = {}
    for system in rulebook.systems.values():
        own = by_id.get(system.id)
        if own is None:
            raise SettingsError(f"systems: the rulebook's system {system.id!r} has no base_url here")
        build = DRIVERS.get(system.driver)
        if build is None:
            raise SettingsError(f"systems: no driver {system.driver!r}; there are {', '.join(sorted(DRIVERS))}")
        budget = CallBudget(system.budget.calls_per_minute, monotonic)
        transport = _transport(system, own, tracer)
        port = build(system, own, data, CountingTransport(transport, budget))
        guarded = _guarded(port, system, budget, transport.resize)
        connected[system.id] = ErpSystem(
            guarded,
            _policy(system, own),
            guarded.room,
            lambda port=guarded: port.places,  # type: ignore[misc]
        )
    return connected


def follow(
    systems: MutableMapping[str, ErpSystem],
    settings: list[SystemSettings],
    rulebook: Rulebook,
    shown: Callable[[str, int], None] = lambda _system, _places: None,
) -> None:
    """Budgets and times of the connected systems are those of `rulebook` from now on, where the settings say nothing
    else. Calls under way go on. A system that one of the two does not have stays as it is: what connects to it are
    settings, which are read at the start. `shown`: told of each system what this process may.
    """
    by_id = {one.id: one for one in settings}
    for name in systems.keys() & rulebook.systems.keys():
        system, port = rulebook.systems[name], systems[name].port
        systems[name] = replace(systems[name], policy=_policy(system, by_id[name]))
        if isinstance(port, GuardedPort):
            port.resize(system.budget.concurrent, system.budget.calls_per_minute)
            shown(name, port.places)


def _guarded(port: ErpPort, system: System, budget: CallBudget, resized: Callable[[int], None]) -> GuardedPort:
    """Breaker outside, then the place, then the budget: what is turned away takes neither place nor calls."""
    concurrency = ConcurrencyLimit(ConcurrencyLimits(most=system.budget.concurrent), monotonic)
    return GuardedPort(port, Breaker(BreakerLimits(), monotonic), concurrency, budget, monotonic, resized)


def check_targets(rulebook: Rulebook, systems: Mapping[str, ErpSystem]) -> None:
    """Raise RulebookRefused if a row may send documents to a system that cannot take them.

    Contracts that a system does not take stay with the gateway.
    """
    complaints: dict[str, None] = {}
    for target in rulebook.targets():
        if target.system_id not in systems:
            complaints[
                f"{target.row.place}: row {target.row.id} names {target.system_id}, to which this process is not "
                "connected. Add the system to the settings and start the process again"
            ] = None
            continue
        capabilities = systems[target.system_id].port.capabilities()
        if keeps(target.domain, capabilities):
            continue
        asked = NEEDED_OPERATIONS if target.operation == "*" else tuple(Operation)
        for operation in asked:
            if target.operation not in {"*", operation.value}:
                continue
            capability = capabilities.get((target.domain, operation))
            if capability is None or not capability.supported:
                reason = capability.reason if capability and capability.reason else "its driver does not support it"
                complaints[
                    f"{target.row.place}: row {target.row.id} may send {operation.value} of {target.domain} to "
                    f"{target.system_id}, which does not take it: {reason}. Name another system in this row"
                ] = None
    if complaints:
        raise RulebookRefused(list(complaints))


def _policy(system: System, settings: SystemSettings) -> SystemPolicy:
    longest, delay = settings.longest_execution_s, settings.inquiry_delay_s
    return SystemPolicy(
        call_limit_s=settings.call_s * CALLS_IN_A_POSTING,
        preparation_s=settings.call_s * CALLS_BEFORE_A_POSTING,
        longest_execution_s=float(system.longest_execution_s) if longest is None else longest,
        inquiry_delay_s=float(system.inquiry_delay_s) if delay is None else delay,
    )


def _transport(system: System, settings: SystemSettings, tracer: Tracer | None) -> HttpTransport:
    limits = TransportLimits(total_s=settings.call_s, pool=system.budget.concurrent, pool_wait_s=settings.call_s)
    return HttpTransport(settings.base_url, limits, system_id=system.id, tracer=tracer)
