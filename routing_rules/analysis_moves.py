"""The moves from the version in force to a candidate, judged cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from routing_rules.analysis_findings import Finding, FindingCode, RowPlace, places
from routing_rules.comparison import Compared, Comparison, agreed
from routing_rules.cutting import columns_of, where_of, witness_in, witness_of
from routing_rules.decomposition import MAX_CELLS
from routing_rules.model import Row
from routing_rules.moves import described, refusal_of
from routing_rules.rulebook import Rulebook


def illegal_moves(before: Rulebook, after: Rulebook, domain: str, limit: int = MAX_CELLS) -> Iterator[Finding]:
    """Every cell of the domain whose (stage, systems) may not follow on what is in force. Raises TooManyCells.

    Cells that the candidate leaves undecided are findings of its own proof and no moves.
    """
    comparison = Comparison(before, after, domain, limit=limit)
    reported = set[tuple[tuple[str, ...], tuple[str, ...]]]()
    for compared in comparison.cells():
        outcome = agreed(compared.after)
        if outcome is None:
            continue
        refusal = refusal_of(agreed(compared.before), outcome)
        key = (_ids(compared.before), _ids(compared.after))
        if refusal is not None and key not in reported:
            reported.add(key)
            yield _finding(comparison, compared, refusal)


def withdrawn(before: Rulebook, after: Rulebook) -> Iterator[Finding]:
    """Domains that are in force and have no table any more."""
    for domain in sorted(before.tables.keys() - after.tables.keys()):
        row = before.table(domain).rows[0] if before.table(domain).rows else None
        columns = columns_of((before.business_units, None), (before.geographies, None))
        yield Finding(
            code=FindingCode.DOMAIN_WITHDRAWN,
            domain=domain,
            message=f"{domain} are in force and the candidate has no table for them",
            mend=f"keep {domain}.csv, or retire its slices first",
            witness=None if row is None else witness_in(domain, columns, row),
            rows=() if row is None else _in_force([row]),
        )


def _finding(comparison: Comparison, compared: Compared, refusal: str) -> Finding:
    before, after = agreed(compared.before), agreed(compared.after)
    return Finding(
        code=FindingCode.ILLEGAL_MOVE,
        domain=comparison.domain,
        message=f"from {described(before)} to {described(after)}: {refusal}",
        mend="move there step by step, one activation each",
        witness=witness_of(comparison.domain, comparison.columns, compared.cell.path),
        where=where_of(compared.cell.path),
        rows=(*places(compared.after), *_in_force(compared.before)),
    )


def _in_force(rows: Sequence[Row]) -> tuple[RowPlace, ...]:
    """Rows of the other version, whose files have the same names."""
    return tuple(replace(place, file=f"in force: {place.file}") for place in places(rows))


def _ids(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.id for row in rows)
