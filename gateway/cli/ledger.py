"""`erp-gateway ledger`: every step of a transaction or lineage; the log of all steps, its proofs and their checks."""

from __future__ import annotations

import typer

from gateway.cli.listing import Listed, listing

app = typer.Typer(
    cls=listing(
        Listed("trace", "ledger_trace:trace"),
        Listed("query", "ledger_query:query"),
        Listed("ask", "ledger_ask:ask"),
        Listed("view", "ledger_view:view"),
        Listed("verify", "ledger_verify:verify"),
        Listed("audit", "ledger_audit:audit"),
        Listed("key", "ledger_log:key"),
        Listed("publish", "ledger_log:publish"),
        Listed("receipt", "ledger_log:receipt"),
        Listed("archive", "ledger_archive:archive"),
        Listed("rotate", "ledger_keys:rotate"),
        Listed("erase", "ledger_erase:app"),
        Listed("hold", "ledger_hold:app"),
        Listed("index", "ledger_index:app"),
        Listed("partitions", "ledger_partitions:app"),
    ),
    no_args_is_help=True,
)


@app.callback()
def ledger() -> None:
    """The trace ledger."""
