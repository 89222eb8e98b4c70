"""The files of the embedded nats-server: its configuration, credentials, address, lock and the record of its process.

::

    nats/                 0700
      credentials.json    0600  user and password, random, made once
      server.conf         0600  written at every start; it holds the password too
      server.lock               locked while a server of this directory lives
      process.json              who that server is, and who started it
      address.json              where it listens
      server.log                its own log, rotated by itself
      jetstream/                its store
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from gateway.messaging.errors import ServerNotStarted
from gateway.messaging.launch import started

SYNC_INTERVAL: Final = "10s"
"""How often the server syncs its store to the disk.

Not `always`: the outbox is the truth, and a power failure that takes the last seconds is noticed by the stream's last
sequence and published again. A sync per message would more than halve single messages (2,640 to 1,139 a second), and it
would compete with the record's own group commit for the same disk. Not the default of two minutes: that much would have
to be published again, and reach consumers twice.
"""

MEMORY_STORE_BYTES: Final = 64 * 1024 * 1024
LOG_BYTES: Final = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the embedded server listens, and as whom to connect."""

    url: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A started server: pids with the operating system's start times, so that a reused pid is not mistaken."""

    pid: int
    started: str
    parent_pid: int
    parent_started: str

    def parent_lives(self) -> bool:
        return _lives(self.parent_pid, self.parent_started)


class ServerDirectory:
    """One directory, one server."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.config = self.path / "server.conf"
        self.record = self.path / "process.json"
        self.log = self.path / "server.log"
        self._credentials = self.path / "credentials.json"
        self._address = self.path / "address.json"

    def prepare(self) -> None:
        """Make the directory and, once, the credentials."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        if not self._credentials.exists():
            _write_private(self._credentials, json.dumps({"user": "gateway", "password": secrets.token_urlsafe(32)}))

    def lock(self) -> int | None:
        """The directory's lock as a descriptor, None while a server of it lives. Close it or hand it on."""
        descriptor = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def write_config(self, *, port: int, server_name: str, max_store_bytes: int) -> None:
        """`port` -1 lets the server choose. Only loopback; only the credentials may connect."""
        credentials = _read(self._credentials)
        config = {
            "server_name": server_name,
            "listen": f"127.0.0.1:{port}",
            "ports_file_dir": str(self.path),
            "authorization": {"user": credentials["user"], "password": credentials["password"]},
            "jetstream": {
                "store_dir": str(self.path / "jetstream"),
                "sync_interval": SYNC_INTERVAL,
                "max_memory_store": MEMORY_STORE_BYTES,
                "max_file_store": max_store_bytes,
            },
            "logfile": str(self.log),
            "logfile_size_limit": LOG_BYTES,
            "logfile_max_num": 3,
        }
        _write_private(self.config, json.dumps(config, indent=1))  # the server's language is a superset of JSON

    def chosen_port(self, pid: int) -> int | None:
        """The port that the server chose, once it says so."""
        for path in self.path.glob(f"*_{pid}.ports"):
            addresses = _read(path).get("nats") or [""]
            port = addresses[0].rpartition(":")[2]
            if port.isdigit():
                return int(port)
        return None

    def forget_ports(self) -> None:
        """Remove what killed servers left behind."""
        for path in self.path.glob("*.ports"):
            path.unlink(missing_ok=True)

    def address(self) -> ServerAddress | None:
        """Where the server of this directory was last ready; None if never."""
        words, credentials = _read(self._address), _read(self._credentials)
        if "url" not in words or "password" not in credentials:
            return None
        return ServerAddress(words["url"], credentials["user"], credentials["password"])

    def write_address(self, port: int) -> ServerAddress:
        _write_private(self._address, json.dumps({"url": f"nats://127.0.0.1:{port}"}))
        address = self.address()
        if address is None:
            raise ServerNotStarted(f"{self._credentials} is gone")
        return address

    def last_port(self) -> int | None:
        address = self.address()
        return int(address.url.rpartition(":")[2]) if address else None

    def process(self) -> ServerProcess | None:
        """The recorded server if it lives, by pid, start time and its own command line; else None."""
        words = _read(self.record)
        try:
            found = ServerProcess(words["pid"], words["started"], words["parentPid"], words["parentStarted"])
            command = psutil.Process(found.pid).cmdline()
        except (KeyError, psutil.Error):
            return None
        return found if _lives(found.pid, found.started) and str(self.config) in command else None

    def end_of_log(self) -> str:
        """The last lines of the server's own log, to say why it did not start."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(lines[-8:])


def _lives(pid: int, start: str) -> bool:
    try:
        ended = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
    return not ended and started(pid) == start


def _read(path: Path) -> dict[str, Any]:
    """The JSON object in a file, empty where there is none or it is torn."""
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return words if isinstance(words, dict) else {}


def _write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner may read, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
