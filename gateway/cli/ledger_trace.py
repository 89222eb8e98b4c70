"""`erp-gateway ledger trace`: every step of a document by any of its names; its lineage, as a list or as a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table
from gateway.cli.gateway_http import ClientOption, GatewayHttp, TokenOption, UrlOption, gateway_of
from gateway.cli.ledger_steps import MOST, Step, archived
from gateway.domain.wire import instant

PATH: Final = "/v1/ledger"
_AT_ONCE: Final = 20


def trace(
    name: Annotated[
        str, typer.Argument(help="An id, an external id, a number in any ERP, or the reference of a posting there.")
    ],
    data: DataOption = None,
    lineage: Annotated[bool, typer.Option("--lineage", help="Also all that belongs to the same lineage.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="The lineage's documents as a tree, instead of steps.")] = False,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: Annotated[bool, typer.Option("--live", help="Ask the running gateway of the data directory.")] = False,
    json: JsonOption = False,
) -> None:
    """The entries of a document by any of its names, or of its whole lineage, each with its place in the log.

    Without --live, --url or --token the record of the data directory is read itself, whether its gateway runs or not.
    """
    gateway = gateway_of(data, url, token, client) if live or url or token else None
    if tree:
        nodes = _trees(gateway, data, name)
        print_json(nodes) if json else _print_tree(nodes)
        return
    if gateway is not None:
        steps = _asked(gateway, name, lineage=lineage)
    else:
        from gateway.cli import ledger_trace_record  # noqa: PLC0415 - where no gateway is asked

        steps = ledger_trace_record.steps(data_directory(data), name, lineage=lineage)
    if not steps:
        raise Failure(f"nothing is known as {name}")
    if json:
        print_json([{**one["entry"], "leafHash": one["leafHash"], "logIndex": one["logIndex"]} for one in steps])
        return
    rows: list[tuple[str, ...]] = []
    operations: dict[str, str] = {}
    for one in steps:
        body = one["entry"]
        # said by the first entry of a trace only
        operation = operations.setdefault(body["trace"], body.get("operation", ""))
        place = "" if one["logIndex"] is None else str(one["logIndex"])
        rows.append((instant(body["at"]), body["trace"], str(body["seq"]), operation, body["kind"], place, _what(body)))
    print_table(["at", "trace", "seq", "operation", "entry", "log", "what"], rows)


def _asked(gateway: GatewayHttp, name: str, *, lineage: bool) -> list[Step]:
    items = gateway.get(f"{PATH}/traces", {"name": name, "pageSize": str(MOST)})["items"]
    if lineage or name.startswith("lin_"):
        lineages = dict.fromkeys(one["document"]["lineageId"] for one in reversed(items))
        return [step for one in lineages for step in _entries(gateway, {"lineageId": one})]
    traces = sorted(done["transactionId"] for one in items for done in one["transactions"])
    if name.startswith("txn_") or not traces:
        traces = [name]
    found: list[Step] = []
    for start in range(0, len(traces), _AT_ONCE):
        found += _entries(gateway, {"trace": ",".join(traces[start : start + _AT_ONCE])})
    return found


def _entries(gateway: GatewayHttp, where: Mapping[str, str]) -> list[Step]:
    found: list[Step] = []
    cursor: str | None = ""
    while cursor is not None:
        page = gateway.get(f"{PATH}/entries", {**where, "pageSize": "200"} | ({"cursor": cursor} if cursor else {}))
        found += [one if one["entry"] is not None else one | {"entry": _of_index(one)} for one in page["items"]]
        cursor = page["nextCursor"]
    return sorted(found, key=lambda one: (one["entry"]["at"], one["trace"], one["seq"]))


def _of_index(one: Mapping[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(one["recordedAt"]) - datetime.fromtimestamp(0, UTC)
    return archived(one["trace"], one["seq"], one["kind"], at // timedelta(microseconds=1))


def _trees(gateway: GatewayHttp | None, data: Any, name: str) -> list[dict[str, Any]]:
    """The nodes of all lineages of that name."""
    if gateway is not None:
        items = gateway.get(f"{PATH}/traces", {"name": name, "pageSize": str(MOST)})["items"]
        found = [
            node
            for one in dict.fromkeys(one["document"]["lineageId"] for one in items)
            for node in gateway.get(f"{PATH}/lineages/{one}")["nodes"]
        ]
    else:
        from gateway.cli import ledger_trace_record  # noqa: PLC0415 - where no gateway is asked

        found = ledger_trace_record.nodes(data_directory(data), name)
    if not found:
        raise Failure(f"nothing is known as {name}")
    return found


def _print_tree(nodes: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for one in nodes:
        document = one["document"]
        numbers = ", ".join(
            f"{number['systemId']} {number['documentNumber']}{' (mirror)' if number['mirror'] else ''}"
            for number in document["erpNumbers"]
        )
        money = f"{document['amount']} {document['currencyCode']}" if document["amount"] else ""
        name = f"{'  ' * one['depth']}{document['externalId'] or document['documentId']}"
        rows.append(
            (name, document["domain"], document["status"] or "", numbers, money, document["postingDate"] or "",
             document["documentId"])
        )  # fmt: skip
    print_table(["document", "domain", "status", "numbers", "amount", "posting date", "id"], rows)


def _what(body: Mapping[str, Any]) -> str:
    """The members that tell the most, in a line."""
    erp = body.get("erp", {})
    parts = [
        f"archived with {body['archivedMonth']}" if "archivedMonth" in body else None,
        f"undo of step {body['step']}" if body.get("direction") == "undo" else None,
        body.get("systemId"),
        body.get("stage"),
        f"row {body['rule']['row']}" if body.get("rule", {}).get("row") else None,
        body.get("explanation"),
        f"attempt {body['attempt']}" if body.get("attempt", 1) > 1 else None,
        f"reference {erp['reference']}" if erp.get("reference") else None,
        f"{erp['documentType']} {erp['documentNumber']}" if erp.get("documentNumber") else None,
        f"{body['hits']} found" if "hits" in body else None,
        body.get("code"),
        body.get("reason"),
    ]
    return " · ".join(str(part) for part in parts if part)
