"""What the entries of one trace tell about the refusal that is kept with its transaction. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.exceptions import PARENT_REJECTED

UNAVAILABLE = "erp-unavailable"


@dataclass(slots=True)
class ToldProblem:
    """`hashed`: of the refusal, as the entry `rejected` commits to it; None where there is none, or no entry tells it.
    `codes`: what may stand there without an entry; None: anything. `code`: of the refusal.

    Before it is settled, what keeps a transaction from its ERP stands there with no entry: that the ERP could not be
    reached, and while the outcome is unknown the refusal that will count if nothing was posted.
    """

    hashed: str | None = None
    code: str | None = None
    codes: frozenset[str | None] | None = frozenset({None})

    def take(self, body: Mapping[str, Any]) -> None:
        """An entry of a trace, in its turn. What is told of an undo is kept with the undo."""
        if body.get("direction") == "undo":
            return
        match body["kind"]:
            case "rejected":
                # older programs told the refusal without its hash
                self.hashed, self.code, self.codes = body.get("problemHash"), body.get("code"), None
            case "dispatched":
                self.hashed, self.code, self.codes = None, None, frozenset({None, UNAVAILABLE})
            case "unknown":
                self.hashed, self.code, self.codes = None, None, None
            case "posted" | "cancelled" | "held":
                self.hashed, self.code, self.codes = None, None, frozenset({None})
            case "compensating" if "madeForTransactionId" in body:
                self.hashed, self.code, self.codes = None, PARENT_REJECTED, frozenset({PARENT_REJECTED})
