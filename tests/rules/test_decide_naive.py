"""Decisions are those of a naive decider that knows sets of facts and nothing else."""

from __future__ import annotations

from random import Random

import pytest

from routing_rules import Conflict, Decision, Gap, decide
from tests.rules.naive import facts_of
from tests.rules.random_tables import clean_table, wild_table


def compare(seed: str, pairs: int) -> int:
    """Decide whole tables, every fact of them, until there were so many (table, facts) pairs."""
    random = Random(seed)
    done = 0
    while done < pairs:
        table = random.choice((wild_table, wild_table, clean_table))(random)
        rules = table.rulebook()
        for at, point in enumerate(table.points):
            answer = decide(rules, facts_of(point))
            deciding = table.ids(at)
            if not deciding:
                assert isinstance(answer, Gap), (table.csv, point)
            elif table.is_conflict(table.deciding[at]):
                assert isinstance(answer, Conflict), (table.csv, point)
                assert tuple(row.id for row in answer.rows) == deciding, (table.csv, point)
            else:
                assert isinstance(answer, Decision), (table.csv, point)
                assert answer.row_id == deciding[0], (table.csv, point)
        done += len(table.points)
    return done


def test_decisions_are_those_of_the_naive_decider() -> None:
    assert compare("some", 150_000) >= 150_000


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", ["first", "second", "third", "fourth"])
def test_a_million_decisions_are_those_of_the_naive_decider(seed: str) -> None:
    assert compare(seed, 250_000) >= 250_000
