"""The proof of a rulebook before it may run: exact, by set inclusion over all facts there can be.

``prove`` answers for every table: is every fact decided, do rows contradict each other, does every row decide
somewhere, does a document leave a system's regions, can its system take what follows, and, against the version in
force, does every cell move as the stages allow. Each finding has a witness. A rulebook that falls into too many cells
is refused, naming the columns that multiply; nothing passes unchecked. Source: docs/rules.md, 'The proof'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from routing_rules.analysis_findings import MAX_FINDINGS, Finding, FindingCode, Severity
from routing_rules.analysis_follow_ups import behind, unserved, without_table
from routing_rules.analysis_moves import illegal_moves, withdrawn
from routing_rules.analysis_tables import TableProof
from routing_rules.decomposition import MAX_CELLS, TooManyCells
from routing_rules.follow_ups import FOLLOW_UPS, Capabilities
from routing_rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was proven of which version. ``clean``: nothing stands against activation.

    ``against``: the version in force that moves were judged from; None if none was given. ``more``: there are more
    findings than MAX_FINDINGS. ``cells``: how many were looked at.
    """

    version: str
    against: str | None
    findings: tuple[Finding, ...]
    more: bool
    cells: int

    @property
    def clean(self) -> bool:
        return not any(one.severity is Severity.ERROR for one in self.findings)

    def of(self, code: FindingCode) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(one for one in self.findings if one.code is code)

    def as_json(self) -> dict[str, Any]:
        """JSON values under snake_case keys."""
        return {
            "version": self.version,
            "against": self.against,
            "clean": self.clean,
            "cells": self.cells,
            "more": self.more,
            "findings": [one.as_json() for one in self.findings],
        }


def prove(
    rulebook: Rulebook,
    in_force: Rulebook | None = None,
    capabilities: Capabilities | None = None,
    *,
    limit: int = MAX_CELLS,
) -> Proof:
    """Prove a rulebook; with the version in force also its moves, with capabilities also what drivers can do.

    ``limit``: cells of one table, or of two compared, beyond which the proof refuses.
    """
    proofs = {domain: TableProof(rulebook, domain, limit) for domain in sorted(rulebook.tables)}
    found = list(islice(_findings(rulebook, in_force, capabilities, proofs, limit), MAX_FINDINGS + 1))
    kept = sorted(found[:MAX_FINDINGS], key=_order)
    return Proof(
        version=rulebook.version,
        against=None if in_force is None else in_force.version,
        findings=tuple(kept),
        more=len(found) > MAX_FINDINGS,
        cells=sum(proof.cells for proof in proofs.values()),
    )


def _order(finding: Finding) -> tuple[str, str, int, str]:
    file, line = (finding.rows[0].file, finding.rows[0].line) if finding.rows else ("", 0)
    return finding.domain, file, line, finding.code


def _findings(
    rulebook: Rulebook,
    in_force: Rulebook | None,
    capabilities: Capabilities | None,
    proofs: dict[str, TableProof],
    limit: int,
) -> Iterator[Finding]:
    for domain, proof in proofs.items():
        yield from _bounded(domain, proof.findings_found())
        yield from unserved(rulebook, domain, proof.reachable(), capabilities, in_force)
        yield from without_table(rulebook, domain, proof.reachable(), in_force)
        for follow_up in FOLLOW_UPS.get(domain, ()):
            if follow_up in rulebook.tables:
                yield from _bounded(domain, behind(rulebook, domain, follow_up, limit))
        if in_force is not None:
            yield from _bounded(domain, illegal_moves(in_force, rulebook, domain, limit))
    if in_force is not None:
        yield from withdrawn(in_force, rulebook)


def _bounded(domain: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, and one more if they had to end because the cells were too many."""
    try:
        yield from findings
    except TooManyCells as error:
        yield Finding(
            code=FindingCode.TOO_MANY_CELLS,
            domain=domain,
            message=f"the table falls into more than {error.limit} cells and is not proven; what multiplies them is "
            f"{', '.join(error.columns)}",
            mend=f"use fewer different values in {error.columns[0]}, or let the same rows share them",
        )
