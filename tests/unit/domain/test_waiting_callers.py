"""What can wait gives way to who waits, in proportion, and not for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.waiting_callers import LONGEST_REST_S, NOBODY, WaitingCallers

SECONDS = st.floats(0, 1_000, allow_nan=False)


def test_where_nobody_waits_nothing_rests() -> None:
    callers = WaitingCallers()
    assert callers.rest_s(5.0, 0.1) == 0.0
    with callers.one_more(), callers.one_more():
        assert callers.count == 2
        assert callers.rest_s(0.1, 0.25) == pytest.approx(0.3)
    assert callers.rest_s(0.1, 0.25) == 0.0
    assert NOBODY.count == 0


def test_one_whose_request_fails_waits_no_more() -> None:
    callers = WaitingCallers()
    with pytest.raises(ValueError, match="bad"), callers.one_more():
        raise ValueError("bad")
    assert callers.count == 0


@given(SECONDS, st.floats(0.01, 1.0))
def test_the_share_is_kept_up_to_the_longest_rest(worked_s: float, share: float) -> None:
    callers = WaitingCallers()
    with callers.one_more():
        rest_s = callers.rest_s(worked_s, share)
    assert 0 <= rest_s <= LONGEST_REST_S
    if rest_s < LONGEST_REST_S:
        assert worked_s == pytest.approx((worked_s + rest_s) * share)
