"""`erp-gateway ledger`: every step of a transaction or lineage; the log of all steps, its proofs and their checks."""

from __future__ import annotations

import json as json_codec
from typing import Annotated, Any

import typer

from gateway.cli import ledger_keys, ledger_log, ledger_verify
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table, reading
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.records import EntryRecord, TransactionRecord
from gateway.domain.wire import instant
from gateway.store.store import Store

app = typer.Typer(no_args_is_help=True)
app.command("verify")(ledger_verify.verify)
app.command("key")(ledger_log.key)
app.command("publish")(ledger_log.publish)
app.command("receipt")(ledger_log.receipt)
app.command("rotate")(ledger_keys.rotate)


@app.callback()
def ledger() -> None:
    """The trace ledger."""


@app.command()
def trace(
    name: Annotated[str, typer.Argument(help="An external id, an ERP number, or the id of a transaction or lineage.")],
    data: DataOption = None,
    lineage: Annotated[bool, typer.Option("--lineage", help="Also all that belongs to the same lineage.")] = False,
    json: JsonOption = False,
) -> None:
    """The entries of a transaction by any of its names, or of its whole lineage."""

    async def ask(store: Store) -> list[EntryRecord]:
        if name.startswith("lin_"):
            return list(await store.reads.lineage_entries(name))
        found = await _named(store, name)
        if lineage:
            lineages = dict.fromkeys(record.lineage_id for record in found)
            return [entry for one in lineages for entry in await store.reads.lineage_entries(one)]
        return [entry for record in found for entry in await store.reads.entries(record.transaction_id)]

    entries = reading(data_directory(data), ask)
    if not entries:
        raise Failure(f"nothing is known as {name}")
    if json:
        print_json([{**json_codec.loads(entry.body), "leafHash": entry.leaf_hash.hex()} for entry in entries])
        return
    rows: list[tuple[str, ...]] = []
    operations: dict[str, str] = {}
    for entry in entries:
        body = json_codec.loads(entry.body)
        # said by the first entry of a trace only
        operation = operations.setdefault(entry.trace, body.get("operation", ""))
        rows.append((instant(entry.at), entry.trace, str(entry.seq), operation, entry.kind, _what(body)))
    print_table(["at", "trace", "seq", "operation", "entry", "what"], rows)


async def _named(store: Store, name: str) -> list[TransactionRecord]:
    """The transactions of that name, oldest first: by id, by external id, else by number in any ERP."""
    if name.startswith("txn_"):
        record = await store.reads.transaction(name, Visible())
        return [record] if record else []
    for where in (TransactionFilter(external_id=name), TransactionFilter(erp_document_number=name)):
        found = await store.reads.transactions(where, Visible(), 100, None)
        if found:
            return list(reversed(found))
    return []


def _what(body: dict[str, Any]) -> str:
    """The members that tell the most, in a line."""
    erp = body.get("erp", {})
    parts = [
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
