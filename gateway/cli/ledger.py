"""`erp-gateway ledger`: every step of a transaction or lineage; the log of all steps, its proofs and their checks."""

from __future__ import annotations

import typer

from gateway.cli import (
    ledger_archive,
    ledger_ask,
    ledger_audit,
    ledger_erase,
    ledger_hold,
    ledger_keys,
    ledger_log,
    ledger_partitions,
    ledger_query,
    ledger_trace,
    ledger_verify,
    ledger_view,
)

app = typer.Typer(no_args_is_help=True)
app.command("trace")(ledger_trace.trace)
app.command("query")(ledger_query.query)
app.command("ask")(ledger_ask.ask)
app.command("view")(ledger_view.view)
app.command("verify")(ledger_verify.verify)
app.command("audit")(ledger_audit.audit)
app.command("key")(ledger_log.key)
app.command("publish")(ledger_log.publish)
app.command("receipt")(ledger_log.receipt)
app.command("archive")(ledger_archive.archive)
app.command("rotate")(ledger_keys.rotate)
app.add_typer(ledger_erase.app, name="erase")
app.add_typer(ledger_hold.app, name="hold")
app.add_typer(ledger_partitions.app, name="partitions")


@app.callback()
def ledger() -> None:
    """The trace ledger."""
