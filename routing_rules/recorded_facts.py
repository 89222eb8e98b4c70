"""Recorded facts as JSON lines: one transaction's facts a line, as the ledger's ``routed`` entries hold them.

A line is the facts themselves or an object with a member ``facts``; member names are those of the wire (postingDate)
or of Python (posting_date). Members that are no facts are left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from routing_rules.facts import Facts, FactsInvalid

MAX_LINE: Final = 65_535
"""Characters of one line: no ledger entry is longer."""

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FACT_NAMES: Final = {"currency_code": "currency"}


class RecordInvalid(ValueError):
    """A line does not hold what it should; ``line`` counts from 1. The lines before it were read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def read_facts(lines: Iterable[str]) -> Iterator[Facts]:
    """The facts of each line in turn, empty lines left out. Raises RecordInvalid."""
    for number, record in read_objects(lines):
        try:
            yield facts_in(record.get("facts", record))
        except FactsInvalid as error:
            raise RecordInvalid(number, str(error)) from error


def read_objects(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON object of each line with its number, empty lines left out. Raises RecordInvalid."""
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE + 1:  # its end is no part of it
            raise RecordInvalid(number, f"it is longer than {MAX_LINE} characters")
        if line.isspace():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RecordInvalid(number, f"it is no JSON: {error}") from error
        if not isinstance(record, dict):
            raise RecordInvalid(number, "it is no object")
        yield number, record


def facts_in(recorded: object) -> Facts:
    """Facts under names of either kind, all of one kind. Raises FactsInvalid."""
    if not isinstance(recorded, Mapping):
        raise FactsInvalid("facts must be an object")
    if "schema_version" not in recorded:
        recorded = {fact_name(name): value for name, value in recorded.items()}
    return Facts.from_json(recorded)


@lru_cache(maxsize=256)
def fact_name(name: str) -> str:
    """What a member of the wire is called among the facts."""
    plain = _HUMP.sub("_", name).lower()
    return _FACT_NAMES.get(plain, plain)
