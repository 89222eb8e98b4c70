"""Whether a document stands as before a posting, as demanded by it, or in a third way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from adapters.cloud_erp.sap_s4.group import Step
from adapters.cloud_erp.sap_s4.translate.shape import Shape, first_difference, guarded, steps_to
from adapters.cloud_erp.sap_s4.wire import Entity, Row, Value


class Standing(StrEnum):
    """How a document stands."""

    BEFORE = "before"
    DEMANDED = "demanded"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How it stands; where it stands as before, the steps that are demanded; otherwise, what differs (names only)."""

    standing: Standing
    steps: tuple[Step, ...] = ()
    difference: str = ""


def judged(row: Row, before: Entity, demanded: Entity, shape: Shape) -> Judgement:
    """Compare a row, read with all of `shape`, with the entity before the posting and with the one it demands.

    A date that the ERP moved to a later day by itself counts as the one that was stated, unless it could be either.
    """
    steps = steps_to(row, demanded, shape)
    if not steps:
        return Judgement(Standing.DEMANDED)
    differing = steps_to(row, before, shape)
    if not differing:
        return Judgement(Standing.BEFORE, guarded(steps, row, demanded, shape))
    moved_to = {name: day for name in shape.moved if (day := row.day(name)) is not None}
    as_demanded = not steps_to(row, _moved(demanded, moved_to), shape)
    as_before = not steps_to(row, _moved(before, moved_to), shape)
    if as_demanded and not as_before:
        return Judgement(Standing.DEMANDED)
    if as_before and not as_demanded:
        untouched = {name: day for name, day in moved_to.items() if before.get(name) == demanded.get(name)}
        steps = steps_to(row, _moved(demanded, untouched), shape)
        return Judgement(Standing.BEFORE, guarded(steps, row, demanded, shape))
    return Judgement(Standing.OTHERWISE, difference=first_difference(differing))


def _moved(entity: Entity, moved_to: Mapping[str, date]) -> Entity:
    later: dict[str, Value] = dict(entity)
    for name, day in moved_to.items():
        stated = entity.get(name)
        if isinstance(stated, date) and stated < day:
            later[name] = day
    return later
