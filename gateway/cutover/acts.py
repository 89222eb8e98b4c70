"""What all acts share: who acts, why, and that what bites from now on is told by a new acts number."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.cutover.act_ports import ActReads, ActStore, ActUnit
from gateway.domain.activations import RulesState
from gateway.domain.caller import Caller
from gateway.domain.drafts import PersonRecord
from gateway.domain.identity import payload_commitment, person_commitment
from gateway.domain.records import PayloadRecord
from gateway.errors import Problem
from gateway.transactions.parts import RulesInForce, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class ActParts:
    """What acts are done with. `rules`: what is in force now. `events_left`, `jobs_due`: to be called after a commit
    that left events to publish, or made jobs due."""

    store: ActStore
    reads: ActReads
    tools: Tools
    rules: Callable[[], RulesInForce]
    events_left: Callable[[], None]
    jobs_due: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody acts: kept as an erasable payload, to which the ledger commits."""

    payload_id: str
    salt: bytes
    body: bytes

    @classmethod
    def drawn(cls, tools: Tools, text: str) -> Reason:
        """Drawn outside of the unit, which may run again."""
        body = json.dumps({"reason": text}, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(tools.ids.new("pay"), tools.randomness.salt(), body)

    @classmethod
    async def kept(cls, unit: ActUnit, payload_id: str | None) -> Reason | None:
        """What the first of two persons gave; None where it was erased since."""
        found = None if payload_id is None else await unit.payload(payload_id)
        return None if found is None or found.body is None else cls(found.payload_id, found.salt, found.body)

    @property
    def commitment(self) -> str:
        """What the entry holds."""
        return payload_commitment(self.salt, self.body)

    async def keep(self, unit: ActUnit) -> None:
        await unit.insert_payload(PayloadRecord(self.payload_id, self.salt, self.body))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the client, and the person behind it as the ledger holds persons."""

    client: str
    person: str
    name: str

    @classmethod
    def of(cls, tools: Tools, caller: Caller) -> Actor:
        """The person; where the token names none, the client counts as one."""
        name = caller.person_or_client
        return cls(caller.client, person_commitment(tools.commitment_key, name), name)

    async def remember(self, unit: ActUnit) -> None:
        await unit.ensure_person(PersonRecord(self.person, self.name))


async def raise_acts(unit: ActUnit, state: RulesState) -> int:
    """The next acts number: from the commit on, whoever decides by another one reloads first.

    `state`: as `rules_state_alone` gave it at the unit's begin.
    """
    number = state.acts_number + 1
    await unit.set_rules_state(RulesState(state.activation_number, number))
    return number


def refuse_reused(known_hash: str, digest: str) -> None:
    """Raise Problem `idempotency-key-reused` where the key stands for another request."""
    if known_hash != digest:
        raise Problem(
            "idempotency-key-reused",
            "this Idempotency-Key was used for another act",
            remedy="use a new key for a new request; repeat a request with the same body only",
        )


def present(members: dict[str, Any]) -> dict[str, Any]:
    """Without what is not there."""
    return {name: value for name, value in members.items() if value is not None}
