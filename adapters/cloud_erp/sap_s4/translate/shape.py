"""An entity as it stands against an entity as it shall stand: the steps from the one to the other. Pure.

The steps state what shall be, never by how much it differs, so that taking them twice is as good as once. No steps
means that it stands so already. Rows that are not ours (a partner function that SAP added, a condition of its own
pricing) are neither compared nor touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from adapters.cloud_erp.sap_s4.group import Step
from adapters.cloud_erp.sap_s4.translate.fields import party
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Row

_PARTIES: Final = frozenset({"SoldToParty", "Customer"})
"""Properties that rows hold with or without the zeros in front."""


def _all(rows: Sequence[Row]) -> Sequence[Row]:
    return rows


@dataclass(frozen=True, slots=True)
class Shape:
    """How entities of one set nest, and what of them is kept here.

    `keys`: all key properties; they are not compared. `told_apart_by`: the property by which siblings are told apart,
    "" where there is only one. `once`: a property and the value of it that one sibling has, whatever its key is.
    `ours`: those of the rows that this driver makes. `children`: by navigation property.
    `derived`: properties that the ERP may state by itself as a copy of another one where we state nothing.
    `moved`: dates that the ERP moves to a later day by itself where they lie in the past.
    `guard`: the property that is stated in every change, so that the ETag of this entity guards all of it.
    """

    address: Address
    keys: tuple[str, ...]
    told_apart_by: str = ""
    once: tuple[str, str] | None = None
    ours: Callable[[Sequence[Row]], Sequence[Row]] = _all
    children: Mapping[str, Shape] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    moved: frozenset[str] = frozenset()
    guard: str = ""

    def key_of(self, row: Row) -> dict[str, str]:
        """The key of an entity of this set."""
        return {name: row.number(name) for name in self.keys}

    def name_of(self, said: Callable[[str], object]) -> object:
        """What an entity is called among its siblings; `said` gives its properties."""
        if self.once is not None and said(self.once[0]) == self.once[1]:
            return self.once
        return said(self.told_apart_by) if self.told_apart_by else ""


def steps_to(row: Row, wanted: Entity, shape: Shape) -> list[Step]:
    """The steps after which the entity stands as wanted, none if it does. Errors: `Garbled` for a row that lacks what
    is compared."""
    key = shape.key_of(row)
    differing = {
        name: value
        for name, value in wanted.items()
        if name not in shape.children and name not in shape.keys and not _same(row, name, value, shape)
    }
    steps = [Step("PATCH", shape.address, key, differing, etag=row.etag())] if differing else []
    for navigation, child in shape.children.items():
        entities = _listed(wanted.get(navigation, ()))
        standing, surplus = _by_name(child.ours(row.many(navigation)), entities, child)
        kept: list[Step] = []
        for entity in entities:
            found = standing.pop(child.name_of(entity.get), None)
            if found is None:
                kept.append(Step("POST", shape.address, key, entity, navigation))
            else:
                kept += steps_to(found, entity, child)
        # What goes makes room first: a key may come again.
        surplus += standing.values()
        steps += [Step("DELETE", child.address, child.key_of(one), etag=one.etag()) for one in surplus]
        steps += kept
    return steps


def guarded(steps: Sequence[Step], row: Row, wanted: Entity, shape: Shape) -> tuple[Step, ...]:
    """The steps with one that changes the entity itself in front, if need be to what it says already: its ETag then
    guards all of them against a change that came in between."""
    if steps and steps[0].address == shape.address and steps[0].method == "PATCH":
        return tuple(steps)
    first = Step("PATCH", shape.address, shape.key_of(row), {shape.guard: wanted[shape.guard]}, etag=row.etag())
    return (first, *steps)


def first_difference(steps: Sequence[Step]) -> str:
    """What the first step is about, for people: names only."""
    step = steps[0]
    names = ", ".join(step.entity) if step.method == "PATCH" else step.navigation or "is surplus"
    return f"{step.address.entity_set} {names}"


def _by_name(rows: Sequence[Row], entities: Sequence[Entity], shape: Shape) -> tuple[dict[object, Row], list[Row]]:
    """The rows by their names, and those that cannot stay: a second one of a name, and one that is told apart by what
    it is but stands under a key that another entity shall have."""
    taken = {entity.get(shape.told_apart_by) for entity in entities if shape.name_of(entity.get) != shape.once}
    named: dict[object, Row] = {}
    surplus = []
    for row in rows:
        name = shape.name_of(row.text)
        in_the_way = shape.once is not None and name == shape.once and row.text(shape.told_apart_by) in taken
        if name in named or in_the_way:
            surplus.append(row)
        else:
            named[name] = row
    return named, surplus


def _same(row: Row, name: str, value: object, shape: Shape) -> bool:
    if value is None:
        return row.day(name) is None
    if isinstance(value, bool):
        return row.flag(name) is value
    if isinstance(value, Decimal):
        return row.amount(name) == value
    if isinstance(value, date):
        return row.day(name) == value
    stated = row.text(name)
    if name in _PARTIES:
        return party(stated) == party(str(value))
    return stated == value or (not value and name in shape.derived and stated == row.text(shape.derived[name]))


def _listed(value: object) -> Sequence[Entity]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
