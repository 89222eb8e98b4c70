"""Conditions of partial indexes, in the words that a query must use too: an index serves only a query that has the very
words of its condition, so both are written out."""

from __future__ import annotations

from typing import Final

FREE_JOB: Final = "lease_owner IS NULL AND waiting_for IS NULL"
"""What whoever has a place may take once it is due."""
OPEN_STATUS: Final = "status NOT IN ('posted', 'rejected', 'compensated', 'cancelled')"
"""Not an end."""
UNDONE_STATE: Final = "state <> 'active'"
"""Cancelled or reversed."""
ROUTED_KIND: Final = "kind = 'routed'"
"""The entries that recorded traffic is read from, by time."""
SENT_AGAIN: Final = "state = 'posted' AND attempt > 1 AND once_unknown = 1"
"""Posted after more than one attempt, of which another one may have posted too."""
POSTED_TWICE: Final = "twice_at IS NOT NULL"
"""Found to stand in its ERP several times."""
