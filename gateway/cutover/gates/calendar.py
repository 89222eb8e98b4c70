"""Gate `calendar`: the change comes into force in no close or freeze window, unless the window names it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.cutover.gates.gate import Candidate, GateResult
from routing_rules import Rulebook, calendar_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CalendarGate:
    """Guards every change. The calendars of the rulebook in force count, of every company code that it has: a change of
    the rules is a change for all whose books are being closed."""

    name = "calendar"

    def guards(self, candidate: Candidate) -> bool:
        """Every change."""
        return True

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        """One result for each company code; one that fails where there is none."""
        codes = sorted(candidate.base.company_codes)
        if not codes:
            why = "the rulebook in force names no company code, so nobody knows when books are closed"
            return [GateResult(gate=self.name, passed=False, why=why)]
        at = _EPOCH + timedelta(microseconds=candidate.effective_at)
        return [self._of_code(candidate.base, code, at, candidate.draft_id) for code in codes]

    def _of_code(self, rulebook: Rulebook, code: str, at: datetime, draft_id: str | None) -> GateResult:
        calendar = calendar_of(rulebook.governance, code)
        if calendar is None:
            why = f"company code {code} has no calendar; give it one in rulebook.yaml"
            return GateResult(gate=self.name, passed=False, why=why, subject=code)
        windows = calendar.windows_at(at)
        closed = [one for one in windows if draft_id is None or draft_id not in one.allows]
        evidence = {
            "effectiveOn": at.date().isoformat(),
            "windows": [
                {
                    "windowId": one.id,
                    "windowKind": one.kind,
                    "startsOn": one.start.isoformat(),
                    "endsBefore": one.end.isoformat(),
                    "namesThisChange": one not in closed,
                }
                for one in windows
            ],
        }
        if closed:
            first = closed[0]
            why = (
                f"{at.date()} lies in the {first.kind} window {first.id} ({first.note or 'without a note'}): "
                f"choose a day from {max(one.end for one in closed)} on, or have the window name this change"
            )
        else:
            why = "no close or freeze window covers the day, or it names this change"
        return GateResult(gate=self.name, passed=not closed, why=why, evidence=evidence, subject=code)
