"""The gateway as `erp-gateway serve` runs it, with a driver for the stub. Nothing of it is replaced but the drivers.

SQLite with synchronous=FULL, the embedded token issuer, the sample rulebook, and the relay on the embedded nats-server.
Run as a process: `python -m benchmarks.gateway_on_stub DATA STUB_URL PORT`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import sys
from pathlib import Path

import uvloop

import routing_rules
from adapters.port import ErpPort
from adapters.transport import Transport
from benchmarks.stub_driver import StubDriver
from gateway.app import create_app
from gateway.cli.serve import run_until_stopped
from gateway.settings import SystemSettings, load_settings
from gateway.telemetry import configure_logs
from gateway.wiring import systems
from gateway.wiring.runtime import open_runtime
from routing_rules import System

CONNECTIONS = 32
"""Calls at once to one ERP: as many as the largest number of callers, as the proxies have."""

_SETTINGS = """\
name = "benchmark"
rulebook = "rulebook"
cross_references = "cross-references.csv"

[http]
port = {port}

[telemetry]
log_level = "warning"
public_metrics = true

[[systems]]
id = "legacy-main"
base_url = "{stub}"

[[systems]]
id = "cloud-main"
base_url = "{cloud}"
"""
_MASTERS = """\
domain,source,external_id,system_id,document_type,document_number
customers,salesforce,VINET,legacy-main,customer,0000000900
products,salesforce,11,legacy-main,product,0000000911
customers,salesforce,VINET,cloud-main,customer,0000000900
products,salesforce,11,cloud-main,product,0000000911
"""


def write_data(data: Path, stub: str, port: int, cloud: str = "") -> None:
    """The data directory: the sample rulebook with the stub's driver, settings, and the order's masters. `cloud`: the
    address of the other ERP, where it is not the same stub."""
    rulebook = data / "rulebook"
    shutil.copytree(Path(routing_rules.__file__).parent / "tables", rulebook)
    book = rulebook / "rulebook.yaml"
    text = re.sub(r"driver: \w+", "driver: stub", book.read_text(encoding="utf-8"))
    text = re.sub(r"concurrent: \d+", f"concurrent: {CONNECTIONS}", text)
    text = re.sub(r"calls_per_minute: \d+", "calls_per_minute: 600000", text)
    book.write_text(text, encoding="utf-8")
    (data / "cross-references.csv").write_text(_MASTERS, encoding="utf-8")
    (data / "gateway.toml").write_text(_SETTINGS.format(port=port, stub=stub, cloud=cloud or stub), encoding="utf-8")


def _driver(system: System, _settings: SystemSettings, _data: Path, transport: Transport) -> ErpPort:
    return StubDriver(system.id, transport)


def use_stub_drivers() -> None:
    """From here on this process knows no other driver."""
    systems.DRIVERS = {"stub": _driver}  # type: ignore[misc]  # the drivers are a constant for everybody else


async def _serve(data: Path) -> None:
    settings = load_settings(data)
    runtime = await open_runtime(data, settings)
    await run_until_stopped(runtime, create_app(runtime.app_parts), settings.http.port)


def main() -> None:
    """Serve until SIGTERM."""
    data, stub, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if not (data / "gateway.toml").exists():
        write_data(data, stub, port)
    configure_logs(logging.WARNING)
    use_stub_drivers()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(data))


if __name__ == "__main__":
    main()
