"""What a proof finds: each finding with a concrete witness, the rows concerned, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from routing_rules.facts import Facts
from routing_rules.model import Row

MAX_FINDINGS: Final = 1_000
"""Beyond this nobody reads on; the proof then says that there are more."""
MAX_ROWS_NAMED: Final = 20


class FindingCode(StrEnum):
    """The kinds of findings; docs/rules.md says what each means."""

    GAP = "gap"
    CONFLICT = "conflict"
    MASKED_ROW = "masked_row"
    UNREACHABLE_EXCEPTION = "unreachable_exception"
    RESIDENCY = "residency"
    FOLLOW_UP_UNSERVED = "follow_up_unserved"
    FOLLOW_UP_BEHIND = "follow_up_behind"
    ILLEGAL_MOVE = "illegal_move"
    DOMAIN_WITHDRAWN = "domain_withdrawn"
    TOO_MANY_CELLS = "too_many_cells"


class Severity(StrEnum):
    """An error blocks activation; a warning is for the reader."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class RowPlace:
    """A row by its id, and where a person finds it."""

    row: str
    file: str
    line: int

    @classmethod
    def of(cls, row: Row) -> RowPlace:
        return cls(row.id, row.file, row.line)

    def __str__(self) -> str:
        return f"{self.row} ({self.place})"

    @property
    def place(self) -> str:
        """file:line; the file alone for a row of a stored version."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "file": self.file, "line": self.line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    ``witness``: a transaction for which it is so. ``where``: all facts like it, by column, in words; a column that is
    not there may hold anything. ``rows``: at most MAX_ROWS_NAMED of the rows concerned.
    """

    code: FindingCode
    domain: str
    message: str
    mend: str
    witness: Facts | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[RowPlace, ...] = ()
    severity: Severity = Severity.ERROR

    @property
    def place(self) -> str:
        """file:line of the first row concerned, else the domain's table."""
        return self.rows[0].place if self.rows else self.domain

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.severity.value} {self.code.value}: {self.message}."]
        if len(self.rows) > 1:
            lines.append(f"  rows: {', '.join(str(row) for row in self.rows)}")
        if self.witness is not None:
            lines.append(f"  witness: {facts_text(self.witness)}")
        if self.where:
            lines.append(f"  everywhere: {', '.join(f'{column} {text}' for column, text in self.where.items())}")
        lines.append(f"  mend: {self.mend}.")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """JSON values under snake_case keys."""
        return {
            "code": self.code.value,
            "severity": self.severity.value,
            "domain": self.domain,
            "message": self.message,
            "mend": self.mend,
            "witness": self.witness and self.witness.as_json(),
            "where": dict(self.where),
            "rows": [row.as_json() for row in self.rows],
        }


def places(rows: Iterable[Row]) -> tuple[RowPlace, ...]:
    """The first MAX_ROWS_NAMED of the rows, as findings name them."""
    found = [RowPlace.of(row) for _, row in zip(range(MAX_ROWS_NAMED), rows, strict=False)]
    return tuple(found)


def row_ids(rows: Iterable[Row]) -> str:
    """The ids for a sentence, not more than a reader takes in."""
    ids = [row.id for row in rows]
    shown = ", ".join(ids[:5])
    return f"{shown} and {len(ids) - 5} more" if len(ids) > 5 else shown


def facts_text(facts: Facts) -> str:
    """Facts in one line: what the document does not have is left out."""
    values = facts.as_json()
    money = f"{values.pop('amount')} {values['currency'] or ''}".strip()
    del values["schema_version"], values["currency"]
    texts = [f"{values.pop('domain')} {values.pop('operation')}"]
    texts += [f"{name}={value}" for name, value in values.items() if value is not None]
    if facts.amount is not None:
        texts.append(f"amount={money}")
    return " ".join(texts)
