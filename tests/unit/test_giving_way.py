"""What catches up in a process rests while callers of it wait, and only then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.domain.waiting_callers import WaitingCallers
from gateway.ledger import entry_indexer, recheck
from gateway.ledger.frontier import Frontier
from gateway.ledger.sequencer import Sequencer
from gateway.ledger.state import recheck as state_recheck
from gateway.messaging.relay import Relay
from gateway.messaging.relay_settings import RelaySettings

PIECE_S = 0.02


class Ended(BaseException):  # no failure, which the loops would live on with
    """The background task has rested as often as the test wants to see."""


@pytest.fixture(params=[0, 1], ids=["nobody-waits", "somebody-waits"])
def callers(request: pytest.FixtureRequest) -> Iterator[WaitingCallers]:
    counted = WaitingCallers()
    if not request.param:
        yield counted
        return
    with counted.one_more():
        yield counted


def _rests(monkeypatch: pytest.MonkeyPatch, module: Any) -> list[float]:
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 3:
            raise Ended

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    return rests


async def _unchecked() -> Frontier:
    return Frontier()


def _work(*_: object) -> None:
    time.sleep(PIECE_S)


async def test_the_index(callers: WaitingCallers, monkeypatch: pytest.MonkeyPatch) -> None:
    indexer = entry_indexer.EntryIndexer(SimpleNamespace(), callers=callers)  # type: ignore[arg-type]

    async def turn() -> int:
        _work()
        return 1

    monkeypatch.setattr(indexer, "turn", turn)
    rests = _rests(monkeypatch, entry_indexer)
    with pytest.raises(Ended):
        await indexer.run()
    if callers.count:
        assert min(rests) >= PIECE_S * 2
    else:
        assert set(rests) == {entry_indexer.PAUSE_S}


async def test_the_sequencer(callers: WaitingCallers, monkeypatch: pytest.MonkeyPatch) -> None:
    async def waiting(_: int) -> int:
        return 1_000_000

    store: Any = SimpleNamespace(waiting=waiting)
    sequencer = Sequencer(store, "log", list, SimpleNamespace(), callers=callers, check=_unchecked)  # type: ignore[arg-type]

    async def place() -> None:
        _work()

    monkeypatch.setattr(sequencer, "_epoch", 1)
    monkeypatch.setattr(sequencer, "_place", place)
    wait_s = await sequencer.turn()
    assert (wait_s >= PIECE_S * 1.9) if callers.count else (wait_s == 0.0)


async def test_the_sequencers_pieces(callers: WaitingCallers) -> None:
    asked: list[int] = []

    class Unit:
        async def lock_epoch(self, _: int) -> bool:
            return True

        async def frontier(self) -> Any:
            return Frontier()

        async def unindexed(self, most: int) -> Any:
            asked.append(most)
            raise Ended

    async def write(unit: Any) -> Any:
        return await unit(Unit())

    sequencer = Sequencer(
        SimpleNamespace(write=write),  # type: ignore[arg-type]
        "log",
        list,
        SimpleNamespace(),  # type: ignore[arg-type]
        callers=callers,
        check=_unchecked,
    )
    sequencer._epoch = 1
    with pytest.raises(Ended):
        await sequencer._place()
    assert asked == [256 if callers.count else 512]


def test_the_recomputation(callers: WaitingCallers, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    begun = time.monotonic()
    pace = recheck._Pace(callers)
    _work()
    monkeypatch.setattr(recheck.time, "sleep", rests.append)
    pace(1, 2)
    worked_s = time.monotonic() - begun  # no shorter than what the pace took for the work
    assert rests[0] >= PIECE_S * (9 if callers.count else 1)
    assert callers.count or rests[0] <= worked_s * 1.01


async def test_the_audit_of_the_state(callers: WaitingCallers, monkeypatch: pytest.MonkeyPatch) -> None:
    async def audited(*_: object, rest: Any, **__: object) -> list[Any]:
        await rest(PIECE_S)
        raise Ended

    monkeypatch.setattr(state_recheck, "audit_state", audited)
    audit = state_recheck.StateRecheck(
        SimpleNamespace(),  # type: ignore[arg-type]
        b"",
        60.0,
        first_after_s=0.0,
        callers=callers,
    )
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(state_recheck.asyncio, "sleep", sleep)
    with pytest.raises(Ended):
        await audit.once()
    assert rests == [pytest.approx(PIECE_S * (9 if callers.count else 1))]


class _Event:
    body = b"{}"


class _Clock:
    """Time passes while events are published."""

    def __init__(self) -> None:
        self.micros = 0
        self.slept: list[float] = []

    def now(self) -> int:
        return self.micros

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == 2:
            raise asyncio.CancelledError


@pytest.mark.parametrize("pending", [1, 20])
async def test_the_relay_while_it_catches_up(
    callers: WaitingCallers, pending: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock()
    looks = 0

    async def waiting(most: int, _without: Sequence[str]) -> list[Any]:
        nonlocal looks
        looks += 1
        if looks == 4:
            raise asyncio.CancelledError
        return [SimpleNamespace(created_at=0, lineage_id="lin")] * min(pending, most)

    async def publish(_: object) -> None:
        clock.micros += int(PIECE_S * 1_000_000)

    outbox, publisher = SimpleNamespace(pending=waiting), SimpleNamespace(session=1)
    relay = Relay(
        outbox,  # type: ignore[arg-type]
        publisher,  # type: ignore[arg-type]
        clock,
        settings=RelaySettings(batch_limit=10, batch_beside_callers=4),
        callers=callers,
    )
    relay._session = 1
    assert [len(chunk) for chunk in relay._chunks([_Event()] * 20)] == ([4] * 5 if callers.count else [10, 10])
    monkeypatch.setattr(relay, "_publish", publish)
    with pytest.raises(asyncio.CancelledError):
        await relay._send()
    if pending == 1:
        assert clock.slept == []
    else:
        assert clock.slept[:2] == [0.03 if callers.count else 0.0] * 2
