"""`erp-gateway cutover board|drain|gates`: where slices stand, as the running gateway tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line, print_table
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of

PATH: Final = "/v1/cutover/slices"
BAR: Final = 20
"""Characters of the longest bar."""
PAGE: Final = "200"

SliceArgument = Annotated[str, typer.Argument(metavar="SLICE", help="Such as orders.Eastern.DE.")]


def board(
    domain: Annotated[str | None, typer.Option(help="One document family.")] = None,
    stage: Annotated[str | None, typer.Option(help="Slices of which a part is at this stage.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Show where each slice stands, and what is open in it on either side."""
    query = {"pageSize": PAGE}
    query |= {name: text for name, text in (("domain", domain), ("stage", stage)) if text is not None}
    gateway = gateway_of(data, url, token, client)
    items: list[dict[str, Any]] = []
    while True:
        page = gateway.get(PATH, query)
        items += page["items"]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    if json:
        print_json({"items": items})
        return
    most = max((_count(one, side) for one in items for side in ("legacy", "cloud")), default=0)
    print_table(
        ("slice", "stage", "overlay", "open in legacy", "", "open in cloud", "", "unrouted", "gates"),
        [
            (
                one["sliceId"],
                "|".join(one["stages"]) or "no rule",
                "|".join(sorted({over["overlay"] for over in one["overlays"]})),
                _tally(one["openLineages"]["legacy"]),
                bar(_count(one, "legacy"), most),
                _tally(one["openLineages"]["cloud"]),
                bar(_count(one, "cloud"), most),
                _tally(one["openLineages"]["unrouted"]) if one["openLineages"].get("unrouted") else "",
                _gates(one["gates"]),
            )
            for one in items
        ],
    )


def drain(
    slice_: SliceArgument,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Show how a slice runs out of legacy, and what going back would leave in the cloud."""
    found = gateway_of(data, url, token, client).get(f"{PATH}/{quote(slice_, safe='')}")
    if json:
        print_json(found)
        return
    legacy = found["openLineages"]["legacy"]
    print_line(f"{found['sliceId']} ({'|'.join(found['stages']) or 'no rule'}): open in legacy {_tally(legacy)}")
    most = max((one["lineageCount"] for one in found["drainAges"]), default=0)
    print_table(
        ("age in days", "lineages", "", "value"),
        [
            (_range(one), str(one["lineageCount"]), bar(one["lineageCount"], most), _money(one["amounts"]))
            for one in found["drainAges"]
        ],
    )
    days = [one for one in found["drainDays"] if one["came"] or one["closed"] or one is found["drainDays"][-1]]
    most = max((one["open"] for one in days), default=0)
    print_table(
        ("day", "came", "closed", "open", ""),
        [(one["day"], str(one["came"]), str(one["closed"]), str(one["open"]), bar(one["open"], most)) for one in days],
    )
    tell_impact(found["rollbackImpact"])


def tell_impact(impact: Mapping[str, Any]) -> None:
    """The rollback impact statement of a slice."""
    print_line(f"Going back would leave in the cloud: {_tally(impact)}")
    for one in impact["followUps"]:
        print_line(
            f"  {one['documentCount']} {one['reason']} ({_money(one['amounts']) or 'no amount'}); "
            f"expect {one['expected']}"
        )


def gates(
    slice_: SliceArgument,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "operations",
    json: JsonOption = False,
) -> None:
    """Evaluate the gates of a slice as if it went to its next stage now; exit code 1 if one does not hold."""
    found = gateway_of(data, url, token, client).get(f"{PATH}/{quote(slice_, safe='')}/gates")
    failed = sorted({one["gate"] for one in found["gates"] if not one["holds"]})
    if json:
        print_json(found)
    else:
        print_line(f"{found['sliceId']} on to {'|'.join(found['nextStages']) or 'nothing: it is at its end'}")
        print_table(
            ("gate", "", "about", "why"),
            [(one["gate"], _verdict(one), one["subject"] or "all of it", one["why"]) for one in found["gates"]],
        )
    if failed:
        raise Failure(f"{len(failed)} gate(s) do not hold: {', '.join(failed)}")


def bar(count: int, most: int) -> str:
    """A bar of at most BAR characters; what is there at all shows at least one."""
    return "#" * max(1 if count else 0, round(BAR * count / most)) if most else ""


def _count(one: Mapping[str, Any], side: str) -> int:
    return int(one["openLineages"][side]["lineageCount"])


def _tally(found: Mapping[str, Any]) -> str:
    money = _money(found["amounts"])
    return f"{found['lineageCount']} ({money})" if money else str(found["lineageCount"])


def _money(amounts: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(f"{one['amount']} {one['currencyCode']}" for one in amounts)


def _gates(summary: Mapping[str, Any] | None) -> str:
    if summary is None:
        return "not asked"
    failed: Sequence[str] = summary["failed"]
    return f"failing: {', '.join(failed)}" if failed else f"{summary['passed']} hold"


def _range(one: Mapping[str, Any]) -> str:
    return f"{one['fromDays']} and more" if one["untilDays"] is None else f"{one['fromDays']} to {one['untilDays']}"


def _verdict(one: Mapping[str, Any]) -> str:
    if one["passed"]:
        return "passes"
    if one["holds"]:
        return "waived"
    return "fails" if one["waivable"] else "fails, not waivable"
