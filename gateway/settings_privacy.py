"""The settings of retention."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=0, le=36_525)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetentionSettings(_Closed):
    """How long payloads of `domain` (left out: of all) are kept at `geography` and below it; the narrowest rule counts.

    `keep_days`: nothing is erased before, whoever asks. `erase_after_days`: erased unasked then; left out: never.
    `from_year_end`: counted from the end of the calendar year of the posting date, else from that day.
    """

    domain: Annotated[str, Field(pattern="^[a-z_]{1,32}$")] | None = None
    geography: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")]
    keep_days: Days
    erase_after_days: Days | None = None
    from_year_end: bool = True


class PrivacySettings(_Closed):
    """`retention`: the rules; without any, nothing is erased unasked, and what is asked for may go at once. `every_s`:
    how often the process that leads this task looks for what is due."""

    retention: Annotated[list[RetentionSettings], Field(max_length=1_000)] = []
    every_s: Annotated[float, Field(ge=1)] = 3_600.0
