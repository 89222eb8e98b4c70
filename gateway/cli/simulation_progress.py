"""How far a simulation is."""

from __future__ import annotations

import sys
import time


class Progress:
    """How far it is, on stderr: in place on a terminal, else a line for each tenth."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._tenth = 0
        self._terminal = sys.stderr.isatty()

    def show(self, read: int, expected: int) -> None:
        """So many are read of so many."""
        seconds = max(time.monotonic() - self._begun, 0.001)
        told = f"{read:,} of {expected:,} documents, {read / seconds:,.0f} a second"
        tenth = read * 10 // max(expected, 1)
        if self._terminal:
            sys.stderr.write(f"\r{told}")
        elif tenth > self._tenth:
            sys.stderr.write(f"{told}\n")
        self._tenth = max(tenth, self._tenth)
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._terminal:
            sys.stderr.write("\n")
