"""What follows from one set of matching rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from routing_rules.inclusion import Inclusion
from routing_rules.model import Row, Side

if TYPE_CHECKING:
    from routing_rules.answers import Evidence, Verdict


@dataclass(slots=True)
class Resolution:
    """The rows that match, and those that decide, each lowest id first. ``deciding`` is empty for a gap.

    Worked out once and shared by all answers that rest on it, and so are their ``evidence`` and the ``verdict``; where
    the facts have a say in it, as in a pilot, there is one in ``split`` for each side; ``before_cutover`` is the one of
    posting dates before the cutover date. ``decide`` fills them in.
    """

    matched: tuple[Row, ...]
    deciding: tuple[Row, ...]
    agreed: bool
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    verdict: Verdict | None = field(default=None, repr=False, compare=False)
    split: dict[Side, Verdict] = field(default_factory=dict, repr=False, compare=False)
    before_cutover: Verdict | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, rows: tuple[Row, ...], matched: tuple[int, ...], inclusion: Inclusion) -> Resolution:
        """Of the matching rows, by their numbers."""
        deciding = tuple(rows[number] for number in inclusion.smallest(matched))
        agreed = all(row.outcome == deciding[0].outcome for row in deciding)
        return cls(tuple(rows[number] for number in matched), deciding, agreed)
