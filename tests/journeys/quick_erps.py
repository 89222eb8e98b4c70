"""Times for ERPs that are as quick as the demo's are without its simulator's slow fault rules."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.demo.erps import LONGEST_EXECUTION_S

QUICK_S: Final = 5
"""Longest execution where no rule `slow` or `timeout` is set: the simulator executes within milliseconds of a request
or never. A test that loses an answer or kills the gateway waits this long, and not the demo's two minutes and more."""


def say_quick(settings: Path) -> None:
    """Write it into the `gateway.toml` of a demo, which counts from the gateway's next start."""
    text = settings.read_text(encoding="utf-8")
    said = f"longest_execution_s = {LONGEST_EXECUTION_S}\n"
    assert text.count(said) == 2, text
    settings.write_text(text.replace(said, f"longest_execution_s = {QUICK_S}\n"), encoding="utf-8")
