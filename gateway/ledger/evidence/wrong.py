"""What can be wrong with an evidence pack."""

from __future__ import annotations

from gateway.ledger.errors import LedgerError


class PackWrong(LedgerError):
    """A pack is not what it claims. `reason`: a word; `path`: the first wrong file; `detail`: what is wrong with it."""

    def __init__(self, reason: str, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.reason = reason
        self.path = path
        self.detail = detail
