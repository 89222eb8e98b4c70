"""The command `erp-gateway`. Exit code 0 only for success; `--json` wherever there is something to read."""

from __future__ import annotations

import sys

import typer

from gateway.cli import (
    batches,
    capabilities,
    cutover,
    demo,
    erps,
    events,
    evidence,
    exceptions,
    ledger,
    migrate,
    restored,
    rules,
    schemas,
    serve,
    token,
    transactions,
    where,
    witness,
)
from gateway.cli.console import Failure, complain

app = typer.Typer(
    name="erp-gateway",
    help="One stable ERP API in front of a legacy and a cloud ERP.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("work")(serve.work)
app.command("demo")(demo.demo)
app.command("migrate")(migrate.migrate)
app.command("restored")(restored.restored)
app.command("token")(token.token)
app.command("where")(where.where)
app.command("capabilities")(capabilities.capabilities)
app.add_typer(rules.app, name="rules", help="Rule tables: check, diff, explain, export, import.")
app.add_typer(cutover.app, name="cutover", help="What lies over the rules: overlays, periods.")
app.add_typer(transactions.app, name="transactions", help="Transactions: list, show.")
app.add_typer(ledger.app, name="ledger", help="The trace ledger.")
app.add_typer(evidence.app, name="evidence", help="Signed evidence packs, for auditors.")
app.add_typer(witness.app, name="witness", help="A witness of ledgers, for auditors.")
app.add_typer(events.app, name="events", help="Status events: tail, replay.")
app.add_typer(batches.app, name="batches", help="Many documents at once: send, show.")
app.add_typer(exceptions.app, name="exceptions", help="What needs a person: list, show, claim, move, approve, bulk.")
app.add_typer(erps.app, name="adapters", help="The connected ERPs.")
app.add_typer(schemas.app, name="schemas", help="The API and its events as files.")


def main() -> None:
    """Run the command line; errors that people can mend are one line on stderr, never a stack trace."""
    try:
        app(standalone_mode=True)
    except Failure as failure:
        complain(str(failure))
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
