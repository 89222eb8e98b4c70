"""Drafts over HTTP: the application on a real store, with the real gates of persons and proof, and real tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.api.parts import AppParts
from gateway.auth import DEFAULT_CLIENTS, Client, EmbeddedIssuer
from gateway.cutover.activate_draft import Activating, evaluate_candidate, settled_within
from gateway.cutover.activator import Activator
from gateway.cutover.analysis import Analyses
from gateway.cutover.draft_ports import DraftParts
from gateway.cutover.ending import ending
from gateway.cutover.gates.approvals import ApprovalsGate
from gateway.cutover.gates.gate import Candidate, Gate, GateResult
from gateway.cutover.gates.proof import ProofCleanGate, ProofKept, ResidencyGate
from gateway.cutover.gates.registry import GateRegistry, GateVerdict, asked_of
from gateway.cutover.gates.version_loaded import VersionLoaded
from gateway.domain.activations import ActivationRequest
from gateway.telemetry import Metrics
from gateway.transactions.parts import RulesInForce
from routing_rules import Rulebook
from tests.api.conftest import in_this_loop
from tests.line.rig import TABLES, Rig

YEAR = (datetime.now(UTC) + timedelta(days=2)).year
"""One that does not end while the tests run."""
NEXT_YEAR = f"{YEAR + 1}-01-01T00:00:00Z"
"""Not yet, by the database's clock, and not too far away to be asked for."""

SAMPLE = {path.name: path.read_text(encoding="utf-8") for path in TABLES.iterdir()}
NORTHERN = "Everything that no phase has reached yet"


@dataclass
class Says:
    """A gate that says what it is told to."""

    name: str
    passes: bool = True

    def guards(self, candidate: Candidate) -> bool:
        return True

    async def evaluate(self, candidate: Candidate) -> Sequence[GateResult]:
        return [GateResult(gate=self.name, passed=self.passes, why="it was told to")]


@dataclass
class Desk:
    """`says`: the gates that are not of persons and proof, by name."""

    rig: Rig
    issuer: EmbeddedIssuer
    says: dict[str, Says]
    activating: Activating
    http: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def on(cls, store: Any) -> AsyncIterator[Desk]:
        rig = await Rig.on(store)
        tools = rig.parts.tools
        reads = store.reads
        proofs = ProofKept(lambda: None)
        real: list[Gate] = [
            ApprovalsGate(reads, reads, lambda: rig.rules.current),
            ProofCleanGate(proofs),
            ResidencyGate(proofs),
            VersionLoaded(reads),
        ]
        names = {one.name for one in real}
        says = {name: Says(name) for name in asked_of(rig.rules.current.rulebook) if name not in names}

        async def in_force() -> RulesInForce:
            await rig.rules.refresh()
            return rig.rules.current

        parts = DraftParts(
            store=store,
            reads=reads,
            tools=tools,
            rules=in_force,
            gates=GateRegistry([*real, *says.values()], rig.clock.now),
            simulations=reads,
            capabilities=lambda: None,
        )
        activator = Activator(
            store, reads, tools, rig.rules, lambda one: evaluate_candidate(parts, one), settled=ending(tools)
        )
        activating = Activating(
            parts=parts, analyses=Analyses(lambda: None), activation_store=store, wake=activator.wake
        )
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = EmbeddedIssuer(key, "urn:test", "gateway", lambda: rig.clock.now() / 1_000_000, demo=True)
        app = AppParts(
            submissions=rig.line,
            reads=reads,
            authenticator=issuer.verifier(),
            rulebook=lambda: rig.rules.current.rulebook,
            clock=rig.clock,
            metrics=Metrics(),
            capabilities=dict,
            drafts=activating,
        )
        running = asyncio.create_task(activator.run())
        try:
            async with in_this_loop(app) as http:
                yield cls(rig, issuer, says, activating, http)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def token(self, client: Client) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.mint(client)}"}

    def who(self, name: str, **changes: Any) -> dict[str, str]:
        """The token of one of the demo's clients, or of another one like it."""
        return self.token(replace(DEFAULT_CLIENTS[name], **changes))

    async def save(self, by: dict[str, str], files: dict[str, str], **members: Any) -> httpx.Response:
        return await self.http.post("/v1/drafts", headers=by, json=body(files) | members)

    async def saved(self, files: dict[str, str] | None = None, by: str = "order-to-cash-author") -> str:
        """The id of a new draft, by default one that changes a note of the orders' table."""
        answer = await self.save(self.who(by), noted("first") if files is None else files)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["draftId"])

    async def edit(self, by: dict[str, str], draft_id: str, files: dict[str, str], tag: str) -> httpx.Response:
        return await self.http.put(f"/v1/drafts/{draft_id}", headers=by, json=body(files) | {"ifMatch": tag})

    async def approve(self, by: dict[str, str], draft_id: str, tag: str = "v1") -> httpx.Response:
        return await self.http.post(f"/v1/drafts/{draft_id}/approve", headers=by, json={"ifMatch": tag})

    async def waive(self, by: dict[str, str], draft_id: str, gate: str = "calendar") -> httpx.Response:
        day = {"gate": gate, "reason": "agreed with finance", "expiresAt": "2023-11-30T00:00:00Z"}
        return await self.http.post(f"/v1/drafts/{draft_id}/waive", headers=by, json=day)

    async def activate(self, by: dict[str, str], draft_id: str, **members: Any) -> httpx.Response:
        return await self.http.post(f"/v1/drafts/{draft_id}/activate", headers=by, json=members, timeout=30)

    async def roll_back(self, by: dict[str, str], name: str, key: str = "k1") -> httpx.Response:
        return await self.http.post(
            f"/v1/cutover/slices/{name}/rollback",
            headers=by,
            json={"reason": "wrong prices", "idempotencyKey": key},
            timeout=30,
        )

    async def forward(self, files: dict[str, str], *others: str) -> int:
        """Bring the files into force, without their worked examples, by three persons of order to cash and approvers of
        other teams; the activation number."""
        yaml = files["rulebook.yaml"].partition("\nexamples:")[0]
        draft_id = await self.saved(files | {"rulebook.yaml": f"{yaml}\n"})
        await self.approved(draft_id)
        for other in others:
            answer = await self.approve(self.who(f"{other}-approver"), draft_id)
            assert answer.status_code == 200, answer.text
        answer = await self.activate(self.who("order-to-cash-activator"), draft_id)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["activationNumber"])

    async def review(self, draft_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/v1/drafts/{draft_id}", headers=self.who("auditor"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def approved(self, draft_id: str, tag: str = "v1") -> None:
        answer = await self.approve(self.who("order-to-cash-approver"), draft_id, tag)
        assert answer.status_code == 200, answer.text

    async def settled(self, activation_id: str) -> ActivationRequest:
        """The request when it has ended."""
        request = await self.rig.store.reads.activation_request(activation_id)
        return await settled_within(self.activating.parts, request, 20)

    async def evaluate(self, draft_id: str, candidate: Rulebook, rules: RulesInForce) -> Sequence[GateVerdict]:
        """What the activator would hear now of that draft and this rulebook."""
        return await evaluate_candidate(
            self.activating.parts,
            Candidate(
                draft_id=draft_id,
                rulebook=candidate,
                base=rules.rulebook,
                base_activation_number=rules.activation_number,
                changes=[],
                effective_at=0,
            ),
        )

    async def rulebook(self) -> Rulebook:
        """What is in force, loaded if the process has not swapped yet."""
        await self.rig.rules.refresh()
        return self.rig.rules.current.rulebook

    async def in_force(self) -> int:
        return int((await self.rig.store.reads.rules_state()).activation_number)

    async def entries(self, trace: str) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in await self.rig.store.reads.entries(trace)]


def body(files: dict[str, str]) -> dict[str, Any]:
    return {"title": "orders", "files": [{"fileName": name, "text": text} for name, text in files.items()]}


def moved(row: str, before: str, after: str, domain: str = "orders") -> dict[str, str]:
    """The sample with one row changed."""
    return again(SAMPLE, row, before, after, domain)


def again(files: dict[str, str], row: str, before: str, after: str, domain: str = "orders") -> dict[str, str]:
    """The files with one row changed."""
    lines = files[f"{domain}.csv"].splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{row},"))
    assert before in lines[at]
    lines[at] = lines[at].replace(before, after, 1)
    return files | {f"{domain}.csv": "\n".join(lines) + "\n"}


def noted(note: str, domain: str = "orders") -> dict[str, str]:
    """The sample with another note in one table: another version, and nothing moves."""
    text = SAMPLE[f"{domain}.csv"]
    return SAMPLE | {f"{domain}.csv": text.replace(NORTHERN, f"{NORTHERN} ({note})")}
