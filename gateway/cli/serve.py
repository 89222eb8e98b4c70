"""`erp-gateway serve` and `erp-gateway work`."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from litestar import Litestar

from gateway.api.limits import Limits
from gateway.api.rates import RateLimits
from gateway.app import create_app, create_watched_app
from gateway.cli.console import DataOption, Failure, data_directory, settings_of
from gateway.cli.running import run
from gateway.intake.cross_references import ImportRefused
from gateway.server import CannotListen
from gateway.server import serve as serve_http
from gateway.settings import Settings
from gateway.spared import spare_what_stays
from gateway.stopping import Stop
from gateway.telemetry import configure_logs
from gateway.wiring.database_url import store_url
from gateway.wiring.runtime import Runtime, open_runtime

WorkerOption = Annotated[
    bool, typer.Option("--worker/--no-worker", help="Whether this process also carries jobs on; `work` does only that.")
]


def serve(data: DataOption = None, worker: WorkerOption = True) -> None:
    """Serve the API and carry transactions on, until SIGTERM or Ctrl-C."""
    directory = data_directory(data)
    settings = settings_of(directory)
    if not worker and store_url(directory, settings).startswith("sqlite"):
        raise Failure("--no-worker needs PostgreSQL: with SQLite nobody else could carry transactions on", 2)
    configure_logs(logging.getLevelNamesMapping()[settings.telemetry.log_level.upper()])
    run(_serve(directory, settings, worker=worker), uvloop.new_event_loop)


async def _serve(data: Path, settings: Settings, *, worker: bool) -> None:
    runtime = await _opened(data, settings)
    await run_until_stopped(runtime, _application(runtime), settings.http.port, worker=worker)


async def _opened(data: Path, settings: Settings) -> Runtime:
    try:
        return await open_runtime(data, settings)
    except ImportRefused as error:
        raise Failure(str(error), 2) from error


async def run_until_stopped(runtime: Runtime, app: Litestar, port: int, *, worker: bool = True) -> None:
    """Serve on that port until a signal asks to stop, then hand everything over."""
    stop = Stop()
    stop.on_asked.append(runtime.leave)
    http = runtime.settings.http
    with stop.listening():
        spare_what_stays()
        runtime.start(worker=worker)
        try:
            await serve_http(app, http.host, port, stop=stop, leave_s=0.0 if runtime.alone else http.leave_s)
        except CannotListen as error:
            setting = "http.port" if port == http.port else "work.port"
            raise Failure(f"{error}; end what holds it, or set another {setting}", 2) from error
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
    runtime = await _opened(data, settings)
    if settings.work.port:
        await run_until_stopped(runtime, create_watched_app(runtime.app_parts), settings.work.port)
        return
    stop = Stop()
    stop.on_asked.append(runtime.leave)
    with stop.listening():
        spare_what_stays()
        runtime.start()
        try:
            await stop.wait()
        finally:
            await runtime.stop()
