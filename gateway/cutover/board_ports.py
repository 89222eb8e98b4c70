"""What the board asks of the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.open_lineages import DayCount, InBoth, OpenFilter, OpenGroup, OpenLineage, RootGroup
from gateway.domain.queries import Visible


class BoardReads(Protocol):
    """Read-only questions about lineages by slice, side, age and reason; what is not visible is not there. `now`,
    `since`: µs since 1970 UTC."""

    async def open_groups(self, where: OpenFilter, visible: Visible, now: int) -> Sequence[OpenGroup]:
        """All open lineages, by what they have in common."""
        ...

    async def open_lineages(
        self, where: OpenFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[OpenLineage]:
        """The open lineages after that one, oldest first: `limit` of them at most, each with all its reasons."""
        ...

    async def root_groups(self, where: OpenFilter, visible: Visible) -> Sequence[RootGroup]:
        """All roots, open or not, by what they have in common."""
        ...

    async def open_in_both(self, where: OpenFilter, visible: Visible) -> Sequence[InBoth]:
        """Customers with open lineages in legacy and in the cloud, by side and currency."""
        ...

    async def days(self, where: OpenFilter, visible: Visible, since: int) -> Sequence[DayCount]:
        """When lineages came and when they closed, by day."""
        ...
