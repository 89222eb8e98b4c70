"""Where NATS is: a server of the operator's, or the embedded one where no other is set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from gateway.messaging.nats import NatsSettings
from gateway.messaging.server import EmbeddedServer
from gateway.settings import Settings, read_secret

NATS_DIRECTORY: Final = "nats"
"""In the data directory: the embedded server's files."""


async def nats_of(data: Path, settings: Settings, ends: list[Callable[[], Awaitable[object]]]) -> NatsSettings:
    """Where NATS is; without a setting, a server of our own is started in the data directory."""
    if settings.nats.url:
        return remote_nats(data, settings)
    server = EmbeddedServer(data / NATS_DIRECTORY, port=settings.nats.port or None)
    address = await server.start()
    ends.append(server.stop)
    return NatsSettings(servers=(address.url,), name=settings.name, user=address.user, password=address.password)


def remote_nats(data: Path, settings: Settings) -> NatsSettings:
    """A NATS of the operator's; the credentials file holds `user:password`."""
    user, _, password = _credentials(data, settings).partition(":")
    ca_file = settings.nats.tls_ca_file
    return NatsSettings(
        servers=settings.nats.servers,
        name=settings.name,
        user=user or None,
        password=password or None,
        tls_ca_file=None if ca_file is None else str(data / ca_file),
    )


def _credentials(data: Path, settings: Settings) -> str:
    file = settings.nats.credentials_file
    return read_secret(data / file) if file is not None else ""
