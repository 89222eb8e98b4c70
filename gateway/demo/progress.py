"""What a person sees while the demo works: bars at a terminal, a line per finished step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Counts steps of several kinds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description:<26}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._left: dict[str, int] = {}
        self._total: dict[str, int] = {}

    def expect(self, name: str, total: int) -> None:
        """There will be so many steps of this kind."""
        self._tasks[name] = self._bars.add_task(name, total=total)
        self._left[name] = self._total[name] = total

    def advance(self, name: str) -> None:
        """One step is done."""
        self._bars.advance(self._tasks[name])
        self._left[name] -= 1
        if self._left[name] == 0 and not self._console.is_terminal:
            self._console.print(f"{name}: {self._total[name]} done", markup=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
