"""What requests about simulations share: who serves them, and who may see traffic of all slices."""

from __future__ import annotations

from typing import Any

from litestar import Request

from gateway.api.guard import caller_of
from gateway.api.parts import AppParts
from gateway.cutover.simulation_desk import SimulationDesk
from gateway.domain.caller import DataScope
from gateway.errors import Problem

AnyRequest = Request[Any, Any, Any]


def desk_of(parts: AppParts, request: AnyRequest) -> SimulationDesk:
    """Raises `not-ready` where this process serves none, and `out-of-scope`: what is replayed is the traffic of all
    slices, so a token that may see some of them only sees nothing of it."""
    if caller_of(request.scope).data_scope != DataScope():
        raise Problem(
            "out-of-scope",
            "Simulations count the traffic of all business units and geographies.",
            remedy="Use a token without a data scope.",
        )
    if parts.simulations is None:
        raise Problem("not-ready", "This process serves no simulations.", retry_after_s=30)
    return parts.simulations
