"""`erp-gateway where`: the gateway's address."""

from __future__ import annotations

import socket
from typing import Final

from gateway.cli.console import (
    DataOption,
    JsonOption,
    complain,
    data_directory,
    print_json,
    print_line,
    settings_of,
)
from gateway.wiring.database_url import shown_url

_CONNECT_S: Final = 1.0
"""How long the gateway may take to accept a connection; it is on this machine as a rule."""


def where(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the address at which the gateway of a data directory serves, and say if none answers there now."""
    directory = data_directory(data)
    settings = settings_of(directory)
    address = f"http://{settings.http.host}:{settings.http.port}"
    answers = _answers(settings.http.host, settings.http.port)
    if json:
        database = shown_url(directory, settings)
        print_json({"url": address, "data": str(directory), "database": database, "answers": answers})
    else:
        print_line(address)
    if not answers:
        complain("no gateway answers there now: start it again with `erp-gateway demo` or `erp-gateway serve`")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError:
        return False
    return True
