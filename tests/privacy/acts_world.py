"""A desk at which much was held and erased, with overlays of every standing beside it."""

from __future__ import annotations

from gateway.cutover.auto_pause import AutoPause
from gateway.cutover.overlays import lift_overlay
from gateway.privacy.holds import WantedHold, lift_hold, set_hold
from gateway.store.store import Store
from tests.line.acts import ANN, act_parts, lay, lift
from tests.line.rig import Rig, order
from tests.privacy.desk import ADA, BOB, VINET, Desk

PAUSES = "thresholds:\n  auto_pause_least: 4\n  auto_pause_error_percent: 50\n"


async def acts_world(store: Store) -> Desk:
    """Erasures: finished, approved and kept back by holds, asked. Holds of one customer: set, lifted; of a lineage:
    asked to be lifted. Overlays: set until a time, asked to be lifted, lifted, and by the monitor."""
    desk = Desk(await Rig.on(store, edits={"rulebook.yaml": ("thresholds:\n", PAUSES)}))
    rig = desk.rig
    await desk.chain("1")
    await desk.erase("erase-1")
    (first, *_) = await desk.chain("2")
    lineage = (await rig.record(first)).lineage_id
    await set_hold(desk.parts, ADA, WantedHold(reason="case 1", customer=VINET), "hold-1")
    lifted, _ = await set_hold(desk.parts, ADA, WantedHold(reason="case 2", customer=VINET), "hold-2")
    await lift_hold(desk.parts, ADA, lifted.hold_id, "it ended")
    await lift_hold(desk.parts, BOB, lifted.hold_id, "yes")
    asked, _ = await set_hold(desk.parts, BOB, WantedHold(reason="case 3", lineage_id=lineage), "hold-3")
    await lift_hold(desk.parts, ADA, asked.hold_id, "it ended")
    assert (await desk.erase("erase-2")).state == "approved"
    await desk.ask("erase-3")
    rig.legacy.script = ["reject"] * 4
    for number in range(11, 15):
        await rig.send(order(str(number)), wait_s=5.0)
    (paused,) = await AutoPause(act_parts(rig)).look()
    assert paused.person is None
    await lay(rig, "freeze", "contracts", expected_until=rig.clock.micros + 10**9, business_unit="Western")
    waiting = await lay(rig, "paused", "invoices")
    await lift_overlay(act_parts(rig), ANN, waiting.overlay_id, "counted")
    await lift(rig, await lay(rig, "paused", "payments"))
    rig.clock.forward(2_000.0)  # an overlay whose time is over stays where it is
    return desk
