"""The rules that decided what a pack is about, as far as one pack holds them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from gateway.domain.records import ActivationRecord
from gateway.ledger.evidence.contents import RULES_LEFT_OUT
from gateway.ledger.evidence.deciding import RuleNamed, versions_in
from gateway.store.log_reads import PlacedEntry

MOST_RULES: Final = 20
"""Rulebooks whose text one pack holds; the decisions of further ones are there without it."""


class RulesReads(Protocol):
    """Where they are read."""

    async def activation(self, activation_number: int) -> ActivationRecord | None:
        """What came into force by it; None if there is none."""
        ...


async def rules_of(reads: RulesReads, entries: Iterable[PlacedEntry]) -> tuple[dict[int, ActivationRecord], list[str]]:
    """By activation number, those under which these entries were routed, and those whose pins they follow; and what is
    said of such as are not there."""
    named = _named(entries)
    rules: dict[int, ActivationRecord] = {}
    left_out: list[str] = []
    for number in sorted({number for one in named for number in one.activations}):
        if len(rules) == MOST_RULES:
            left_out.append(f"{RULES_LEFT_OUT}further rules than those of {MOST_RULES} activations")
            break
        known = await reads.activation(number)
        if known is None:
            left_out.append(f"{RULES_LEFT_OUT}the rules of activation {number}: the gateway has it not")
        else:
            rules[number] = known
    if any(one.is_pinned and one.table_version is not None for one in named):
        left_out += await asyncio.to_thread(_lacking, named, rules)
    return rules, left_out


def _named(entries: Iterable[PlacedEntry]) -> list[RuleNamed]:
    bodies = [json.loads(one.body or b"{}") for one in entries]
    return [RuleNamed.by(body) for body in bodies if body.get("kind") == "routed"]


def _lacking(named: Iterable[RuleNamed], rules: Mapping[int, ActivationRecord]) -> list[str]:
    """Tables of pins of which no entry says where they are, or that are not there."""
    versions = {number: versions_in(one.rules) for number, one in rules.items()}
    lacking = {
        one.table_version: None
        for one in named
        if one.is_pinned and one.table_version is not None and not one.is_in(versions)
    }
    return [f"{RULES_LEFT_OUT}the table {version}, by which a lineage was pinned" for version in lacking]
