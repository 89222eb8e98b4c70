"""What the entries of one trace tell about the postings of its plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Place = tuple[int, str]
"""Step and direction."""

_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    # that it was certainly not sent has no entry
    "dispatched": frozenset({"dispatched", "not_sent"}),
    "unknown": frozenset({"unknown"}),
    "posted": frozenset({"posted"}),
    "rejected": frozenset({"rejected"}),
    "ended": frozenset({"dispatched", "not_sent", "unknown", "rejected"}),
}


@dataclass(slots=True)
class ToldStep:
    """A posting as it was dispatched last. `last`: what became of it; `ended`: its transaction ended without it."""

    system_id: str
    reference: str | None
    attempt: int
    last: str = "dispatched"
    document_type: str | None = None
    document_number: str | None = None

    @property
    def may_be(self) -> frozenset[str]:
        """The states in which it may be kept."""
        return _ALLOWED[self.last]


@dataclass(slots=True)
class ToldSteps:
    """All of a trace."""

    by_place: dict[Place, ToldStep] = field(default_factory=dict)

    def take(self, body: Mapping[str, Any]) -> None:
        """An entry of a trace, in its turn."""
        kind = body["kind"]
        place = (body.get("step", 1), body.get("direction", "do"))
        if kind == "dispatched":
            reference = body.get("erp", {}).get("reference")
            self.by_place[place] = ToldStep(body["systemId"], reference, body.get("attempt", 1))
            return
        if kind == "posted" and place[1] == "undo" and place not in self.by_place:
            # done by a person in an ERP whose driver cannot: the gateway never sent it
            reference = body.get("erp", {}).get("reference")
            self.by_place[place] = ToldStep(body["systemId"], reference, body.get("attempt", 1))
        known = self.by_place.get(place)
        if kind in {"rejected", "cancelled"} and "step" not in body:
            for one in self.by_place.values():
                one.last = one.last if one.last == "posted" else "ended"
        elif known is not None and kind in {"unknown", "rejected", "posted"}:
            known.last = kind
            if kind == "posted":
                erp = body.get("erp", {})
                known.document_type, known.document_number = erp.get("documentType"), erp.get("documentNumber")
