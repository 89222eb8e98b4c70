"""The rulebook that is in force by the record of a data directory."""

from __future__ import annotations

from pathlib import Path

from gateway.cli import rules_files
from gateway.cli.console import settings_of
from gateway.cli.record import reading
from gateway.cutover.kept_files import files_of
from gateway.store.store import Store
from gateway.wiring.record import may_hold_rules
from routing_rules import Rulebook
from routing_rules.canonical_text import rulebook_from_canonical
from routing_rules.kept_files import with_lines


def in_force(data: Path) -> tuple[Rulebook, int | None]:
    """By the record; a gateway that was never started decides nothing yet, and will begin with the files."""
    settings = settings_of(data)

    async def ask(store: Store) -> tuple[Rulebook, int] | None:
        number = (await store.reads.rules_state()).activation_number
        found = await store.reads.activation(number)
        if found is None:
            return None
        files = await files_of(store.reads, found)
        return with_lines(rulebook_from_canonical(found.rules, found.governance), files), number

    found = reading(data, ask) if may_hold_rules(data, settings) else None
    return (rules_files.load(data / settings.rulebook), None) if found is None else found
