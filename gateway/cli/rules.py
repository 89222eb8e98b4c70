"""`erp-gateway rules`: rule tables in files, and drafts, simulations and activations on the running gateway."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import rules_files
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, settings_of
from gateway.cli.rules_drafted import dark
from gateway.cli.rules_drafts import activate, approve, draft, drafts, fetch, review, rollback, waive
from gateway.cli.rules_past import explain_transaction
from gateway.cli.rules_report import Check, print_changes, print_check, print_explanation
from gateway.cli.rules_simulate import simulate
from gateway.cli.rules_workbooks import export_workbook, import_workbook
from routing_rules import DomainNotServed, Facts, FactsInvalid, UnknownNode, decide, run_examples
from routing_rules.analysis import prove
from routing_rules.coverage import coverage_of
from routing_rules.decomposition import TooManyCells
from routing_rules.difference import differences
from routing_rules.near_miss import miss_of

app = typer.Typer(no_args_is_help=True)
app.command("export")(export_workbook)
app.command("import")(import_workbook)
app.command("simulate")(simulate)
app.command("dark")(dark)
for command in (draft, drafts, review, approve, waive, activate, rollback, fetch):
    app.command(command.__name__)(command)

Directory = Annotated[Path, typer.Argument(help="The directory with rulebook.yaml and the tables.")]


@app.command()
def check(
    directory: Directory,
    against: Annotated[Path | None, typer.Option(help="The rulebook in force: moves are judged from it.")] = None,
    facts: Annotated[Path | None, typer.Option(help="Recorded facts, one JSON object a line.")] = None,
    capabilities: Annotated[
        Path | None, typer.Option(help="What the systems can do: the output of `capabilities --json`.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Read a rulebook, prove it, and run its worked examples.

    Exit code 0: nothing stands against it. 1: findings or failed examples. 2: the files are wrong; every error is
    listed with file:line:column.
    """
    rulebook = rules_files.load(directory, json=json)
    checked = Check(
        rulebook,
        prove(
            rulebook,
            None if against is None else rules_files.load(against, json=json),
            None if capabilities is None else rules_files.capabilities(capabilities),
        ),
        run_examples(rulebook),
        coverage_of(rulebook, None if facts is None else rules_files.recorded(facts)),
    )
    print_check(checked, json=json)
    if not checked.passed:
        errors = len(checked.proof.findings)
        raise Failure(f"{directory} does not pass: {errors} findings, {len(checked.failures)} failed examples")


@app.command()
def diff(before: Directory, after: Directory, json: JsonOption = False) -> None:
    """Which facts the second rulebook decides differently from the first, and how. Exit code 0 also if none."""
    old, new = rules_files.load(before, json=json), rules_files.load(after, json=json)
    try:
        changes = list(differences(old, new))
    except TooManyCells as error:
        raise Failure(f"the difference falls into {error}") from error
    print_changes(old, new, changes, json=json)


@app.command()
def explain(
    domain: Annotated[str | None, typer.Option(help="orders, invoices, ...")] = None,
    transaction: Annotated[str | None, typer.Option(help="Its id: how it was decided then, and would be now.")] = None,
    data: DataOption = None,
    rulebook: Annotated[Path | None, typer.Option(help="A directory instead of the rulebook in force.")] = None,
    operation: str = "create",
    business_unit: str | None = None,
    geography: str | None = None,
    company_code: str | None = None,
    document_type: str | None = None,
    customer_segment: str | None = None,
    amount: Annotated[str | None, typer.Option(help="Such as 440.00, with --currency.")] = None,
    currency: str | None = None,
    posting_date: Annotated[str | None, typer.Option(help="YYYY-MM-DD.")] = None,
    share_key: Annotated[str | None, typer.Option(help="What a pilot's share splits by.")] = None,
    why_not: Annotated[str | None, typer.Option(help="A row: why it does not decide, and what would flip it.")] = None,
    json: JsonOption = False,
) -> None:
    """How a document with these facts would be routed, and why; or how a transaction was. Nothing is posted."""
    directory = data_directory(data)
    if transaction is not None:
        explain_transaction(directory, transaction, why_not, json=json)
        return
    if domain is None:
        raise Failure("name a --domain and its facts, or a --transaction", 2)
    book = rules_files.load(rulebook if rulebook is not None else directory / settings_of(directory).rulebook)
    try:
        facts = Facts(
            domain=domain,
            operation=operation,
            business_unit=business_unit,
            geography=geography,
            company_code=company_code,
            document_type=document_type,
            customer_segment=customer_segment,
            amount=Decimal(amount) if amount is not None else None,
            currency=currency,
            posting_date=date.fromisoformat(posting_date) if posting_date is not None else None,
            share_key=share_key,
        )
        explanation = decide(book, facts).explanation
        miss = explanation.near_miss if why_not is None else miss_of(book.index(domain), facts, why_not)
    except (FactsInvalid, UnknownNode, DomainNotServed, InvalidOperation, ValueError) as error:
        raise Failure(str(error), 2) from error
    except KeyError as error:
        raise Failure(f"the table of {domain} has no row {why_not}", 2) from error
    print_explanation(explanation, miss, json=json)
