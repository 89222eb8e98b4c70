"""schemathesis finds nothing in our gateway, and what is planted in a faulty one. `make fuzz` is the long run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.campaign import campaign, document_of
from tests.fuzz.faulty_gateway import FAULTS, PLACES
from tests.fuzz.following import follow, follow_once
from tests.fuzz.target import fuzzed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_nothing_is_found(tmp_path: Path) -> None:
    with fuzzed(tmp_path / "data") as running:
        found = campaign(running, tmp_path, examples=10)
        followed, unmet = follow(running, tmp_path, document_of(running.base_url))
        assert not found.failures, f"{found}\n{found.said}\n{running.log()}"
        assert not followed.failures, f"{followed}\n{followed.said}\n{running.log()}"
    assert unmet == [], followed
    assert found.cases >= 1_000, found
    assert set(found.by_phase) == {"examples", "coverage", "fuzzing", "stateful"}
    assert sum(found.posted.values()) >= 20, found


def test_planted_faults_are_found(tmp_path: Path) -> None:
    with fuzzed(tmp_path / "data", module="tests.fuzz.faulty_gateway") as running:
        found = campaign(running, tmp_path, examples=25, operations=PLACES)
        found.add(follow_once(running, tmp_path, "products", seed=1))
    missed = [name for name, where in FAULTS.items() if not found.failures[where]]
    assert missed == [], found
