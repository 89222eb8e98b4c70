import pytest

from gateway.domain.transaction import ENDS, LEGAL_MOVES, RESTING, IllegalMove, Status, check_move

# Written out once more on purpose: a change of the table must be made in two places, knowingly.
TABLE = """
accepted: waiting held routed cancelled rejected
waiting: routed cancelled rejected
held: routed cancelled rejected
routed: dispatched held cancelled
dispatched: posted rejected unknown dispatched held compensating
unknown: posted rejected dispatched in_doubt cancelled compensating
in_doubt: posted rejected dispatched cancelled compensating
compensating: compensated in_doubt
posted: compensating
rejected:
compensated:
cancelled:
"""


def _legal():
    for line in TABLE.strip().splitlines():
        before, _, following = line.partition(":")
        for after in following.split():
            yield Status(before), Status(after)


def test_the_moves_are_those_of_the_contract():
    assert {(before, after) for before, all_after in LEGAL_MOVES.items() for after in all_after} == set(_legal())


def test_every_status_has_a_line_and_the_ends_are_the_four():
    assert set(LEGAL_MOVES) == set(Status)
    assert {Status.POSTED, Status.REJECTED, Status.COMPENSATED, Status.CANCELLED} == ENDS
    assert ENDS | {Status.IN_DOUBT} == RESTING


def test_an_illegal_move_is_refused():
    with pytest.raises(IllegalMove, match="posted to rejected"):
        check_move(Status.POSTED, Status.REJECTED)
