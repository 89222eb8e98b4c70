"""A gateway process as `erp-gateway serve` or `work` runs it, with the stub's driver. Nothing else of it is replaced.

Run as `python -m tests.journeys.restart_gateway DATA [work]`; the port comes from the environment, as any setting.
"""

from __future__ import annotations

import sys
from pathlib import Path

from adapters.port import ErpPort
from adapters.transport import Transport
from benchmarks.stub_driver import StubDriver
from gateway.cli.serve import serve, work
from gateway.settings import SystemSettings
from gateway.wiring import systems
from routing_rules import System


def _driver(system: System, _settings: SystemSettings, _data: Path, transport: Transport) -> ErpPort:
    return StubDriver(system.id, transport)


if __name__ == "__main__":
    systems.DRIVERS = {"stub": _driver}  # type: ignore[misc]  # the drivers are a constant for everybody else
    (work if sys.argv[2:] == ["work"] else serve)(Path(sys.argv[1]))
