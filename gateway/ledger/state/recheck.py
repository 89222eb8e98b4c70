"""The audit of the state in the background of a running gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import structlog

from gateway.domain.months import Month
from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.errors import StoreUnavailable
from gateway.ledger.errors import LogRefused
from gateway.ledger.state.audit import AuditedState, audit_state
from gateway.ledger.state.checkpoints import AuditedLog
from gateway.ledger.state.findings import Finding

RETRY_S: Final = 60.0
SHOWN: Final = 20
_log = structlog.get_logger(__name__)


class StateRecheck:
    """Audits everything, at a pace that leaves half of the time to others, most of it while callers wait, and again
    after `every_s`. What it finds is logged and kept; nothing is mended by itself.

    Args:
        gone: the months that were taken out of the ledger.
        log: whose kept checkpoints are judged.
        failed: told of each audit that could not be made though the database is there; the next one is after `RETRY_S`.

    Attributes:
        findings: of the last audit that could be made.
        failure: why the last one could not be made, where time alone does not mend it.
    """

    def __init__(
        self,
        state: AuditedState,
        commitment_key: bytes,
        every_s: float,
        *,
        first_after_s: float,
        gone: Callable[[], Awaitable[Collection[Month]]] | None = None,
        callers: WaitingCallers = NOBODY,
        log: AuditedLog | None = None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._callers = callers
        self._log = log
        self._gone = gone
        self._state = state
        self._key = commitment_key
        self._every_s = every_s
        self._wait_s = first_after_s
        self._failed = failed
        self.findings: list[Finding] = []
        self.failure: str | None = None

    async def at_start(self) -> None:
        """One audit before anything is served. Raises `LogRefused`: the state is not as the ledger tells. A time at
        which a checkpoint was kept is told, not refused: clocks of several processes that lie apart look the same."""
        self.findings = await self._audit()
        refused = [one for one in self.findings if not one.is_of_clocks]
        if self.findings and not refused:
            self._tell()
        if refused:
            shown = "\n".join(f"  {one}" for one in refused[:SHOWN])
            raise LogRefused(
                f"{len(refused)} things in the database are not as its ledger tells:\n{shown}\n"
                "Nothing was started. Keep a copy of the database: it is evidence. Then see docs/ledger.md, 'The state "
                "beside the ledger'."
            )

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._wait_s)
            self._wait_s = await self.once()

    async def once(self) -> float:
        """One audit; seconds to the next one."""
        try:
            self.findings = await self._audit(self._rest)
        except (StoreUnavailable, OSError) as error:  # a time limit is an OSError too
            if not isinstance(error, StoreUnavailable):
                self._failed()
            _log.warning("state_audit_waits", error=str(error) or type(error).__name__)
            return RETRY_S
        except LogRefused as error:  # the record of a month that was taken out: the recomputation halts for it
            _log.error("state_audit_refused", error=str(error))
            return self._every_s
        except Exception as error:
            # whatever it was, a task that has ended would audit nothing for ever
            self._failed()
            self.failure = f"{type(error).__name__}: {error}"
            _log.exception("state_audit_broken")
            return RETRY_S
        self.failure = None
        if self.findings:
            self._tell()
        else:
            _log.info("state_audited")
        return self._every_s

    def _tell(self) -> None:
        shown = [str(one) for one in self.findings[:SHOWN]]
        _log.error("state_differs_from_ledger", findings=len(self.findings), first=shown)

    async def _rest(self, worked_s: float) -> None:
        await asyncio.sleep(self._callers.rest_of_checking_s(worked_s))

    async def _audit(self, rest: Callable[[float], Awaitable[None]] | None = None) -> list[Finding]:
        if self._gone is None:
            return await audit_state(self._state, self._key, rest=rest, log=self._log)
        while True:
            gone = await self._gone()
            found = await audit_state(self._state, self._key, gone=gone, rest=rest, log=self._log)
            # a month that was taken out meanwhile is no finding
            if not found or await self._gone() == gone:
                return found
