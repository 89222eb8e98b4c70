"""What the gates of slices ask of the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.gate_evidence import KeyUsed, NumbersSeen, PostedDocument
from gateway.domain.open_lineages import OpenFilter, OpenGroup
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.records import TransactionRecord


class GateReads(Protocol):
    """Read-only questions; `now`, `since`: µs since 1970 UTC."""

    async def open_groups(self, where: OpenFilter, visible: Visible, now: int) -> Sequence[OpenGroup]:
        """All open lineages, by what they have in common."""
        ...

    async def transactions(
        self, where: TransactionFilter, visible: Visible, limit: int, after: str | None
    ) -> Sequence[TransactionRecord]:
        """Transactions, newest first."""
        ...

    async def customers_without_number(
        self, where: OpenFilter, since: int, system_id: str, limit: int
    ) -> Sequence[KeyUsed]:
        """Customers of documents created since then that have no number in the system now, the most used first."""
        ...

    async def products_without_number(
        self, where: OpenFilter, since: int, system_id: str, limit: int
    ) -> tuple[int, Sequence[KeyUsed]]:
        """How many documents were looked at (the newest `limit` at most), and those of their products that nobody
        knows or that have no number in the system now."""
        ...

    async def numbers_seen(self) -> Sequence[NumbersSeen]:
        """The smallest and largest numbers by system, type and length."""
        ...

    async def posted_documents(
        self, system_id: str, domain: str, company_code: str, posted_from: str, posted_until: str, limit: int
    ) -> Sequence[PostedDocument]:
        """What the ledger says was posted there with a posting date in the range (ISO; end excluded)."""
        ...
