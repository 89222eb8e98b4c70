"""The command `erp-gateway`. Exit code 0 only for success; `--json` wherever there is something to read."""

from __future__ import annotations

import sys

try:
    import typer

    from gateway.cli.console import Failure, complain
    from gateway.cli.listing import Listed, listing
except KeyboardInterrupt:  # a third of a second, in which nothing else would take Ctrl-C
    sys.exit(130)

app = typer.Typer(
    name="erp-gateway",
    cls=listing(
        Listed("serve", "serve:serve"),
        Listed("work", "serve:work"),
        Listed("demo", "demo:demo"),
        Listed("migrate", "migrate:migrate"),
        Listed("restored", "restored:restored"),
        Listed("processes", "processes:processes"),
        Listed("process-ended", "processes:process_ended"),
        Listed("token", "token:token"),
        Listed("where", "where:where"),
        Listed("capabilities", "capabilities:capabilities"),
        Listed("rules", "rules:app", "Rule tables: check, diff, explain, export, import."),
        Listed("cutover", "cutover:app", "What lies over the rules: overlays, periods."),
        Listed("transactions", "transactions:app", "Transactions: list, show."),
        Listed("ledger", "ledger:app", "The trace ledger."),
        Listed("evidence", "evidence:app", "Signed evidence packs, for auditors."),
        Listed("witness", "witness:app", "A witness of ledgers, for auditors."),
        Listed("events", "events:app", "Status events: tail, replay."),
        Listed("batches", "batches:app", "Many documents at once: send, show."),
        Listed("exceptions", "exceptions:app", "What needs a person: list, show, claim, move, approve, bulk."),
        Listed("adapters", "erps:app", "The connected ERPs."),
        Listed("schemas", "schemas:app", "The API and its events as files."),
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def erp_gateway() -> None:
    """One stable ERP API in front of a legacy and a cloud ERP."""


def main() -> None:
    """Run the command line; errors that people can mend are one line on stderr, never a stack trace."""
    try:
        app(standalone_mode=True)
    except Failure as failure:
        complain(str(failure))
        sys.exit(failure.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
