"""docs/cutover.md, run command by command on two ERPs, with the documents that callers send meanwhile.

Between the document's commands its slice gets Northwind's documents; what must hold is asserted where it can be seen, and
at the end over everything: no lineage is split, every decision can be made again, and the money ties out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.cutover_document import shell, steps_of
from tests.journeys.cutover_steps import Journey
from tests.journeys.cutover_world import running
from tests.journeys.resident_commands import commands

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DOCUMENT = Path(__file__).parents[2] / "docs" / "cutover.md"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short one: it holds a socket, and PostgreSQL's rule for their names is everybody's."""
    with tempfile.TemporaryDirectory(prefix="cutover", dir="/tmp") as made:
        yield Path(made)


def test_the_document_takes_a_slice_from_legacy_to_retired(directory: Path):
    environment = {"ERP_GATEWAY_DATA": str(directory / "nw")}
    document = DOCUMENT.read_text(encoding="utf-8")
    steps = steps_of(document)
    with commands(directory) as path, running(directory / "nw") as world:
        with shell(directory / "desk", path, environment) as desk:
            journey = Journey(world, desk, document)
            assert [one.name for one in steps] == list(journey.after), "a step of the document, or of the test, is new"
            for step in steps:
                begun = time.monotonic()
                journey.before.get(step.name, lambda: None)()
                for command in step.commands:
                    desk.run(command)
                journey.after[step.name]()
                print(f"{step.name}: {time.monotonic() - begun:.1f} s")
            journey.assert_everything()
