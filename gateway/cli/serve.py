"""`erp-gateway serve` and `erp-gateway work`."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import replace
from pathlib import Path

import uvloop
from litestar import Litestar

from gateway.api.limits import Limits
from gateway.api.rates import RateLimits
from gateway.app import create_app
from gateway.cli.console import DataOption, data_directory, run, settings_of
from gateway.server import serve as serve_http
from gateway.settings import Settings
from gateway.telemetry import configure_logs
from gateway.wiring import Runtime, open_runtime


def serve(data: DataOption = None) -> None:
    """Serve the API and carry transactions on, until SIGTERM or Ctrl-C."""
    directory = data_directory(data)
    settings = settings_of(directory)
    configure_logs(logging.getLevelNamesMapping()[settings.telemetry.log_level.upper()])
    run(_serve(directory, settings), uvloop.new_event_loop)


async def _serve(data: Path, settings: Settings) -> None:
    runtime = await open_runtime(data, settings)
    runtime.start()
    try:
        await serve_http(_application(runtime), settings.http.host, settings.http.port)
    finally:
        await runtime.stop()


def _application(runtime: Runtime) -> Litestar:
    http = runtime.settings.http
    return create_app(
        replace(
            runtime.app_parts,
            limits=Limits(body_bytes=http.body_bytes),
            rates=RateLimits(
                requests=http.rate_limit_requests,
                window_s=http.rate_limit_window_s,
                of_clients=http.rate_limit_of_clients,
                refused=http.rate_limit_refused,
            ),
            proxies=tuple(http.trusted_proxies),
        )
    )


def work(data: DataOption = None) -> None:
    """Carry transactions on without an API; for more hands beside `serve` on PostgreSQL."""
    directory = data_directory(data)
    settings = settings_of(directory)
    configure_logs(logging.getLevelNamesMapping()[settings.telemetry.log_level.upper()])
    run(_work(directory, settings), uvloop.new_event_loop)


async def _work(data: Path, settings: Settings) -> None:
    runtime = await open_runtime(data, settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stopped.set)
    runtime.start()
    try:
        await stopped.wait()
    finally:
        await runtime.stop()
