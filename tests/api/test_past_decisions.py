"""How it was decided then, and how it would be decided now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.api.parts import AppParts
from gateway.auth import Client, EmbeddedIssuer
from gateway.cutover.activation import put_in_force
from gateway.cutover.past_decisions import PastDecisions
from gateway.domain.caller import DataScope
from gateway.domain.queries import Visible
from gateway.errors import Problem
from gateway.store.store import Store
from gateway.telemetry import Metrics
from routing_rules import parse_rulebook
from tests.api.conftest import in_this_loop
from tests.cutover.drafted import with_orders_live
from tests.line.documents import contract
from tests.line.rig import TABLES, Rig, invoice, order


@pytest.fixture
async def rig(store: Store) -> Rig:
    return await Rig.on(store)


class Api:
    """The explanation over HTTP."""

    def __init__(self, issuer: EmbeddedIssuer, http: httpx.AsyncClient) -> None:
        self._issuer, self._http = issuer, http

    async def __call__(self, transaction_id: str, places: frozenset[str] | None = None, **query: str) -> httpx.Response:
        client = Client("auditor", "auditor", frozenset({"ledger:read"}), DataScope(None, places))
        headers = {"Authorization": f"Bearer {self._issuer.mint(client)}"}
        return await self._http.get(f"/v1/transactions/{transaction_id}/explanation", headers=headers, params=query)


@pytest.fixture
async def ask(rig: Rig) -> AsyncIterator[Api]:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = EmbeddedIssuer(key, "urn:test", "gateway", lambda: rig.clock.micros / 1_000_000, demo=True)
    parts = AppParts(
        submissions=rig.line,
        reads=rig.store.reads,
        authenticator=issuer.verifier(),
        rulebook=lambda: rig.rules.current.rulebook,
        clock=rig.clock,
        metrics=Metrics(),
        capabilities=dict,
    )
    async with in_this_loop(parts) as http:
        yield Api(issuer, http)


async def go_live(rig: Rig) -> None:
    """Another rulebook comes into force, and the process loads it."""
    book = parse_rulebook({name: text.encode() for name, text in with_orders_live().items()})
    rules = await put_in_force(rig.store, rig.parts.tools, book, "test")
    await rig.rules.reload(rules.state)


async def test_the_stored_decision_is_found_again_after_the_rules_have_changed(rig: Rig, ask: Api) -> None:
    sent = (await rig.send(order(), wait_s=5.0)).transaction
    same: dict[str, Any] = (await ask(sent.transaction_id)).json()
    assert (same["reproduced"], same["wouldDiffer"], same["remark"]) == (True, False, None)
    await go_live(rig)
    told = (await ask(sent.transaction_id)).json()
    assert (told["reproduced"], told["wouldDiffer"]) == (True, True)
    assert told["stored"]["systemId"] == told["asOfThen"]["target"]["systemId"] == "legacy-main"
    assert told["asOfNow"]["target"]["systemId"] == "cloud-main"
    assert (told["asOfThen"]["activationNumber"], told["asOfNow"]["activationNumber"]) == (1, 2)
    lines = (TABLES / "orders.csv").read_text(encoding="utf-8").splitlines()
    for row in (*told["asOfThen"]["matched"], told["asOfThen"]["whyNot"]):
        assert lines[row["line"] - 1].startswith(f"{row['row']},"), "the line of the file that was read"
    assert told["governingTransactionId"] == sent.transaction_id


async def test_a_follow_up_is_explained_by_its_root(rig: Rig, ask: Api) -> None:
    root = (await rig.send(order(), wait_s=5.0)).transaction
    child = (await rig.send(invoice(), "invoices", wait_s=5.0)).transaction
    told = (await ask(child.transaction_id)).json()
    assert (told["governingTransactionId"], told["stored"]["pinned"]) == (root.transaction_id, True)
    assert (told["reproduced"], told["asOfThen"]["domain"]) == (True, "orders")


async def test_what_the_gateway_keeps_itself_is_reproduced_too(rig: Rig, ask: Api) -> None:
    kept = (await rig.send(contract(), "contracts", wait_s=5.0)).transaction
    told = (await ask(kept.transaction_id)).json()
    assert told["reproduced"] is True
    assert told["wouldDiffer"] is False


async def test_why_not_names_a_row_of_then(rig: Rig, ask: Api) -> None:
    sent = (await rig.send(order(), wait_s=5.0)).transaction
    told = (await ask(sent.transaction_id, whyNot="o-west")).json()
    assert told["asOfThen"]["whyNot"]["row"] == "o-west"
    assert told["asOfThen"]["whyNot"]["changes"][0]["field"] == "businessUnit"
    assert (await ask(sent.transaction_id, whyNot="o-none")).status_code == 404


async def test_what_is_not_visible_or_was_not_routed_is_not_found(rig: Rig, ask: Api) -> None:
    sent = (await rig.send(order(), wait_s=5.0)).transaction
    assert (await ask(sent.transaction_id, frozenset({"DE"}))).status_code == 404
    assert (await ask("txn_" + "0" * 26)).status_code == 404
    record = sent.__class__(**{name: getattr(sent, name) for name in sent.__slots__} | {"transaction_id": "txn_none"})
    with pytest.raises(Problem) as refused:
        await PastDecisions(rig.store.reads).explain(record, Visible(), lambda _facts: {})
    assert refused.value.slug == "not-found"


async def test_a_changed_record_is_told(rig: Rig) -> None:
    sent = (await rig.send(order(), wait_s=5.0)).transaction

    class Changed:
        """Reads of which the stored rulebook is another one."""

        def __getattr__(self, name: str) -> Any:
            return getattr(rig.store.reads, name)

        async def activation(self, activation_number: int) -> Any:
            found = await rig.store.reads.activation(activation_number)
            book = parse_rulebook({name: text.encode() for name, text in with_orders_live().items()})
            values = {name: getattr(found, name) for name in found.__slots__}
            return found.__class__(**values | {"rules": book.canonical_json().decode()})

    told = await PastDecisions(Changed()).explain(sent, Visible(), lambda _facts: {"stage": "legacy"})
    assert told["reproduced"] is False
