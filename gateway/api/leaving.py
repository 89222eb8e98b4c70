"""Whether this process is about to end: then it says so to balancers, and keeps no connection open."""

from __future__ import annotations


class Leaving:
    """Begun once, and never taken back."""

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        """From now on `/health/ready` answers 503, and every answer closes its connection."""
        self.begun = True
