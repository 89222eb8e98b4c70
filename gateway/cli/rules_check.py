"""`erp-gateway rules check|diff`: rule tables in files, proven, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import rules_files
from gateway.cli.console import Failure, JsonOption
from gateway.cli.rules_report import Check, print_changes, print_check
from routing_rules import run_examples
from routing_rules.analysis import prove
from routing_rules.coverage import coverage_of
from routing_rules.decomposition import TooManyCells
from routing_rules.difference import differences

Directory = Annotated[Path, typer.Argument(help="The directory with rulebook.yaml and the tables.")]


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


def diff(before: Directory, after: Directory, json: JsonOption = False) -> None:
    """Which facts the second rulebook decides differently from the first, and how. Exit code 0 also if none."""
    old, new = rules_files.load(before, json=json), rules_files.load(after, json=json)
    try:
        changes = list(differences(old, new))
    except TooManyCells as error:
        raise Failure(f"the difference falls into {error}") from error
    print_changes(old, new, changes, json=json)
