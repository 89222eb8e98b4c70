"""Which gates the journey has seen failing, and which passing: read from what the API tells and from the ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.journeys.cutover_world import World
from tests.journeys.record import reading

ROW: Final = re.compile(r"^\| `([a-z_]+)` \| (.+) \| (.+) \|$", re.MULTILINE)
NEVER: Final = "never"


class GatesSeen:
    """What every gate was seen to say. `promised`: what the table at the document's end says of it."""

    def __init__(self, document: str) -> None:
        self.seen: dict[str, set[str]] = {}
        told = {gate: {"failing": failing, "passing": passing} for gate, failing, passing in ROW.findall(document)}
        self.promised = {gate: {what for what, where in one.items() if where != NEVER} for gate, one in told.items()}

    def note(self, gates: Iterable[Mapping[str, Any]]) -> None:
        """As a review or a slice tells them."""
        for one in gates:
            self._add(one["gate"], "passing" if one["passed"] else "failing")

    def note_drafts(self, world: World) -> None:
        """Of all drafts that are open."""
        for one in world.get("/v1/drafts", state="open")["items"]:
            self.note(world.get(f"/v1/drafts/{one['draftId']}")["gates"])

    def note_ledger(self, world: World) -> None:
        """Of all activations: what was judged in the moment itself stands in the ledger."""
        with reading(world.places.directory) as connection:
            rows = connection.execute("SELECT kind, body FROM ledger_entries WHERE kind LIKE 'gate_%'").fetchall()
        for kind, body in rows:
            if kind in {"gate_passed", "gate_failed"}:
                entry = json.loads(body)
                passed = kind == "gate_passed" and entry.get("passed", True)
                self._add(entry["gate"], "passing" if passed else "failing")

    def _add(self, gate: str, what: str) -> None:
        self.seen.setdefault(gate, set()).add(what)
