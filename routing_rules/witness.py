"""A witness: one concrete fact that proves what is said of a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Fact_co = TypeVar("Fact_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Witness(Generic[Fact_co]):
    """Holds the fact, which may itself be ``None`` (a document that does not have it); no witness is ``None``."""

    fact: Fact_co
