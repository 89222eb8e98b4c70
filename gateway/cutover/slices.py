"""Slices by name: one domain at or below a business unit and a geography."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.acts import ActiveOverlay, Acts
from gateway.domain.open_lineages import OpenFilter
from gateway.errors import FieldError, Problem
from routing_rules import Rulebook, SliceMap

SLICE_PATTERN = r"[a-z_]{1,20}\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_-]{1,32}"


@dataclass(frozen=True, slots=True, order=True)
class SliceName:
    """`domain`, and a node of each tree; everything at or below both belongs to it."""

    domain: str
    business_unit: str
    geography: str

    @property
    def id(self) -> str:
        """As addresses and entries name it: `orders.Eastern.DE`."""
        return f"{self.domain}.{self.business_unit}.{self.geography}"

    @classmethod
    def read(cls, text: str, rulebook: Rulebook) -> SliceName:
        """The slice of an id. Raises Problem `unknown-node`, or DomainNotServed."""
        domain, unit, place = text.split(".")
        rulebook.table(domain)
        for node, tree in ((unit, rulebook.business_units), (place, rulebook.geographies)):
            if node not in tree:
                message = f"{node!r} is no {tree.name.replace('_', ' ')} of the rulebook in force"
                raise Problem(
                    "unknown-node",
                    f"slice {text}: {message}",
                    remedy="name a slice as domain.businessUnit.geography with ids of the rulebook's trees",
                    errors=(FieldError("slice", message),),
                )
        return cls(domain, unit, place)

    def filter(self, rulebook: Rulebook, *, side: str | None = None) -> OpenFilter:
        """Its lineages."""
        return OpenFilter(
            domain=self.domain,
            business_units=rulebook.business_units.below(self.business_unit),
            geographies=rulebook.geographies.below(self.geography),
            side=side,
        )

    def overlays(self, acts: Acts, rulebook: Rulebook) -> tuple[ActiveOverlay, ...]:
        """The overlays that lie over it or over a part of it."""
        units, places = rulebook.business_units, rulebook.geographies
        return tuple(
            one
            for one in acts.overlays
            if one.domain == self.domain
            and one.business_unit in units
            and one.geography in places
            and not units.below(one.business_unit).isdisjoint(units.below(self.business_unit))
            and not places.below(one.geography).isdisjoint(places.below(self.geography))
        )


class SliceMaps:
    """The slices of the rulebook in force, cut once for each version."""

    def __init__(self, rulebook: Callable[[], Rulebook]) -> None:
        self._rulebook = rulebook
        self._map: SliceMap | None = None

    def current(self) -> SliceMap:
        """Of the rulebook that is in force now."""
        rulebook = self._rulebook()
        if self._map is None or self._map.rulebook is not rulebook:
            self._map = SliceMap(rulebook)
        return self._map
