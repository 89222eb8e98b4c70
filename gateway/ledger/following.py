"""What this process holds of the log, kept near the newest checkpoint while another process signs.

Whichever process is started next has seen the log a few seconds ago then, and notices a database that was put back. The
same look notices it in a process that runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ledger.own_affairs import OWN_AFFAIRS
from gateway.ledger.startup import LogCheck

FOLLOW_S: Final = 5.0
"""Between two looks: what is held is at most so much older than the newest checkpoint."""
_log = structlog.get_logger(__name__)


class Following:
    """Looks every `every_s` while `is_idle` says that this process signs nothing itself.

    Args:
        check: proves that the log continues what is held, and holds what is newer.
        on_wrong: told once that the log is another one, with the report.
        failed: told of each look that could not be made though the database is there; the next one is made as ever.

    Attributes:
        wrong: what was found; nothing is held any more then.
        failure: why the last look could not be made, where time alone does not mend it.
    """

    def __init__(
        self,
        check: LogCheck,
        is_idle: Callable[[], bool],
        on_wrong: Callable[[str], None],
        *,
        every_s: float = FOLLOW_S,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._check = check
        self._is_idle = is_idle
        self._on_wrong = on_wrong
        self._every_s = every_s
        self._failed = failed
        self.wrong: str | None = None
        self.failure: str | None = None

    async def run(self) -> None:
        """Until cancelled, or until something is wrong."""
        while self.wrong is None:
            if self._is_idle():
                await self.once()
            await asyncio.sleep(self._every_s)

    async def once(self) -> None:
        """One look."""
        try:
            await self._check.follow()
        except (StoreUnavailable, OSError) as error:  # the time limit of a read is an OSError too
            if not isinstance(error, StoreUnavailable):
                self._failed()
            _log.warning("log_not_followed", error=str(error) or type(error).__name__)
            return
        except OWN_AFFAIRS as error:
            self._failed()
            self.failure = str(error)
            _log.error("log_not_followed", error=self.failure)
            return
        except GatewayError as error:
            self.wrong = str(error)
            self._on_wrong(self.wrong)
        except Exception as error:
            # whatever it was, a process that looks no more would notice nothing for ever
            self._failed()
            self.failure = f"{type(error).__name__}: {error}"
            _log.exception("log_not_followed")
            return
        self.failure = None
