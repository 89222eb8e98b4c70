"""What can be wrong with the archive of a month, and why one is not made or not taken out."""

from __future__ import annotations

from gateway.ledger.errors import LedgerError


class ArchiveWrong(LedgerError):
    """An archive is not what it claims. `path`: the first wrong file; `detail`: what is wrong with it, and where."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class MonthRefused(LedgerError):
    """The month cannot be archived, taken out or put back now; the message says why. Nothing was changed."""
