"""What each process has of each system's budget. The database's clock decides how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.budget_shares import BudgetShare
from gateway.store import schema_budgets as schema
from gateway.store.kept import Kept
from gateway.store.statement import Command
from gateway.store.unit import Unit

BUDGET_LOCK: Final = 0x42554447
"""The number of the lock under which budgets are divided: "BUDG"."""

_SHARES: Final = Kept(schema.budget_shares, BudgetShare)
_share: Final = schema.budget_shares.c
_KEY: Final = ("system_id", "process_id")
_ALL: Final = _SHARES.query(_SHARES.selecting().order_by(_share.system_id, _share.process_id))
_putting: Final = insert(schema.budget_shares).values({name: bindparam(name) for name in _SHARES.names})
_PUT: Final = Command(
    _putting.on_conflict_do_update(
        index_elements=[_share.system_id, _share.process_id],
        set_={name: _putting.excluded[name] for name in _SHARES.names if name not in _KEY},
    )
)
_FORGET: Final = Command(delete(schema.budget_shares).where(_share.valid_until <= bindparam("now")))
_LEAVE: Final = Command(delete(schema.budget_shares).where(_share.process_id == bindparam("owner")))


class BudgetWrites:
    """Shares of a unit."""

    __slots__ = ()
    _unit: Unit

    async def budget_shares_alone(self) -> Sequence[BudgetShare]:
        """Every share that was not taken back, valid or not. Nobody else divides budgets until the unit ends."""
        await self._unit.lock(BUDGET_LOCK, shared=False)
        # a statement of its own, after the lock: it sees what the one before committed
        return await self._unit.all(_ALL)

    async def put_budget_share(self, share: BudgetShare) -> None:
        """Instead of the one that the process has of that system."""
        await self._unit.run(_PUT, _SHARES.params(share))

    async def forget_budget_shares(self, now: int) -> None:
        """Delete those that are not valid any more."""
        await self._unit.run(_FORGET, {"now": now})

    async def leave_budgets(self, process_id: str) -> None:
        """The process calls no system any more."""
        await self._unit.run(_LEAVE, {"owner": process_id})
