"""docs/cutover.md, run command by command on two ERPs, with the documents that callers send meanwhile.

Between the document's commands its slice gets Northwind's documents. What must hold is asserted where it can be seen,
and at the end over everything: no lineage is split, every decision can be made again, and the money ties out.
"""

from __future__ import annotations

import json
import re
import tempfile
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
    """A short one: it holds a socket, whose name may have about a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="cutover", dir="/tmp") as made:
        yield Path(made)


def test_the_document_takes_a_slice_from_legacy_to_retired(directory: Path):
    environment = {"ERP_GATEWAY_DATA": str(directory / "nw")}
    document = DOCUMENT.read_text(encoding="utf-8")
    steps = steps_of(document)
    with (
        commands(directory) as path,
        running(directory / "nw") as world,
        shell(directory / "desk", path, environment) as desk,
    ):
        journey = Journey(world, desk, document)
        assert [one.name for one in steps] == list(journey.after), "a step of the document, or of the test, is new"
        for step in steps:
            journey.before.get(step.name, lambda: None)()
            for command in step.commands:
                desk.run(command)
            journey.after[step.name]()
        journey.assert_everything()


def test_the_addresses_in_the_document_are_those_of_the_contract():
    contract = json.loads((DOCUMENT.parent / "openapi" / "openapi.json").read_text(encoding="utf-8"))
    known = {
        (method.upper(), re.sub(r"{[^}]*}", "{}", path)) for path, of in contract["paths"].items() for method in of
    }
    named = re.findall(r"`(GET|POST) (/v1/[^`?\s]+)", DOCUMENT.read_text(encoding="utf-8"))
    assert len(named) > 8
    for method, path in named:
        given = re.sub(r"{[^}]*}", "{}", path)
        given = given.replace("orders.Eastern.US", "{}").replace("NW01/1996-08", "{}/{}")
        assert (method, given) in known, f"{method} {path}"
