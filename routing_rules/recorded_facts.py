"""Recorded facts as JSON lines: one transaction's facts a line, as the ledger's ``routed`` entries hold them.

A line is the facts themselves or an object with a member ``facts``; member names are those of the wire (postingDate)
or of Python (posting_date). Members that are no facts are left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from routing_rules.facts import Facts, FactsInvalid

MAX_LINE: Final = 65_535
"""Characters of one line: no ledger entry is longer."""

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FACT_NAMES: Final = {"currency_code": "currency"}


class RecordInvalid(ValueError):
    """A line holds no facts; ``line`` counts from 1. The lines before it were read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def read_facts(lines: Iterable[str]) -> Iterator[Facts]:
    """The facts of each line in turn, empty lines left out. Raises RecordInvalid."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        if len(text) > MAX_LINE:
            raise RecordInvalid(number, f"it is longer than {MAX_LINE} characters")
        try:
            record = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RecordInvalid(number, f"it is no JSON: {error}") from error
        if not isinstance(record, Mapping):
            raise RecordInvalid(number, "it is no object")
        try:
            yield Facts.from_json(_renamed(record.get("facts", record)))
        except FactsInvalid as error:
            raise RecordInvalid(number, str(error)) from error


def _renamed(facts: Any) -> dict[str, Any]:
    if not isinstance(facts, Mapping):
        raise FactsInvalid("facts must be an object")
    names = {name: _HUMP.sub("_", name).lower() for name in facts}
    return {_FACT_NAMES.get(renamed, renamed): facts[name] for name, renamed in names.items()}
