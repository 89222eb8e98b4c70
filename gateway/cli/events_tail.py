"""`erp-gateway events tail`: status events as they come."""

from __future__ import annotations

import asyncio
import contextlib
import json as json_codec
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    complain,
    data_directory,
    print_line,
    settings_of,
)
from gateway.cli.running import run
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.server_directory import ServerDirectory
from gateway.messaging.tail import tail as follow
from gateway.settings import Settings
from gateway.wiring.nats import NATS_DIRECTORY, remote_nats

_FILTER = re.compile(r"\A[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*(\.>)?\Z|\A>\Z")


def tail(
    data: DataOption = None,
    subject: Annotated[list[str] | None, typer.Option(help="NATS filter, e.g. 'erp.status.orders.>'.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="All that the stream holds first.")] = False,
    count: Annotated[int, typer.Option(min=0, help="End after so many (0: never).")] = 0,
    json: JsonOption = False,
) -> None:
    """Print status events as they come."""
    for one in subject or ():
        if _FILTER.match(one) is None:
            raise Failure(f"{one!r} is no NATS subject filter; try 'erp.status.orders.>'", 2)
    directory = data_directory(data)
    settings = settings_of(directory)
    run(_tail(_server(directory, settings), tuple(subject or ()), from_start=from_start, count=count, json=json))


def _server(data: Path, settings: Settings) -> NatsSettings:
    if settings.nats.url:
        return remote_nats(data, settings)
    embedded = ServerDirectory(data / NATS_DIRECTORY)
    address = embedded.address()
    if address is None or embedded.process() is None:
        raise Failure(
            f"no gateway runs on {data}, so no events come: its nats-server ends with it. Start it again with "
            "`erp-gateway demo` or `erp-gateway serve`; what happened before is in `erp-gateway transactions list` and "
            "`erp-gateway ledger trace`"
        )
    return NatsSettings(servers=(address.url,), user=address.user, password=address.password)


async def _tail(server: NatsSettings, subjects: tuple[str, ...], *, from_start: bool, count: int, json: bool) -> None:
    connection = NatsConnection(server)
    shown = 0
    try:
        found = follow(NatsStream(connection), subjects=subjects, from_start=from_start, notice=_notice)
        async with contextlib.aclosing(found) as incoming:
            async for one in incoming:
                event = one.event or {}
                print_line(json_codec.dumps(event, ensure_ascii=False) if json else _line(one.subject, event))
                shown += 1
                if shown == count:
                    return
    except asyncio.CancelledError:
        return
    finally:
        await connection.close()


def _notice(text: str) -> None:
    complain(f"waiting: {text}" if text else "reading again")


def _line(subject: str, event: dict[str, Any]) -> str:
    data = event.get("data") or {}
    said = [
        event.get("time", ""),
        subject,
        data.get("operation") or "",
        data.get("externalId") or data.get("transactionId") or "",
        (data.get("routedTo") or {}).get("systemId") or "",
        (data.get("erpNumber") or {}).get("documentNumber") or "",
    ]
    return "  ".join(str(part) for part in said if part)
