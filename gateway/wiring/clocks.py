"""How far this machine's clock is from the database's and from the witnesses': told in the log, and as numbers.

Entries bear the time of the machine that made them. What that is worth, an auditor sees here: the offset against the
database at every start and then each minute, and against a witness with each of its cosignatures. Those stand in the
checkpoints for ever, each beside the time at which we kept it (`log_checkpoints.kept_at`).
"""

from __future__ import annotations

from typing import Final, Protocol

import structlog

from gateway.errors import StoreUnavailable
from gateway.transactions.parts import SECOND
from gateway.transactions.ports import Clock

EVERY_S: Final = 60.0
FAR_S: Final = 1.0
"""An offset that is told as a warning. Witnesses state whole seconds, so theirs is a second more."""
DATABASE: Final = "database"

_log = structlog.get_logger(__name__)


class DatabaseTime(Protocol):
    """Whose clock all processes share."""

    async def database_now(self) -> int: ...


class OffsetNumbers(Protocol):
    """Shows offsets."""

    def offset(self, against: str, seconds: float) -> None: ...


class ClockOffsets:
    """Compares clocks. `numbers`: where the offsets are shown."""

    def __init__(self, database: DatabaseTime, clock: Clock, numbers: OffsetNumbers) -> None:
        self._database = database
        self._clock = clock
        self._numbers = numbers

    async def at_start(self) -> float:
        """The offset against the database (s), told in the log however small. Raises StoreUnavailable."""
        offset = await self._against_database()
        _log.info("clock_offset", against=DATABASE, seconds=round(offset, 6))
        return offset

    async def run(self) -> None:
        """Until cancelled. A database that is away is asked again."""
        while True:
            await self._clock.sleep(EVERY_S)
            try:
                self._tell(DATABASE, await self._against_database(), FAR_S)
            except StoreUnavailable as error:
                _log.warning("clock_not_compared", error=str(error))

    def cosigned(self, witness: str, at_s: int) -> None:
        """A witness cosigned at `at_s` by its clock, and its answer is here."""
        offset = self._clock.now() / SECOND - at_s
        self._numbers.offset(witness, offset)
        self._tell(witness, offset, FAR_S + 1.0)

    async def _against_database(self) -> float:
        """Its clock was read between two looks at ours: half of that time is the error at most."""
        before = self._clock.now()
        theirs = await self._database.database_now()
        offset = ((before + self._clock.now()) / 2 - theirs) / SECOND
        self._numbers.offset(DATABASE, offset)
        return offset

    @staticmethod
    def _tell(against: str, offset: float, far_s: float) -> None:
        if abs(offset) > far_s:
            _log.warning("clock_offset", against=against, seconds=round(offset, 6))
