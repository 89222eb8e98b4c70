"""A refusal as it is kept with its transaction: its words, and the salt under which an entry commits to them.

An entry holds SHA-256 of the kept text. The salt is a member of that text, so whoever has the entry alone cannot
confirm words that he guesses; and it goes when the words are erased. Refusals of before it was drawn have none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

SALT: Final = "commitmentSalt"
"""Of the kept text alone: no resource and no event shows it."""


def kept_refusal_text(problem: Mapping[str, Any], salt: bytes) -> str:
    """The text that is kept, and to which the entry commits. `salt`: 16 unpredictable bytes."""
    return json.dumps({**problem, SALT: salt.hex()}, ensure_ascii=False)


def shown_refusal(text: str | None) -> dict[str, Any] | None:
    """What was refused, for whoever may read the transaction."""
    members: dict[str, Any] | None = json.loads(text) if text else None
    return members if members is None else {name: value for name, value in members.items() if name != SALT}
