"""`erp-gateway events tail|replay`: status events as they come, and again."""

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
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.messaging.jetstream import NatsStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.server_directory import ServerDirectory
from gateway.messaging.tail import tail as follow
from gateway.settings import Settings
from gateway.wiring.relay import NATS_DIRECTORY, remote_nats

app = typer.Typer(no_args_is_help=True)
_FILTER = re.compile(r"\A[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*(\.>)?\Z|\A>\Z")


@app.callback()
def events() -> None:
    """Status events."""


@app.command()
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


@app.command()
def replay(
    subject: Annotated[str, typer.Argument(help="Where to, below erp.replay.<client>., such as erp.replay.billing.x")],
    lineage: Annotated[str | None, typer.Option(help="Those of a lineage: lin_…")] = None,
    since: Annotated[str | None, typer.Option("--from", help="From this instant on: 2026-11-01T00:00:00Z")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this instant.")] = None,
    domain: Annotated[str | None, typer.Option(help="Such as invoices.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "billing",
    json: JsonOption = False,
) -> None:
    """Have the running gateway send status events again, with the same ids, to a subject of the client's own."""
    asked = {
        "natsSubject": subject,
        "lineageId": lineage,
        "occurredFrom": since,
        "occurredUntil": until,
        "domain": domain,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    found = gateway_of(data, url, token, client).post("/v1/events/replays", wanted)
    if json:
        print_json(found)
        return
    print_line(f"{found['events']} events sent to {found['natsSubject']} ({found['replayId']})")


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
