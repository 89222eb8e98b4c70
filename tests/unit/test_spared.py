"""What a started process keeps is out of the collector's sight; `serve` and `work` see to it before they take work."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import serve as commands
from gateway.spared import spare_what_stays


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_collector_looks_at_next_to_nothing_of_what_stays() -> None:
    before = len(gc.get_objects())
    spare_what_stays()
    assert len(gc.get_objects()) < before / 100
    assert gc.get_freeze_count() > before / 2


class _Runtime:
    """As far as the commands use it; it notes what was spared when it was started."""

    alone = True
    settings = commands.Settings(rulebook=Path("rulebook"))

    def __init__(self) -> None:
        self.spared_at_start = -1

    def leave(self) -> None: ...

    def start(self, *, worker: bool = True) -> None:
        self.spared_at_start = gc.get_freeze_count()

    async def stop(self) -> None: ...


async def test_serve_spares_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def served(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(commands, "serve_http", served)
    runtime: Any = _Runtime()
    await commands.run_until_stopped(runtime, object(), 1)  # type: ignore[arg-type]
    assert runtime.spared_at_start > 1_000


async def test_work_spares_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime: Any = _Runtime()

    async def opened(*_: Any) -> Any:
        return runtime

    async def at_once(_: object) -> None: ...

    monkeypatch.setattr(commands, "open_runtime", opened)
    monkeypatch.setattr(commands.Stop, "wait", at_once)
    await commands._work(Path("nowhere"), runtime.settings)
    assert runtime.spared_at_start > 1_000
