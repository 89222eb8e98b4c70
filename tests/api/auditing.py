"""An auditor over HTTP, on a record with documents of two slices in both ERPs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.api.ledger_parts import LedgerParts
from gateway.api.parts import AppParts
from gateway.app import create_app
from gateway.auth import Client, EmbeddedIssuer
from gateway.domain.caller import DataScope
from gateway.ledger.access_log import AccessLog
from gateway.ledger.api_uses import ApiUses
from gateway.ledger.entry_indexer import EntryIndexer
from gateway.ledger.scope_uses import ScopeUses
from gateway.store.store import Store
from gateway.telemetry import Metrics
from tests.api.conftest import in_this_loop
from tests.ledger.live import Live, live
from tests.ledger.logs import ORIGIN
from tests.line.documents import TO_CLOUD
from tests.line.rig import Rig, invoice, order, payment

ISSUER = "urn:issuer"
EVERYTHING = DataScope()


@dataclass
class Auditing:
    """The application's parts, and who asks."""

    rig: Rig
    log: Live
    issuer: EmbeddedIssuer
    parts: AppParts
    uses: ScopeUses
    api_uses: ApiUses
    http: httpx.AsyncClient

    @property
    def app(self) -> Any:
        """The application itself."""
        return create_app(self.parts)

    def headers(
        self,
        *scopes: str,
        data: DataScope = EVERYTHING,
        person: str | None = "ada",
        source: str = "auditor",
        teams: tuple[str, ...] = ("revision",),
    ) -> dict[str, str]:
        client = Client(source, source, frozenset(scopes or {"ledger:read"}), data, person, frozenset(teams))
        return {"Authorization": f"Bearer {self.issuer.mint(client)}"}

    async def get(self, path: str, data: DataScope = EVERYTHING, **query: Any) -> dict[str, Any]:
        answer = await self.ask(path, data, **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, path: str, data: DataScope = EVERYTHING, **query: Any) -> httpx.Response:
        return await self.http.get(f"/v1/ledger/{path}", params=query, headers=self.headers(data=data))

    async def catch_up(self) -> None:
        """What was committed gets its place, and is found."""
        self.log.clock.at = self.rig.clock.now()
        await self.log.settle()
        await EntryIndexer(self.rig.store).finish()

    async def order_to_cash(self, name: str = "10248", **changes: Any) -> str:
        """An order with its invoice and payment, all posted; the lineage."""
        made = await self.rig.send(order(name, **changes))
        await self.rig.settle()
        await self.rig.send(invoice(f"INV-{name}", name, **changes), "invoices")
        await self.rig.settle()
        await self.rig.send(payment(f"PAY-{name}", (f"INV-{name}",), **changes), "payments")
        await self.rig.settle()
        return made.transaction.lineage_id


@asynccontextmanager
async def auditing(store: Store, tmp_path: Path) -> AsyncIterator[Auditing]:
    """Two lineages, one in each ERP."""
    rig = await Rig.on(store)
    tools = rig.parts.tools
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = EmbeddedIssuer(key, ISSUER, "gateway", lambda: rig.clock.micros / 1_000_000, demo=True)
    uses = ScopeUses(store, rig.clock, tools.commitment_key)
    api_uses = ApiUses(store, rig.clock)
    parts = AppParts(
        submissions=rig.line,
        reads=store.reads,
        authenticator=issuer.verifier(),
        rulebook=lambda: rig.rules.current.rulebook,
        clock=rig.clock,
        metrics=Metrics(),
        capabilities=dict,
        ledger=LedgerParts(store.ledger, AccessLog(store, tools), ORIGIN),
        scope_uses=uses,
        api_uses=api_uses,
    )
    async with in_this_loop(parts) as http:
        found = Auditing(rig, live(store, tmp_path), issuer, parts, uses, api_uses, http)
        await found.order_to_cash()
        await found.order_to_cash("10249", **TO_CLOUD)
        await found.catch_up()
        yield found
