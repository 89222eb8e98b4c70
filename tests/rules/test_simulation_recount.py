"""Random recorded traffic through two versions, every count and sum beside a plain recount."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from routing_rules import Decision, Rulebook, decide
from routing_rules.simulation import simulate
from routing_rules.simulation_records import RecordedDocument
from routing_rules.simulation_result import Simulation
from tests.rules.traffic import BASE, DAY, book, document


def random_documents(random: Random) -> list[RecordedDocument]:
    found: list[RecordedDocument] = []
    for number in range(120):
        root = random.choice(found).lineage_id if found and random.random() < 0.3 else None
        amount = random.choice([None, Decimal(random.randint(1, 9_999)) / 100])
        found.append(
            document(
                number,
                business_unit=random.choice(["A1", "A2", "B", "G", "Mars"]),
                geography=random.choice(["DE", "FR", "US", None]),
                company_code=random.choice(["C1", "C2", None]),
                amount=amount,
                currency=random.choice(["EUR", "USD"]) if amount is not None else None,
                posting_date=random.choice([DAY, date(2026, 4, 1), None]),
                share_key=f"c{random.randint(1, 30)}",
                lineage_id=root or f"l{number}",
                is_root=root is None and random.random() < 0.9,
                pinned_system=random.choice(["old", "new"]),
                minute=random.randint(1, 5),
                calls=random.randint(1, 3),
                customer=f"c{random.randint(1, 8)}",
                open_amount=random.choice([None, Decimal(random.randint(1, 99))]),
            )
        )
    return found


def recount(before: Rulebook, after: Rulebook, documents: list[RecordedDocument]) -> dict[str, Any]:
    """The result once more, from lists and dictionaries."""
    books, sides = (before, after), {"old": "legacy", "new": "cloud", "eu": "cloud"}
    roots: dict[str, list[Decision] | None] = {}
    moved: dict[tuple[str, ...], list[Decimal]] = defaultdict(list)
    kept: dict[tuple[str, str], int] = defaultdict(int)
    calls: list[dict[tuple[str, int], int]] = [defaultdict(int), defaultdict(int)]
    opened: list[set[tuple[str, str]]] = [set(), set()]
    for one in documents:
        facts = one.facts
        if one.is_root:
            answers = []
            for rules in books:
                try:
                    answers.append(decide(rules, facts))
                except LookupError:
                    answers.append(None)  # type: ignore[arg-type]
            decisions = [answer for answer in answers if isinstance(answer, Decision)]
            roots[one.lineage_id] = decisions if len(decisions) == 2 else None
        if one.lineage_id in roots:
            sent = roots[one.lineage_id]
            if sent is None:
                continue
            systems = [decision.system_id for decision in sent]
            if one.is_root:
                for version, decision in enumerate(sent):
                    if decision.stage == "validate":
                        calls[version]["new", one.minute] += 1
        else:
            systems = [one.pinned_system or ""] * 2
        for version, system_id in enumerate(systems):
            calls[version][system_id, one.minute] += one.calls
            if one.open_amount:
                opened[version].add((one.customer or "", sides[system_id]))
        if one.lineage_id not in roots:
            continue
        if systems[0] == systems[1]:
            kept[systems[0], facts.currency or ""] += 1
        else:
            period = facts.posting_date.isoformat()[:7] if facts.posting_date else ""
            key = (
                *systems,
                facts.business_unit,
                facts.geography or "W",
                facts.company_code or "",
                period,
                facts.currency or "",
            )
            moved[key].append(facts.amount or Decimal(0))
    return {
        "moved": {key: (len(amounts), sum(amounts)) for key, amounts in moved.items()},
        "kept": dict(kept),
        "peaks": [
            {name: max([n for (system, _), n in one.items() if system == name], default=0) for name in sides}
            for one in calls
        ],
        "both": [len([name for name, side in one if side == "cloud" and (name, "legacy") in one]) for one in opened],
    }


def as_recounted(result: Simulation) -> dict[str, Any]:
    return {
        "moved": {
            (
                one.from_system,
                one.to_system,
                one.business_unit,
                one.geography,
                one.company_code,
                one.period,
                one.currency,
            ): (
                one.documents,
                one.amount,
            )
            for one in result.moved
        },
        "kept": {(one.name, one.currency): one.documents for one in result.kept_totals},
        "peaks": [
            {one.system_id: one.in_force_calls for one in result.peaks},
            {one.system_id: one.candidate_calls for one in result.peaks},
        ],
        "both": [result.open_in_both_in_force.customers, result.open_in_both_candidate.customers],
    }


def test_random_traffic_is_counted_as_a_plain_recount_does() -> None:
    random = Random("simulation")
    outcomes = [
        "legacy,old,,,,,",
        "validate,old,new,,,,",
        "pilot,old,new,30,,,",
        "pilot,old,new,70,,,",
        "live,old,new,,,,",
        "live,old,eu,,,,",
    ]
    moves = 0
    for _ in range(40):
        cells = ["a,,A,,,,,,,,", "b,,B,EMEA,,,,,,,", "c,,,,C1,,,,,,"]
        before, after = (
            book(BASE, *(cell + random.choice(outcomes) for cell in random.sample(cells, random.randint(1, 3))))
            for _ in range(2)
        )
        documents = random_documents(random)
        result = simulate(before, after, documents)
        assert as_recounted(result) == recount(before, after, documents)
        assert result.moved_documents == sum(one.documents for one in result.moved)
        left = sum(one.documents for one in result.undetermined if one.name != "root")
        assert left == 0
        moves += result.moved_documents
    assert moves > 500
