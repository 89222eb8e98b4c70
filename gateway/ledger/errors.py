"""What can be wrong with a log, its proofs, its signatures and its files.

::

    LedgerError
    ├── Malformed          the bytes are not of the format          whoever wrote them
    ├── ProofInvalid       the proof does not show what it claims   an auditor
    │   └── EntryAltered   a stored entry is not the signed one     operations, auditors: it was changed in the database
    ├── NoteUnsigned       no key that we know signed it            an auditor
    ├── SignatureInvalid   a key that we know did not sign this     an auditor
    ├── TilesDisagree      published files do not fit the tree      operations: publish no further
    ├── BundleArchived     its entries are said to be in archives   an auditor: have the archives too
    ├── EntryRefused       the store's entries cannot be sequenced  operations: sequence no further
    ├── KeyMisused         a key file or a key is not usable        operations
    ├── StateBroken        a state file is in use or damaged        whoever keeps it
    ├── Contradicted       witnesses say they saw another log       operations, auditors: is it true? see the settings
    └── LogRefused         the database is not as it was signed     operations, auditors: nothing is served
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.months import Month
from gateway.errors import GatewayError


class LedgerError(GatewayError):
    """Anything that the ledger raises on purpose."""


class Malformed(LedgerError):
    """Bytes that are not of the format that they claim; the message names the format and the place."""


class ProofInvalid(LedgerError):
    """A Merkle proof that does not lead to the root, or that cannot belong to a tree of that size."""


class EntryAltered(ProofInvalid):
    """A stored entry that does not lead to the signed root. The message names it and says what to do.

    `log_index`: its place in the log, counted from 0.
    """

    def __init__(self, log_index: int, whose: str, what: str) -> None:
        super().__init__(
            f"entry {log_index} of the log{whose} {what}. Keep a copy of the database: it is evidence. "
            "`erp-gateway ledger verify` names the first thing that differs; see docs/ledger.md, 'An altered entry'"
        )
        self.log_index = log_index


class NoteUnsigned(LedgerError):
    """A well-formed note that no known key signed."""


class SignatureInvalid(LedgerError):
    """A signature that carries a known key's name and id and does not verify. The whole note is refused."""


class TilesDisagree(LedgerError):
    """A published file is missing, or says something else than the tree."""


class BundleArchived(LedgerError):
    """Who serves the log says that entries of a bundle are in the archives of these months, so that it cannot give it.

    That is said, and not proven: whoever verifies has the hashes of these entries, and the entries from archives only.
    """

    def __init__(self, path: str, months: Sequence[Month]) -> None:
        super().__init__(f"{path} is said to be archived with {', '.join(map(str, months))}")
        self.months = tuple(months)


class EntryRefused(LedgerError):
    """An entry that must not enter the tree: its hash is not that of its bytes, or its trace has a gap before it."""


class KeyMisused(LedgerError):
    """A key that is missing, damaged, readable by others, or used for something else than its purpose."""


class StateBroken(LedgerError):
    """A state file that is damaged or in use. It is never replaced by a fresh one: that would forget what was seen."""


class Contradicted(LedgerError):
    """A witness says that it cosigned a tree which ours does not continue: the database was put back or changed, or the
    witness is wrong."""


class LogRefused(LedgerError):
    """The log in the database is not the one that was signed. The message says what differs and what to do.

    `reason`: what is wrong, where that is one word (`gateway.ledger.verification.Reason`).
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason
