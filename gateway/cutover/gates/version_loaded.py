"""Gate `version_loaded`: every live process has the version loaded. Cannot be waived; back skips it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.cutover.activation_ports import ActivationReads
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.cutover.heartbeats import oldest_that_counts
from gateway.domain.activations import Heartbeat, loaded_name

NAME: Final = "version_loaded"
SHOWN: Final = 20
"""Processes that the evidence lists."""


class VersionLoaded:
    """Implements `Gate`. The commit of the activation asks again, with the activation lock held."""

    name = NAME

    def __init__(self, reads: ActivationReads) -> None:
        self._reads = reads

    def guards(self, candidate: Candidate) -> bool:
        """Every change but one that goes back."""
        return candidate.draft_id is not None

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """By the heartbeats that count."""
        version = loaded_name(candidate.rulebook.version, candidate.rulebook.governance_version)
        live = await self._reads.live_heartbeats(oldest_that_counts(await self._reads.database_now()))
        return [version_loaded(live, [one.process_id for one in live if not one.has(version)])]


def version_loaded(live: Sequence[Heartbeat], without: Sequence[str]) -> GateResult:
    """The result. A version that nobody has loaded, because nobody is alive, is not loaded."""
    if without:
        why = (
            f"{len(without)} of {len(live)} live processes have not loaded it: they do once the activation is asked "
            "for, and one that cannot says why in its log and in /health/ready"
        )
    elif live:
        why = f"all {len(live)} live processes have it loaded"
    else:
        why = "no live process says what it has loaded; start one"
    evidence = {"processCount": len(live), "withoutIt": list(without[:SHOWN]), "withoutItCount": len(without)}
    return GateResult(gate=NAME, passed=bool(live) and not without, why=why, evidence=evidence)
