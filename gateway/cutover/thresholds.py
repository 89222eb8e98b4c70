"""Limits that a rulebook sets on changes of it, with what holds where it says nothing.

Those of the rulebook in force count, never those of a candidate: they were approved. Source: docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Final

from routing_rules import Rulebook

DEFAULTS: Final[Mapping[str, Decimal]] = {
    "simulation_age_h": Decimal(24),
    "simulation_undetermined_percent": Decimal(1),
    "simulation_unmatched_documents": Decimal(0),
    "simulation_moved_percent": Decimal(100),
    "peak_load_percent": Decimal(70),
    "comparison_mismatch_percent": Decimal("0.5"),
    "comparison_days": Decimal(31),
    "comparison_documents": Decimal(1),
    "cross_reference_days": Decimal(90),
    "second_person_order_amount": Decimal(10_000),
}
"""By name under `thresholds` of rulebook.yaml. Hours, per cent, documents, days and amounts, as the name says."""


class ThresholdInvalid(ValueError):
    """The rulebook's limit is no number from 0 up."""


def threshold(rulebook: Rulebook, name: str) -> Decimal:
    """Raises ThresholdInvalid."""
    said = rulebook.governance.thresholds.get(name)
    if said is None:
        return DEFAULTS[name]
    try:
        value = Decimal(str(said))
    except DecimalException:
        value = Decimal("NaN")
    if isinstance(said, bool) or not value.is_finite() or value < 0:
        raise ThresholdInvalid(f"thresholds.{name} of the rulebook in force is {said!r}: write a number from 0 up")
    return value
