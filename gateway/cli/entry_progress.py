"""How far a log is read, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def entry_progress() -> Iterator[Callable[[int, int], None]]:
    """A line on stderr, until the context ends, where that is a terminal. Gives what is to be called now and then, with
    (entries read, entries in all)."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        bar = shown.add_task("entries", total=None)

        def progress(done: int, total: int) -> None:
            shown.update(bar, completed=done, total=total)

        yield progress
