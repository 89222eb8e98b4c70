"""A batch that was cut and is not sent again ends by itself, and goes on when it is sent again after all."""

from __future__ import annotations

import pytest

from gateway.domain.sweeps import Finding
from gateway.intake import batch as batch_module
from gateway.intake.cut_batches import CutBatches
from gateway.store.store import Store
from gateway.telemetry import Metrics
from gateway.transactions.sweep import Sweep
from tests.intake.batches import Cut, body, line, results, send
from tests.line.rig import BILLING, Rig, invoice, order

DAY_S = 86_400.0
LINES = [line("invoices", invoice("INV-1", "1")), line("customers", {"externalId": "C", "name": "C"})]


@pytest.fixture
async def rig(store: Store) -> Rig:
    return await Rig.on(store)


def sweep(rig: Rig, metrics: Metrics | None = None) -> Sweep:
    counted = metrics or Metrics()
    batches = CutBatches(rig.store, rig.store.reads, rig.parts.tools, counted.intake, DAY_S)
    return Sweep(rig.store, rig.store.reads, lambda: rig.parts, counted, lambda: None, end_batches=batches.end)


async def cut(rig: Rig, monkeypatch: pytest.MonkeyPatch, key: str | None = "run-1"):
    """Its first line waits for an order that did not come. The batch."""
    monkeypatch.setattr(batch_module, "GROUP_LINES", 1)
    with pytest.raises(Cut):
        await send(rig, [body(LINES[0]), b"{"], key, caller=BILLING, then=Cut())
    [found] = await rig.store.reads.open_batches(2**60, 10)
    return found


@pytest.mark.parametrize("key", ["run-1", None])
async def test_what_waits_in_a_batch_that_nobody_sends_again_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, key: str | None
):
    batch = await cut(rig, monkeypatch, key)
    sweeping = sweep(rig)
    rig.clock.forward(DAY_S - 60)
    assert (await sweeping.sweep())[Finding.BATCH_CUT] == 0
    assert await results(rig, batch) == [(1, "waiting", None)]
    rig.clock.forward(120)
    assert (await sweeping.sweep())[Finding.BATCH_CUT] == 1
    assert await results(rig, batch) == [(1, "refused", "unknown-reference")]
    standing = await rig.store.reads.batch(batch.batch_id)
    assert (standing.state, standing.completed_at) == ("cut", None)
    assert (await sweeping.sweep())[Finding.BATCH_CUT] == 0


async def test_sent_again_under_its_key_it_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    batch = await cut(rig, monkeypatch)
    rig.clock.forward(DAY_S + 60)
    await sweep(rig).sweep()
    await rig.send(order("1"), wait_s=5.0)
    await cut_again(rig)
    assert (await rig.store.reads.batch(batch.batch_id)).state == "open"
    lines = [*LINES, line("invoices", invoice("INV-2", "1"))]
    done = await send(rig, [body(*lines)], "run-1", caller=BILLING)
    assert (done.batch_id, done.state, done.received) == (batch.batch_id, "complete", 3)
    assert [(one, two) for one, two, _ in await results(rig, done)][::2] == [(1, "refused"), (3, "accepted")]
    other = await send(rig, [body(*lines)], None, caller=BILLING)
    assert [two for _, two, _ in await results(rig, other)][::2] == ["accepted", "accepted"]


async def test_one_that_is_carried_on_meanwhile_is_left_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    batch = await cut(rig, monkeypatch)
    rig.clock.forward(DAY_S + 60)
    found = await rig.store.reads.open_batches(rig.clock.now(), 10)
    await cut_again(rig)

    class Late:
        """What was found before the batch was sent again."""

        def __getattr__(self, name: str):
            return getattr(rig.store.reads, name)

        async def open_batches(self, before: int, most: int):
            return found

    ended = await CutBatches(rig.store, Late(), rig.parts.tools, Metrics().intake, DAY_S).end()
    assert (list(ended), await results(rig, batch)) == ([], [(1, "waiting", None)])


async def cut_again(rig: Rig) -> None:
    with pytest.raises(Cut):
        await send(rig, [body(LINES[0]), b"{"], "run-1", caller=BILLING, then=Cut())
