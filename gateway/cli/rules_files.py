"""What the rules commands read: rulebooks, recorded facts, and what the systems' drivers can do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from gateway.cli.console import Failure, print_json
from gateway.wiring.drivers import DRIVERS
from routing_rules import Facts, Rulebook, RulebookInvalid, load_rulebook
from routing_rules.follow_ups import Capabilities
from routing_rules.recorded_facts import MAX_LINE, RecordInvalid, read_facts

NOT_READABLE = 2
"""Exit code: the files are wrong, so nothing could be judged."""
MAX_CAPABILITIES_BYTES = 32 * 1024 * 1024


def load(directory: Path, *, json: bool = False) -> Rulebook:
    """The rulebook, or a Failure with every complaint; with `json` they are printed as JSON too."""
    try:
        rulebook = load_rulebook(directory)
    except RulebookInvalid as error:
        if json:
            print_json({"complaints": [asdict(complaint) for complaint in error.complaints]})
        listed = "\n".join(f"  {complaint}" for complaint in error.complaints)
        raise Failure(f"{directory} has errors:\n{listed}", NOT_READABLE) from error
    strange = [
        f"rulebook.yaml: system {system.id} has driver {system.driver!r}; there are {', '.join(sorted(DRIVERS))}"
        for system in rulebook.systems.values()
        if system.driver not in DRIVERS
    ]
    if strange:
        if json:
            print_json({"complaints": [{"message": text} for text in strange]})
        raise Failure("\n".join(strange), NOT_READABLE)
    return rulebook


def recorded(file: Path) -> Iterator[Facts]:
    """The facts in a file of JSON lines; a Failure names the first line that holds none."""
    try:
        with file.open(encoding="utf-8") as stream:
            # Not line by line without a limit: a file without line ends would be read whole.
            yield from read_facts(iter(partial(stream.readline, MAX_LINE + 2), ""))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file} cannot be read: {error}", NOT_READABLE) from error
    except RecordInvalid as error:
        raise Failure(f"{file}:{error.line}: {error}", NOT_READABLE) from error


def capabilities(file: Path) -> Capabilities:
    """What the systems can do, as `erp-gateway capabilities --json` prints it."""
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_CAPABILITIES_BYTES + 1)
        if len(text) > MAX_CAPABILITIES_BYTES:
            raise Failure(f"{file} is larger than {MAX_CAPABILITIES_BYTES} bytes", NOT_READABLE)
        report: Any = json.loads(text)
        return {
            str(system["systemId"]): frozenset(
                (str(one["domain"]), str(able["operation"]))
                for one in system["domains"]
                for able in one["operations"]
                if able["supported"] is True
            )
            for system in report["systems"]
        }
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error}", NOT_READABLE) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        remedy = "write it with: erp-gateway capabilities --json"
        raise Failure(f"{file} is no report of capabilities ({error}); {remedy}", NOT_READABLE) from error
