"""A gateway process whose clock is off, with ERPs that answer at once, and with the gates that need no people.

Nothing else of it is replaced. What approvals, simulations and figures ask of a change is shown elsewhere; here twenty
changes come within a minute.

Run as `python -m tests.journeys.activation_gateway DATA OFFSET_S`; the port comes from the environment, as any setting.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from pathlib import Path

import uvloop

from adapters.canonical import ErpNumber
from adapters.port import ErpPort, Permit, Posted, Submission
from adapters.transport import Transport
from benchmarks.stub_driver import StubDriver
from gateway.app import create_app
from gateway.cutover.activator import Activator
from gateway.cutover.gates.proof import ProofCleanGate, ProofKept, ResidencyGate
from gateway.cutover.gates.registry import GateRegistry
from gateway.cutover.gates.version_loaded import VersionLoaded
from gateway.server import serve
from gateway.settings import SystemSettings, load_settings
from gateway.telemetry import configure_logs
from gateway.wiring import systems
from gateway.wiring.runtime import open_runtime
from gateway.wiring.tools import SystemClock
from routing_rules import System


class OffClock(SystemClock):
    """The machine's clock, so many seconds off."""

    def __init__(self, offset_s: float) -> None:
        self._offset = int(offset_s * 1_000_000)

    def now(self) -> int:
        """µs since 1970 UTC, wrongly."""
        return super().now() + self._offset


class InstantErp(StubDriver):
    """Takes every document. `process`: makes its numbers differ from those of another process."""

    def __init__(self, system_id: str, transport: Transport, process: int) -> None:
        super().__init__(system_id, transport)
        self._numbers = itertools.count(process * 1_000_000)

    async def submit(self, submission: Submission, permit: Permit) -> Posted:
        permit()
        number = f"{next(self._numbers):010d}"
        return Posted(ErpNumber(system_id=self.system_id, document_type="order", document_number=number))


async def _serve(data: Path, offset_s: float) -> None:
    settings = load_settings(data)

    def driver(system: System, _settings: SystemSettings, _data: Path, transport: Transport) -> ErpPort:
        return InstantErp(system.id, transport, settings.http.port)

    systems.DRIVERS = {"stub": driver}  # type: ignore[misc]  # the drivers are a constant for everybody else
    runtime = await open_runtime(data, settings, OffClock(offset_s))
    assert runtime.app_parts.acts is not None
    tools = runtime.app_parts.acts.tools
    proofs = ProofKept(lambda: None)
    gates = [ProofCleanGate(proofs), ResidencyGate(proofs), VersionLoaded(runtime.store.reads)]
    registry = GateRegistry(gates, tools.clock.now)
    runtime.activator = Activator(
        runtime.store,
        runtime.store.reads,
        tools,
        runtime.rules,
        lambda candidate: registry.evaluate(candidate, only=[gate.name for gate in gates]),
        changed=runtime.relay.wake,
    )
    runtime.start()
    try:
        await serve(create_app(runtime.app_parts), settings.http.host, settings.http.port)
    finally:
        await runtime.stop()


def main() -> None:
    """Serve until SIGTERM."""
    data, offset_s = Path(sys.argv[1]), float(sys.argv[2])
    configure_logs(logging.INFO)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(data, offset_s))


if __name__ == "__main__":
    main()
