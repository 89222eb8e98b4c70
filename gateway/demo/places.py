"""Where the demo keeps its things, and what it has to remember between starts: ports and secrets."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from gateway.demo.ports import hold_any_port, hold_port

_MARK: Final = "demo.json"
"""The file by which a directory is known to be a demo's: `--fresh` empties no other."""


class NotOurs(RuntimeError):
    """The directory holds something that the demo did not put there."""


@dataclass(frozen=True, slots=True)
class Places:
    """Files of one demo, all below `directory`."""

    directory: Path

    @property
    def memory(self) -> Path:
        """Ports and secrets (mode 0600)."""
        return self.directory / _MARK

    @property
    def children(self) -> Path:
        """Which child processes run."""
        return self.directory / "children.json"

    @property
    def settings(self) -> Path:
        """The gateway's settings file."""
        return self.directory / "gateway.toml"

    @property
    def cross_references(self) -> Path:
        """The import file with the numbers of the masters that the legacy ERP had before."""
        return self.directory / "cross-references.csv"

    @property
    def summary(self) -> Path:
        """The last summary as JSON."""
        return self.directory / "summary.json"

    def secret(self, system_id: str) -> Path:
        """The file with the gateway's secret for one of the two ERPs (mode 0600)."""
        return self.directory / f"{system_id}.secret"

    def erp_database(self, system_id: str) -> Path:
        """The database of one of the two ERPs."""
        return self.directory / f"{system_id}.erp.sqlite"

    def log(self, name: str) -> Path:
        """What a child process prints."""
        return self.directory / f"{name}.log"

    def prepare(self, *, fresh: bool) -> None:
        """Make the directory; with `fresh` empty it first. The caller holds its lock. Raises `NotOurs`."""
        if self.directory.exists() and any(self.directory.iterdir()) and not self.memory.exists():
            raise NotOurs(f"{self.directory} is neither empty nor a demo's data directory")
        if fresh and self.directory.exists():
            shutil.rmtree(self.directory)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)


@dataclass(frozen=True, slots=True)
class Memory:
    """What stays the same from start to start. Ports are the last ones used; secrets are the two ERPs' own."""

    gateway_port: int
    legacy_port: int
    cloud_port: int
    legacy_user: str
    legacy_password: str
    cloud_client: str
    cloud_secret: str

    @classmethod
    def recall(cls, path: Path, *, gateway_port: int | None) -> Memory:
        """Read `path`, or make it. A port that somebody else has taken meanwhile is replaced by a free one;
        `gateway_port` wins over the remembered one. The ports are held until this process ends."""
        try:
            memory = cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            memory = cls(
                gateway_port=0,
                legacy_port=0,
                cloud_port=0,
                legacy_user="GATEWAY",
                legacy_password=secrets.token_urlsafe(24),
                cloud_client="gateway",
                cloud_secret=secrets.token_urlsafe(24),
            )
        taken: set[int] = set()
        if gateway_port:
            hold_port(gateway_port)  # if it is somebody else's, the gateway says so
            taken.add(gateway_port)
        memory = replace(
            memory,
            gateway_port=gateway_port or _port(memory.gateway_port, taken),
            legacy_port=_port(memory.legacy_port, taken),
            cloud_port=_port(memory.cloud_port, taken),
        )
        memory.keep(path)
        return memory

    def keep(self, path: Path) -> None:
        """Write it, readable by its owner alone from the first byte on."""
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(asdict(self), stream, indent=1)
        fresh.replace(path)


def _port(wanted: int, taken: set[int]) -> int:
    """`wanted` if it is free, else one that is; no port twice. It is held."""
    port = wanted if wanted and wanted not in taken and hold_port(wanted) else 0
    while not port or port in taken:
        port = hold_any_port()
    taken.add(port)
    return port
