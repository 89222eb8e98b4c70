"""Who cares for an exception: a team of the rulebook, a person, or both."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.cutover.acting import acting
from gateway.cutover.acts import Actor
from gateway.domain.caller import Caller
from gateway.domain.drafts import PersonRecord
from gateway.domain.exceptions import ExceptionRecord
from gateway.domain.identity import person_commitment
from gateway.domain.queries import Visible
from gateway.errors import FieldError, Problem
from gateway.exceptions.held import Held, no_such_exception
from gateway.exceptions.parts import ExceptionParts
from gateway.exceptions.ports import ExceptionUnit


@dataclass(frozen=True, slots=True)
class Owner:
    """`team`: as `owners` of the rulebook calls it. `person`: as tokens call the person. None: nobody."""

    team: str | None = None
    person: str | None = None


async def claim(parts: ExceptionParts, caller: Caller, visible: Visible, exception_id: str) -> ExceptionRecord:
    """The caller cares for it from now on, the team stays. Raises Problem as `assign`."""
    who = acting(parts.line().tools, caller)
    return await _own(parts, caller, visible, exception_id, keep_team=True, owner=Owner(person=who.name))


async def assign(
    parts: ExceptionParts, caller: Caller, visible: Visible, exception_id: str, owner: Owner
) -> ExceptionRecord:
    """Give it to a team, a person, both or nobody. Saying again what stands changes nothing.

    Raises Problem: not-found, stale (closed), invalid-document (no such team), policy-check-failed (no person).
    """
    teams = {team for teams in parts.line().rules.rulebook.owners.values() for team in teams}
    if owner.team is not None and owner.team not in teams:
        message = "is no team of the rulebook in force"
        known = f"known: {', '.join(sorted(teams)[:20])}" if teams else "the rulebook names no teams"
        raise Problem("invalid-document", f"ownerTeam {message}", errors=(FieldError("ownerTeam", message, known),))
    return await _own(parts, caller, visible, exception_id, keep_team=False, owner=owner)


async def _own(
    parts: ExceptionParts, caller: Caller, visible: Visible, exception_id: str, *, keep_team: bool, owner: Owner
) -> ExceptionRecord:
    tools = parts.line().tools
    who = acting(tools, caller)
    known = await parts.reads.exception(exception_id, visible)
    if known is None:
        raise no_such_exception()
    person = person_commitment(tools.commitment_key, owner.person) if owner.person is not None else None

    async def unit_of_work(unit: ExceptionUnit) -> ExceptionRecord:
        held = await Held.take(unit, parts.line(), known, who.client)
        held.refuse_closed()
        team = held.record.owner_team if keep_team else owner.team
        if (held.record.owner_team, held.record.owner_person) == (team, person):
            return held.record
        await Actor(who.client, who.person, who.name).remember(unit)
        if person is not None and owner.person is not None:
            await unit.ensure_person(PersonRecord(person, owner.person))
        await held.change(owner_team=team, owner_person=person)
        held.note({"state": "assigned", "person": who.person, "ownerTeam": team, "ownerPerson": person})
        await held.save()
        return held.record

    record = await parts.store.write(unit_of_work)
    parts.events_left()
    return record
