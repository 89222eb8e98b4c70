"""The gates of proof: worked examples at the effective instant, and what drivers cannot do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from adapters.port import Capability, Operation
from gateway.cutover.gates.gate import Candidate, GateResult
from gateway.transactions.parts import ErpSystem, SystemPolicy
from gateway.wiring.cutover import all_gates
from routing_rules import Rulebook, differences, rulebook_from_canonical
from tests.cutover.desk import Desk, noted
from tests.line.book_erp import BookErp
from tests.rules.small_rulebook import parse

TRUE = "expect: {system: legacy-main, stage: legacy, row: o-base}"
FALSE = TRUE.replace("legacy-main", "cloud-main")
BASE = "base,,,,,,,,,,legacy,old,,,,,"
VALIDATE = "a,,A,,,,,,,,validate,old,new,,,,"
PILOT = VALIDATE.replace("validate,old,new,,", "pilot,old,new,10,")


@pytest.fixture
async def desk(store: Any) -> AsyncIterator[Desk]:
    async with Desk.on(store) as opened:
        yield opened


async def test_the_examples_of_the_draft_are_asked_at_the_effective_instant(desk: Desk):
    """What comes into force is compiled from stored texts, and no version holds examples."""
    files = noted("first")
    files["rulebook.yaml"] = files["rulebook.yaml"].replace(TRUE, FALSE, 1)
    draft_id = await desk.saved(files)
    draft = await desk.rig.store.reads.draft(draft_id)
    rules = desk.rig.rules.current
    book = desk.activating.analyses
    stored = (await book.of(draft, rules)).rulebook
    compiled = rulebook_from_canonical(stored.canonical_json(), stored.governance_json())
    assert compiled.examples == ()
    (verdict,) = [one for one in await desk.evaluate(draft_id, compiled, rules) if one.result.gate == "proof_clean"]
    assert not verdict.holds
    assert "1 worked examples do not come true" in verdict.result.why
    (told,) = verdict.result.evidence["failedExamples"]
    assert "a slice that no phase has reached stays in legacy" in told


class Lacking(BookErp):
    """Cannot cancel orders."""

    def capabilities(self) -> Mapping[tuple[str, Operation], Capability]:
        return {**super().capabilities(), ("orders", Operation.CANCEL): Capability(False, reason="by its driver")}


async def proof_of(desk: Desk, base: Rulebook, after: Rulebook, draft_id: str | None = "drf_1") -> GateResult:
    """What the gate says whose systems are a legacy ERP that can do all and a cloud that cannot cancel orders."""
    systems = {one.system_id: ErpSystem(one, SystemPolicy()) for one in (BookErp("old"), Lacking("new"))}
    (gate,) = [one for one in all_gates(desk.rig.store, desk.rig.rules, systems) if one.name == "proof_clean"]
    (result,) = await gate.evaluate(
        Candidate(
            draft_id=draft_id,
            rulebook=after,
            base=base,
            base_activation_number=1,
            changes=tuple(differences(base, after)),
            effective_at=0,
        )
    )
    return result


async def test_a_target_whose_driver_lacks_an_operation_is_an_error_in_the_gate(desk: Desk):
    base, pilot = parse(BASE, VALIDATE), parse(BASE, PILOT)
    result = await proof_of(desk, base, pilot)
    assert (result.passed, [one["code"] for one in result.evidence["shown"]]) == (False, ["follow_up_unserved"])
    assert "does not take cancel of orders" in result.evidence["shown"][0]["message"]
    # nothing goes to the cloud yet, or it is so already: neither keeps a change from coming into force
    assert (await proof_of(desk, parse(BASE, VALIDATE.replace("validate", "dark")), base)).passed
    assert (await proof_of(desk, pilot, parse(BASE, PILOT.replace(",10,", ",20,")))).passed
    # and going back does not wait for a driver
    assert (await proof_of(desk, base, pilot, draft_id=None)).passed
