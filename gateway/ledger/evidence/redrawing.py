"""A sample drawn again from the published log, by who has nothing else of the gateway. Pure.

Of the entries up to the checkpoint that closes the population; these, sums and scores are as docs/ledger.md says
('Samples'), and compared with the pack's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from gateway.domain.wire import instant
from gateway.ledger.evidence.contents import PACK
from gateway.ledger.evidence.population import MoneySum, amount_of
from gateway.ledger.evidence.read_pack import ToldSample
from gateway.ledger.evidence.sampling import draw, population_hash
from gateway.ledger.evidence.subjects import Population
from gateway.ledger.evidence.wrong import PackWrong

_TEXTS: Final = {"domain": "domain", "operation": "operation", "companyCode": "company_code"}
_NODES: Final = {"businessUnits": "business_units", "geographies": "geographies"}
_INSTANTS: Final = ("acceptedFrom", "acceptedUntil")


@dataclass
class Redrawing:
    """What the entries tell so far; `begun`: by trace, the place of its entry `accepted`."""

    sample: ToldSample
    wanted: Population
    since: str
    until: str
    begun: dict[str, int] = field(default_factory=dict)
    routed: dict[str, bool] = field(default_factory=dict)
    borne: dict[str, list[tuple[str, str, Decimal]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, sample: ToldSample) -> Redrawing:
        """Raises PackWrong for conditions that are none."""
        return cls(sample, *_wanted(sample))

    def take(self, index: int, body: Mapping[str, Any]) -> None:
        """One entry, in the order of the log. A trace's entries follow its entry `accepted`."""
        if index >= self.sample.closing.size:
            return
        trace, kind = str(body.get("trace")), body.get("kind")
        if kind == "accepted" and body.get("seq") == 1 and self._accepts(body):
            self.begun[trace] = index
        if trace not in self.begun:
            return
        if kind == "routed":
            self.routed.setdefault(trace, self.wanted.wants(body.get("facts") or {}))
        money = amount_of(body)
        if money is not None:
            self.borne[trace].append((str(kind), *money))

    def check(self) -> int:
        """Of how many transactions the pack's sample was drawn, as here. Raises PackWrong."""
        _compare(self.sample, self.population(), self.sums())
        return self.sample.population.transaction_count

    def population(self) -> dict[int, str]:
        """By place, the transactions of which is drawn."""
        return {
            index: trace
            for trace, index in self.begun.items()
            if not self.wanted.asks_for_facts or self.routed.get(trace, False)
        }

    def sums(self) -> list[dict[str, Any]]:
        """What they bear, as a pack says it."""
        amounts: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for trace in self.population().values():
            for kind, currency_code, amount in self.borne.get(trace, ()):
                amounts[kind, currency_code].append(amount)
        return [MoneySum(*key, sum(found, Decimal(0)), len(found)).words() for key, found in sorted(amounts.items())]

    def _accepts(self, body: Mapping[str, Any]) -> bool:
        at = instant(body["at"])
        return (
            self.wanted.domain in {None, body.get("domain")}
            and self.wanted.operation in {None, body.get("operation")}
            and self.since <= at
            and (not self.until or at < self.until)
        )


def _wanted(sample: ToldSample) -> tuple[Population, str, str]:
    """The conditions that the pack states; the period as two instants, empty where it is open."""
    members: dict[str, Any] = {}
    period = dict.fromkeys(_INSTANTS, "")
    for name, value in sample.population.conditions.items():
        if name in _TEXTS and isinstance(value, str):
            members[_TEXTS[name]] = value
        elif name in _NODES and isinstance(value, list):
            members[_NODES[name]] = frozenset(map(str, value))
        elif name in period and isinstance(value, str):
            period[name] = value
        else:
            raise PackWrong("sample", PACK, f"its population has a condition that is none: {name}")
    return Population(**members), period["acceptedFrom"], period["acceptedUntil"]


def _compare(sample: ToldSample, population: Mapping[int, str], sums: list[dict[str, Any]]) -> None:
    told = sample.population
    if told.transaction_count != len(population) or told.index_hash != population_hash(population):
        raise PackWrong(
            "sample",
            PACK,
            f"it says to be drawn of {told.transaction_count} transactions; the published log has {len(population)} of "
            "these conditions, or others",
        )
    if [one.model_dump(by_alias=True) for one in told.sums] != sums:
        raise PackWrong("sample", PACK, "the sums of its population are not those of the published log")
    seed = bytes.fromhex(sample.seed)
    drawn = [(one.index, population[one.index], one.score.hex()) for one in draw(seed, population, sample.sample_size)]
    if [(one.log_index, one.trace, one.score) for one in sample.drawn] != drawn:
        raise PackWrong("sample", PACK, "other transactions of the published log have the smallest scores")
