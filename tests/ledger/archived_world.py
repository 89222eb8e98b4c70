"""An auditor of a record on PostgreSQL from which the first of two months was really taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.months import Month
from gateway.ledger.months.detach import detachable
from gateway.ledger.months.write import write_archive
from gateway.store.month_moves import take_out
from gateway.store.months import make_months
from gateway.store.owner import as_owner
from gateway.store.store import Store
from tests.api.auditing import Auditing, auditing
from tests.api.evidence import with_evidence
from tests.ledger.logs import KEY, LOG
from tests.ledger.month_world import EVIDENCE, entry_of
from tests.line.rig import invoice, order, payment

NOVEMBER, DECEMBER = Month(2023, 11), Month(2023, 12)
_LATER = Month(2025, 1).first_at
_TWENTY_DAYS_S = 20 * 86_400.0


@dataclass
class ArchivedWorld:
    """`november`, `december`: a lineage of each; `archive`: where the entries of November are."""

    audit: Auditing
    url: str
    november: str
    december: str
    archive: Path

    async def take_out(self) -> None:
        """Archive November and drop its table."""
        store = self.audit.rig.store
        await write_archive(store.log, LOG, NOVEMBER, self.archive, EVIDENCE, _LATER)
        record = await detachable(store, [KEY.key], EVIDENCE.key, NOVEMBER, self.archive, _LATER)
        await as_owner(self.url, lambda connection: take_out(connection, record))


@asynccontextmanager
async def archived_world(store: Store, url: str, place: Path) -> AsyncIterator[ArchivedWorld]:
    """Orders of November, one of which was refused first and one of which is billed and paid in December; and others
    of December. Nothing is taken out yet."""
    async with auditing(store, place) as audit:
        rig = audit.rig
        rig.legacy.script = ["reject"]
        refused = await rig.send(order("10400"), wait_s=5.0)
        rig.clock.forward(89.0)
        await rig.send(order("10400"), replaces=refused.transaction.transaction_id, wait_s=5.0)
        late = await rig.send(order("10500"))
        await rig.settle()
        rig.clock.forward(_TWENTY_DAYS_S)
        await rig.send(invoice("INV-10500", "10500"), "invoices")
        await rig.settle()
        await rig.send(payment("PAY-10500", ("INV-10500",)), "payments")
        await rig.settle()
        december = await audit.order_to_cash("10600")
        await as_owner(url, make_months)
        await audit.catch_up()
        await audit.log.commit(*[entry_of(f"qry_end_{number}", 1) for number in range(256)])
        await audit.catch_up()
        lineage = late.transaction.lineage_id
        yield ArchivedWorld(with_evidence(audit), url, lineage, december, place / "november")
