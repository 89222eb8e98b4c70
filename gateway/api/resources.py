"""A domain as an HTTP resource: its names, what may be done to it, and examples that its own model reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.canonical import MASTER_DOMAINS, CanonicalDocument
from adapters.port import Operation
from gateway.domain.amendment import FIXED, MASTER_FIXED
from gateway.domain.plan import CALLED_OFF, SERVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`name` and `plural` in operation ids: `Order` gives createOrder, getOrder; `Orders` gives listOrders.

    `example`, `change`: bodies of a submission and, where there is such an operation, of a change.
    `further_examples`: of other submissions, by name.
    """

    model: type[CanonicalDocument]
    name: str
    plural: str
    meaning: str
    example: Mapping[str, Any]
    change: Mapping[str, Any] | None = None
    further_examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The domain, also as a segment of addresses."""
        return self.model.domain

    @property
    def path(self) -> str:
        """The address of the list."""
        return f"/v1/{self.domain}"

    @property
    def plural_words(self) -> str:
        """The domain in a sentence."""
        return self.domain.replace("_", " ")

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What callers may ask for; whether the owning ERP can do it is another question."""
        later = (one for one in Operation if self.domain in SERVED.get(one.value, ()))
        return (Operation.CREATE, *later)

    @property
    def only_called_off(self) -> bool:
        """Whether it can be cancelled only while nothing of it was sent, so that no ERP ever has to be able to."""
        return self.domain in CALLED_OFF and Operation.CANCEL not in self.operations

    @property
    def fixed(self) -> frozenset[str]:
        """Members of the model (Python's names) that no change may name."""
        return MASTER_FIXED if self.domain in MASTER_DOMAINS else FIXED
