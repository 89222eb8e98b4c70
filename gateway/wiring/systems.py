"""The rulebook's systems become drivers. The only file that knows which drivers exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeVar

from opentelemetry.trace import Tracer
from pydantic import TypeAdapter, ValidationError

from adapters.cloud_erp.sap_s4.driver import SapS4Driver
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.errors import Misconfigured
from adapters.guard import (
    Breaker,
    BreakerLimits,
    CallBudget,
    ConcurrencyLimit,
    ConcurrencyLimits,
    CountingTransport,
    GuardedPort,
)
from adapters.legacy_erp.sap_ecc.driver import SapEccDriver
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.port import ErpPort, Operation
from adapters.transport import HttpTransport, Transport, TransportLimits
from gateway.settings import SettingsError, SystemSettings, read_secret
from gateway.transactions.home import keeps
from gateway.transactions.parts import ErpSystem, SystemPolicy
from routing_rules import Rulebook, System

S = TypeVar("S")

NEEDED_OPERATIONS: Final = (Operation.CREATE,)
"""What a system must be able to do that a row for all operations names. What else callers may ask for is refused
document by document where a system cannot do it."""
CALLS_IN_A_POSTING: Final = 3
"""Calls that a driver may make one after the other in a submit (session, posting, commit), each with its limit. A
change reads first; the lease is looked at again after that, before the first byte that posts."""


class RulebookRefused(ValueError):
    """The rulebook cannot be served by the connected systems; every complaint is listed."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = tuple(complaints)


def _sap_ecc(system: System, settings: SystemSettings, data: Path, transport: Transport) -> ErpPort:
    return SapEccDriver(system.id, _options(SapEccSettings, system, settings, data), transport)


def _sap_s4(system: System, settings: SystemSettings, data: Path, transport: Transport) -> ErpPort:
    return SapS4Driver(system.id, _options(S4Settings, system, settings, data), transport)


DRIVERS: Final[Mapping[str, Callable[[System, SystemSettings, Path, Transport], ErpPort]]] = {
    "sap_ecc": _sap_ecc,
    "sap_s4": _sap_s4,
}


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
        port = build(system, own, data, CountingTransport(_transport(system, own, tracer), budget))
        guarded = _guarded(port, system, budget)
        connected[system.id] = ErpSystem(guarded, _policy(system, own), guarded.room)
    return connected


def _guarded(port: ErpPort, system: System, budget: CallBudget) -> GuardedPort:
    """Breaker outside, then the place, then the budget: what is turned away takes neither place nor calls."""
    concurrency = ConcurrencyLimit(ConcurrencyLimits(most=system.budget.concurrent), monotonic)
    return GuardedPort(port, Breaker(BreakerLimits(), monotonic), concurrency, budget, monotonic)


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
        longest_execution_s=float(system.longest_execution_s) if longest is None else longest,
        inquiry_delay_s=float(system.inquiry_delay_s) if delay is None else delay,
    )


def _transport(system: System, settings: SystemSettings, tracer: Tracer | None) -> HttpTransport:
    limits = TransportLimits(total_s=settings.call_s, pool=system.budget.concurrent, pool_wait_s=settings.call_s)
    return HttpTransport(settings.base_url, limits, system_id=system.id, tracer=tracer)


def _options(kind: type[S], system: System, settings: SystemSettings, data: Path) -> S:
    """The driver's own settings; `<name>_file` gives a secret `<name>` by the file that holds it."""
    options: dict[str, Any] = {}
    for name, value in settings.options.items():
        if name.endswith("_file"):
            options[name.removesuffix("_file")] = read_secret(data / str(value))
        else:
            options[name] = value
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # both settings are dataclasses
    for unknown in options.keys() - known:
        raise SettingsError(f"systems.{system.id}.options: {unknown!r} is none; there are {', '.join(sorted(known))}")
    try:
        return TypeAdapter(kind).validate_python(options)
    except (ValidationError, Misconfigured, ValueError) as error:
        raise SettingsError(f"systems.{system.id}.options: {error}") from error
