"""What can be wrong with an evidence pack, and with comparing it."""

from __future__ import annotations

from gateway.ledger.errors import LedgerError


class PackWrong(LedgerError):
    """A pack is not what it claims. `reason`: a word; `path`: the first wrong file; `detail`: what is wrong with it."""

    def __init__(self, reason: str, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.reason = reason
        self.path = path
        self.detail = detail


class NotCompared(LedgerError):
    """A pack was not compared with the published log: that does not reach so far, is not whole, or is another one; or
    the pack is about something that nobody can compare. It says nothing against the pack."""
