"""What the settings say of the line."""

from __future__ import annotations

from gateway.domain.lanes import Lane
from gateway.settings import LaneSettings, LineSettings
from gateway.transactions.parts import LaneLimit, LineLimits


def line_limits(line: LineSettings, restored_at: int) -> LineLimits:
    """As the settings say, and when the record was last restored (µs; 0: never)."""
    return LineLimits(
        lease_margin_s=line.lease_margin_s,
        waiting_recheck_s=line.waiting_recheck_s,
        first_retry_s=line.first_retry_s,
        longest_retry_s=line.longest_retry_s,
        inquired_first_until=restored_at,
        lanes={lane: _lane(getattr(line.lanes, lane.value)) for lane in Lane},
    )


def _lane(settings: LaneSettings) -> LaneLimit:
    return LaneLimit(settings.concurrent, settings.share)
