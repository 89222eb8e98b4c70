"""Steps that happen together or not at all: a changeset of OData V2, an atomicity group of OData V4.

Sources: OData.org "Batch Processing (OData Version 2.0)"; OASIS "OData JSON Format Version 4.01" section 19.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from adapters.cloud_erp.sap_s4.wire import Address, Entity

DONE: Final[Mapping[str, frozenset[int]]] = {
    "PATCH": frozenset({200, 204}),
    "POST": frozenset({201}),
    "DELETE": frozenset({200, 204}),
}
"""The status by which each method says that it was done."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one entity.

    `key` names it by all its key properties; a POST creates `entity` in the collection `navigation` of that one.
    `etag`: as it was when it was read, "" where the set has none.
    """

    method: Literal["PATCH", "POST", "DELETE"]
    address: Address
    key: Mapping[str, str]
    entity: Entity = field(default_factory=dict)
    navigation: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Steps of one service, and the entity to read in the same call when they are done, if any (set and key)."""

    address: Address
    steps: tuple[Step, ...]
    reading: tuple[Address, Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """The answer to one step. `answer`: its body, None if that is no JSON object. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    answer: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """The answers to the steps, in their order, or those that failed; and that to the reading."""

    members: tuple[Member, ...]
    reading: Member | None = None
