"""A process that cannot load what is in force: it accepts and routes nothing, says so, and goes on with the rest."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.cutover.activation import Version, put_in_force
from gateway.cutover.last_good import FILE, keep_last_good, read_last_good
from gateway.cutover.rules_holder import TRY_AGAIN_S
from gateway.domain.activations import RulesState
from gateway.domain.queries import TransactionFilter, Visible
from gateway.errors import Problem
from gateway.ledger.errors import Malformed
from gateway.transactions.rules import (
    MAX_RELOADS,
    NOT_LOADED_RETRY_S,
    FixedRules,
    RulesNotLoaded,
    RulesOutdated,
    with_rules_in_force,
)
from routing_rules import Rulebook
from tests.cutover.activating import variant
from tests.line.rig import Rig, order


class Connected:
    """Which systems a process is connected to, as `fits` judges it."""

    def __init__(self) -> None:
        self.all = True
        self.asked = 0

    def __call__(self, rulebook: Rulebook) -> None:
        self.asked += 1
        if not self.all:
            raise ValueError("row o-west names cloud-new, to which this process is not connected\nmore")


@pytest.fixture
async def rig(store: Any) -> Rig:
    return await Rig.on(store)


def seconds_of(rig: Rig) -> list[float]:
    """The holder's clock, to be moved by hand."""
    now = [0.0]
    rig.rules._seconds = lambda: now[0]
    return now


async def test_it_accepts_nothing_until_it_can_load(rig: Rig):
    connected, now = Connected(), seconds_of(rig)
    rig.rules._fits, connected.all = connected, False
    await put_in_force(rig.store, rig.parts.tools, variant("a"), "test")
    assert await rig.rules.ready(), "it has not met the new version yet"
    for _ in range(3):
        with pytest.raises(Problem) as refused:
            await rig.send(order())
        assert (refused.value.slug, refused.value.retry_after_s) == ("not-ready", 5)
        assert "row o-west names cloud-new, to which this process is not connected" in refused.value.detail
        assert "more" not in refused.value.detail
    assert connected.asked == 1, "what cannot be loaded is not compiled for every request"
    assert not await rig.rules.ready()
    assert rig.rules.not_loaded is not None
    assert rig.rules.current.activation_number == 1, "reads go on with the version that it has"
    assert await rig.store.reads.transactions(TransactionFilter(), Visible(), 10, None) == []
    connected.all = True
    now[0] += TRY_AGAIN_S
    assert (await rig.send(order())).transaction.activation_number == 2
    assert await rig.rules.ready()


async def test_it_is_ready_again_without_traffic(rig: Rig):
    connected, now = Connected(), seconds_of(rig)
    rig.rules._fits, connected.all = connected, False
    await put_in_force(rig.store, rig.parts.tools, variant("a"), "test")
    with pytest.raises(RulesNotLoaded):
        await rig.rules.refresh()
    now[0] += TRY_AGAIN_S
    connected.all = True
    await rig.rules.refresh()
    assert (await rig.rules.ready(), rig.rules.current.activation_number) == (True, 2)


async def test_what_was_sent_before_is_settled_but_nothing_is_routed(rig: Rig):
    rig.legacy.script = ["lost_answer"]
    sent = await rig.send(order())
    await rig.settle()
    invoice = order("INV-1", orderReference={"externalId": "10248", "source": "salesforce"})
    invoice["customer"] = {"externalId": "VINET", "source": "salesforce"}
    invoice["lines"][0]["product"] = {"externalId": "11", "source": "salesforce"}
    waiting = await rig.send(invoice, "invoices")
    connected, now = Connected(), seconds_of(rig)
    rig.rules._fits, connected.all = connected, False
    await put_in_force(rig.store, rig.parts.tools, variant("a"), "test")
    await rig.until(200.0)
    assert (await rig.record(sent.transaction.transaction_id)).status == "posted"
    assert (await rig.record(waiting.transaction.transaction_id)).status == "waiting"
    connected.all, now[0] = True, TRY_AGAIN_S
    await rig.until(NOT_LOADED_RETRY_S)  # it was given back: no lease keeps it from a process that can
    assert (await rig.record(waiting.transaction.transaction_id)).status == "posted"


async def test_many_that_find_other_rules_load_them_once(rig: Rig):
    connected = Connected()
    rig.rules._fits = connected
    await put_in_force(rig.store, rig.parts.tools, variant("a"), "test")
    answers = await asyncio.gather(*(rig.send(order(f"1024{n}")) for n in range(10)))
    assert {one.transaction.activation_number for one in answers} == {2}
    assert connected.asked == 1


async def test_a_number_without_a_text_is_not_loaded(rig: Rig):
    await rig.store.write(lambda unit: unit.set_rules_state(RulesState(9, 0)))
    with pytest.raises(Problem, match="text of activation 9"):
        await rig.send(order())


async def test_acts_alone_do_not_compile_anything(rig: Rig):
    before = rig.rules.current.rulebook
    await rig.store.write(lambda unit: unit.set_rules_state(RulesState(1, 4)))
    assert (await rig.send(order())).transaction.activation_number == 1
    assert rig.rules.current.rulebook is before
    assert rig.rules.current.acts_number == 4


async def test_rules_that_are_replaced_for_ever_are_given_up(rig: Rig):
    class Racing(FixedRules):
        async def reload(self, seen: RulesState) -> None:
            return

    tries = 0

    async def run(_rules: object) -> None:
        nonlocal tries
        tries += 1
        raise RulesOutdated(RulesState(tries, 0))

    with pytest.raises(RulesNotLoaded, match="faster than they can be loaded"):
        await with_rules_in_force(Racing(rig.rules.current), run)
    assert tries == MAX_RELOADS
    with pytest.raises(RulesNotLoaded, match="nothing loads it here"):
        await with_rules_in_force(FixedRules(rig.rules.current), run)


def test_the_last_good_version_comes_back_whole_or_not_at_all(tmp_path: Any):
    assert read_last_good(tmp_path) is None
    version = Version.of(variant("ä"))
    keep_last_good(tmp_path, 3, Version.of(variant("a")))
    keep_last_good(tmp_path, 4, version)
    path = tmp_path / FILE
    assert read_last_good(tmp_path) == (4, version)
    assert path.stat().st_mode & 0o777 == 0o600
    whole = path.read_text(encoding="utf-8")
    for broken, says in (
        (whole[:-10], "not what was written"),
        (whole.replace("no phase", "no phrase"), "do not have the hashes"),
        (whole.replace("last-good/v1", "last-good/v2"), "hashes"),
        ("{}", "not what was written"),
    ):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(Malformed, match=says):
            read_last_good(tmp_path)
