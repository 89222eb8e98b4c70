"""What acts on the rules are done with."""

from __future__ import annotations

from collections.abc import Callable

from gateway.cutover.acts import ActParts
from gateway.cutover.rules_holder import RulesHolder
from gateway.store.store import Store
from gateway.transactions.parts import Tools


def act_parts(
    store: Store, tools: Tools, holder: RulesHolder, events_left: Callable[[], None], jobs_due: Callable[[], None]
) -> ActParts:
    """For the API and for the monitor. `events_left`, `jobs_due`: wake the relay, and the worker."""
    return ActParts(
        store=store,
        reads=store.reads,
        tools=tools,
        rules=lambda: holder.current,
        events_left=events_left,
        jobs_due=jobs_due,
    )
