"""Events as the line really announces them, on a real store: the very bytes that go to NATS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.domain.records import OutboxRecord
from gateway.store.store import open_store
from tests.line.rig import Rig, order
from tests.migrated import migrated_file


async def real_events(folder: Path) -> Sequence[OutboxRecord]:
    """What four orders announce: one posted, one rejected, one whose answer is lost, one whose ERP is away."""
    url = migrated_file(folder / "gateway.db")
    store = await open_store(url)
    try:
        rig = await Rig.on(store)
        rig.legacy.script = ["post", "reject", "lost_answer", "down"]
        for number in range(4):
            await rig.send(order(f"1024{number}"))
            await rig.settle()
        await rig.until(2.0)
        found: Sequence[OutboxRecord] = await store.outbox.pending(100_000)
    finally:
        await store.close()
    return found
