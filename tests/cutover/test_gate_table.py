"""The table of gates in docs/rules.md names just the gates that are built, and says what the sample rulebook says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import routing_rules
from gateway.cutover.gates.of_slices import slice_gates
from gateway.cutover.gates.registry import ALWAYS
from gateway.wiring.cutover import all_gates
from routing_rules import load_rulebook
from tests.cutover.slice_world import Clock

ROOT = Path(__file__).resolve().parents[2]


class _Anything:
    """Stands for parts that no gate asks before it is evaluated."""

    clock = Clock()

    def __getattr__(self, name: str) -> Any:
        return _Anything()


def _table() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "rules.md").read_text()
    section = text.partition("\n## Gates\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "| `" in line]
    return {re.sub("`", "", row[0]): row[1:] for row in rows}


def test_the_table_names_every_gate_that_is_built() -> None:
    anything = cast("Any", _Anything())
    built = [*all_gates(anything, anything, {}), *slice_gates(anything, anything, anything, {}, anything)]
    assert sorted(_table()) == sorted(gate.name for gate in built)


def test_the_table_says_what_may_be_waived() -> None:
    sample = load_rulebook(Path(routing_rules.__file__).parent / "tables")
    said = {str(one["id"]): one["waivable"] for one in sample.governance.required_checks}
    assert {name: row[-1] == "yes" for name, row in _table().items()} == said
    assert {name for name, row in _table().items() if row[-1] == "no"} == set(ALWAYS)


def test_every_row_is_filled_in() -> None:
    assert all(len(row) == 4 and all(row) for row in _table().values())
