"""Who acts on the rules: a named person, as the ledger and the tables hold them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.cutover.draft_ports import DraftUnit
from gateway.domain.caller import Caller
from gateway.domain.drafts import PersonRecord
from gateway.domain.identity import person_commitment
from gateway.errors import Problem
from gateway.transactions.parts import Tools


@dataclass(frozen=True, slots=True)
class Acting:
    """`person`: the commitment that the ledger holds; `client`: the machine that the person uses."""

    caller: Caller
    person: str
    name: str

    @property
    def client(self) -> str:
        return self.caller.client

    async def remember(self, unit: DraftUnit) -> None:
        """Keep the name beside the commitment, erasable, so that people can be told who it was."""
        await unit.ensure_person(PersonRecord(self.person, self.name))


def acting(tools: Tools, caller: Caller) -> Acting:
    """Raises `policy-check-failed` for a token that names no person: a machine client alone could be anybody's."""
    if caller.person is None:
        raise Problem(
            "policy-check-failed",
            "The token does not say which person stands behind the client.",
            remedy="Use a token with a claim that names the person; without it three persons cannot be told apart.",
        )
    return Acting(caller, person_commitment(tools.commitment_key, caller.person), caller.person)
