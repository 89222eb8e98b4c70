"""`erp-gateway rules check|explain`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_line, settings_of
from gateway.domain.facts import wire_members
from gateway.wiring.systems import DRIVERS
from routing_rules import (
    DomainNotServed,
    Facts,
    FactsInvalid,
    Rulebook,
    RulebookInvalid,
    UnknownNode,
    decide,
    load_rulebook,
    run_examples,
)

app = typer.Typer(no_args_is_help=True)


def _load(directory: Path) -> Rulebook:
    try:
        return load_rulebook(directory)
    except RulebookInvalid as error:
        listed = "\n".join(f"  {complaint}" for complaint in error.complaints)
        raise Failure(f"{directory} has errors:\n{listed}", 2) from error


def _checked(directory: Path, *, json: bool) -> Rulebook:
    """The rulebook; with `json` its complaints are JSON too."""
    try:
        rulebook = load_rulebook(directory)
    except RulebookInvalid as error:
        if json:
            print_json({"complaints": [asdict(complaint) for complaint in error.complaints]})
        return _load(directory)
    strange = [
        f"rulebook.yaml: system {system.id} has driver {system.driver!r}; there are {', '.join(sorted(DRIVERS))}"
        for system in rulebook.systems.values()
        if system.driver not in DRIVERS
    ]
    if strange:
        if json:
            print_json({"complaints": [{"message": text} for text in strange]})
        raise Failure("\n".join(strange), 2)
    return rulebook


@app.command()
def check(
    directory: Annotated[Path, typer.Argument(help="The directory with rulebook.yaml and the tables.")],
    json: JsonOption = False,
) -> None:
    """Read a rulebook, list every error with file:line:column, and run its worked examples."""
    rulebook = _checked(directory, json=json)
    failures = [str(failure) for failure in run_examples(rulebook)]
    summary: dict[str, Any] = {
        "version": rulebook.version,
        "governanceVersion": rulebook.governance_version,
        "rows": {domain: len(table.rows) for domain, table in rulebook.tables.items()},
        "examples": len(rulebook.examples),
        "failedExamples": failures,
    }
    if json:
        print_json(summary)
    else:
        print_line(f"version {rulebook.version}")
        for domain, rows in summary["rows"].items():
            print_line(f"  {domain}: {rows} rows")
        print_line(f"  examples: {len(rulebook.examples)}, failed: {len(failures)}")
        for failure in failures:
            print_line(f"    {failure}")
    if failures:
        raise Failure("worked examples fail", 2)


@app.command()
def explain(
    domain: Annotated[str, typer.Option(help="orders, invoices, ...")],
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
    json: JsonOption = False,
) -> None:
    """How a document with these facts would be routed, and why. Nothing is posted."""
    directory = data_directory(data)
    book = _load(rulebook if rulebook is not None else directory / settings_of(directory).rulebook)
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
        )
        answer = decide(book, facts)
    except (FactsInvalid, UnknownNode, DomainNotServed, InvalidOperation, ValueError) as error:
        raise Failure(str(error), 2) from error
    explanation = wire_members(answer.explanation.as_json())
    if json:
        print_json(explanation)
        return
    print_line(explanation["effect"])
    for row in explanation["matched"]:
        place = f"{row['file']}:{row['line']}"
        overruled = f"overruled by {', '.join(row['exceptions'])}" if row["exceptions"] else "decides"
        print_line(f"  {row['row']} ({place}): {overruled}. {row['note']}")
