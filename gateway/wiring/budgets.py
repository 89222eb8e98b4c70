"""The budgets of the systems, divided among the processes of one database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

import structlog

from adapters.guard import GuardedPort
from gateway.budget_shares import BudgetShares
from gateway.store.errors import StoreBusy
from gateway.store.store import Store
from gateway.telemetry import Metrics
from gateway.transactions.parts import ErpSystem, Tools

_log = structlog.get_logger(__name__)


async def budget_shares(
    store: Store,
    tools: Tools,
    systems: Mapping[str, ErpSystem],
    *,
    alone: bool,
    grown: Callable[[], None],
    metrics: Metrics,
    ends: list[Callable[[], Awaitable[object]]],
) -> BudgetShares | None:
    """This process's shares, of which it has the first ones; None where no other process can call: then all is its own.

    Where another process stands still while it divides, the first ones come as all later ones do.
    Raises StoreUnavailable.
    """
    ports = [system.port for system in systems.values() if isinstance(system.port, GuardedPort)]
    if alone:
        for port in ports:
            metrics.erp_places(port.system_id, port.places)
        return None
    shares = BudgetShares(store, tools, ports, monotonic, grown=grown, shown=metrics.erp_places)
    try:
        await shares.renew()
    except StoreBusy as error:
        _log.warning("budgets_not_divided", error=str(error))
    ends.append(shares.leave)
    return shares
