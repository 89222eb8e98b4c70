"""What erasing is done with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.domain.caller import Caller
from gateway.domain.privacy import RetentionRule
from gateway.errors import Problem
from gateway.store.store import Store
from gateway.transactions.parts import Tools
from routing_rules import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyParts:
    """`rulebook`: the one in force, whose trees say what lies below a geography. `events_left`: to be called after a
    commit that left events to publish."""

    store: Store
    tools: Tools
    rulebook: Callable[[], Rulebook]
    rules: Sequence[RetentionRule]
    events_left: Callable[[], None]


def refuse_part_of_business(caller: Caller) -> None:
    """Raise Problem `out-of-scope` for a token that covers a part of the business: a customer buys everywhere."""
    scope = caller.data_scope
    if scope.business_units is not None or scope.geographies is not None:
        raise Problem(
            "out-of-scope",
            "what tells of a customer lies in every slice, and your token covers a part of the business",
            remedy="use a token with an unrestricted data scope",
        )
