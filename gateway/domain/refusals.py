"""A refusal as it is kept with its transaction: its words, and the salt under which an entry commits to them.

An entry holds SHA-256 of the kept text. The salt is a member of that text, so whoever has the entry alone cannot
confirm words that he guesses; and it goes when the words are erased. Refusals of before it was drawn have none.

What is to be called off once it is certain that no ERP holds it is kept in the same place, until it ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SALT: Final = "commitmentSalt"
CALL_OFF: Final = "call-off"
"""Code of what is to end as cancelled, not as refused."""
WANTED: Final = "wanted"
"""Who wants that, and the members of the `cancelled` entry."""
_UNSHOWN: Final = frozenset({SALT, WANTED})
"""Of the kept text alone: no resource and no event shows them."""


def kept_refusal_text(problem: Mapping[str, Any], salt: bytes) -> str:
    """The text that is kept, and to which the entry commits. `salt`: 16 unpredictable bytes."""
    return json.dumps({**problem, SALT: salt.hex()}, ensure_ascii=False)


def shown_refusal(text: str | None) -> dict[str, Any] | None:
    """What was refused, for whoever may read the transaction."""
    members: dict[str, Any] | None = json.loads(text) if text else None
    return members if members is None else {name: value for name, value in members.items() if name not in _UNSHOWN}


@dataclass(frozen=True, slots=True)
class CallOff:
    """That a transaction is to be called off. `actor`: in whose name; `members`: of its `cancelled` entry."""

    actor: str
    members: Mapping[str, Any]

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> CallOff | None:
        """Of what is kept; None: that is a refusal."""
        wanted = kept.get(WANTED) if kept.get("code") == CALL_OFF else None
        return None if wanted is None else cls(str(wanted["actor"]), wanted["members"])

    def keep(self) -> dict[str, Any]:
        """As it is kept, and shown until then."""
        return {
            "code": CALL_OFF,
            "detail": "it is to be called off, and was accepted before the record was restored: it is inquired first, "
            "and cancelled if no ERP holds it",
            "remedy": "wait for its end; what an ERP holds is cancelled or reversed there after it",
            WANTED: {"actor": self.actor, "members": dict(self.members)},
        }
