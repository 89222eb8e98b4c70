"""`erp-gateway ledger trace`: every step of a document by any of its names; its lineage, as a list or as a tree."""

from __future__ import annotations

import json as json_codec
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from gateway.api.wire import document_summary
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table, reading
from gateway.cli.gateway_http import ClientOption, GatewayHttp, TokenOption, UrlOption, gateway_of
from gateway.domain.document_names import NamedBy
from gateway.domain.months import Month
from gateway.domain.queries import Visible
from gateway.domain.records import DocumentRecord, EntryRecord
from gateway.domain.wire import instant
from gateway.ledger.lineage_tree import tree_of
from gateway.store.store import Store

PATH: Final = "/v1/ledger"
MOST: Final = 100
"""Documents of one name."""
_AT_ONCE: Final = 20
EVERYTHING: Final = Visible()

Step = Mapping[str, Any]
"""An entry: `entry`, its JSON; `leafHash`; `logIndex`, None where it has no place yet."""


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
    steps = _asked(gateway, name, lineage=lineage) if gateway else _read(data, name, lineage=lineage)
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


def _read(data: Any, name: str, *, lineage: bool) -> list[Step]:
    async def ask(store: Store) -> list[Step]:
        documents = await store.ledger.documents_by(NamedBy(name=name), EVERYTHING, MOST, None)
        if lineage or name.startswith("lin_"):
            lineages = dict.fromkeys(one.lineage_id for one in reversed(documents))
            entries = [entry for one in lineages for entry in await store.reads.lineage_entries(one)]
        elif name.startswith("txn_"):
            entries = list(await store.reads.entries(name))
        else:
            ids = [one.document_id for one in documents]
            done = await store.ledger.transactions_of(ids, EVERYTHING)
            entries = [entry for one in done for entry in await store.reads.entries(one.transaction_id)]
        if not entries:  # a draft, an overlay, a question
            entries = list(await store.reads.entries(name))
        return await _placed(store, entries, await _transactions(store, documents, name))

    return reading(data_directory(data), ask)


async def _transactions(store: Store, documents: Sequence[DocumentRecord], name: str) -> list[str]:
    """Whose entries may be in the archive of their month."""
    if name.startswith("txn_"):
        return [name]
    done = await store.ledger.transactions_of([one.document_id for one in documents], EVERYTHING)
    return [one.transaction_id for one in done]


async def _placed(store: Store, entries: Sequence[EntryRecord], transactions: Sequence[str]) -> list[Step]:
    steps = await store.ledger.steps_of(list(dict.fromkeys([*transactions, *(one.trace for one in entries)])))
    places = {(one.trace, one.seq): one.log_index for many in steps.values() for one in many}
    stored = {(one.trace, one.seq) for one in entries}
    archived = [one for many in steps.values() for one in many if (one.trace, one.seq) not in stored]
    return [
        {"entry": _archived(one.trace, one.seq, one.kind, one.at), "leafHash": None, "logIndex": one.log_index}
        for one in archived
    ] + [
        {
            "entry": json_codec.loads(one.body),
            "leafHash": one.leaf_hash.hex(),
            "logIndex": places.get((one.trace, one.seq)),
        }
        for one in entries
    ]


def _archived(trace: str, seq: int, kind: str, at: int) -> dict[str, Any]:
    """In place of an entry that is in the archive of its month: what is known of it without."""
    return {"trace": trace, "seq": seq, "kind": kind, "at": at, "archivedMonth": str(Month.of_trace(trace))}


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
    return _archived(one["trace"], one["seq"], one["kind"], at // timedelta(microseconds=1))


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
        found = reading(data_directory(data), lambda store: _nodes(store, name))
    if not found:
        raise Failure(f"nothing is known as {name}")
    return found


async def _nodes(store: Store, name: str) -> list[dict[str, Any]]:
    documents = await store.ledger.documents_by(NamedBy(name=name), EVERYTHING, MOST, None)
    found = []
    for lineage_id in dict.fromkeys(one.lineage_id for one in documents):
        view = await store.reads.lineage(lineage_id, EVERYTHING)
        if view is not None:
            statuses = {one.transaction_id: one.status for one in view.transactions}
            found += [
                {
                    "depth": one.depth,
                    "parentDocumentId": one.parent,
                    "alsoFollows": list(one.also_follows),
                    "relatesTo": list(one.relates),
                    "document": document_summary(
                        one.document, one.numbers, statuses.get(one.document.transaction_id or "")
                    ),
                }
                for one in tree_of(view)
            ]
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
