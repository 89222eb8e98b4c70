"""Shares of a budget: never more than there is, nobody favoured, nothing idle that somebody wants."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.budget_shares import Asked, BudgetShare, divided, fair_shares

NAMES = st.sampled_from([f"prc_{number}" for number in range(9)])
WANTED = st.dictionaries(NAMES, st.integers(0, 40), min_size=1)


@given(st.integers(1, 60), WANTED, st.integers(0, 100))
def test_all_places_are_divided_and_nobody_has_more_while_another_wants(
    places: int, wanted: dict[str, int], turn: int
) -> None:
    shares = fair_shares(places, wanted, turn)
    assert shares.keys() == wanted.keys()
    assert sum(shares.values()) == places
    for name, mine in shares.items():
        if mine < wanted[name]:
            # max-min fair: to give it one more, one that has no more than this would have to have less
            assert max(shares.values()) <= mine + 1


@given(st.integers(1, 60), WANTED)
def test_what_is_wanted_is_given_where_there_is_enough(places: int, wanted: dict[str, int]) -> None:
    if sum(wanted.values()) <= places:
        shares = fair_shares(places, wanted, 0)
        assert all(shares[name] >= wanted[name] for name in wanted)


@given(st.integers(1, 5), st.integers(2, 9))
def test_everybody_has_a_turn_where_there_are_fewer_places_than_processes(places: int, count: int) -> None:
    wanted = {f"prc_{number}": 1 for number in range(count)}
    turns = [fair_shares(places, wanted, turn) for turn in range(count)]
    assert all(any(shares[name] for shares in turns) for name in wanted)


def test_somebody_idle_keeps_a_place_beside_one_that_wants_all() -> None:
    idle = BudgetShare("erp", "prc_2", wanted=0, places=4, paused_until=0, valid_until=9)
    found = divided("prc_1", Asked("erp", 8, wanted=16, ceiling=4), [idle], turn=0, now=1, length=5)
    assert (found.share.places, found.allowed) == (4, 4)
    found = divided("prc_2", Asked("erp", 8, wanted=0, ceiling=4), [found.share], turn=0, now=1, length=5)
    assert (found.share.places, found.allowed) == (4, 1), "it gives up what it may not fill, and says so the next time"
    gone = divided("prc_2", Asked("erp", 8, wanted=0, ceiling=1), [], turn=0, now=1, length=5)
    assert gone.share.valid_until == 6


def test_a_pause_of_any_is_everybodys() -> None:
    told = BudgetShare("erp", "prc_2", wanted=0, places=1, paused_until=70, valid_until=90)
    over = BudgetShare("erp", "prc_3", wanted=0, places=1, paused_until=20, valid_until=90)
    found = divided("prc_1", Asked("erp", 8, 1, 1, told_to_wait=30), [told, over], turn=0, now=50, length=5)
    assert (found.pause, found.share.paused_until) == (20, 80)


@given(st.lists(st.tuples(NAMES, st.integers(0, 30), st.integers(0, 12), st.booleans()), min_size=1, max_size=60))
def test_whatever_order_they_ask_in_the_shares_that_stand_never_exceed_the_budget(
    asked: list[tuple[str, int, int, bool]],
) -> None:
    budget = 8
    standing: dict[str, BudgetShare] = {}
    allowed: dict[str, int] = {}
    for turn, (name, wanted, taken, ends) in enumerate(asked):
        others = [one for one in standing.values() if one.process_id != name]
        # what it has under way was allowed when it began
        mine = standing.get(name)
        ceiling = max(allowed.get(name, 0), min(taken, mine.places if mine else 0))
        found = divided(name, Asked("erp", budget, wanted, ceiling), others, turn=turn, now=turn, length=100)
        standing[name], allowed[name] = found.share, found.allowed
        assert allowed[name] <= found.share.places
        assert sum(one.places for one in standing.values()) <= budget
        if ends:
            del standing[name], allowed[name]
