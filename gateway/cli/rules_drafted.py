"""Drafts on the running gateway: simulated with the result stored, and observed beside live traffic."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line
from gateway.cli.gateway_http import ClientOption, GatewayHttp, TokenOption, UrlOption, gateway_of
from gateway.domain.wire import instant

POLL_S: Final = 0.5
LONGEST_S: Final = 3_600.0
"""How long a command waits for a simulation; it goes on in the gateway, and can be read later."""


def simulate_draft(
    gateway: GatewayHttp, draft_id: str, since: int, until: int, told: Callable[[int, int], None]
) -> dict[str, Any]:
    """Have the gateway simulate it, and wait. `told`: called with entries read and expected. What is stored."""
    body = {"since": instant(since), "until": instant(until)}
    found = gateway.post(f"/v1/drafts/{draft_id}/simulations", body)
    deadline = time.monotonic() + LONGEST_S
    while found["state"] == "running":
        if time.monotonic() > deadline:
            raise Failure(f"{found['simulationId']} runs for an hour; read it later at {found['statusUrl']}")
        told(found["entriesRead"], found["entriesExpected"])
        time.sleep(POLL_S)
        found = gateway.get(found["statusUrl"])
    if found["state"] != "done":
        raise Failure(f"{found['simulationId']} {found['state']}: {found['failure']}")
    told(found["entriesRead"], found["entriesExpected"])
    result: dict[str, Any] = found["result"]
    return result


def dark(
    draft: Annotated[str, typer.Argument(help="drf_…")],
    begin: Annotated[bool, typer.Option("--begin", help="Evaluate it beside live traffic from now on.")] = False,
    end: Annotated[bool, typer.Option("--end", help="End that.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """What a draft would have decided otherwise on live traffic, beside the real decisions."""
    if begin and end:
        raise Failure("--begin and --end go not together", 2)
    gateway, path = gateway_of(data, url, token, client), f"/v1/drafts/{draft}/dark"
    found = gateway.post(path, {}) if begin else gateway.post(f"{path}/end", {}) if end else gateway.get(path)
    if json:
        print_json(found)
        return
    print_line(f"{found['state']} since {found['startedAt']}, read until {found['readUntil']}")
    print_line(f"  {found['differentDocuments']:,} of {found['documents']:,} documents would be decided otherwise")
    for one in found["slices"]:
        counts = ", ".join(
            f"{count['kind']} {count['documents']:,}"
            + (f" ({count['amount']} {count['currencyCode']})" if count["currencyCode"] else "")
            for count in one["counts"]
        )
        print_line(f"  {one['domain']}.{one['businessUnit']}.{one['geography']}: {counts}")
