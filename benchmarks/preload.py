"""A run accepted before the gateway serves: invoices by the thousand, many in one commit, each waiting for its turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from adapters.canonical import Invoice
from gateway.auth import DEFAULT_CLIENTS
from gateway.domain.caller import Caller
from gateway.domain.lanes import IN_BULK
from gateway.errors import Problem
from gateway.settings import load_settings
from gateway.transactions.commands import Create
from gateway.wiring.runtime import open_runtime

AT_ONCE = 1_000

_PLACES = {
    "legacy": {"businessUnit": "Northern", "geography": "FR"},
    "cloud": {"businessUnit": "Western", "geography": "US"},
}
_INVOICE = {
    "companyCode": "NW01",
    "postingDate": "1996-07-04",
    "currencyCode": "USD",
    "customer": {"externalId": "VINET", "source": "salesforce"},
    "lines": [
        {
            "lineNumber": 1,
            "product": {"externalId": "11", "source": "salesforce"},
            "quantity": {"value": "12"},
            "unitPrice": "14.00",
            "netAmount": "168.00",
        }
    ],
    "totals": {"netAmount": "168.00", "grossAmount": "168.00"},
}


async def preload(data: Path, by_place: Mapping[str, int]) -> None:
    """Accept so many invoices for each place (`legacy`, `cloud`) into a data directory that nobody serves."""
    client = DEFAULT_CLIENTS["billing"]
    caller = Caller("billing", client.source, client.scopes, client.data_scope)
    runtime = await open_runtime(data, load_settings(data))
    try:
        for place, count in by_place.items():
            for begin in range(0, count, AT_ONCE):
                commands = [_command(caller, place, number) for number in range(begin, min(count, begin + AT_ONCE))]
                for one in await runtime.line.accept_many(commands):
                    if isinstance(one, Problem):
                        raise RuntimeError(f"refused: {one.detail}")
    finally:
        await runtime.stop()


def _command(caller: Caller, place: str, number: int) -> Create:
    body = json.dumps({**_INVOICE, **_PLACES[place], "externalId": f"{place}-{number}"})
    return Create(caller, Invoice.model_validate_json(body), queueing=IN_BULK)
