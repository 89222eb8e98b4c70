"""Author, approver and activator are three different persons: who may do what to a draft. Pure.

A person is the commitment of the token's `person` claim, which covers all machine clients of that person. What is not
named is no person: a token without the claim can neither edit, nor approve, activate or waive.

- **Everybody who saved a draft is an author of it**, for ever, whatever was saved since.
- **An approval names** the draft's version, the versions of its rules and its governance, the activation that it
  builds on with the versions in force there, and the simulation. If any of them is another now, it is void. A
  simulation that is run again, as it must be before the effective instant, leaves the approval standing as long as
  the one that it names is stored for just this candidate and base; whether the later one stays within the limits is
  the gate `simulation`'s to say. An approval that names none is void once there is one.
- **Who may approve what** is said by the owners in force, never by the draft: a changed table of a domain needs a
  member of a team that owns the domain. A change of the ground (trees, systems) or of what governs all changes
  (company codes, calendars, checks, thresholds, policies) touches every domain. Changed owners and late policies
  touch the domains that they speak of. A domain that nobody owns in force is approved by a member of any owning team;
  where no domain has an owner, by anybody with the scope.
- **The activator** has neither saved the draft nor ever approved it, nor waived a gate of it.
- **Who waives** a gate has neither saved the draft nor asked for its activation.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.drafts import ApprovalRecord, DraftRecord, WaiverRecord
from routing_rules import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What an approval names, all of it."""

    draft_version: int
    table_version: str
    governance_version: str
    base_activation_number: int
    base_table_version: str
    base_governance_version: str
    simulation_digest: str | None

    @classmethod
    def by(cls, approval: ApprovalRecord) -> Named:
        """What this approval names."""
        return cls(
            draft_version=approval.draft_version,
            table_version=approval.table_version,
            governance_version=approval.governance_version,
            base_activation_number=approval.base_activation_number,
            base_table_version=approval.base_table_version,
            base_governance_version=approval.base_governance_version,
            simulation_digest=approval.simulation_digest,
        )

    @classmethod
    def now(
        cls, draft: DraftRecord, base: Rulebook, base_activation_number: int, simulation_digest: str | None
    ) -> Named:
        """What an approval of the draft has to name now; `base`: what is in force."""
        return cls(
            draft_version=draft.version,
            table_version=draft.table_version,
            governance_version=draft.governance_version,
            base_activation_number=base_activation_number,
            base_table_version=base.version,
            base_governance_version=base.governance_version,
            simulation_digest=simulation_digest,
        )

    def differences(self, other: Named) -> tuple[str, ...]:
        """What differs, in words; the simulation is judged apart."""
        words = {
            "draft_version": "the draft was edited",
            "table_version": "the rules are others",
            "governance_version": "the governance is another",
            "base_activation_number": "something else is in force",
            "base_table_version": "the rules in force are others",
            "base_governance_version": "the governance in force is another",
        }
        return tuple(text for name, text in words.items() if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An approval and why it does not count now; no reason: it does. `domains`: those that it answers for."""

    approval: ApprovalRecord
    void: tuple[str, ...]
    domains: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a draft stands with its persons. `owners`: of each domain that the draft touches, the teams of which one must
    approve; an empty set: anybody may. `now`: what an approval has to name. `activator`: who asked for its activation.
    `teams`: of the approvers, by approval id. `stored`: the simulations that are of just this candidate and base."""

    now: Named
    editors: frozenset[str]
    owners: Mapping[str, frozenset[str]]
    approvals: Sequence[ApprovalRecord]
    activator: str | None = None
    teams: Mapping[str, frozenset[str]]
    waivers: Sequence[WaiverRecord] = ()
    stored: frozenset[str] = frozenset()

    def judged(self) -> list[Judged]:
        """Every approval, with its validity."""
        return [self._judge(one) for one in self.approvals]

    def _judge(self, approval: ApprovalRecord) -> Judged:
        named = Named.by(approval)
        void = self.now.differences(named)
        if named.simulation_digest is None and self.now.simulation_digest is not None:
            void = (*void, "a simulation was stored since")
        if named.simulation_digest is not None and named.simulation_digest not in self.stored:
            void = (*void, "its simulation is none of this draft over what is in force")
        if approval.person in self.editors:
            void = (*void, "its approver is an author of the draft")
        return Judged(
            approval=approval,
            void=void,
            domains=domains_of(self.teams.get(approval.approval_id, frozenset()), self.owners),
        )

    @property
    def approvers(self) -> frozenset[str]:
        """Who ever approved the draft, also where it is void by now."""
        return frozenset(one.person for one in self.approvals)

    @property
    def missing(self) -> tuple[str, ...]:
        """The domains that no approval that counts answers for."""
        answered = frozenset[str]().union(*(one.domains for one in self.judged() if not one.void))
        return tuple(sorted(self.owners.keys() - answered))

    @property
    def approved(self) -> bool:
        """There is an approval that counts, and every domain that the draft touches is answered for."""
        return not self.missing and any(not one.void for one in self.judged())

    def refuses_approval(self, person: str, teams: Collection[str]) -> str | None:
        """Why this person may not approve; None: they may."""
        if person in self.editors:
            return "whoever saved a version of the draft is an author of it and does not approve it"
        if person == self.activator:
            return "whoever activates the draft does not approve it"
        if self.owners and not domains_of(teams, self.owners):
            wanted = sorted(frozenset[str]().union(*self.owners.values()))
            return f"only members of the teams that own what changes approve it: {', '.join(wanted)}"
        return None

    def refuses_activation(self, person: str) -> str | None:
        """Why this person may not activate; None: they may, as far as persons are concerned."""
        if person in self.editors:
            return "whoever saved a version of the draft is an author of it and does not activate it"
        if person in self.approvers:
            return "whoever approved the draft does not activate it"
        if any(one.person == person for one in self.waivers):
            return "whoever waived a gate of the draft does not activate it"
        if not self.approved:
            lacking = f" for {', '.join(self.missing)}" if self.missing else ""
            return f"no approval that counts{lacking}: it names just this draft, what is in force and the simulation"
        return None

    def refuses_waiver(self, person: str) -> str | None:
        """Why this person may not waive a gate; None: they may."""
        if person in self.editors:
            return "whoever saved a version of the draft is an author of it and waives nothing"
        if person == self.activator:
            return "whoever activates the draft waives nothing"
        return None

    def counted(self) -> list[WaiverRecord]:
        """The waivers that count: of just this candidate over this base, by neither an author nor the activator."""
        return [
            one
            for one in self.waivers
            if self.refuses_waiver(one.person) is None
            and one.draft_version == self.now.draft_version
            and one.base_activation_number == self.now.base_activation_number
            and (one.table_version, one.governance_version) == (self.now.table_version, self.now.governance_version)
        ]


def domains_of(teams: Collection[str], owners: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The domains for which a member of these teams may answer."""
    return frozenset(domain for domain, owning in owners.items() if not owning or not owning.isdisjoint(teams))


def owners_touched(base: Rulebook, candidate: Rulebook) -> dict[str, frozenset[str]]:
    """By domain that the candidate changes: the teams that own it in force, of which one must approve.

    A domain without owner in force is answered for by any owning team; an empty set: no domain has an owner.
    Nothing is changed by what only tidies the files or the examples.
    """
    everybody = frozenset[str]().union(*base.owners.values())
    return {domain: frozenset(base.owners.get(domain, ())) or everybody for domain in sorted(_touched(base, candidate))}


def _touched(base: Rulebook, candidate: Rulebook) -> set[str]:
    domains = {*base.tables, *candidate.tables, *base.owners}
    before, after = _governance(base), _governance(candidate)
    owners, late = (before.pop("owners"), after.pop("owners")), (before.pop("late"), after.pop("late"))
    if before != after:
        return domains
    # Trees and systems are part of every table's version, so a change of them touches every domain.
    touched = {domain for domain in domains if _version(base, domain) != _version(candidate, domain)}
    touched |= {domain for domain in {*owners[0], *owners[1]} if owners[0].get(domain) != owners[1].get(domain)}
    return touched | {one["domain"] for one in (*late[0], *late[1]) if (one in late[0]) != (one in late[1])}


def _governance(rulebook: Rulebook) -> dict[str, Any]:
    governance: dict[str, Any] = json.loads(rulebook.governance_json())
    return governance


def _version(rulebook: Rulebook, domain: str) -> str | None:
    return rulebook.table_version(domain) if domain in rulebook.tables else None
