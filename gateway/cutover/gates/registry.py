"""The gates of a change, by name: which are asked, which may be waived, and what they found.

Which gates a change must pass is said by the rulebook **in force** (`required_checks`), never by the candidate: else a
draft could do away with what stands in its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from gateway.cutover.gates.gate import Candidate, Gate, GateResult
from routing_rules import Rulebook

ALWAYS: Final = ("approvals", "proof_clean", "residency", "no_lineage_stranded", "version_loaded", "masters_at_rest")
"""Asked of every change and never waived, whatever `required_checks` says or leaves out."""
OF_BACK: Final = ("proof_clean", "residency")
"""What a version that the gateway derived to go back must pass."""
SECONDS: Final = 300.0
"""What all gates of one change may take together; one that has not answered by then fails."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """That one gate need not pass for one candidate, until `expires_at` (µs since 1970 UTC)."""

    waiver_id: str
    gate: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """A result, and the waiver under which it counts as passed although it failed."""

    result: GateResult
    waivable: bool
    waiver_id: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the change may go on as far as this gate is concerned."""
        return self.result.passed or self.waiver_id is not None

    def as_json(self) -> dict[str, Any]:
        """JSON values under lowerCamelCase names, as the API and the ledger show them."""
        return {
            "gate": self.result.gate,
            "passed": self.result.passed,
            "holds": self.holds,
            "waivable": self.waivable,
            "waiverId": self.waiver_id,
            "subject": self.result.subject,
            "why": self.result.why,
            "evidence": dict(self.result.evidence),
        }


class GateRegistry:
    """The gates that this gateway has. `now`: µs since 1970 UTC."""

    def __init__(self, gates: Iterable[Gate], now: Callable[[], int]) -> None:
        self._now = now
        self._gates: dict[str, Gate] = {}
        for gate in gates:
            if gate.name in self._gates:
                raise ValueError(f"two gates are called {gate.name}")
            self._gates[gate.name] = gate

    def unknown_in(self, rulebook: Rulebook) -> tuple[str, ...]:
        """The gates that this rulebook would ask for and that are not here: in force, it could not be changed."""
        return tuple(name for name in asked_of(rulebook) if name not in self._gates)

    async def evaluate(
        self, candidate: Candidate, waivers: Sequence[Waiver] = (), only: Collection[str] | None = None
    ) -> list[GateVerdict]:
        """What every gate that guards the candidate says, in the order of `asked_of`.

        A gate that is asked for and does not exist fails, and so does one that breaks or takes too long: what cannot
        be evaluated does not hold. `waivers`: those of this very candidate. `only`: these gates and no others.
        """
        valid = {one.gate: one.waiver_id for one in waivers if self._now() < one.expires_at}
        may_be_waived = waivable(candidate.base)
        verdicts: list[GateVerdict] = []
        deadline = asyncio.get_running_loop().time() + SECONDS
        for name in asked_of(candidate.base) if only is None else only:
            for result in await self._results(name, candidate, deadline):
                waiver_id = None if result.passed or name not in may_be_waived else valid.get(name)
                verdicts.append(GateVerdict(result=result, waivable=name in may_be_waived, waiver_id=waiver_id))
        return verdicts

    async def _results(self, name: str, candidate: Candidate, deadline: float) -> Sequence[GateResult]:
        gate = self._gates.get(name)
        if gate is None:
            why = f"the rulebook in force asks for the gate '{name}', which this gateway does not have"
            return [GateResult(gate=name, passed=False, why=why)]
        try:
            if not gate.guards(candidate):
                return []
            async with asyncio.timeout_at(deadline):
                results = await gate.evaluate(candidate)
        except TimeoutError:
            return [
                GateResult(gate=name, passed=False, why=f"it gave no answer: all gates together have {SECONDS:g} s")
            ]
        # Whatever breaks in a gate, the change must not come into force for it; the traceback is in the log.
        except Exception as error:
            _log.error("gate_broken", gate=name, exc_info=error)
            return [GateResult(gate=name, passed=False, why="it broke while it was evaluated; the log says where")]
        if not results:
            return [GateResult(gate=name, passed=False, why="it guards this change and gave no result")]
        return results


def asked_of(base: Rulebook) -> tuple[str, ...]:
    """The gates that a change of this rulebook must pass: those that always count, then those of its own."""
    listed = (str(check.get("id")) for check in base.governance.required_checks)
    return tuple(dict.fromkeys((*ALWAYS, *listed)))


def waivable(base: Rulebook) -> frozenset[str]:
    """The gates of this rulebook that may be waived."""
    checks: Iterable[Mapping[str, Any]] = base.governance.required_checks
    return frozenset(str(one.get("id")) for one in checks if one.get("waivable") is True).difference(ALWAYS)


def failing(verdicts: Iterable[GateVerdict]) -> list[GateVerdict]:
    """Those that stand in the way."""
    return [one for one in verdicts if not one.holds]
