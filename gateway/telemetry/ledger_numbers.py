"""What goes wrong while the ledger is watched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter

CHECKS: Final = ("log", "state", "held")
"""The recomputation of the log, the audit of the state, and the look whether the log continues what is held."""


class LedgerNumbers:
    """Checks in the background that could not be made, and witnesses that say they have seen another log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._failed = Counter(
            "erp_gateway_ledger_checks_failed_total",
            "Checks of the ledger in the background that could not be made, but for a database that was away.",
            ["check"],
            registry=registry,
        )
        self._contradictions = Counter(
            "erp_gateway_witness_contradictions_total",
            "Answers by which a witness says that it has seen another log.",
            ["witness"],
            registry=registry,
        )
        for check in CHECKS:
            self._failed.labels(check)

    def asks(self, witnesses: Iterable[str]) -> None:
        """These witnesses are asked; each is shown from now on."""
        for witness in witnesses:
            self._contradictions.labels(witness)

    def failed(self, check: str) -> None:
        """A check, one of `CHECKS`, could not be made."""
        self._failed.labels(check).inc()

    def contradicted(self, witness: str) -> None:
        """A witness says that it has seen another log."""
        self._contradictions.labels(witness).inc()
