"""kill -9 of the gateway in the middle of the Northwind load: nothing is lost, nothing is posted twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.journeys.demo_process import demo
from tests.journeys.quick_erps import say_quick
from tests.journeys.test_northwind import assert_ties_out

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 10
DOCUMENTS = 91 + 77 + 830 + 809 + 809


def test_ten_kills_in_the_middle_of_the_load_and_it_still_ties_out(tmp_path: Path):
    at = random.Random(4)
    points = sorted(at.sample(range(50, DOCUMENTS - 100), KILLS))
    with demo(tmp_path / "demo", "--fresh") as running:
        running.wait_until_accepted(1)
        # each kill leaves calls of which nobody knows; no fault rule slows these ERPs down
        say_quick(running.data / "gateway.toml")
        for point in points:
            running.wait_until_accepted(point)
            running.kill_gateway()
        code, summary = running.finish()
    assert_ties_out(code, summary)
    assert running.accepted() == DOCUMENTS
