"""The full recomputation of the log in the background of a running gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from gateway.domain.waiting_callers import NOBODY, WaitingCallers
from gateway.errors import GatewayError, StoreUnavailable
from gateway.ledger.own_affairs import OWN_AFFAIRS
from gateway.ledger.startup import LogCheck

RETRY_S: Final = 60.0
_log = structlog.get_logger(__name__)


class Recheck:
    """Recomputes everything, at a pace that leaves half of the time to others, most of it while callers wait, and again
    after `every_s`.

    Args:
        on_wrong: told once that the log is not as it was signed, with the report.
        failed: told of each recomputation that could not be made though the database is there; the next one is after
            `RETRY_S`.

    Attributes:
        wrong: what was found.
        failure: why the last one could not be made, where time alone does not mend it.
    """

    def __init__(
        self,
        check: LogCheck,
        every_s: float,
        on_wrong: Callable[[str], None],
        *,
        first_after_s: float,
        callers: WaitingCallers = NOBODY,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._callers = callers
        self._check = check
        self._every_s = every_s
        self._on_wrong = on_wrong
        self._wait_s = first_after_s
        self._failed = failed
        self.wrong: str | None = None
        self.failure: str | None = None

    async def run(self) -> None:
        """Until cancelled, or until something is wrong."""
        while self.wrong is None:
            await asyncio.sleep(self._wait_s)
            self._wait_s = await self.once()

    async def once(self) -> float:
        """One recomputation; seconds to the next one."""
        try:
            await self._check.warn_of_months()
            entries = await self._check.whole(_Pace(self._callers))
        except (StoreUnavailable, OSError) as error:  # the time limit of a read is an OSError too
            if not isinstance(error, StoreUnavailable):
                self._failed()
            _log.warning("log_recheck_waits", error=str(error) or type(error).__name__)
            return RETRY_S
        except OWN_AFFAIRS as error:
            self._failed()
            self.failure = str(error)
            _log.error("log_recheck_broken", error=self.failure)
            return RETRY_S
        except GatewayError as error:  # the report; or an entry is gone while it is read
            self.wrong = str(error)
            self._on_wrong(self.wrong)
            return self._every_s
        except Exception as error:
            # whatever it was, a task that has ended would check nothing for ever
            self._failed()
            self.failure = f"{type(error).__name__}: {error}"
            _log.exception("log_recheck_broken")
            return RETRY_S
        self.failure = None
        _log.info("log_rechecked", entries=entries)
        return self._every_s


class _Pace:
    """Progress that rests at least as long as the work before it took; it is called in the thread that recomputes."""

    def __init__(self, callers: WaitingCallers) -> None:
        self._callers = callers
        self._since = time.monotonic()

    def __call__(self, _done: int, _total: int) -> None:
        worked_s = time.monotonic() - self._since
        time.sleep(self._callers.rest_of_checking_s(worked_s))
        self._since = time.monotonic()
