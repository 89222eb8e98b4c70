"""Which retention rule holds for a document: the one of the nearest geography above it, a domain's own first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.domain.privacy import Erasable, RetentionRule
from routing_rules import Tree

NO_RULE: Final = RetentionRule(None, "", 0, None, from_year_end=False)
"""Where nobody said anything: it may be erased when it is asked for, and stays until then."""


def rule_for(rules: Sequence[RetentionRule], geographies: Tree, one: Erasable) -> RetentionRule:
    """The narrowest; of a geography that the tree does not have any more, those of the tree's root."""
    above = geographies.path(one.geography) if one.geography in geographies else (geographies.root, one.geography)
    depth = {node: at for at, node in enumerate(above)}
    matching = [rule for rule in rules if rule.geography in depth and rule.domain in {None, one.domain}]
    return max(matching, key=lambda rule: (depth[rule.geography], rule.domain is not None), default=NO_RULE)
