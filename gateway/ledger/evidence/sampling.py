"""Which transactions of a population are drawn: by nobody's choice, and so that anybody can draw them again. Pure.

The auditor gives a nonce, and the log gives the root of a checkpoint that closes the population:

    seed  = SHA-256(nonce ‖ root)                   the nonce in ASCII, the root as its 32 bytes
    score = SHA-256(seed ‖ index)                   of each transaction; index: the place of its entry `accepted` in the
                                                    log, as 8 bytes, the most significant first

Drawn are the n smallest scores. A larger n only adds. Who keeps the log cannot steer it without knowing the nonce, and
who gives the nonce cannot without knowing the root: so the auditor names the checkpoint before giving the nonce.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

ALGORITHM: Final = "erp-gateway/sample/v1"
NONCE: Final = r"[!-~]{16,128}"
"""Printable ASCII without blanks; shorter ones can be tried out."""
MOST_DRAWN: Final = 300
"""Transactions of one sample; each is some twenty files of its pack."""

_NONCE: Final = re.compile(NONCE)


@dataclass(frozen=True, slots=True, order=True)
class Drawn:
    """A transaction that was drawn; `index`: of its entry `accepted`."""

    score: bytes
    index: int


def seed_of(nonce: str, root: bytes) -> bytes:
    """Raises ValueError for a nonce that is none."""
    if _NONCE.fullmatch(nonce) is None:
        raise ValueError("a nonce is 16 to 128 printable ASCII characters without blanks")
    return sha256(nonce.encode("ascii") + root).digest()


def score_of(seed: bytes, index: int) -> bytes:
    """By which a transaction is drawn or not."""
    return sha256(seed + index.to_bytes(8, "big")).digest()


def draw(seed: bytes, population: Iterable[int], size: int) -> list[Drawn]:
    """The sample, in the order in which it was drawn; all of a population that is not larger."""
    return heapq.nsmallest(size, (Drawn(score_of(seed, index), index) for index in population))


def population_hash(population: Iterable[int]) -> str:
    """SHA-256 over the indices in ascending order, 8 bytes each, in hexadecimal: so that two draws can be compared."""
    found = sha256()
    for index in sorted(population):
        found.update(index.to_bytes(8, "big"))
    return found.hexdigest()
