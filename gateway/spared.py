"""What a process keeps for its whole life is not looked through again and again.

Python's collector stops all threads while it looks through every object it knows for cycles. A gateway that has started
keeps some 270,000 (modules, schemas, compiled statements), which takes 160 ms, every other second under load: every
caller waits meanwhile (measured; `benchmarks/results/isolation.md`). `gc.freeze` takes them out of its sight.
Source: https://docs.python.org/3/library/gc.html#gc.freeze.
"""

from __future__ import annotations

import gc


def spare_what_stays() -> None:
    """Once, when a process has started and before it takes work. What is frozen and dropped later without a cycle is
    freed as ever."""
    gc.collect()
    gc.freeze()
