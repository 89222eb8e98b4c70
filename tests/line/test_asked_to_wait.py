"""How long a system is left alone that said when to come again: never less than it asked, never in a hot loop."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import NotSent
from tests.line.rig import Rig, order


def _says(rig: Rig, retry_after_s: float, **words: Any) -> list[int]:
    """From now on the legacy ERP says this to each call; the times of the calls, in µs."""
    calls: list[int] = []

    async def asked_to_wait(_submission: Any, _permit: Any) -> None:
        calls.append(rig.clock.micros)
        raise NotSent("come again", code="429", retry_after_s=retry_after_s, **words)

    rig.legacy.submit = asked_to_wait  # type: ignore[method-assign, assignment]
    return calls


async def _for(rig: Rig, seconds: int) -> None:
    await rig.send(order())
    for _ in range(seconds):
        await rig.until(1.0)


async def test_a_system_that_asks_for_nothing_gets_the_backoff(rig: Rig):
    calls = _says(rig, 0.0)
    await _for(rig, 120)
    assert 5 <= len(calls) <= 10
    assert calls[-1] - calls[-2] > 20_000_000


async def test_what_was_asked_for_is_kept_and_a_little_more(rig: Rig):
    calls = _says(rig, 30.0)
    await _for(rig, 70)
    first, second, _ = calls
    assert 30_250_000 <= second - first <= 32_000_000


async def test_nobody_is_sent_away_for_days(rig: Rig):
    calls = _says(rig, 900_000.0)
    await rig.send(order())
    await rig.settle()
    await rig.until(3_590.0)
    assert len(calls) == 1
    await rig.until(15.0)
    assert len(calls) == 2


async def test_a_guard_that_says_when_to_ask_again_is_asked_then(rig: Rig):
    """However often it turned the call away: the system itself was not asked."""
    calls = _says(rig, 2.0, turned_away=True)
    await _for(rig, 60)
    assert len(calls) >= 18


@pytest.mark.parametrize("jitter", [0.0, 1.0])
async def test_those_who_were_told_the_same_do_not_come_back_together(rig: Rig, jitter: float):
    rig.parts.tools.randomness.jitter = lambda: jitter  # type: ignore[method-assign]
    calls = _says(rig, 5.0)
    await rig.send(order())
    await rig.settle()
    (transaction_id,) = await rig.statuses()
    job = await rig.store.write(lambda unit: unit.job(transaction_id))
    assert job.due_at - calls[0] == pytest.approx(5_250_000 + 250_000 * jitter, abs=1_000)
