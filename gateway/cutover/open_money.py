"""What is open of lineages, for simulations: read once, then answered from memory.

A simulation asks for most of what is open, and asking for it lineage by lineage would read the store once for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from gateway.cutover.traffic import OpenMoney
from gateway.domain.open_lineages import OpenFilter, OpenLineage
from gateway.domain.queries import Visible

_PAGE: Final = 2_000
"""Lineages of one question."""


class OpenLineageReads(Protocol):
    """The open lineages of the record; the store's reads are one."""

    async def open_lineages(
        self, where: OpenFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[OpenLineage]:
        """The open lineages after that one, oldest first: `limit` of them at most, each with all its reasons."""
        ...


class OpenMoneyNow:
    """Implements `gateway.cutover.traffic.OpenLineages`, for one simulation. Of a lineage that is open in several
    currencies the first counts; lineages without customer or amount tell nothing of customers."""

    def __init__(self, reads: OpenLineageReads) -> None:
        self._reads = reads
        self._found: dict[str, OpenMoney] | None = None

    async def open_money(self, lineage_ids: Sequence[str]) -> Mapping[str, OpenMoney]:
        if self._found is None:
            self._found = await self._read()
        return {name: self._found[name] for name in lineage_ids if name in self._found}

    async def _read(self) -> dict[str, OpenMoney]:
        found: dict[str, OpenMoney] = {}
        after: str | None = None
        while page := await self._reads.open_lineages(OpenFilter(), Visible(), _PAGE, after):
            for one in page:
                if one.customer_id is None or one.currency_code is None or not one.amount:
                    continue
                known = found.get(one.lineage_id)
                if known is None or known.currency_code == one.currency_code:
                    amount = one.amount if known is None else known.amount + one.amount
                    found[one.lineage_id] = OpenMoney(one.customer_id, one.currency_code, amount)
            after = page[-1].lineage_id
        return found
