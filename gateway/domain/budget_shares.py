"""A system's budget, divided among the processes that call it: what each may, for as long as it says that it lives.

A share counts places (operations at once); the calls a minute go with them. Shares are max-min fair: nobody gets more
while somebody who wants it has less (Bertsekas and Gallager, Data Networks, section 6.5.2). Where there are enough,
everybody has one, so that whoever is idle can begin at once; what nobody wants is divided evenly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BudgetShare:
    """What one process has of one system's budget.

    `wanted`: operations that it would have there at once. `places`: how many it may. `paused_until`: until when the
    system told it to wait, 0 for never. Times are µs by the database's clock; after `valid_until` it is nobody's.
    """

    system_id: str
    process_id: str
    wanted: int
    places: int
    paused_until: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a process says of one system. `budget`: places of all processes together. `ceiling`: those that it may fill
    until it hears more, which are not another's before. `told_to_wait`: µs that the system asked it to wait still."""

    system_id: str
    budget: int
    wanted: int
    ceiling: int
    told_to_wait: int = 0


@dataclass(frozen=True, slots=True)
class Division:
    """What comes of asking: the share that stands, the places that may be filled from now on (fewer, where the rest is
    to be given up), whether others still have what is its fair share, and the µs for which the system asked others to
    wait."""

    share: BudgetShare
    allowed: int
    is_short: bool
    pause: int


def fair_shares(places: int, wanted: Mapping[str, int], turn: int) -> dict[str, int]:
    """How many places each gets, all of them together. `turn`: whose turn it is where they cannot be divided evenly."""
    names = sorted(wanted)
    first = turn % len(names)
    names = names[first:] + names[:first]
    shares = dict.fromkeys(names, 0)
    left = _fill(shares, {name: wanted[name] for name in names}, places)
    _fill(shares, {name: shares[name] + left for name in names}, left)
    return shares


def _fill(shares: dict[str, int], levels: Mapping[str, int], left: int) -> int:
    """Give what is left to those below their levels, in rounds of the same for each; what is left then."""
    below = [name for name in shares if shares[name] < levels[name]]
    while left > 0 and below:
        each = max(1, left // len(below))
        for name in below:
            more = min(each, levels[name] - shares[name], left)
            shares[name] += more
            left -= more
        below = [name for name in below if shares[name] < levels[name]]
    return left


def divided(
    process_id: str, asked: Asked, others: Iterable[BudgetShare], *, turn: int, now: int, length: int
) -> Division:
    """The division for one process, beside the shares that stand. `length`: µs that its share is valid."""
    standing = list(others)
    wants = {one.process_id: one.wanted for one in standing} | {process_id: asked.wanted}
    if len(wants) <= asked.budget:
        wants = {name: max(1, wanted) for name, wanted in wants.items()}
    fair = fair_shares(asked.budget, wants, turn)[process_id]
    free = max(0, asked.budget - sum(one.places for one in standing))
    share = BudgetShare(
        system_id=asked.system_id,
        process_id=process_id,
        wanted=asked.wanted,
        places=max(asked.ceiling, min(fair, free)),
        paused_until=now + asked.told_to_wait if asked.told_to_wait > 0 else 0,
        valid_until=now + length,
    )
    pause = max((one.paused_until - now for one in standing), default=0)
    return Division(share, min(share.places, fair), share.places < fair, max(0, pause))
