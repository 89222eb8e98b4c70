"""The gates `proof_clean` and `residency`: what the proof of a candidate found, against the version in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.cutover.gates.gate import Candidate, GateResult
from routing_rules import Capabilities, Finding, FindingCode, Proof, Severity, prove, run_examples

SHOWN: Final = 20
"""Findings that the evidence lists; the proof of the draft lists them all."""

Proofs = Callable[[Candidate], Proof]


class ProofKept:
    """The proof of the candidate that was asked for last: both gates judge by the same one.

    `capabilities`: what each system's driver can do; None where they are not asked. A version that goes back is not
    asked for them: it stood with the same drivers, and back must not wait for one to be mended.
    """

    def __init__(self, capabilities: Callable[[], Capabilities | None]) -> None:
        self._capabilities = capabilities
        self._kept: tuple[tuple[str, ...], Proof] | None = None

    def __call__(self, candidate: Candidate) -> Proof:
        """Raises nothing: what cannot be proven is a finding."""
        capabilities = None if candidate.draft_id is None else self._capabilities()
        able = sorted((system, *sorted(pairs)) for system, pairs in (capabilities or {}).items())
        name = (candidate.rulebook.version, candidate.base.version, repr(able))
        kept = self._kept
        if kept is None or kept[0] != name:
            kept = self._kept = (name, prove(candidate.rulebook, candidate.base, capabilities))
        return kept[1]


class ProofCleanGate:
    """No finding of the proof stands against the candidate, residency apart, and its worked examples come true."""

    name: Final = "proof_clean"

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs

    def guards(self, candidate: Candidate) -> bool:
        """Every change."""
        del candidate
        return True

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result, for all of the change."""
        proof = await asyncio.to_thread(self._proofs, candidate)
        errors = [one for one in _errors(proof) if one.code is not FindingCode.RESIDENCY]
        failures = await asyncio.to_thread(run_examples, candidate.rulebook)
        evidence = _evidence(proof, errors) | {"failedExamples": [str(one) for one in failures[:SHOWN]]}
        if errors or failures:
            why = f"the proof has {len(errors)} errors, and {len(failures)} worked examples do not come true"
            return [GateResult(gate=self.name, passed=False, why=why, evidence=evidence)]
        return [GateResult(gate=self.name, passed=True, why="the proof is clean", evidence=evidence)]


class ResidencyGate:
    """No reachable row sends a geography outside a system's regions."""

    name: Final = "residency"

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs

    def guards(self, candidate: Candidate) -> bool:
        """Every change."""
        del candidate
        return True

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result, for all of the change. A proof that had to end early proves nothing about residency either."""
        proof = await asyncio.to_thread(self._proofs, candidate)
        found = proof.of(FindingCode.RESIDENCY)
        unproven = proof.more or bool(proof.of(FindingCode.TOO_MANY_CELLS))
        evidence = _evidence(proof, found)
        if found or unproven:
            why = f"{len(found)} rows send documents outside a system's regions" if found else "it is not proven"
            return [GateResult(gate=self.name, passed=False, why=why, evidence=evidence)]
        why = "no reachable row sends a document outside a system's regions"
        return [GateResult(gate=self.name, passed=True, why=why, evidence=evidence)]


def _errors(proof: Proof) -> list[Finding]:
    return [one for one in proof.findings if one.severity is Severity.ERROR]


def _evidence(proof: Proof, findings: Sequence[Finding]) -> dict[str, Any]:
    shown = [{"code": one.code.value, "domain": one.domain, "message": one.message} for one in findings[:SHOWN]]
    return {
        "tableVersion": proof.version,
        "against": proof.against,
        "cells": proof.cells,
        "findings": len(findings),
        "shown": shown,
    }
